-- What was told of one connection, to whomever, the newest first.
create index webhook_delivery_of_connection on webhook_delivery (connection_id, sequence) where connection_id is not null;
