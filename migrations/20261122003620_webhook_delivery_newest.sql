-- The deliveries of all tenants, the newest first.
create index webhook_delivery_newest on webhook_delivery (sequence);
