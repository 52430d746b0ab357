-- Where somebody wants to be told what happens (Standard Webhooks).
create table webhook_endpoint (
    webhook_endpoint_id uuid primary key,
    -- Null: hears of every tenant; such endpoints are the operators'.
    tenant_id uuid references tenant on delete cascade,
    url text not null,
    event_types text[] not null,
    -- The signing secrets, the one in use first, one a line; sealed with associated data
    -- lwz1|webhook_endpoint.secrets_sealed|tenant|endpoint.
    secrets_sealed bytea not null,
    -- Until then the second secret signs, too.
    previous_secret_until timestamptz,
    created_by text not null,
    created_at timestamptz not null,
    disabled_at timestamptz,
    -- Somebody wanted it so, or the receiver said 410.
    disabled_reason text
        constraint webhook_endpoint_disabled_reason_known check (disabled_reason in ('asked', 'gone')),
    constraint webhook_endpoint_wants_something check (cardinality(event_types) > 0),
    constraint webhook_endpoint_disabled_for_a_reason check ((disabled_at is null) = (disabled_reason is null))
);

create index webhook_endpoint_by_tenant on webhook_endpoint (tenant_id, webhook_endpoint_id);

alter table webhook_endpoint enable row level security;
alter table webhook_endpoint force row level security;
create policy named_tenant on webhook_endpoint using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy named_actor on webhook_endpoint using (current_setting('app.actor', true) in ('engine', 'operator'));

-- The outbox: one row for each event and endpoint that wants it, written with the change it tells of.
create table webhook_delivery (
    webhook_delivery_id uuid primary key,
    -- The endpoint's, not the event's: whoever may see the endpoint may see what it was sent.
    tenant_id uuid references tenant on delete cascade,
    webhook_endpoint_id uuid not null references webhook_endpoint on delete cascade,
    -- `webhook-id`: the same at every endpoint and with every try.
    event_id uuid not null,
    event_type text not null,
    -- The body as it is sent, byte for byte: json, because jsonb would order its members anew.
    payload json not null,
    -- Whose events keep their order.
    connection_id uuid,
    -- That order. Who changes a connection holds its row until the commit, so that numbers of one
    -- connection become visible in the order in which they were drawn.
    sequence bigint generated always as identity,
    status text not null constraint webhook_delivery_status_known check (status in ('pending', 'delivered', 'dead')),
    -- Counts claims; who writes what came of one names it.
    tries integer not null,
    created_at timestamptz not null,
    -- The next try. What waits behind another event of its connection is due no earlier than that, so that
    -- a receiver that is away for long leaves nothing due that cannot be sent.
    due_at timestamptz not null,
    -- One replica is at it until then.
    claimed_until timestamptz,
    -- The last try is made then.
    give_up_at timestamptz not null,
    last_tried_at timestamptz,
    last_status_code integer,
    -- Why there was no status code; a word of ours.
    last_failure text,
    last_duration_ms integer,
    settled_at timestamptz,
    constraint webhook_delivery_once unique (webhook_endpoint_id, event_id),
    constraint webhook_delivery_settled check ((status = 'pending') = (settled_at is null))
);

create index webhook_delivery_by_time on webhook_delivery (webhook_endpoint_id, due_at) where status = 'pending';
create index webhook_delivery_in_order on webhook_delivery (webhook_endpoint_id, connection_id, sequence) where status = 'pending';
create index webhook_delivery_by_endpoint on webhook_delivery (webhook_endpoint_id, sequence);
create index webhook_delivery_by_tenant on webhook_delivery (tenant_id, sequence);
create index webhook_delivery_under_way on webhook_delivery (webhook_endpoint_id, claimed_until) where claimed_until is not null;
create index webhook_delivery_dead on webhook_delivery (webhook_endpoint_id) where status = 'dead';
create index webhook_delivery_delivered on webhook_delivery (webhook_endpoint_id, settled_at) where status = 'delivered';
create index webhook_delivery_settled on webhook_delivery (settled_at) where settled_at is not null;

alter table webhook_delivery enable row level security;
alter table webhook_delivery force row level security;
create policy named_tenant on webhook_delivery using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy named_actor on webhook_delivery using (current_setting('app.actor', true) in ('engine', 'operator'));
