-- As for connections.
create index organization_by_trouble_wider on organization (tenant_id, trouble, organization_id, product, data_centre);
