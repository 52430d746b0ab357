-- A test that works and a revocation that Zoho confirms came to pass, too. The words stand in domain/audit.rs.
drop index audit_event_not_done;
create index audit_event_not_done on audit_event (tenant_id, at) where outcome not in ('done', 'works', 'yes', 'already');
