-- One trip to Zoho's consent page and back. A row exists only once a browser came back: until then
-- the attempt travels sealed in a cookie. The row is what makes a state single use.
create table login_attempt (
    state_digest bytea primary key,
    -- Null where Zoho sent an error instead of a code, or where the code was not looked at.
    code_digest bytea constraint login_attempt_code_once unique,
    -- Tells whoever lost the connection during the insert whether it was theirs.
    owner uuid not null,
    stage text not null constraint login_attempt_stage_known
        check (stage in ('exchanging', 'kept', 'settled', 'refused', 'failed', 'unknown')),
    purpose text not null constraint login_attempt_purpose_known
        check (purpose in ('sign_in', 'connect', 'reconnect')),
    -- Whether a refresh token was asked for.
    offline boolean not null,
    data_centre text not null,
    -- Null: only a sign-in.
    product text,
    scopes_requested text[] not null,
    -- What a connect or reconnect was begun for; null where the person's own tenant is meant.
    tenant_id uuid,
    connection_id uuid,
    -- Before settling: who began a connect or reconnect. Afterwards: who it was.
    person_id uuid,
    return_path text not null,
    -- The session this attempt signs in (digest; null where it signs nobody in), and the one that
    -- the browser held when it came back, which ends.
    session_digest bytea,
    replaces_session_digest bytea,
    -- Where it ended: a path of this site without code and state.
    landing text,
    request_id uuid not null,
    peer text not null,
    taken_at timestamptz not null,
    settled_at timestamptz
);

create index login_attempt_by_age on login_attempt (taken_at);
create index login_attempt_under_exchange on login_attempt (taken_at) where stage = 'exchanging';

alter table login_attempt enable row level security;
alter table login_attempt force row level security;
create policy named_actor on login_attempt using (current_setting('app.actor', true) = 'engine');

-- What Zoho just handed out, committed before anything else is asked of it. Any replica settles it.
create table token_escrow (
    state_digest bytea primary key references login_attempt,
    -- Sealed with associated data lwz1|token_escrow.grant_sealed|-|state digest.
    grant_sealed bytea not null,
    created_at timestamptz not null,
    -- A claim by time: whoever settles holds it until then; after a failed try it is the next one.
    not_before timestamptz not null,
    tries integer not null
);

create index token_escrow_by_time on token_escrow (not_before);

alter table token_escrow enable row level security;
alter table token_escrow force row level security;
create policy named_actor on token_escrow using (current_setting('app.actor', true) = 'engine');
