-- In the order in which they are claimed: the first few are found without sorting the rest, which may be all that waited.
create index webhook_delivery_in_turn on webhook_delivery (webhook_endpoint_id, due_at, sequence) where status = 'pending';
