//! What the refresh engine keeps on one connection, for operators who are asked why it does not renew itself.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    domain::ids::{ConnectionId, TenantId},
    store::{StoreError, connection::refresh::BUDGET_SPAN, tx::Tx},
};

#[derive(Debug)]
pub(crate) struct Engine {
    /// Its token belongs to a client that was imported with it.
    pub(crate) has_own_client: bool,
    /// Since the last success.
    pub(crate) refresh_failures: i32,
    /// When the worker refreshes it unasked.
    pub(crate) refresh_at: Option<DateTime<Utc>>,
    /// When Zoho first said that its refresh token is dead; it is believed when it says so again.
    pub(crate) dead_since: Option<DateTime<Utc>>,
    /// A replica refreshes it at this moment, until then at most.
    pub(crate) lease_until: Option<DateTime<Utc>>,
    /// Access tokens that were asked for within the span that Zoho counts.
    pub(crate) calls: i64,
}

pub(crate) async fn find_engine(
    tx: &mut Tx,
    tenant_id: TenantId,
    connection_id: ConnectionId,
    now: DateTime<Utc>,
) -> Result<Option<Engine>, StoreError> {
    Ok(sqlx::query_as!(
        Engine,
        r#"select zoho_client_id is not null as "has_own_client!", refresh_failures, refresh_at, dead_since, lease_until,
               (select count(*) from unnest(token_calls) at where at > $3 and at <= $4) as "calls!"
           from connection where tenant_id = $1 and connection_id = $2"#,
        tenant_id as TenantId,
        connection_id as ConnectionId,
        now - BUDGET_SPAN,
        now + TimeDelta::seconds(20),
    )
    .fetch_optional(&mut **tx)
    .await?)
}
