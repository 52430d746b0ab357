-- As for connections.
create index organization_by_trouble_searched on organization (tenant_id, trouble, organization_id, product, data_centre, name_lower, zoho_id_lower);
