-- The same of what was refused or failed.
create index audit_event_of_all_not_done on audit_event (at) where outcome not in ('done', 'works', 'yes', 'already');
