-- What Postgres alone can do of sign-ins: the rows of one, by the statements of src/store/ that write and read them, a
-- function a transaction, so that a call is one round trip. Nothing else of a sign-in is done: no request is answered,
-- nobody asks Zoho, nothing is sealed. Whoever writes one sign-in at a time into this schema is
-- no faster.

create schema bench;
grant usage on schema bench to public;

create function bench.state(a bigint, b bigint) returns bytea language sql immutable
    return sha256(int8send(a) || int8send(b));

-- Step 5: the state and the code are taken.
create function bench.take(state bytea) returns void language plpgsql as $$
begin
    insert into login_attempt (state_digest, code_digest, owner, stage, purpose, offline, data_centre, product, scopes_requested,
        return_path, session_digest, request_id, peer, taken_at)
    values (state, sha256(state), gen_random_uuid(), 'exchanging', 'sign_in', true, 'us', 'assist',
        '{AaaServer.profile.READ,ZohoAssist.userapi.READ}', '/connections', sha256(state || 'session'), gen_random_uuid(), '127.0.0.1', now())
    on conflict do nothing;
end $$;

-- Step 7: the grant is kept.
create function bench.keep(state bytea) returns void language plpgsql as $$
begin
    update login_attempt set stage = 'kept', landing = null, settled_at = null where state_digest = state and stage = 'exchanging';
    insert into token_escrow (state_digest, grant_sealed, created_at, not_before, tries)
    values (state, decode(repeat('ab', 400), 'hex'), now(), now() + interval '25 s', 1) on conflict do nothing;
end $$;

-- Step 10: person, tenant, organization, connection, what is put on record, session, landing.
create function bench.settle(state bytea, zoho_id text) returns void language plpgsql as $$
declare
    person uuid;
    tenant uuid := gen_random_uuid();
    organization uuid;
    connection uuid := gen_random_uuid();
    scopes text[] := '{AaaServer.profile.READ,ZohoAssist.userapi.READ}';
begin
    delete from token_escrow where state_digest = state and tries = 1;
    insert into person (person_id, data_centre, zuid, display_name, email, created_at, signed_in_at)
    values (gen_random_uuid(), 'us', zoho_id, 'P' || zoho_id, 'p' || zoho_id || '@example.com', now(), now())
    on conflict on constraint person_identity
    do update set display_name = excluded.display_name, email = excluded.email, signed_in_at = excluded.signed_in_at
    returning person_id into person;
    insert into tenant (tenant_id, name, slug, own_of_person_id, created_at)
    values (tenant, 'P' || zoho_id || '’s workspace', 'p-' || encode(substr(state, 1, 8), 'hex'), person, now())
    on conflict on constraint tenant_own_of_person_once do nothing;
    insert into membership (tenant_id, person_id, role, created_at) values (tenant, person, 'owner', now());
    perform from webhook_endpoint
    where (tenant_id is null or tenant_id = tenant) and 'connection.connected' = any(event_types) and disabled_at is null;
    insert into organization (tenant_id, organization_id, data_centre, product, zoho_id, environment, name, created_at, trouble)
    values (tenant, gen_random_uuid(), 'us', 'assist', zoho_id, 'production', 'P' || zoho_id, now(), 7)
    on conflict on constraint organization_once do update set name = excluded.name
    returning organization_id into organization;
    insert into connection (tenant_id, connection_id, person_id, organization_id, product, data_centre, status, scopes_requested,
        scopes_granted, client_id, refresh_token_sealed, access_token_sealed, access_token_expires_at, token_version, health,
        connected_at, consented_at, refresh_at, refresh_token_digest)
    values (tenant, connection, person, organization, 'assist', 'us', 'active', scopes, scopes, '1000.BENCH',
        decode(repeat('ab', 110), 'hex'), decode(repeat('cd', 110), 'hex'), now() + interval '1 hour', 1, 'ok', now(), now(),
        now() + interval '1 day', sha256(state || 'token'));
    insert into audit_event (audit_event_id, at, tenant_id, connection_id, actor_kind, actor_id, action, outcome, peer, request_id)
    values (gen_random_uuid(), now(), tenant, null, 'person', person::text, 'tenant_created', 'done', '127.0.0.1', gen_random_uuid()),
        (gen_random_uuid(), now(), tenant, connection, 'person', person::text, 'connected', 'done', '127.0.0.1', gen_random_uuid());
    insert into browser_session (session_digest, person_id, lineage, created_at, seen_at, expires_at)
    values (sha256(state || 'session'), person, gen_random_uuid(), now(), now(), now() + interval '12 hours');
    update login_attempt set stage = 'settled', person_id = person, landing = '/connections', settled_at = now()
    where state_digest = state and stage = 'kept';
end $$;

-- The landing page: whose session it is, and what they have connected.
create function bench.land(state bytea) returns void language plpgsql as $$
declare
    person uuid;
begin
    select person_id into strict person from browser_session s join person using (person_id)
    where s.session_digest = sha256(state || 'session') and s.expires_at > now();
    perform from connection c
    join tenant t using (tenant_id)
    join membership m on m.tenant_id = c.tenant_id and m.person_id = c.person_id
    left join organization o on o.tenant_id = c.tenant_id and o.organization_id = c.organization_id
    where c.person_id = person;
end $$;
