//! Connections as back ends see them: with tenant and person, page after page by the primary key.

use super::{ConnectedOrganization, StoreError, known};
use crate::domain::{
    connection::{Health, ReconnectReason, Status},
    data_centre::DataCentre,
    ids::{ConnectionId, PersonId, TenantId},
    organization::ZohoOrganizationId,
    person::PersonKey,
    product::Product,
};
use crate::store::tx;
use chrono::{DateTime, Utc};

#[derive(Debug)]
pub(crate) struct ListedConnection {
    pub(crate) tenant_id: TenantId,
    pub(crate) tenant_external_id: Option<String>,
    pub(crate) tenant_name: String,
    pub(crate) connection_id: ConnectionId,
    /// Absent where a token was imported that does not tell.
    pub(crate) person: Option<ConnectedPerson>,
    pub(crate) organization: Option<ConnectedOrganization>,
    pub(crate) product: Product,
    pub(crate) data_centre: DataCentre,
    pub(crate) status: Status,
    pub(crate) health: Health,
    pub(crate) scopes_requested: Vec<String>,
    pub(crate) scopes_granted: Vec<String>,
    pub(crate) connected_at: DateTime<Utc>,
    pub(crate) last_refreshed_at: Option<DateTime<Utc>>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
}

#[derive(Debug)]
pub(crate) struct ConnectedPerson {
    pub(crate) person_id: PersonId,
    pub(crate) zuid: String,
    pub(crate) display_name: String,
    pub(crate) email: String,
}

/// How a caller names a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PersonName {
    Id(PersonId),
    Key(PersonKey),
}

/// What a list is limited to; absent is everything.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) connection_id: Option<ConnectionId>,
    pub(crate) product: Option<Product>,
    pub(crate) organization: Option<ZohoOrganizationId>,
    pub(crate) person: Option<PersonName>,
    /// The key of a status.
    pub(crate) status: Option<&'static str>,
    /// Without what was disconnected.
    pub(crate) without_ended: bool,
}

struct Row {
    tenant_id: TenantId,
    tenant_external_id: Option<String>,
    tenant_name: String,
    connection_id: ConnectionId,
    person_id: Option<PersonId>,
    zuid: Option<String>,
    display_name: Option<String>,
    email: Option<String>,
    zoho_id: Option<String>,
    organization_name: Option<String>,
    organization_environment: Option<String>,
    product: String,
    data_centre: String,
    status: String,
    status_reason: Option<ReconnectReason>,
    health: Health,
    scopes_requested: Vec<String>,
    scopes_granted: Vec<String>,
    connected_at: DateTime<Utc>,
    last_refreshed_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for ListedConnection {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let person = match (row.person_id, row.zuid, row.display_name, row.email) {
            (Some(person_id), Some(zuid), Some(display_name), Some(email)) => {
                Some(ConnectedPerson { person_id, zuid, display_name, email })
            }
            (None, None, None, None) => None,
            _ => return Err(StoreError::Inconsistent("person")),
        };
        let organization =
            ConnectedOrganization::from_columns(row.zoho_id, row.organization_name, row.organization_environment)?;
        Ok(Self {
            tenant_id: row.tenant_id,
            tenant_external_id: row.tenant_external_id,
            tenant_name: row.tenant_name,
            connection_id: row.connection_id,
            person,
            organization,
            product: known(&row.product, "connection.product")?,
            data_centre: known(&row.data_centre, "connection.data_centre")?,
            status: Status::from_columns(&row.status, row.status_reason)
                .ok_or(StoreError::Inconsistent("connection.status"))?,
            health: row.health,
            scopes_requested: row.scopes_requested,
            scopes_granted: row.scopes_granted,
            connected_at: row.connected_at,
            last_refreshed_at: row.last_refreshed_at,
            last_used_at: row.last_used_at,
        })
    }
}

/// The page is cut out before it is joined with anything: otherwise the planner joins a million rows and sorts them.
/// `$from` is where its connections, as `c`, are found.
macro_rules! page {
    ($tx:expr, $filter:expr, $after:expr, $limit:expr, from $from:literal) => {{
        let (after_tenant, after_connection) = $after.unzip();
        let (person_id, person_key) = match &$filter.person {
            Some(PersonName::Id(person_id)) => (Some(*person_id), None),
            Some(PersonName::Key(key)) => (None, Some(key)),
            None => (None, None),
        };
        sqlx::query_as!(
            Row,
            r#"select c.tenant_id as "tenant_id: TenantId", t.external_id as tenant_external_id, t.name as tenant_name,
                   c.connection_id as "connection_id: ConnectionId", c.person_id as "person_id: PersonId", p.zuid as "zuid?",
                   p.display_name as "display_name?", p.email as "email?", o.zoho_id as "zoho_id?", o.name as "organization_name?",
                   o.environment as "organization_environment?", c.product, c.data_centre, c.status,
                   c.status_reason as "status_reason: ReconnectReason", c.health as "health: Health", c.scopes_requested, c.scopes_granted,
                   c.connected_at, c.last_refreshed_at, c.last_used_at
               from (
                   select c.* from "#
                + $from
                + r#" where ($1::uuid is null or c.tenant_id = $1)
                     and ($2::uuid is null or c.connection_id = $2)
                     and ($3::text is null or c.product = $3)
                     and ($5::uuid is null or c.person_id = $5)
                     and ($6::text is null or c.person_id = (select person_id from person where data_centre = $6 and zuid = $7))
                     and ($8::text is null or c.status = $8)
                     and (not $12 or c.status <> 'disconnected')
                     and ($9::uuid is null or (c.tenant_id, c.connection_id) > ($9, $10))
                   order by c.tenant_id, c.connection_id
                   limit $11
               ) c
               join tenant t using (tenant_id)
               left join person p using (person_id)
               left join organization o on o.tenant_id = c.tenant_id and o.organization_id = c.organization_id
               order by c.tenant_id, c.connection_id"#,
            $filter.tenant_id as Option<TenantId>,
            $filter.connection_id as Option<ConnectionId>,
            $filter.product.map(Product::key),
            $filter.organization.as_ref().map(ZohoOrganizationId::as_str),
            person_id as Option<PersonId>,
            person_key.map(|key| key.data_centre.key()),
            person_key.map(|key| key.zuid.as_str()),
            $filter.status,
            after_tenant as Option<TenantId>,
            after_connection as Option<ConnectionId>,
            $limit,
            $filter.without_ended,
        )
        .fetch_all(&mut *$tx)
        .await?
    }};
}

/// At most `limit` connections after the one named, in the order of the primary key: a page stays
/// where it is, whatever is connected meanwhile.
pub(crate) async fn list(
    tx: &mut tx::Connection,
    filter: &Filter,
    after: Option<(TenantId, ConnectionId)>,
    limit: i64,
) -> Result<Vec<ListedConnection>, StoreError> {
    // Filters that are not set must vanish from the plan, or their indexes are not used.
    sqlx::query("set local plan_cache_mode = force_custom_plan").execute(&mut *tx).await?;
    let rows = if filter.organization.is_some() {
        // Few connections are of one organization: whatever else is asked for, they are found by it.
        page!(tx, filter, after, limit, from "organization f join connection c on f.zoho_id = $4::text
                       and c.tenant_id = f.tenant_id and c.organization_id = f.organization_id")
    } else {
        // Every parameter has its place.
        page!(tx, filter, after, limit, from "(select $4::text) f cross join connection c")
    };
    rows.into_iter().map(ListedConnection::try_from).collect()
}
