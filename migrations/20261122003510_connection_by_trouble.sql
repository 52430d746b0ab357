-- Each order's index also holds what is searched for: a search walks it as a filter does, without a look at what does not
-- fit. Each index in a migration of its own, so that nothing waits to be written for longer than one of them takes.
create index connection_by_trouble_searched on connection (tenant_id, trouble, connection_id, product, data_centre, organization_name_lower,
    organization_zoho_id_lower, person_email_lower);
