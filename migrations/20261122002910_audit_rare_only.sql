-- Their smaller successors are there (apart from them, so that readers are blocked for a moment only).
drop index audit_event_by_action;
drop index audit_event_by_connection;
