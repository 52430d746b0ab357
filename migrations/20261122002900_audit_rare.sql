-- What is asked of the audit and is rare has an index that holds what is rare alone; what is written all day, renewals
-- and sign-ins, is in none of them and costs no more than before.

-- The words stand in domain/audit.rs, too. Renewals and sign-ins are found on the way through time.
create index audit_event_of_tenant_by_action on audit_event (tenant_id, action, at) where action not in ('refreshed', 'signed_in');
-- Of every tenant at once: what a back end of all tenants lists.
create index audit_event_of_all_by_action on audit_event (action, at) where action not in ('refreshed', 'signed_in');
create index audit_event_of_all_by_actor on audit_event (actor_id, at) where actor_id is not null;
create index audit_event_of_all_not_done on audit_event (at) where outcome not in ('done', 'works', 'yes', 'already');
-- A sign-in is about no connection.
create index audit_event_of_connection on audit_event (tenant_id, connection_id, at) where connection_id is not null;
