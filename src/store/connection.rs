//! Connections: the rows everything else is about. Ciphertexts are read by the vault alone.

pub(crate) mod budget;
pub(crate) mod budget_watch;
mod changed;
mod deposited;
mod held;
pub(crate) mod imported;
pub(crate) mod listed;
pub(crate) mod of_tenant;
pub(crate) mod refresh;
pub(crate) mod stored_token;
pub(crate) mod tenant_of;
pub(crate) mod vended;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgExecutor, types::Json};

pub(crate) use budget::{count_refresh_tokens, find_at_stake};
pub(crate) use changed::{delete_choosing, update_chosen, update_disconnected, update_organization};
pub(crate) use deposited::{Deposit, upsert};
pub(crate) use held::{Held, find_held, find_same};

use super::{StoreError, known};
use crate::domain::{
    connection::{Health, ReconnectReason, Status},
    data_centre::DataCentre,
    ids::{ConnectionId, OrganizationId, PersonId, TenantId},
    organization::{Environment, FoundOrganization, ZohoOrganizationId},
    product::Product,
    scope::ScopeSet,
};

/// What is shown of a connection: no ciphertext.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) tenant_id: TenantId,
    pub(crate) tenant_name: String,
    pub(crate) connection_id: ConnectionId,
    pub(crate) organization: Option<ConnectedOrganization>,
    pub(crate) product: Product,
    pub(crate) data_centre: DataCentre,
    /// The client that the refresh token belongs to.
    pub(crate) client_id: String,
    pub(crate) status: Status,
    pub(crate) health: Health,
    /// Until then Zoho is not asked again.
    pub(crate) retry_at: Option<DateTime<Utc>>,
    pub(crate) scopes_requested: ScopeSet,
    pub(crate) scopes_granted: ScopeSet,
    pub(crate) choices: Vec<FoundOrganization>,
    /// While choosing: what `api_domain` said.
    pub(crate) environment: Option<Environment>,
    pub(crate) access_token_expires_at: Option<DateTime<Utc>>,
    pub(crate) connected_at: DateTime<Utc>,
    pub(crate) consented_at: DateTime<Utc>,
    pub(crate) last_refreshed_at: Option<DateTime<Utc>>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
    pub(crate) disconnected_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConnectedOrganization {
    pub(crate) zoho_id: ZohoOrganizationId,
    pub(crate) name: String,
    pub(crate) environment: Environment,
}

impl ConnectedOrganization {
    /// From the columns of a left join: all of them, or none while choosing.
    pub(in crate::store) fn from_columns(
        zoho_id: Option<String>,
        name: Option<String>,
        environment: Option<String>,
    ) -> Result<Option<Self>, StoreError> {
        match (zoho_id, name, environment) {
            (Some(zoho_id), Some(name), Some(environment)) => Ok(Some(Self {
                zoho_id: known(&zoho_id, "organization.zoho_id")?,
                name,
                environment: known(&environment, "organization.environment")?,
            })),
            (None, None, None) => Ok(None),
            _ => Err(StoreError::Inconsistent("organization")),
        }
    }
}

/// The choices of a connection as they are stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Choices(Vec<FoundOrganization>);

/// A row of the query that all look-ups share.
struct Row {
    tenant_id: TenantId,
    tenant_name: String,
    connection_id: ConnectionId,
    zoho_id: Option<String>,
    organization_name: Option<String>,
    organization_environment: Option<String>,
    product: String,
    data_centre: String,
    client_id: String,
    status: String,
    status_reason: Option<ReconnectReason>,
    health: Health,
    retry_at: Option<DateTime<Utc>>,
    scopes_requested: Vec<String>,
    scopes_granted: Vec<String>,
    choices: Option<Json<Choices>>,
    environment: Option<String>,
    access_token_expires_at: Option<DateTime<Utc>>,
    connected_at: DateTime<Utc>,
    consented_at: DateTime<Utc>,
    last_refreshed_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    disconnected_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Connection {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let organization =
            ConnectedOrganization::from_columns(row.zoho_id, row.organization_name, row.organization_environment)?;
        Ok(Self {
            tenant_id: row.tenant_id,
            tenant_name: row.tenant_name,
            connection_id: row.connection_id,
            organization,
            product: known(&row.product, "connection.product")?,
            data_centre: known(&row.data_centre, "connection.data_centre")?,
            client_id: row.client_id,
            status: Status::from_columns(&row.status, row.status_reason)
                .ok_or(StoreError::Inconsistent("connection.status"))?,
            health: row.health,
            retry_at: row.retry_at,
            scopes_requested: ScopeSet::from_stored(row.scopes_requested),
            scopes_granted: ScopeSet::from_stored(row.scopes_granted),
            choices: row.choices.map(|Json(Choices(choices))| choices).unwrap_or_default(),
            environment: row
                .environment
                .map(|environment| known(&environment, "connection.environment"))
                .transpose()?,
            access_token_expires_at: row.access_token_expires_at,
            connected_at: row.connected_at,
            consented_at: row.consented_at,
            last_refreshed_at: row.last_refreshed_at,
            last_used_at: row.last_used_at,
            disconnected_at: row.disconnected_at,
        })
    }
}

/// A person's connections in the tenants where they are a member, trouble first, then the newest.
/// With `only`, that one.
pub(crate) async fn list_of_person(
    db: impl PgExecutor<'_>,
    person_id: PersonId,
    only: Option<ConnectionId>,
) -> Result<Vec<Connection>, StoreError> {
    sqlx::query_as!(
        Row,
        r#"select c.tenant_id as "tenant_id: TenantId", t.name as tenant_name, c.connection_id as "connection_id: ConnectionId",
               o.zoho_id as "zoho_id?", o.name as "organization_name?", o.environment as "organization_environment?",
               c.product, c.data_centre, c.client_id, c.status, c.status_reason as "status_reason: ReconnectReason",
               c.health as "health: Health", c.retry_at, c.scopes_requested, c.scopes_granted, c.choices as "choices: Json<Choices>", c.environment,
               c.access_token_expires_at, c.connected_at, c.consented_at, c.last_refreshed_at, c.last_used_at, c.disconnected_at
           from connection c
           join tenant t using (tenant_id)
           join membership m on m.tenant_id = c.tenant_id and m.person_id = c.person_id
           left join organization o on o.tenant_id = c.tenant_id and o.organization_id = c.organization_id
           where c.person_id = $1 and ($2::uuid is null or c.connection_id = $2)
           order by c.status = 'disconnected', c.status <> 'needs_reconnect', c.status <> 'choosing', c.consented_at desc, c.connection_id"#,
        person_id as PersonId,
        only as Option<ConnectionId>,
    )
    .fetch_all(db)
    .await?
    .into_iter()
    .map(Connection::try_from)
    .collect()
}

/// Which organization a connection stands for; `None` while choosing.
pub(crate) async fn find_organization(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    connection_id: ConnectionId,
) -> Result<Option<OrganizationId>, StoreError> {
    let row = sqlx::query_scalar!(
        r#"select organization_id as "organization_id: OrganizationId" from connection where tenant_id = $1 and connection_id = $2"#,
        tenant_id as TenantId,
        connection_id as ConnectionId,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.flatten())
}

/// As `find_organization`, in Zoho's words.
pub(crate) async fn find_connected_organization(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    connection_id: ConnectionId,
) -> Result<Option<ConnectedOrganization>, StoreError> {
    let row = sqlx::query!(
        "select o.zoho_id, o.name, o.environment
         from connection c join organization o on o.tenant_id = c.tenant_id and o.organization_id = c.organization_id
         where c.tenant_id = $1 and c.connection_id = $2",
        tenant_id as TenantId,
        connection_id as ConnectionId,
    )
    .fetch_optional(db)
    .await?;
    row.map_or(Ok(None), |row| {
        ConnectedOrganization::from_columns(Some(row.zoho_id), Some(row.name), Some(row.environment))
    })
}
