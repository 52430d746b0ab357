-- A sign-in is about no connection.
create index audit_event_of_connection on audit_event (tenant_id, connection_id, at) where connection_id is not null;
