-- As by trouble, in the order of the primary key.
create index connection_newest on connection (tenant_id, connection_id, product, data_centre, trouble);
