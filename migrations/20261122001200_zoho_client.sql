-- Clients of Zoho's API console that are not ours: the self client that an imported token belongs to.
create table zoho_client (
    tenant_id uuid not null references tenant,
    zoho_client_id uuid not null,
    data_centre text not null,
    -- As Zoho's console shows it.
    client_id text not null,
    -- Sealed with associated data lwz1|zoho_client.client_secret_sealed|tenant|zoho_client.
    client_secret_sealed bytea not null,
    created_at timestamptz not null,
    primary key (tenant_id, zoho_client_id),
    constraint zoho_client_once unique (tenant_id, data_centre, client_id)
);

alter table zoho_client enable row level security;
alter table zoho_client force row level security;
create policy named_tenant on zoho_client using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
create policy named_actor on zoho_client using (current_setting('app.actor', true) = 'engine');

-- Absent: our own client of the settings.
alter table connection
    add column zoho_client_id uuid,
    add constraint connection_client_known
        foreign key (tenant_id, zoho_client_id) references zoho_client (tenant_id, zoho_client_id);
