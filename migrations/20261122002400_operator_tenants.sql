-- Operators see every tenant, may stop one (suspend) and end one (delete).
alter table tenant
    -- From then on nothing of the tenant's works, until it is resumed.
    add column suspended_at timestamptz,
    -- Its deletion was confirmed: what it has is being ended, and it is suspended for good.
    add column deleted_at timestamptz,
    -- Nothing is left of it but its history: every token was revoked at Zoho, external id and slug are free again.
    add column erased_at timestamptz,
    -- What operators search by prefix. Under "C", whose comparisons are leakproof (security.md 4.7).
    add column name_lower text collate "C" not null generated always as (lower(name)) stored,
    add column slug_lower text collate "C" not null generated always as (lower(slug)) stored,
    add column external_id_lower text collate "C" generated always as (lower(external_id)) stored,
    add constraint tenant_deleted_is_suspended check (deleted_at is null or suspended_at is not null),
    add constraint tenant_erased_was_deleted check (erased_at is null or deleted_at is not null);

create index tenant_by_name on tenant (name_lower);
create index tenant_by_slug on tenant (slug_lower);
create index tenant_by_external_id on tenant (external_id_lower);
create index tenant_suspended on tenant (tenant_id) where suspended_at is not null;
create index tenant_under_deletion on tenant (tenant_id) where deleted_at is not null and erased_at is null;

-- Operators see whose a connection is, and how far revocations have come; never what is sealed.
create policy of_operator on person for select using (current_setting('app.actor', true) = 'operator');
create policy of_operator on revocation for select using (current_setting('app.actor', true) = 'operator');

-- Clients of a deleted tenant go.
create index connection_by_client on connection (tenant_id, zoho_client_id) where zoho_client_id is not null;

-- How many of a tenant's tokens are revoked.
create index revocation_by_tenant on revocation (tenant_id, created_at);
