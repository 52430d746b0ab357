-- What operators search people by. Apart from what fills and sorts it, so that its readers are blocked for a moment only.
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
