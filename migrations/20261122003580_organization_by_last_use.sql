-- As for connections.
create index organization_by_last_use_searched on organization (tenant_id, last_used_day, organization_id, product, data_centre, trouble,
    name_lower, zoho_id_lower);
