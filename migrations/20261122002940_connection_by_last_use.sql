create index connection_by_last_use on connection (tenant_id, last_used_day, connection_id);
