-- A Zoho organization as one tenant knows it. The same organization in two tenants is two rows.
create table organization (
    tenant_id uuid not null references tenant,
    organization_id uuid not null,
    data_centre text not null,
    product text not null,
    -- Zoho's id: up to 19 digits, or a screen name; text, so that nothing is rounded.
    zoho_id text not null,
    environment text not null
        constraint organization_environment_known check (environment in ('production', 'sandbox', 'developer')),
    name text not null,
    created_at timestamptz not null,
    primary key (tenant_id, organization_id),
    constraint organization_once unique (tenant_id, data_centre, product, zoho_id, environment)
);

alter table organization enable row level security;
alter table organization force row level security;
create policy named_tenant on organization using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy named_actor on organization using (current_setting('app.actor', true) in ('engine', 'operator'));

-- Tenant × person × organization × product, with its sealed tokens.
create table connection (
    tenant_id uuid not null references tenant,
    connection_id uuid not null,
    person_id uuid references person,
    -- Null while the person has not said which organization (status choosing).
    organization_id uuid,
    product text not null,
    data_centre text not null,
    status text not null,
    status_reason text,
    scopes_requested text[] not null,
    scopes_granted text[] not null,
    -- Which client the refresh token belongs to: refresh tokens are counted per client and person.
    client_id text not null,
    -- Sealed with associated data lwz1|connection.refresh_token_sealed|tenant|connection; null once
    -- disconnected, when the token lives on in `revocation` until Zoho has confirmed.
    refresh_token_sealed bytea,
    access_token_sealed bytea,
    access_token_expires_at timestamptz,
    -- Counts token pairs; what a later refresh compares before it writes.
    token_version bigint not null,
    -- While choosing: what the product's discovery call listed, [{"id","name"}]; empty where the
    -- product cannot tell.
    choices jsonb,
    -- While choosing: the environment that the answer's api_domain named, null where the person
    -- has to say.
    environment text
        constraint connection_environment_known check (environment in ('production', 'sandbox', 'developer')),
    health text not null constraint connection_health_known
        check (health in ('ok', 'throttled', 'unavailable', 'misconfigured', 'unreadable')),
    -- First connected; and when the refresh token in use was granted, which is what Zoho evicts by.
    connected_at timestamptz not null,
    consented_at timestamptz not null,
    last_refreshed_at timestamptz,
    last_used_at timestamptz,
    disconnected_at timestamptz,
    primary key (tenant_id, connection_id),
    constraint connection_organization_known
        foreign key (tenant_id, organization_id) references organization (tenant_id, organization_id),
    -- The same person who connects the same again gets the same connection. While choosing the
    -- organization is null, which makes one unfinished choice per person and product.
    constraint connection_once unique nulls not distinct (tenant_id, person_id, organization_id, product),
    constraint connection_status_known check (
        (status = 'choosing' and organization_id is null and status_reason is null)
        or (status = 'active' and organization_id is not null and status_reason is null)
        or (status = 'needs_reconnect' and status_reason in ('revoked', 'evicted'))
        or (status = 'disconnected' and status_reason is null)
    ),
    constraint connection_holds_tokens check (status = 'disconnected' or refresh_token_sealed is not null)
);

create index connection_by_person on connection (person_id);
create index connection_by_organization on connection (tenant_id, organization_id);

alter table connection enable row level security;
alter table connection force row level security;
create policy named_tenant on connection using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy named_actor on connection using (current_setting('app.actor', true) in ('engine', 'operator'));
