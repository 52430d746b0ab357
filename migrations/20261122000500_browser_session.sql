-- Who is signed in where. Only the digest of the cookie's value is kept; the row is deleted at
-- sign-out, and nothing ever writes it a second time.
create table browser_session (
    session_digest bytea primary key,
    person_id uuid not null references person,
    -- Handed on when the same person signs in again in the same browser, so that attempts begun in
    -- other tabs still know their session.
    lineage uuid not null,
    created_at timestamptz not null,
    -- Written once a minute at most.
    seen_at timestamptz not null,
    -- Absolute end, whatever happens in between.
    expires_at timestamptz not null
);

create index browser_session_by_person on browser_session (person_id);
create index browser_session_by_end on browser_session (expires_at);

alter table browser_session enable row level security;
alter table browser_session force row level security;
create policy named_actor on browser_session using (current_setting('app.actor', true) = 'engine');
