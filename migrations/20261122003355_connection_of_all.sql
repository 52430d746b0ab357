-- Where a tenant's list is found by what operators look for, the others' rows are passed over in the index.
create index connection_of_all_wider on connection (data_centre, product, trouble, connection_id, tenant_id);
