-- Whether an organization has an address that is searched for is told by the index alone.
create index connection_by_organization_searched on connection (tenant_id, organization_id, person_email_lower);
