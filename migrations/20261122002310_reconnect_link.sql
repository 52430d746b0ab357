-- A link may ask for a reconnect: of one connection, by its own person.
alter table onboarding_link
    -- Absent: whoever opens it connects something. A connection that is disconnected or gone meanwhile ends the link.
    add column reconnects_connection_id uuid;
