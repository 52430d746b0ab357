-- Apart from the column, so that its readers are blocked for a moment only.
alter table connection validate constraint connection_refresh_token_digest_long;
create index connection_by_refresh_token on connection (refresh_token_digest) where refresh_token_digest is not null;
