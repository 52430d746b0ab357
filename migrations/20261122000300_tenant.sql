-- A customer of the SaaS.
create table tenant (
    tenant_id uuid primary key,
    -- The SaaS's own id; null for a tenant that a person got by signing in without a link.
    external_id text constraint tenant_external_id_once unique,
    name text not null,
    slug text not null constraint tenant_slug_once unique,
    -- Set for the tenant that a first-time person gets as their own.
    own_of_person_id uuid constraint tenant_own_of_person_once unique references person,
    created_at timestamptz not null
);

alter table tenant enable row level security;
alter table tenant force row level security;
create policy named_tenant on tenant using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy named_actor on tenant using (current_setting('app.actor', true) in ('engine', 'operator'));

-- Who may do what in a tenant.
create table membership (
    tenant_id uuid not null references tenant,
    person_id uuid not null references person,
    role text not null constraint membership_role_known check (role in ('owner', 'admin', 'member')),
    created_at timestamptz not null,
    primary key (tenant_id, person_id)
);

create index membership_by_person on membership (person_id);

alter table membership enable row level security;
alter table membership force row level security;
create policy named_tenant on membership using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy named_actor on membership using (current_setting('app.actor', true) in ('engine', 'operator'));
