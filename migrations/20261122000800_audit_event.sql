-- Who did what, where, from where, and how it ended. Append-only for every role; retention drops
-- whole partitions.
create table audit_event (
    audit_event_id uuid not null,
    at timestamptz not null,
    -- Null where no tenant is concerned.
    tenant_id uuid,
    connection_id uuid,
    -- person, api_key, operator, command, engine or visitor (nobody we know).
    actor_kind text not null,
    actor_id text,
    action text not null,
    outcome text not null,
    -- Address of the peer, by the rules of TRUSTED_PROXIES; null for our own work.
    peer text,
    request_id uuid,
    -- Words of our own, never text from outside.
    detail text,
    primary key (audit_event_id, at)
) partition by range (at);

create index audit_event_by_connection on audit_event (tenant_id, connection_id, at);
create index audit_event_by_tenant on audit_event (tenant_id, at);

create function audit_event_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'audit events are append-only' using errcode = 'restrict_violation';
end
$$;

create trigger audit_event_is_append_only before update or delete on audit_event
    for each row execute function audit_event_is_append_only();
create trigger audit_event_is_not_truncated before truncate on audit_event
    for each statement execute function audit_event_is_append_only();

-- What falls into no month's partition, so that no event is ever refused.
create table audit_event_unplanned partition of audit_event default;
create trigger audit_event_is_not_truncated before truncate on audit_event_unplanned
    for each statement execute function audit_event_is_append_only();

-- Makes the partition of the month that `at` falls into. Idempotent.
create function audit_event_ensure_month(at timestamptz) returns void language plpgsql as $$
declare
    first timestamptz := date_trunc('month', at at time zone 'utc') at time zone 'utc';
    next timestamptz := (date_trunc('month', at at time zone 'utc') + interval '1 month') at time zone 'utc';
    partition text := 'audit_event_' || to_char(first at time zone 'utc', 'YYYY_MM');
begin
    if to_regclass(partition) is null then
        execute format('create table %I partition of audit_event for values from (%L) to (%L)', partition, first, next);
        execute format(
            'create trigger audit_event_is_not_truncated before truncate on %I '
            'for each statement execute function audit_event_is_append_only()', partition);
        execute format('alter table %I enable row level security', partition);
        execute format('alter table %I force row level security', partition);
    end if;
exception
    -- Another replica was faster, or the month began without a partition: its events stay where they are.
    when duplicate_table or check_violation then null;
end
$$;

alter table audit_event enable row level security;
alter table audit_event force row level security;
alter table audit_event_unplanned enable row level security;
alter table audit_event_unplanned force row level security;
create policy named_tenant on audit_event using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy named_actor on audit_event using (current_setting('app.actor', true) in ('engine', 'operator'));
