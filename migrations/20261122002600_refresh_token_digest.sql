-- An imported refresh token may be held by several connections, of several tenants. Whoever ends one of them must
-- not end the token for the others, so that each tells which token it holds.
alter table connection
    -- HMAC-SHA256 of the refresh token, under a subkey of the key that `refresh_token_sealed` is sealed with; both
    -- are written together. Null without a token, and where it was deposited before this column was there.
    add column refresh_token_digest bytea;
-- Every row is new enough for it: nothing has to be read to know that.
alter table connection add constraint connection_refresh_token_digest_long
    check (octet_length(refresh_token_digest) = 32) not valid;

-- A replica of the version before writes a token without its digest: the one that stands there is another token's.
create function connection_forgets_a_digest() returns trigger language plpgsql as $$
begin
    update connection set refresh_token_digest = null
    where tenant_id = new.tenant_id and connection_id = new.connection_id;
    return null;
end
$$;
create trigger connection_forgets_a_digest after update of refresh_token_sealed on connection
    for each row when (old.refresh_token_sealed is distinct from new.refresh_token_sealed
        and old.refresh_token_digest = new.refresh_token_digest)
    execute function connection_forgets_a_digest();

-- What came of a revocation: Zoho revoked it now, did not know it any more, or was not asked, because another
-- connection held the token.
alter table revocation drop constraint revocation_outcome_known;
alter table revocation add constraint revocation_outcome_known check (outcome in ('yes', 'already', 'shared'));
