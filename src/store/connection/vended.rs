//! What is read of a connection to hand out its access token: many connections with one statement,
//! since callers come in crowds.

use chrono::{DateTime, Utc};

use super::{ConnectedOrganization, StoreError, known};
use crate::{
    domain::{
        connection::{Health, Status},
        data_centre::DataCentre,
        ids::{ConnectionId, TenantId},
        product::Product,
        scope::ScopeSet,
    },
    store::tx::Connection,
};

#[derive(Debug)]
pub(crate) struct VendedRow {
    pub(crate) tenant_id: TenantId,
    pub(crate) connection_id: ConnectionId,
    pub(crate) product: Product,
    pub(crate) data_centre: DataCentre,
    pub(crate) status: Status,
    pub(crate) health: Health,
    /// Absent while choosing, and for what was given up while choosing.
    pub(crate) organization: Option<ConnectedOrganization>,
    pub(crate) scopes_requested: ScopeSet,
    pub(crate) scopes_granted: ScopeSet,
    pub(crate) access_token_sealed: Option<Vec<u8>>,
    pub(crate) access_token_expires_at: Option<DateTime<Utc>>,
    pub(crate) token_version: i64,
    pub(crate) last_refreshed_at: Option<DateTime<Utc>>,
    /// Nobody asks Zoho before.
    pub(crate) retry_at: Option<DateTime<Utc>>,
    /// Refresh tokens alive, as far as we know, of the same person and client: what Zoho counts. Only of those whom
    /// the budget's watch has noticed.
    pub(crate) refresh_tokens: Option<i64>,
    /// Its tenant is: nobody gets a token.
    pub(crate) is_suspended: bool,
}

struct Row {
    tenant_id: TenantId,
    connection_id: ConnectionId,
    product: String,
    data_centre: String,
    status: String,
    status_reason: Option<String>,
    health: String,
    zoho_id: Option<String>,
    organization_name: Option<String>,
    organization_environment: Option<String>,
    scopes_requested: Vec<String>,
    scopes_granted: Vec<String>,
    access_token_sealed: Option<Vec<u8>>,
    access_token_expires_at: Option<DateTime<Utc>>,
    token_version: i64,
    last_refreshed_at: Option<DateTime<Utc>>,
    retry_at: Option<DateTime<Utc>>,
    refresh_tokens: Option<i64>,
    is_suspended: bool,
    is_watched: bool,
}

impl TryFrom<Row> for VendedRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            tenant_id: row.tenant_id,
            connection_id: row.connection_id,
            product: known(&row.product, "connection.product")?,
            data_centre: known(&row.data_centre, "connection.data_centre")?,
            status: row
                .status_reason
                .map(|reason| known(&reason, "connection.status_reason"))
                .transpose()
                .map(|reason| Status::from_columns(&row.status, reason))?
                .ok_or(StoreError::Inconsistent("connection.status"))?,
            health: known(&row.health, "connection.health")?,
            organization: ConnectedOrganization::from_columns(
                row.zoho_id,
                row.organization_name,
                row.organization_environment,
            )?,
            scopes_requested: ScopeSet::from_stored(row.scopes_requested),
            scopes_granted: ScopeSet::from_stored(row.scopes_granted),
            access_token_sealed: row.access_token_sealed,
            access_token_expires_at: row.access_token_expires_at,
            token_version: row.token_version,
            last_refreshed_at: row.last_refreshed_at,
            retry_at: row.retry_at,
            refresh_tokens: row.refresh_tokens,
            is_suspended: row.is_suspended,
        })
    }
}

/// Those of the named connections that exist, in any order. Values are read as text, so that an unknown
/// one is found out row by row. Whether anybody is suspended or near the limit at all is asked once, and row by row
/// only then.
pub(crate) async fn list_vended(
    db: &mut Connection,
    connection_ids: &[ConnectionId],
) -> Result<Vec<VendedRow>, StoreError> {
    // Said to be not null: sqlx takes it from the plan, and a plan may turn a join round.
    let mut rows = sqlx::query_as!(
        Row,
        r#"select c.tenant_id as "tenant_id!: TenantId", c.connection_id as "connection_id!: ConnectionId", c.product as "product!",
               c.data_centre as "data_centre!", c.status as "status!", c.status_reason, c.health as "health!", o.zoho_id as "zoho_id?",
               o.name as "organization_name?", o.environment as "organization_environment?",
               c.scopes_requested as "scopes_requested!", c.scopes_granted as "scopes_granted!",
               c.access_token_sealed, c.access_token_expires_at, c.token_version as "token_version!", c.last_refreshed_at, c.retry_at,
               (select exists (select from tenant where suspended_at is not null))
                   and exists (select from tenant t where t.tenant_id = c.tenant_id and t.suspended_at is not null) as "is_suspended!",
               (select exists (select from budget_watch))
                   and exists (select from budget_watch w where w.person_id = c.person_id and w.client_id = c.client_id) as "is_watched!",
               null::bigint as refresh_tokens
           from connection c
           left join organization o on o.tenant_id = c.tenant_id and o.organization_id = c.organization_id
           where c.connection_id = any($1)"#,
        connection_ids as &[ConnectionId],
    )
    .fetch_all(&mut *db)
    .await?;
    if rows.iter().any(|row| row.is_watched) {
        count_of_watched(db, &mut rows).await?;
    }
    // A row that this version does not understand is no reason to refuse the others.
    let understood = |row: Row| {
        let connection_id = row.connection_id;
        VendedRow::try_from(row)
            .inspect_err(|error| tracing::error!(%error, connection.id = %connection_id, "a connection cannot be read"))
            .ok()
    };
    Ok(rows.into_iter().filter_map(understood).collect())
}

/// They are few, and counting them is as much work as all the rest.
async fn count_of_watched(db: &mut Connection, rows: &mut [Row]) -> Result<(), StoreError> {
    let watched: Vec<_> = rows.iter().filter(|row| row.is_watched).map(|row| row.connection_id).collect();
    let counted = sqlx::query!(
        r#"select c.connection_id as "connection_id: ConnectionId",
               (select count(*) from connection same
                where same.person_id = c.person_id and same.client_id = c.client_id and same.refresh_token_sealed is not null
                  and same.status <> 'needs_reconnect')
             + (select count(*) from revocation r
                where r.person_id = c.person_id and r.client_id = c.client_id and r.done_at is null) as "tokens!"
           from connection c where c.connection_id = any($1)"#,
        &watched as &[ConnectionId],
    )
    .fetch_all(db)
    .await?;
    for row in rows {
        row.refresh_tokens = counted.iter().find(|one| one.connection_id == row.connection_id).map(|one| one.tokens);
    }
    Ok(())
}
