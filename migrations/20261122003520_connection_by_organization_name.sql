-- As by trouble.
create index connection_by_organization_name_searched on connection (tenant_id, organization_name_lower, connection_id, product, data_centre,
    trouble, organization_zoho_id_lower, person_email_lower);
