-- What lists are filtered by, in the order in which they are paged. Most connections are active; whoever looks for others
-- looks for few.
create index connection_by_status on connection (status, tenant_id, connection_id) where status <> 'active';
create index connection_by_product on connection (product, tenant_id, connection_id);
-- A back end names an organization by Zoho's id.
create index organization_by_zoho_id on organization (zoho_id);
