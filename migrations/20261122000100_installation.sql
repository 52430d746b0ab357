-- What is true of the installation as a whole: exactly one row.
create table installation (
    only_row boolean primary key default true constraint installation_has_one_row check (only_row),
    -- Attempts that began earlier are refused. The restore guide sets it, so that a state which was
    -- already used in a lost hour cannot be used again (security.md R-30).
    attempts_from timestamptz not null
);

insert into installation (attempts_from) values ('2000-01-01T00:00:00Z');
