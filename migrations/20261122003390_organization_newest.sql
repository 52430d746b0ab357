-- As for connections.
create index organization_newest on organization (tenant_id, organization_id, product, data_centre, trouble);
