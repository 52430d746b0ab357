-- As by trouble.
create index connection_by_organization_name_wider on connection (tenant_id, organization_name_lower, connection_id, product, data_centre, trouble);
