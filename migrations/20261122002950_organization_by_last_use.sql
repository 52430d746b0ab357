create index organization_by_last_use on organization (tenant_id, last_used_day, organization_id);
