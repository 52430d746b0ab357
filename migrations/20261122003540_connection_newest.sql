-- As by trouble, in the order of the primary key.
create index connection_newest_searched on connection (tenant_id, connection_id, product, data_centre, trouble,
    organization_name_lower, organization_zoho_id_lower, person_email_lower);
