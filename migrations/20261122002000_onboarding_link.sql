-- An invitation to connect a Zoho organization to a tenant. After consent, the grant rests here until
-- the person has confirmed, and for 24 hours at most.
create table onboarding_link (
    onboarding_link_id uuid primary key,
    tenant_id uuid not null references tenant,
    -- SHA-256 of the token in its address: 256 random bits need no slow hash.
    token_digest bytea not null constraint onboarding_link_token_once unique,
    product text not null,
    -- Beyond the product's own.
    scopes text[] not null,
    -- In lower case; compared with what stands behind the @ of the profile's address.
    expected_email_domain text,
    -- Zoho's id.
    expected_organization text,
    -- Within RETURN_ORIGINS when the link was made.
    return_url text,
    -- Who made it: a person or a key, never both.
    invited_by_person_id uuid references person,
    invited_by_api_key_id text,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    state text not null constraint onboarding_link_state_known
        check (state in ('created', 'started', 'consented', 'connected', 'refused', 'expired', 'withdrawn')),
    -- Who or what refused: the person, or what was expected of them.
    refused_because text constraint onboarding_link_refusal_known
        check (refused_because in ('person', 'email_domain', 'organization')),
    -- The browser that started it (digest of its cookie): no other may go on.
    browser_digest bytea,
    started_at timestamptz,
    -- What rests between consent and confirmation. Sealed with associated data
    -- lwz1|onboarding_link.grant_sealed|tenant|link; erased with the end of the wait.
    grant_sealed bytea,
    person_id uuid references person,
    data_centre text,
    scopes_requested text[],
    -- What the product's discovery call listed, [{"id","name"}]; empty where the person is asked.
    organizations jsonb,
    -- Where the answer's api_domain named it.
    environment text,
    consented_at timestamptz,
    -- What is not confirmed by then is revoked.
    confirm_by timestamptz,
    connection_id uuid,
    ended_at timestamptz,
    -- When it ends by itself; null once it has ended.
    due_at timestamptz,
    constraint onboarding_link_inviter check (num_nonnulls(invited_by_person_id, invited_by_api_key_id) = 1),
    constraint onboarding_link_bound check (state not in ('started', 'consented', 'connected') or browser_digest is not null),
    constraint onboarding_link_rests check ((state = 'consented') = (grant_sealed is not null)),
    constraint onboarding_link_connected check ((state = 'connected') = (connection_id is not null)),
    constraint onboarding_link_refused check ((state = 'refused') = (refused_because is not null)),
    constraint onboarding_link_ended check ((ended_at is null) = (due_at is not null))
);

create index onboarding_link_by_tenant on onboarding_link (tenant_id, created_at);
create index onboarding_link_by_end on onboarding_link (due_at) where due_at is not null;
create index onboarding_link_by_browser on onboarding_link (browser_digest) where state = 'started';

alter table onboarding_link enable row level security;
alter table onboarding_link force row level security;
create policy named_tenant on onboarding_link using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy named_actor on onboarding_link using (current_setting('app.actor', true) in ('engine', 'operator'));

-- Attempts that a link began.
alter table login_attempt add column onboarding_link_id uuid;
alter table login_attempt drop constraint login_attempt_purpose_known;
alter table login_attempt add constraint login_attempt_purpose_known
    check (purpose in ('sign_in', 'connect', 'reconnect', 'onboarding'));
