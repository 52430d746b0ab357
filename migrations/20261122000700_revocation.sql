-- A refresh token that must die at Zoho, and the receipt once it has.
create table revocation (
    revocation_id uuid primary key,
    -- Null for a token that never became a connection.
    tenant_id uuid,
    connection_id uuid,
    person_id uuid,
    client_id text not null,
    data_centre text not null,
    reason text not null constraint revocation_reason_known
        check (reason in ('superseded', 'disconnected', 'not_connected', 'organization_mismatch', 'not_asked_for')),
    -- Moved here as it was sealed, so that a token whose key is missing today can still be revoked
    -- when the key is back; `sealed_as` is the associated data it opens with. Erased once done.
    token_sealed bytea,
    sealed_as text not null,
    created_at timestamptz not null,
    -- The next try. A superseded token waits five minutes, because its access token may be in use.
    due_at timestamptz not null,
    tries integer not null,
    done_at timestamptz,
    -- What Zoho said: revoked now, or unknown to it already.
    outcome text constraint revocation_outcome_known check (outcome in ('yes', 'already')),
    constraint revocation_done_or_sealed check ((done_at is null) = (token_sealed is not null)),
    constraint revocation_receipt check ((done_at is null) = (outcome is null))
);

create index revocation_by_time on revocation (due_at) where done_at is null;
create index revocation_by_connection on revocation (connection_id);
create index revocation_by_person on revocation (person_id) where done_at is null;

alter table revocation enable row level security;
alter table revocation force row level security;
create policy named_tenant on revocation using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy named_actor on revocation using (current_setting('app.actor', true) = 'engine');
