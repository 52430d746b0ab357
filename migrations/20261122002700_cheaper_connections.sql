-- A connection was written twice when it was made, and judged by a function that Postgres planned anew for each row.

-- As before. Where all that was asked for is granted as it was asked, which is nearly always, nothing is compared; and
-- the plan of a function in plpgsql is kept.
create or replace function scopes_are_missing(requested text[], granted text[]) returns boolean language plpgsql immutable as $$
begin
    if requested <@ granted then
        return false;
    end if;
    return exists (
        select from unnest(requested) r(scope)
        where not exists (
            select from unnest(granted) g(scope)
            where lower(g.scope) = lower(r.scope)
               or (lower(g.scope) like '%.all'
                   and starts_with(regexp_replace(lower(r.scope), '\.[^.]*$', '') || '.', left(lower(g.scope), -3)))
               or (substring(lower(g.scope) from '[^.]*$') = substring(lower(r.scope) from '[^.]*$')
                   and starts_with(lower(g.scope), regexp_replace(lower(r.scope), '\.[^.]*$', '') || '.'))));
end
$$;

-- What a new connection copies of its organization and person, it has from the start.
create function connection_has_what_is_searched() returns trigger language plpgsql as $$
begin
    select o.name_lower, o.zoho_id_lower into new.organization_name_lower, new.organization_zoho_id_lower
    from organization o where o.tenant_id = new.tenant_id and o.organization_id = new.organization_id;
    new.organization_name_lower := coalesce(new.organization_name_lower, '');
    new.organization_zoho_id_lower := coalesce(new.organization_zoho_id_lower, '');
    new.person_email_lower := coalesce((select lower(p.email) from person p where p.person_id = new.person_id), '');
    return new;
end
$$;
drop trigger connection_is_searched on connection;
create trigger connection_is_searched before insert on connection
    for each row execute function connection_has_what_is_searched();

-- A new connection is one more: nothing is counted for it. The row's lock keeps those who count from missing it.
create or replace function connection_counts() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if new.status <> 'disconnected' then
            update organization set people = people + 1, trouble = least(trouble, new.trouble)
            where tenant_id = new.tenant_id and organization_id = new.organization_id;
        end if;
        return null;
    end if;
    if old.organization_id is not null then
        perform organization_count(old.tenant_id, old.organization_id);
    end if;
    if tg_op = 'UPDATE' and new.organization_id is not null and old.organization_id is distinct from new.organization_id then
        perform organization_count(new.tenant_id, new.organization_id);
    end if;
    return null;
end
$$;
