-- As for connections.
create index organization_by_last_use_wider on organization (tenant_id, last_used_day, organization_id, product, data_centre, trouble);
