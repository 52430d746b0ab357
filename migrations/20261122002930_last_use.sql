-- Lists of organizations and of connections can be ordered by their last use; by the day of it. An index of the time itself
-- would have every use of a connection written into all of its indexes; the day changes with the first use of a day.
alter table connection
    -- The day of last_used_at by UTC, counted from 1970; 0: never used. The trigger below keeps it, so that versions that
    -- know nothing of it do, too. What was used before is sorted with what never was until it is used again: to count all of it
    -- now would keep everybody from writing.
    add column last_used_day integer not null default 0;
alter table organization
    -- The latest of its connections'.
    add column last_used_day integer not null default 0;

-- Uses are written by the thousand with one statement, on several replicas at once: nobody waits for an organization's row.
-- Where somebody else has it, both days are left for the next use, a minute later.
create function connection_is_used() returns trigger language plpgsql as $$
declare
    today integer := (new.last_used_at at time zone 'utc')::date - date '1970-01-01';
begin
    if exists (select from organization
               where tenant_id = new.tenant_id and organization_id = new.organization_id and last_used_day < today) then
        perform from organization where tenant_id = new.tenant_id and organization_id = new.organization_id
        for no key update skip locked;
        if not found then
            return new;
        end if;
        update organization set last_used_day = today
        where tenant_id = new.tenant_id and organization_id = new.organization_id and last_used_day < today;
    end if;
    new.last_used_day := today;
    return new;
end
$$;
create trigger connection_is_used before update of last_used_at on connection
    for each row when ((new.last_used_at at time zone 'utc')::date - date '1970-01-01' > new.last_used_day)
    execute function connection_is_used();
