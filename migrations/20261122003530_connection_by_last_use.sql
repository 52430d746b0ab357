-- As by trouble.
create index connection_by_last_use_searched on connection (tenant_id, last_used_day, connection_id, product, data_centre, trouble,
    organization_name_lower, organization_zoho_id_lower, person_email_lower);
