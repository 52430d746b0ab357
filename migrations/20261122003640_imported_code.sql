-- Codes of self clients that were presented to Zoho, which may revoke all that came of a code that is presented again
-- (RFC 6749, 4.1.2). The row is what makes an imported code single use, as login_attempt_code_once does for the others.
create table imported_code (
    code_digest bytea primary key,
    presented_at timestamptz not null
);

create index imported_code_by_age on imported_code (presented_at);

alter table imported_code enable row level security;
alter table imported_code force row level security;
create policy named_actor on imported_code using ((select current_setting('app.actor', true) = 'engine'));
