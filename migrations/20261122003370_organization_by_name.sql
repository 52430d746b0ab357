-- As for connections.
create index organization_by_name_wider on organization (tenant_id, name_lower, organization_id, product, data_centre, trouble);
