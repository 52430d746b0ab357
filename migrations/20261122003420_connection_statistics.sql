-- How much trouble a large tenant has, and of which products it is, is not what all tenants have: where that is guessed from
-- the whole, a search among what needs a reconnect reads all of it.
create statistics connection_of_tenant (mcv) on tenant_id, trouble, product, data_centre from connection;
