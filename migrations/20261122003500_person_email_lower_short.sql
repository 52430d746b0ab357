-- A searched address is at most as long as an address may be (RFC 5321, 4.5.3.1.3), so that a name and an address, each as
-- long as any text we keep, fit into one entry of an index together.
create or replace function connection_copies_what_is_searched() returns trigger language plpgsql as $$
begin
    update connection c set
        organization_name_lower = coalesce(
            (select o.name_lower from organization o
             where o.tenant_id = c.tenant_id and o.organization_id = c.organization_id), ''),
        organization_zoho_id_lower = coalesce(
            (select o.zoho_id_lower from organization o
             where o.tenant_id = c.tenant_id and o.organization_id = c.organization_id), ''),
        person_email_lower = coalesce((select left(lower(p.email), 254) from person p where p.person_id = c.person_id), '')
    where c.tenant_id = new.tenant_id and c.connection_id = new.connection_id;
    return null;
end
$$;
create or replace function connection_has_what_is_searched() returns trigger language plpgsql as $$
begin
    select o.name_lower, o.zoho_id_lower into new.organization_name_lower, new.organization_zoho_id_lower
    from organization o where o.tenant_id = new.tenant_id and o.organization_id = new.organization_id;
    new.organization_name_lower := coalesce(new.organization_name_lower, '');
    new.organization_zoho_id_lower := coalesce(new.organization_zoho_id_lower, '');
    new.person_email_lower := coalesce(
        (select left(lower(p.email), 254) from person p where p.person_id = new.person_id), '');
    return new;
end
$$;
create or replace function person_tells_their_address() returns trigger language plpgsql as $$
begin
    update connection set person_email_lower = left(lower(new.email), 254) where person_id = new.person_id;
    return null;
end
$$;
select set_config('app.actor', 'engine', true);
update connection set person_email_lower = left(person_email_lower, 254) where length(person_email_lower) > 254;
select set_config('app.actor', '', true);
