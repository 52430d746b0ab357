-- Whoever acts in a tenant sees the people who belong to it or connected something there, and nobody else.
create policy of_named_tenant on person for select using (
    exists (
        select from connection c
        where c.person_id = person.person_id
          and c.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    or exists (
        select from membership m
        where m.person_id = person.person_id
          and m.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
);

-- A back end names a connection by its id alone. Not unique, so that the table can be distributed by tenant.
create index connection_by_id on connection (connection_id);
