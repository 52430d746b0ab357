-- The same by who did it.
create index audit_event_of_all_by_actor on audit_event (actor_id, at) where actor_id is not null;
