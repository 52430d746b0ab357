-- Keys for back ends. The key itself is shown once and kept nowhere.
create table api_key (
    -- The public part: 8 characters after lwz_.
    api_key_id text primary key,
    -- SHA-256 of the whole key: 256 random bits need no slow hash.
    key_digest bytea not null,
    name text not null,
    -- Null: every tenant.
    tenant_id uuid references tenant,
    grants text[] not null,
    created_by text not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz
);

create index api_key_by_tenant on api_key (tenant_id, created_at);

alter table api_key enable row level security;
alter table api_key force row level security;
create policy named_tenant on api_key using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy named_actor on api_key using (current_setting('app.actor', true) in ('engine', 'operator'));
