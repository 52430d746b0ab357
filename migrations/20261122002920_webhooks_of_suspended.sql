-- What waits while a tenant is suspended costs nobody anything: whoever claims what is due of its endpoints walks what is
-- sent all the same, and nothing else; and resuming writes one row, however many wait.

-- The words are those of the events that tell a tenant of its own end (store/webhook_delivery.rs).
create index webhook_delivery_sent_all_the_same on webhook_delivery (webhook_endpoint_id, due_at)
    where status = 'pending' and event_type in ('tenant.suspended', 'tenant.deleted');
