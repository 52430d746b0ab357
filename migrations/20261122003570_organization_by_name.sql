-- As for connections.
create index organization_by_name_searched on organization (tenant_id, name_lower, organization_id, product, data_centre, trouble, zoho_id_lower);
