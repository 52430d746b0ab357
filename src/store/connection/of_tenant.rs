//! A tenant's connections as its administrators see them, trouble first.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{ConnectedOrganization, Connection, Row as WholeRow, StoreError, known};
use crate::{
    domain::{
        connection::ReconnectReason,
        data_centre::DataCentre,
        ids::{ConnectionId, OrganizationId, PersonId, TenantId},
        product::Product,
        trouble::Trouble,
    },
    store::{
        console_list::{self, Counted, MOST_COUNTED, Narrowed, Order, Position},
        person::Person,
        tx::Tx,
    },
};

#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) connection_id: ConnectionId,
    pub(crate) organization: Option<ConnectedOrganization>,
    organization_name_lower: String,
    pub(crate) product: Product,
    pub(crate) data_centre: DataCentre,
    pub(crate) person_name: Option<String>,
    pub(crate) person_email: Option<String>,
    pub(crate) trouble: Trouble,
    pub(crate) retry_at: Option<DateTime<Utc>>,
    pub(crate) access_token_expires_at: Option<DateTime<Utc>>,
    pub(crate) scopes_granted: Vec<String>,
    pub(crate) connected_at: DateTime<Utc>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
    last_used_day: i32,
}

impl Listed {
    pub(crate) fn position(&self) -> Position {
        Position {
            trouble: self.trouble.rank(),
            last_used_day: self.last_used_day,
            name: self.organization_name_lower.clone(),
            id: self.connection_id.into(),
        }
    }
}

struct Row {
    connection_id: ConnectionId,
    zoho_id: Option<String>,
    organization_name: Option<String>,
    organization_environment: Option<String>,
    organization_name_lower: String,
    product: String,
    data_centre: String,
    person_name: Option<String>,
    person_email: Option<String>,
    trouble: i16,
    retry_at: Option<DateTime<Utc>>,
    access_token_expires_at: Option<DateTime<Utc>>,
    scopes_granted: Vec<String>,
    connected_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    last_used_day: i32,
}

impl TryFrom<Row> for Listed {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            connection_id: row.connection_id,
            organization: ConnectedOrganization::from_columns(
                row.zoho_id,
                row.organization_name,
                row.organization_environment,
            )?,
            organization_name_lower: row.organization_name_lower,
            product: known(&row.product, "connection.product")?,
            data_centre: known(&row.data_centre, "connection.data_centre")?,
            person_name: row.person_name,
            person_email: row.person_email,
            trouble: Trouble::from_rank(row.trouble).ok_or(StoreError::Inconsistent("connection.trouble"))?,
            retry_at: row.retry_at,
            access_token_expires_at: row.access_token_expires_at,
            scopes_granted: row.scopes_granted,
            connected_at: row.connected_at,
            last_used_at: row.last_used_at,
            last_used_day: row.last_used_day,
        })
    }
}

/// The page is cut out before anything is joined. What is searched for is looked for in each column apart: so each
/// search is answered out of an index, that of the column or that of the order. `$7` to `$9` and `$11` are the position,
/// each null on the first page.
macro_rules! page {
    ($tx:expr, $tenant:expr, $narrowed:expr, $after:expr, $limit:expr, by $place:literal, after $beyond:literal, order $order:literal) => {
        page!(@found $tx, $tenant, $narrowed, $after, $limit, $order, "select c.connection_id, ", $place, r#" as place
            from connection c
            where c.tenant_id = $1
              and ($2::text is null or c.product = $2)
              and ($3::text is null or c.data_centre = $3)
              and ($4::smallint is null or c.trouble = $4)
              and ($6::uuid is null or c.organization_id = $6)
              and ($7::smallint is null or $8::text is null or $9::uuid is null or $11::integer is null or "#, $beyond, ")")
    };
    (@found $tx:expr, $tenant:expr, $narrowed:expr, $after:expr, $limit:expr, $order:literal, $($found:literal),+) => {
        sqlx::query_as!(
            Row,
            r#"select c.connection_id as "connection_id: ConnectionId", o.zoho_id as "zoho_id?", o.name as "organization_name?",
                   o.environment as "organization_environment?", c.organization_name_lower, c.product, c.data_centre,
                   p.display_name as "person_name?", p.email as "person_email?", c.trouble as "trouble!", c.retry_at,
                   c.access_token_expires_at, c.scopes_granted, c.connected_at, c.last_used_at, c.last_used_day
               from (
                   ("# + $($found +)+ " and ($5::text is null or starts_with(c.organization_name_lower, lower($5))) order by " + $order + r#" limit $10)
                   union ("# + $($found +)+ " and $5 is not null and starts_with(c.organization_zoho_id_lower, lower($5)) order by " + $order + r#" limit $10)
                   union ("# + $($found +)+ " and $5 is not null and starts_with(c.person_email_lower, lower($5)) order by " + $order + r#" limit $10)
                   order by "# + $order + r#" limit $10
               ) page
               join connection c using (connection_id)
               left join organization o on o.tenant_id = c.tenant_id and o.organization_id = c.organization_id
               left join person p using (person_id)
               where c.tenant_id = $1
               order by "# + $order,
            $tenant as TenantId,
            $narrowed.product.map(Product::key),
            $narrowed.data_centre.map(DataCentre::key),
            $narrowed.trouble.map(Trouble::rank),
            $narrowed.prefix,
            $narrowed.organization_id as Option<OrganizationId>,
            $after.map(|at| at.trouble),
            $after.map(|at| at.name.as_str()),
            $after.map(|at| at.id) as Option<Uuid>,
            $limit,
            $after.map(|at| at.last_used_day),
        )
        .fetch_all(&mut **$tx)
        .await?
    };
}

/// At most `limit` connections of a tenant after the position.
pub(crate) async fn list(
    tx: &mut Tx,
    tenant_id: TenantId,
    narrowed: &Narrowed,
    order: Order,
    after: Option<&Position>,
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    console_list::prepare(tx).await?;
    let rows = match order {
        Order::Trouble => page!(tx, tenant_id, narrowed, after, limit, by "c.trouble",
            after "(c.trouble, c.connection_id) > ($7, $9)", order "place, connection_id"),
        Order::Name => page!(tx, tenant_id, narrowed, after, limit, by "c.organization_name_lower",
            after "(c.organization_name_lower, c.connection_id) > ($8, $9)", order "place, connection_id"),
        Order::Newest => page!(tx, tenant_id, narrowed, after, limit, by "c.connection_id",
            after "c.connection_id < $9", order "place desc, connection_id desc"),
        Order::Used => page!(tx, tenant_id, narrowed, after, limit, by "c.last_used_day",
            after "(c.last_used_day, c.connection_id) < ($11, $9)", order "place desc, connection_id desc"),
    };
    rows.into_iter().map(Listed::try_from).collect()
}

pub(crate) async fn count(tx: &mut Tx, tenant_id: TenantId, narrowed: &Narrowed) -> Result<Counted, StoreError> {
    console_list::prepare(tx).await?;
    let rows = sqlx::query_scalar!(
        r#"with fit as not materialized (
               select c.connection_id, c.organization_name_lower, c.organization_zoho_id_lower, c.person_email_lower from connection c
               where c.tenant_id = $1
                 and ($2::text is null or c.product = $2)
                 and ($3::text is null or c.data_centre = $3)
                 and ($4::smallint is null or c.trouble = $4)
                 and ($6::uuid is null or c.organization_id = $6)
           )
           select count(*) as "count!" from (
               (select connection_id from fit where $5::text is null or starts_with(organization_name_lower, lower($5)) limit $7)
               union (select connection_id from fit where $5 is not null and starts_with(organization_zoho_id_lower, lower($5)) limit $7)
               union (select connection_id from fit where $5 is not null and starts_with(person_email_lower, lower($5)) limit $7)
               limit $7) counted"#,
        tenant_id as TenantId,
        narrowed.product.map(Product::key),
        narrowed.data_centre.map(DataCentre::key),
        narrowed.trouble.map(Trouble::rank),
        narrowed.prefix,
        narrowed.organization_id as Option<OrganizationId>,
        MOST_COUNTED + 1,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(Counted::of(rows))
}

/// One of the tenant's connections, with its person where we know them.
pub(crate) async fn find(
    tx: &mut Tx,
    tenant_id: TenantId,
    connection_id: ConnectionId,
) -> Result<Option<(Connection, Option<Person>)>, StoreError> {
    use super::{Choices, Health};
    use chrono::DateTime as Time;
    use sqlx::types::Json;

    let row = sqlx::query_as!(
        WholeRow,
        r#"select c.tenant_id as "tenant_id: TenantId", t.name as tenant_name, c.connection_id as "connection_id: ConnectionId",
               o.zoho_id as "zoho_id?", o.name as "organization_name?", o.environment as "organization_environment?",
               c.product, c.data_centre, c.client_id, c.status, c.status_reason as "status_reason: ReconnectReason",
               c.health as "health: Health", c.retry_at as "retry_at: Time<Utc>", c.scopes_requested, c.scopes_granted,
               c.choices as "choices: Json<Choices>", c.environment, c.access_token_expires_at, c.connected_at, c.consented_at,
               c.last_refreshed_at, c.last_used_at, c.disconnected_at
           from connection c
           join tenant t using (tenant_id)
           left join organization o on o.tenant_id = c.tenant_id and o.organization_id = c.organization_id
           where c.tenant_id = $1 and c.connection_id = $2"#,
        tenant_id as TenantId,
        connection_id as ConnectionId,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let person = sqlx::query!(
        r#"select p.person_id as "person_id: PersonId", p.data_centre, p.zuid, p.display_name, p.email
           from connection c join person p using (person_id)
           where c.tenant_id = $1 and c.connection_id = $2"#,
        tenant_id as TenantId,
        connection_id as ConnectionId,
    )
    .fetch_optional(&mut **tx)
    .await?;
    let person = person
        .map(|person| {
            Ok::<_, StoreError>(Person {
                person_id: person.person_id,
                data_centre: known(&person.data_centre, "person.data_centre")?,
                zuid: known(&person.zuid, "person.zuid")?,
                display_name: person.display_name,
                email: person.email,
            })
        })
        .transpose()?;
    Ok(Some((Connection::try_from(row)?, person)))
}
