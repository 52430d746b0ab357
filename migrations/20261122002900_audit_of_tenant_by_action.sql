-- What is asked of the audit and is rare has an index that holds what is rare alone; what is written all day, renewals
-- and sign-ins, is in none of them and costs no more than before. Each in a migration of its own, so that nothing waits to
-- be written for longer than one of them takes.

-- The words stand in domain/audit.rs, too. Renewals and sign-ins are found on the way through time.
create index audit_event_of_tenant_by_action on audit_event (tenant_id, action, at) where action not in ('refreshed', 'signed_in');
