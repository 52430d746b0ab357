//! Every sealed column, for those who look at keys and not at what they protect: walked in the order
//! of the primary key, and exchanged by compare-and-swap on the old ciphertext, so that nothing that
//! was written meanwhile is overwritten.

use std::time::Duration;

use sqlx::PgExecutor;

use super::{StoreError, tx::Tx};
use crate::domain::ids::{ConnectionId, OnboardingLinkId, RevocationId, TenantId, ZohoClientId};

/// Rows of one step: small, because a step that waits for one locked row holds the others.
pub(crate) const BATCH: i64 = 100;

/// A token of a connection.
#[derive(Debug)]
pub(crate) struct SealedToken {
    pub(crate) tenant_id: TenantId,
    pub(crate) connection_id: ConnectionId,
    pub(crate) sealed: Vec<u8>,
}

macro_rules! list_tokens {
    ($name:ident, $statement:literal) => {
        pub(crate) async fn $name(
            db: impl PgExecutor<'_>,
            after: Option<(TenantId, ConnectionId)>,
        ) -> Result<Vec<SealedToken>, StoreError> {
            let (tenant_id, connection_id) = after.unzip();
            let rows = sqlx::query_as!(
                SealedToken,
                $statement,
                tenant_id as Option<TenantId>,
                connection_id as Option<ConnectionId>,
                BATCH,
            );
            Ok(rows.fetch_all(db).await?)
        }
    };
}

list_tokens!(
    list_refresh_tokens,
    r#"select tenant_id as "tenant_id: TenantId", connection_id as "connection_id: ConnectionId", refresh_token_sealed as "sealed!"
       from connection
       where refresh_token_sealed is not null and (tenant_id, connection_id) >
           (coalesce($1, '00000000-0000-0000-0000-000000000000'::uuid), coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid))
       order by tenant_id, connection_id limit $3"#
);
list_tokens!(
    list_access_tokens,
    r#"select tenant_id as "tenant_id: TenantId", connection_id as "connection_id: ConnectionId", access_token_sealed as "sealed!"
       from connection
       where access_token_sealed is not null and (tenant_id, connection_id) >
           (coalesce($1, '00000000-0000-0000-0000-000000000000'::uuid), coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid))
       order by tenant_id, connection_id limit $3"#
);

/// An old ciphertext of a row, and the new one.
#[derive(Debug)]
pub(crate) struct Swap<Row> {
    pub(crate) row: Row,
    pub(crate) old: Vec<u8>,
    pub(crate) new: Vec<u8>,
}

/// The columns of `unnest`: ids, old and new ciphertexts.
pub(super) fn columns<Row: Clone>(swaps: &[Swap<Row>]) -> (Vec<Row>, Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let ids = swaps.iter().map(|swap| swap.row.clone()).collect();
    let (old, new) = swaps.iter().map(|swap| (swap.old.clone(), swap.new.clone())).unzip();
    (ids, old, new)
}

/// Exchanges what a row holds, by its id: $1 are the ids, $2 the old ciphertexts, $3 the new ones. Tells how many still
/// held the old one.
macro_rules! swap_by_id {
    ($name:ident, $id:ty, $statement:literal) => {
        pub(crate) async fn $name(
            db: impl sqlx::PgExecutor<'_>,
            swaps: &[$crate::store::rewrap::Swap<$id>],
        ) -> Result<u64, $crate::store::StoreError> {
            let (ids, old, new) = $crate::store::rewrap::columns(swaps);
            let done = sqlx::query!($statement, &ids as &[$id], &old, &new).execute(db).await?;
            Ok(done.rows_affected())
        }
    };
}
pub(super) use swap_by_id;

/// As `swap_by_id`; $1 are the tenants, $2 the ids.
macro_rules! swap_in_tenant {
    ($name:ident, $id:ty, $statement:literal $(, $more:ident: $kind:ty)?) => {
        pub(crate) async fn $name(
            db: impl PgExecutor<'_>,
            swaps: &[Swap<(TenantId, $id)>],
            $($more: $kind,)?
        ) -> Result<u64, StoreError> {
            let (rows, old, new) = columns(swaps);
            let (tenants, ids): (Vec<TenantId>, Vec<$id>) = rows.into_iter().unzip();
            let done = sqlx::query!($statement, &tenants as &[TenantId], &ids as &[$id], &old, &new $(, $more)?);
            Ok(done.execute(db).await?.rows_affected())
        }
    };
}

// Each comes with the token's digest under the new key.
swap_in_tenant!(
    update_refresh_tokens,
    ConnectionId,
    "update connection c set refresh_token_sealed = s.new, refresh_token_digest = s.digest
     from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[]) s (tenant_id, connection_id, old, new, digest)
     where c.tenant_id = s.tenant_id and c.connection_id = s.connection_id and c.refresh_token_sealed = s.old",
    digests: &[Vec<u8>]
);
swap_in_tenant!(
    update_access_tokens,
    ConnectionId,
    "update connection c set access_token_sealed = s.new
     from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[]) s (tenant_id, connection_id, old, new)
     where c.tenant_id = s.tenant_id and c.connection_id = s.connection_id and c.access_token_sealed = s.old"
);

#[derive(Debug)]
pub(crate) struct SealedRevocation {
    pub(crate) revocation_id: RevocationId,
    pub(crate) token_sealed: Vec<u8>,
    pub(crate) sealed_as: String,
}

pub(crate) async fn list_revocations(
    db: impl PgExecutor<'_>,
    after: Option<RevocationId>,
) -> Result<Vec<SealedRevocation>, StoreError> {
    Ok(sqlx::query_as!(
        SealedRevocation,
        r#"select revocation_id as "revocation_id: RevocationId", token_sealed as "token_sealed!", sealed_as
           from revocation
           where token_sealed is not null and revocation_id > coalesce($1, '00000000-0000-0000-0000-000000000000'::uuid)
           order by revocation_id limit $2"#,
        after as Option<RevocationId>,
        BATCH,
    )
    .fetch_all(db)
    .await?)
}

swap_by_id!(
    update_revocations,
    RevocationId,
    "update revocation r set token_sealed = s.new
     from unnest($1::uuid[], $2::bytea[], $3::bytea[]) s (revocation_id, old, new)
     where r.revocation_id = s.revocation_id and r.token_sealed = s.old"
);

#[derive(Debug)]
pub(crate) struct SealedEscrow {
    pub(crate) state_digest: Vec<u8>,
    pub(crate) grant_sealed: Vec<u8>,
}

pub(crate) async fn list_escrows(
    db: impl PgExecutor<'_>,
    after: Option<&[u8]>,
) -> Result<Vec<SealedEscrow>, StoreError> {
    Ok(sqlx::query_as!(
        SealedEscrow,
        r#"select state_digest, grant_sealed from token_escrow
           where state_digest > coalesce($1, ''::bytea) order by state_digest limit $2"#,
        after,
        BATCH,
    )
    .fetch_all(db)
    .await?)
}

swap_by_id!(
    update_escrows,
    Vec<u8>,
    "update token_escrow e set grant_sealed = s.new
     from unnest($1::bytea[], $2::bytea[], $3::bytea[]) s (state_digest, old, new)
     where e.state_digest = s.state_digest and e.grant_sealed = s.old"
);

#[derive(Debug)]
pub(crate) struct SealedClient {
    pub(crate) tenant_id: TenantId,
    pub(crate) zoho_client_id: ZohoClientId,
    pub(crate) client_secret_sealed: Vec<u8>,
}

pub(crate) async fn list_clients(
    db: impl PgExecutor<'_>,
    after: Option<(TenantId, ZohoClientId)>,
) -> Result<Vec<SealedClient>, StoreError> {
    let (tenant_id, zoho_client_id) = after.unzip();
    Ok(sqlx::query_as!(
        SealedClient,
        r#"select tenant_id as "tenant_id: TenantId", zoho_client_id as "zoho_client_id: ZohoClientId", client_secret_sealed
           from zoho_client
           where (tenant_id, zoho_client_id) >
               (coalesce($1, '00000000-0000-0000-0000-000000000000'::uuid), coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid))
           order by tenant_id, zoho_client_id limit $3"#,
        tenant_id as Option<TenantId>,
        zoho_client_id as Option<ZohoClientId>,
        BATCH,
    )
    .fetch_all(db)
    .await?)
}

swap_in_tenant!(
    update_clients,
    ZohoClientId,
    "update zoho_client c set client_secret_sealed = s.new
     from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[]) s (tenant_id, zoho_client_id, old, new)
     where c.tenant_id = s.tenant_id and c.zoho_client_id = s.zoho_client_id and c.client_secret_sealed = s.old"
);

#[derive(Debug)]
pub(crate) struct SealedLink {
    pub(crate) tenant_id: TenantId,
    pub(crate) onboarding_link_id: OnboardingLinkId,
    pub(crate) grant_sealed: Vec<u8>,
}

/// Links in which something rests.
pub(crate) async fn list_links(
    db: impl PgExecutor<'_>,
    after: Option<OnboardingLinkId>,
) -> Result<Vec<SealedLink>, StoreError> {
    Ok(sqlx::query_as!(
        SealedLink,
        r#"select tenant_id as "tenant_id: TenantId", onboarding_link_id as "onboarding_link_id: OnboardingLinkId",
               grant_sealed as "grant_sealed!"
           from onboarding_link
           where grant_sealed is not null
               and onboarding_link_id > coalesce($1, '00000000-0000-0000-0000-000000000000'::uuid)
           order by onboarding_link_id limit $2"#,
        after as Option<OnboardingLinkId>,
        BATCH,
    )
    .fetch_all(db)
    .await?)
}

swap_by_id!(
    update_links,
    OnboardingLinkId,
    "update onboarding_link l set grant_sealed = s.new
     from unnest($1::uuid[], $2::bytea[], $3::bytea[]) s (onboarding_link_id, old, new)
     where l.onboarding_link_id = s.onboarding_link_id and l.grant_sealed = s.old"
);

/// A key by its id, and how many stored values need it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct KeyInUse {
    pub(crate) id: String,
    pub(crate) values: i64,
}

/// Which keys the stored values are sealed under. Reads every sealed value: for operators and for
/// the start, not for requests.
pub(crate) async fn list_keys_in_use(tx: &mut Tx) -> Result<Vec<KeyInUse>, StoreError> {
    sqlx::query("set local statement_timeout = '120s'").execute(&mut **tx).await?;
    tx.allow(Duration::from_secs(121));
    Ok(sqlx::query_as!(
        KeyInUse,
        r#"select encode(substring(sealed from 3 for get_byte(sealed, 1)), 'escape') as "id!", count(*) as "values!"
           from (
               select refresh_token_sealed as sealed from connection
               union all select access_token_sealed from connection
               union all select token_sealed from revocation
               union all select grant_sealed from token_escrow
               union all select grant_sealed from onboarding_link
               union all select client_secret_sealed from zoho_client
               union all select secrets_sealed from webhook_endpoint) stored
           where octet_length(sealed) > 2
           group by 1 order by 1"#
    )
    .fetch_all(&mut **tx)
    .await?)
}
