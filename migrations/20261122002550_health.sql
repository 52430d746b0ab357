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
