-- Connections of all tenants, trouble first. One index serves every filter: a list of some data centres and products
-- merges the beginnings of each; there are few of both.
create index connection_of_all on connection (data_centre, product, trouble, connection_id);

-- What operators search by prefix, wherever it is: organizations and people are few beside connections, and seldom change.
create index organization_of_all_by_name on organization (name_lower);
create index organization_of_all_by_zoho_id on organization (zoho_id_lower);

-- A copy that a trigger keeps, and not a generated column: adding one would rewrite the table and block its readers.
alter table person add column email_lower text collate "C" not null default '';
create function person_email_is_searched() returns trigger language plpgsql as $$
begin
    new.email_lower := lower(new.email);
    return new;
end
$$;
create trigger person_email_is_searched before insert or update of email on person
    for each row execute function person_email_is_searched();
select set_config('app.actor', 'engine', true);
update person set email_lower = lower(email);
select set_config('app.actor', '', true);
create index person_of_all_by_email on person (email_lower);
