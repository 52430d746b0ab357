-- An imported refresh token may be held by several connections, of several tenants. Whoever ends one of them must
-- not end the token for the others, so that each tells which token it holds.
alter table connection
    -- HMAC-SHA256 of the refresh token, under a subkey of the key that `refresh_token_sealed` is sealed with; both
    -- are written together. Null without a token, and where it was deposited before this column was there.
    add column refresh_token_digest bytea
        constraint connection_refresh_token_digest_long check (octet_length(refresh_token_digest) = 32);

create index connection_by_refresh_token on connection (refresh_token_digest) where refresh_token_digest is not null;

-- What came of a revocation: Zoho revoked it now, did not know it any more, or was not asked, because another
-- connection held the token.
alter table revocation drop constraint revocation_outcome_known;
alter table revocation add constraint revocation_outcome_known check (outcome in ('yes', 'already', 'shared'));
