-- A refresh token that Zoho has ended is kept for a while, should it turn out to be wanted, and then
-- erased; the connection still waits for its owner.
alter table connection drop constraint connection_holds_tokens;
alter table connection add constraint connection_holds_tokens
    check (status in ('disconnected', 'needs_reconnect') or refresh_token_sealed is not null);

create index connection_with_dead_token on connection (dead_since)
    where status = 'needs_reconnect' and refresh_token_sealed is not null;
