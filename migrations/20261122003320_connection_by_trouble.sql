-- A list is walked in its order by an index that also holds what it may be narrowed to: what does not fit is passed over
-- in the index, and a product of which a tenant of a hundred thousand has five is found without a look at the others. Each
-- index in a migration of its own, so that nothing waits to be written for longer than one of them takes.
create index connection_by_trouble_wider on connection (tenant_id, trouble, connection_id, product, data_centre);
