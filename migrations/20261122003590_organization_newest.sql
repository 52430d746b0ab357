-- As for connections.
create index organization_newest_searched on organization (tenant_id, organization_id, product, data_centre, trouble, name_lower, zoho_id_lower);
