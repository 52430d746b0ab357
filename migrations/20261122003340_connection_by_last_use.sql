-- As by trouble.
create index connection_by_last_use_wider on connection (tenant_id, last_used_day, connection_id, product, data_centre, trouble);
