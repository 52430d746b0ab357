-- Whose organizations an address belongs to is read from the index alone.
create index connection_by_email_with_organization on connection (tenant_id, person_email_lower, organization_id);
drop index connection_by_email;
alter index connection_by_email_with_organization rename to connection_by_email;
