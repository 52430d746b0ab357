-- Whose refresh tokens of one client have come near Zoho's limit: few people, so that lists find them without counting
-- everybody's. Written when a token is granted, which alone brings somebody nearer; whoever reads counts again, so that a
-- row that is too much tells nothing wrong.
create table budget_watch (
    person_id uuid not null references person on delete cascade,
    client_id text not null,
    data_centre text not null,
    -- When it was so the last time that something was granted.
    noticed_at timestamptz not null,
    primary key (person_id, client_id, data_centre)
);

alter table budget_watch enable row level security;
alter table budget_watch force row level security;
create policy named_actor on budget_watch using (current_setting('app.actor', true) = 'engine');
create policy of_operator on budget_watch for select using (current_setting('app.actor', true) = 'operator');

-- Operators are shown the latest.
create index budget_watch_by_time on budget_watch (noticed_at);
