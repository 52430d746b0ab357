-- Who was handed an access token, or called through the proxy: counted by the minute, for a row per
-- call would cost more than the call (security.md S-55).
create table token_vend (
    tenant_id uuid not null,
    connection_id uuid not null,
    api_key_id text not null,
    -- The minute it began in.
    minute timestamptz not null,
    outcome text not null constraint token_vend_outcome_known check (outcome in ('vended', 'warned', 'proxied')),
    vends bigint not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    primary key (tenant_id, connection_id, api_key_id, minute, outcome)
);

-- What is older than AUDIT_RETENTION is deleted by it.
create index token_vend_by_minute on token_vend using brin (minute);

alter table token_vend enable row level security;
alter table token_vend force row level security;
create policy named_tenant on token_vend using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy named_actor on token_vend using (current_setting('app.actor', true) in ('engine', 'operator'));
