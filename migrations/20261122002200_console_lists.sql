-- What the console's lists are sorted by and searched for, stored, so that a page of many is one walk of an index
-- (security.md 4.7). Searches are by prefix of lower-cased text under "C", whose comparisons are leakproof.

-- As ScopeSet::missing_from: Zoho answers with a wider ALL, or with the same operation on named parts.
create function scopes_are_missing(requested text[], granted text[]) returns boolean language sql immutable as $$
    select exists (
        select from unnest(requested) r(scope)
        where not exists (
            select from unnest(granted) g(scope)
            where lower(g.scope) = lower(r.scope)
               or (lower(g.scope) like '%.all'
                   and starts_with(regexp_replace(lower(r.scope), '\.[^.]*$', '') || '.', left(lower(g.scope), -3)))
               or (substring(lower(g.scope) from '[^.]*$') = substring(lower(r.scope) from '[^.]*$')
                   and starts_with(lower(g.scope), regexp_replace(lower(r.scope), '\.[^.]*$', '') || '.'))))
$$;

alter table connection
    -- What troubles it most; the less, the sooner somebody has to act. The numbers are Trouble's in domain/trouble.rs.
    add column trouble smallint not null generated always as (
        case
            when status = 'disconnected' then 7
            when status = 'needs_reconnect' then 0
            when status = 'choosing' then 2
            when health in ('misconfigured', 'unreadable') then 1
            when scopes_are_missing(scopes_requested, scopes_granted) then 3
            when health = 'unavailable' then 4
            when health = 'throttled' then 5
            else 6
        end) stored,
    -- Copies of the organization's and the person's, kept by the triggers below; empty where there is none.
    add column organization_name_lower text collate "C" not null default '',
    add column organization_zoho_id_lower text collate "C" not null default '',
    add column person_email_lower text collate "C" not null default '';

alter table organization
    add column name_lower text collate "C" not null generated always as (lower(name)) stored,
    add column zoho_id_lower text collate "C" not null generated always as (lower(zoho_id)) stored,
    -- Of its connections that have not ended: how many, and the worst trouble of all.
    add column people integer not null default 0,
    add column trouble smallint not null default 7;

create function connection_copies_what_is_searched() returns trigger language plpgsql as $$
begin
    update connection c set
        organization_name_lower = coalesce(
            (select o.name_lower from organization o
             where o.tenant_id = c.tenant_id and o.organization_id = c.organization_id), ''),
        organization_zoho_id_lower = coalesce(
            (select o.zoho_id_lower from organization o
             where o.tenant_id = c.tenant_id and o.organization_id = c.organization_id), ''),
        person_email_lower = coalesce((select lower(p.email) from person p where p.person_id = c.person_id), '')
    where c.tenant_id = new.tenant_id and c.connection_id = new.connection_id;
    return null;
end
$$;
create trigger connection_is_searched after insert on connection
    for each row execute function connection_copies_what_is_searched();
create trigger connection_is_searched_anew after update of person_id, organization_id on connection
    for each row when (old.person_id is distinct from new.person_id or old.organization_id is distinct from new.organization_id)
    execute function connection_copies_what_is_searched();

create function organization_tells_its_name() returns trigger language plpgsql as $$
begin
    update connection set organization_name_lower = new.name_lower
    where tenant_id = new.tenant_id and organization_id = new.organization_id;
    return null;
end
$$;
create trigger organization_is_renamed after update of name on organization
    for each row when (old.name is distinct from new.name) execute function organization_tells_its_name();

create function person_tells_their_address() returns trigger language plpgsql as $$
begin
    update connection set person_email_lower = lower(new.email) where person_id = new.person_id;
    return null;
end
$$;
create trigger person_has_another_address after update of email on person
    for each row when (old.email is distinct from new.email) execute function person_tells_their_address();

-- The organization's row is locked before its connections are counted: of two who change connections of one
-- organization, the later counts what the earlier did.
create function organization_count(of_tenant uuid, of_organization uuid) returns void language plpgsql as $$
begin
    perform from organization where tenant_id = of_tenant and organization_id = of_organization for no key update;
    update organization o set people = counted.people, trouble = counted.trouble
    from (select count(*)::integer as people, coalesce(min(c.trouble), 7)::smallint as trouble from connection c
          where c.tenant_id = of_tenant and c.organization_id = of_organization and c.status <> 'disconnected') counted
    where o.tenant_id = of_tenant and o.organization_id = of_organization
      and (o.people, o.trouble) is distinct from (counted.people, counted.trouble);
end
$$;
create function connection_counts() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' and old.organization_id is not null then
        perform organization_count(old.tenant_id, old.organization_id);
    end if;
    if tg_op <> 'DELETE' and new.organization_id is not null
        and (tg_op = 'INSERT' or old.organization_id is distinct from new.organization_id) then
        perform organization_count(new.tenant_id, new.organization_id);
    end if;
    return null;
end
$$;
create trigger connection_is_counted after insert or delete on connection
    for each row execute function connection_counts();
create trigger connection_is_counted_anew after update on connection
    for each row when (old.trouble is distinct from new.trouble or old.organization_id is distinct from new.organization_id)
    execute function connection_counts();

-- What is there already.
select set_config('app.actor', 'engine', true);
update connection c set
    organization_name_lower = coalesce(
        (select o.name_lower from organization o where o.tenant_id = c.tenant_id and o.organization_id = c.organization_id), ''),
    organization_zoho_id_lower = coalesce(
        (select o.zoho_id_lower from organization o where o.tenant_id = c.tenant_id and o.organization_id = c.organization_id), ''),
    person_email_lower = coalesce((select lower(p.email) from person p where p.person_id = c.person_id), '');
update organization o set people = counted.people, trouble = counted.trouble
from (select tenant_id, organization_id, count(*)::integer as people, min(trouble) as trouble
      from connection where status <> 'disconnected' group by tenant_id, organization_id) counted
where o.tenant_id = counted.tenant_id and o.organization_id = counted.organization_id;
select set_config('app.actor', '', true);

-- Ids are of version 7: by id is by age, and the primary keys serve for that.
create index organization_by_trouble on organization (tenant_id, trouble, organization_id);
create index organization_by_name on organization (tenant_id, name_lower, organization_id);
create index organization_by_lower_zoho_id on organization (tenant_id, zoho_id_lower);
create index connection_by_trouble on connection (tenant_id, trouble, connection_id);
create index connection_by_organization_name on connection (tenant_id, organization_name_lower, connection_id);
create index connection_by_organization_zoho_id on connection (tenant_id, organization_zoho_id_lower);
create index connection_by_email on connection (tenant_id, person_email_lower);
-- A page of the audit begins anywhere, and some look for one kind of event alone.
create index audit_event_by_action on audit_event (tenant_id, action, at);
