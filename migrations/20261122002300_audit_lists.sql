-- The audit as people read it: newest first, narrowed to who did it, to what did not work, or to nothing at all.
-- (By connection, by tenant and by action have their indexes already.)

-- Our own work names nobody and is most of what there is: it stays out of this index.
create index audit_event_by_actor on audit_event (tenant_id, actor_id, at) where actor_id is not null;
-- The word stands in AuditEvent's outcomes; all others say why not.
create index audit_event_not_done on audit_event (tenant_id, at) where outcome <> 'done';
-- Of every tenant at once: what a back end of all tenants lists.
create index audit_event_by_time on audit_event (at);

-- What is kept in no month's partition is looked at by audit_event_drop_before alone.
create policy named_actor on audit_event_unplanned using (current_setting('app.actor', true) = 'engine');

-- Drops the months that ended at `kept_from` or before, and tells their partitions. Rows cannot be deleted, by nobody
-- (audit_event_is_append_only): what retention ends, ends as a whole. What fell into no month goes when all of it is old.
-- To drop a partition locks the whole audit: whoever has to wait for that gives up at once, since all who write would wait
-- behind; and of several replicas one tries.
create function audit_event_drop_before(kept_from timestamptz) returns setof text language plpgsql as $$
declare
    partition text;
    next timestamptz;
    latest timestamptz;
begin
    perform set_config('lock_timeout', '50ms', true);
    if not pg_try_advisory_xact_lock(hashtext('audit_event_drop_before')) then
        return;
    end if;
    for partition in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'audit_event'::regclass and c.relname ~ '^audit_event_\d{4}_\d{2}$' order by c.relname
    loop
        next := (to_date(right(partition, 7), 'YYYY_MM') + interval '1 month') at time zone 'utc';
        if next <= kept_from then
            execute format('drop table %I', partition);
            return next partition;
        end if;
    end loop;
    select max(at) into latest from audit_event_unplanned;
    if latest < kept_from then
        -- What comes in until the lock is there counts.
        lock table audit_event_unplanned in access exclusive mode;
        select max(at) into latest from audit_event_unplanned;
    end if;
    if latest < kept_from then
        drop table audit_event_unplanned;
        create table audit_event_unplanned partition of audit_event default;
        create trigger audit_event_is_not_truncated before truncate on audit_event_unplanned
            for each statement execute function audit_event_is_append_only();
        alter table audit_event_unplanned enable row level security;
        alter table audit_event_unplanned force row level security;
        create policy named_actor on audit_event_unplanned using (current_setting('app.actor', true) = 'engine');
        return next 'audit_event_unplanned';
    end if;
end
$$;
