-- Of every tenant at once: what a back end of all tenants lists.
create index audit_event_of_all_by_action on audit_event (action, at) where action not in ('refreshed', 'signed_in');
