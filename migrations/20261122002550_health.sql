-- How refreshes went, counted by the minute: what the operators' page of health shows.
create table refresh_minute (
    data_centre text not null,
    -- The minute it ended in.
    minute timestamptz not null,
    -- As the metric `refreshes_total` has it.
    outcome text not null,
    refreshes bigint not null,
    -- From the claim to what came of it, all of them together and the longest.
    total_ms bigint not null,
    longest_ms bigint not null,
    primary key (data_centre, minute, outcome)
);

create index refresh_minute_by_time on refresh_minute (minute);

alter table refresh_minute enable row level security;
alter table refresh_minute force row level security;
create policy named_actor on refresh_minute using (current_setting('app.actor', true) = 'engine');
create policy of_operator on refresh_minute for select using (current_setting('app.actor', true) = 'operator');

-- Where a replica does not call Zoho as it would: a row for each data centre as long as that lasts. One that is not
-- written again is of a replica that has gone.
create table shut_gate (
    replica_id uuid not null,
    data_centre text not null,
    state text not null constraint shut_gate_state_known check (state in ('broken', 'misconfigured', 'slow')),
    seen_at timestamptz not null,
    primary key (replica_id, data_centre)
);

alter table shut_gate enable row level security;
alter table shut_gate force row level security;
create policy named_actor on shut_gate using (current_setting('app.actor', true) = 'engine');
create policy of_operator on shut_gate for select using (current_setting('app.actor', true) = 'operator');

-- Connections that come near Zoho's limit of refreshes. Few: the calls are cut to the last ten minutes with each claim.
create index connection_near_budget on connection (tenant_id, connection_id) where cardinality(token_calls) >= 7;

-- People who may be near Zoho's limit of refresh tokens, per client. What is counted here is a hint to look at them:
-- it grows where a token comes, and what has gone since is found out by whoever reads.
create table crowded_person (
    person_id uuid not null references person,
    client_id text not null,
    tokens integer not null,
    counted_at timestamptz not null,
    primary key (person_id, client_id)
);

create index crowded_person_by_tokens on crowded_person (tokens);

alter table crowded_person enable row level security;
alter table crowded_person force row level security;
create policy named_actor on crowded_person using (current_setting('app.actor', true) = 'engine');
create policy of_operator on crowded_person for select using (current_setting('app.actor', true) = 'operator');

create function connection_crowds_its_person() returns trigger language plpgsql as $$
declare
    found integer;
begin
    select count(*) into found from connection c
    where c.person_id = new.person_id and c.client_id = new.client_id and c.refresh_token_sealed is not null;
    if found >= 10 then
        insert into crowded_person (person_id, client_id, tokens, counted_at)
        values (new.person_id, new.client_id, found, new.consented_at)
        on conflict (person_id, client_id) do update set tokens = excluded.tokens, counted_at = excluded.counted_at;
    end if;
    return null;
end
$$;
create trigger connection_crowds_its_person after insert or update of refresh_token_sealed on connection
    for each row when (new.person_id is not null and new.refresh_token_sealed is not null)
    execute function connection_crowds_its_person();
