-- Whether a dead token was evicted is told by all that was granted to the person after it, what has
-- been revoked since included.
create index revocation_by_person_and_grant on revocation (person_id, granted_at);
