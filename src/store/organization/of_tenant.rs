//! A tenant's organizations as its administrators see them: with what is connected to each, trouble first.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::StoreError;
use crate::{
    domain::{
        data_centre::DataCentre,
        ids::{OrganizationId, TenantId},
        organization::{Environment, ZohoOrganizationId},
        product::Product,
        trouble::Trouble,
    },
    store::{
        console_list::{MOST_COUNTED, Narrowed, Order, Position},
        known,
        tx::Tx,
    },
};

#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) organization_id: OrganizationId,
    pub(crate) zoho_id: ZohoOrganizationId,
    pub(crate) name: String,
    name_lower: String,
    pub(crate) environment: Environment,
    pub(crate) product: Product,
    pub(crate) data_centre: DataCentre,
    /// Connections that have not ended.
    pub(crate) people: i32,
    pub(crate) trouble: Trouble,
    /// Until then Zoho is not asked again, of those with the worst trouble the earliest.
    pub(crate) retry_at: Option<DateTime<Utc>>,
    /// Of those the access that ends first.
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
            name: self.name_lower.clone(),
            id: self.organization_id.into(),
        }
    }
}

struct Row {
    organization_id: OrganizationId,
    zoho_id: String,
    name: String,
    name_lower: String,
    environment: String,
    product: String,
    data_centre: String,
    people: i32,
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
            organization_id: row.organization_id,
            zoho_id: known(&row.zoho_id, "organization.zoho_id")?,
            name: row.name,
            name_lower: row.name_lower,
            environment: known(&row.environment, "organization.environment")?,
            product: known(&row.product, "organization.product")?,
            data_centre: known(&row.data_centre, "organization.data_centre")?,
            people: row.people,
            trouble: Trouble::from_rank(row.trouble).ok_or(StoreError::Inconsistent("organization.trouble"))?,
            retry_at: row.retry_at,
            access_token_expires_at: row.access_token_expires_at,
            scopes_granted: row.scopes_granted,
            connected_at: row.connected_at,
            last_used_at: row.last_used_at,
            last_used_day: row.last_used_day,
        })
    }
}

/// The page is cut out before anything is joined. `$6` to `$8` and `$10` are the position, each null on the first page.
macro_rules! page {
    ($tx:expr, $tenant:expr, $narrowed:expr, $after:expr, $limit:expr, after $beyond:literal, order $order:literal) => {
        sqlx::query_as!(
            Row,
            r#"select o.organization_id as "organization_id: OrganizationId", o.zoho_id, o.name, o.name_lower as "name_lower!", o.environment,
                   o.product, o.data_centre, o.people, o.trouble, used.retry_at, used.access_token_expires_at,
                   coalesce(used.scopes, '{}') as "scopes_granted!",
                   o.created_at as connected_at, used.last_used_at, o.last_used_day
               from (
                   select * from organization o
                   where o.tenant_id = $1
                     and ($2::text is null or o.product = $2)
                     and ($3::text is null or o.data_centre = $3)
                     and ($4::smallint is null or o.trouble = $4)
                     and ($5::text is null or starts_with(o.name_lower, lower($5)) or starts_with(o.zoho_id_lower, lower($5))
                          or o.organization_id in (
                              select c.organization_id from connection c
                              where c.tenant_id = $1 and starts_with(c.person_email_lower, lower($5))))
                     and ($6::smallint is null or $7::text is null or $8::uuid is null or $10::integer is null or "#
                + $beyond
                + r#")
                   order by "#
                + $order
                + r#" limit $9
               ) o
               left join lateral (
                   select max(c.last_used_at) as last_used_at, min(c.retry_at) filter (where c.trouble = o.trouble) as retry_at,
                       min(c.access_token_expires_at) filter (where c.trouble = o.trouble) as access_token_expires_at,
                       array_agg(distinct scope order by scope) filter (where scope is not null) as scopes
                   from connection c left join lateral unnest(c.scopes_granted) scope on true
                   where c.tenant_id = o.tenant_id and c.organization_id = o.organization_id and c.status <> 'disconnected'
               ) used on true
               order by "#
                + $order,
            $tenant as TenantId,
            $narrowed.product.map(Product::key),
            $narrowed.data_centre.map(DataCentre::key),
            $narrowed.trouble.map(Trouble::rank),
            $narrowed.prefix,
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

/// At most `limit` organizations of a tenant after the position.
pub(crate) async fn list(
    tx: &mut Tx,
    tenant_id: TenantId,
    narrowed: &Narrowed,
    order: Order,
    after: Option<&Position>,
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    // Filters that are not set must vanish from the plan, or their indexes are not used.
    sqlx::query("set local plan_cache_mode = force_custom_plan").execute(&mut **tx).await?;
    let rows = match order {
        Order::Trouble => page!(tx, tenant_id, narrowed, after, limit,
            after "(o.trouble, o.organization_id) > ($6, $8)", order "o.trouble, o.organization_id"),
        Order::Name => page!(tx, tenant_id, narrowed, after, limit,
            after "(o.name_lower, o.organization_id) > ($7, $8)", order "o.name_lower, o.organization_id"),
        Order::Newest => page!(tx, tenant_id, narrowed, after, limit,
            after "o.organization_id < $8", order "o.organization_id desc"),
        Order::Used => page!(tx, tenant_id, narrowed, after, limit,
            after "(o.last_used_day, o.organization_id) < ($10, $8)", order "o.last_used_day desc, o.organization_id desc"),
    };
    rows.into_iter().map(Listed::try_from).collect()
}

/// How many there are, up to `MOST_COUNTED` and one.
pub(crate) async fn count(tx: &mut Tx, tenant_id: TenantId, narrowed: &Narrowed) -> Result<i64, StoreError> {
    sqlx::query("set local plan_cache_mode = force_custom_plan").execute(&mut **tx).await?;
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from (
               select from organization o
               where o.tenant_id = $1
                 and ($2::text is null or o.product = $2)
                 and ($3::text is null or o.data_centre = $3)
                 and ($4::smallint is null or o.trouble = $4)
                 and ($5::text is null or starts_with(o.name_lower, lower($5)) or starts_with(o.zoho_id_lower, lower($5))
                      or o.organization_id in (
                          select c.organization_id from connection c
                          where c.tenant_id = $1 and starts_with(c.person_email_lower, lower($5))))
               limit $6) counted"#,
        tenant_id as TenantId,
        narrowed.product.map(Product::key),
        narrowed.data_centre.map(DataCentre::key),
        narrowed.trouble.map(Trouble::rank),
        narrowed.prefix,
        MOST_COUNTED + 1,
    )
    .fetch_one(&mut **tx)
    .await?)
}
