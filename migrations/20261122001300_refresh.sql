-- What the refresh engine keeps on a connection (security.md 4.3).
alter table connection
    -- Whoever refreshes holds the lease until then; nobody waits longer for a holder that died.
    add column lease_owner uuid,
    add column lease_until timestamptz,
    -- Counts claims: a holder that comes back late finds another number and writes nothing.
    add column fence bigint not null default 0,
    -- When access tokens were asked for, the latest last: Zoho blocks beyond 10 in 10 minutes, in any
    -- 10 minutes, so no fixed window would do.
    add column token_calls timestamptz[] not null default '{}',
    -- Nobody asks Zoho before: it throttles, or a dead token waits to be confirmed.
    add column retry_at timestamptz,
    -- When the worker refreshes it unasked.
    add column refresh_at timestamptz,
    -- Since the last success; the more, the longer the pause.
    add column refresh_failures integer not null default 0,
    -- When Zoho first said that the refresh token is dead. It is believed when it says so again.
    add column dead_since timestamptz;

create index connection_due_for_refresh on connection (data_centre, refresh_at) where status = 'active';

-- Connections from before: as if each were idle, spread over a day.
select set_config('app.actor', 'engine', true);
update connection set refresh_at = consented_at + interval '24 hours' where status = 'active';

-- When a token that is to be revoked was granted: what Zoho evicts by.
alter table revocation add column granted_at timestamptz;
update revocation set granted_at = created_at;
alter table revocation alter column granted_at set not null;
select set_config('app.actor', '', true);
