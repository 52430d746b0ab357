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
        console_list::{self, MOST_COUNTED, Narrowed, Order, Position},
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

/// What people's addresses find is looked up beforehand: so many organizations, among so many connections.
const FEW: usize = 1000;
const LOOKED_THROUGH: i64 = 5000;

/// Organizations that somebody has connected whose address begins as was searched for.
enum Addressed {
    Few(Vec<Uuid>),
    /// Too many to be named: each organization is asked for one, on a walk that soon has its page. So many at least.
    Many {
        organizations: usize,
    },
}

impl Addressed {
    fn few(&self) -> Option<&[Uuid]> {
        match self {
            Self::Few(organizations) => Some(organizations),
            Self::Many { .. } => None,
        }
    }
}

async fn list_addressed(tx: &mut Tx, tenant_id: TenantId, prefix: Option<&str>) -> Result<Addressed, StoreError> {
    let Some(prefix) = prefix else { return Ok(Addressed::Few(Vec::new())) };
    let found = sqlx::query!(
        r#"with found as materialized (
               select organization_id from connection
               where tenant_id = $1 and organization_id is not null and starts_with(person_email_lower, lower($2)) limit $3)
           select distinct organization_id as "organization_id!", (select count(*) from found) as "connections!" from found limit $4"#,
        tenant_id as TenantId,
        prefix,
        LOOKED_THROUGH + 1,
        i64::try_from(FEW).unwrap_or(i64::MAX) + 1,
    )
    .fetch_all(&mut **tx)
    .await?;
    let is_few = found.len() <= FEW && found.first().is_none_or(|first| first.connections <= LOOKED_THROUGH);
    let found: Vec<_> = found.into_iter().map(|row| row.organization_id).collect();
    Ok(if is_few { Addressed::Few(found) } else { Addressed::Many { organizations: found.len() } })
}

/// The page is cut out before anything is joined. `$6` to `$8` and `$10` are the position, each null on the first page.
macro_rules! page {
    ($tx:expr, $tenant:expr, $narrowed:expr, $addressed:expr, $after:expr, $limit:expr, after $beyond:literal, order $order:literal) => {
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
                          or ($11::uuid[] is not null and o.organization_id = any($11))
                          or ($11::uuid[] is null and (
                              select true from connection c
                              where c.tenant_id = $1 and c.organization_id = o.organization_id
                                and starts_with(c.person_email_lower, lower($5)) limit 1)))
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
            $addressed as Option<&[Uuid]>,
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
    console_list::prepare(tx).await?;
    let addressed = list_addressed(tx, tenant_id, narrowed.prefix.as_deref()).await?;
    let rows = match order {
        Order::Trouble => page!(tx, tenant_id, narrowed, addressed.few(), after, limit,
            after "(o.trouble, o.organization_id) > ($6, $8)", order "o.trouble, o.organization_id"),
        Order::Name => page!(tx, tenant_id, narrowed, addressed.few(), after, limit,
            after "(o.name_lower, o.organization_id) > ($7, $8)", order "o.name_lower, o.organization_id"),
        Order::Newest => page!(tx, tenant_id, narrowed, addressed.few(), after, limit,
            after "o.organization_id < $8", order "o.organization_id desc"),
        Order::Used => page!(tx, tenant_id, narrowed, addressed.few(), after, limit,
            after "(o.last_used_day, o.organization_id) < ($10, $8)", order "o.last_used_day desc, o.organization_id desc"),
    };
    rows.into_iter().map(Listed::try_from).collect()
}

/// How many there are, up to `MOST_COUNTED` and one.
pub(crate) async fn count(tx: &mut Tx, tenant_id: TenantId, narrowed: &Narrowed) -> Result<i64, StoreError> {
    console_list::prepare(tx).await?;
    let addressed = list_addressed(tx, tenant_id, narrowed.prefix.as_deref()).await?;
    let is_by_prefix_alone = *narrowed == Narrowed { prefix: narrowed.prefix.clone(), ..Narrowed::default() };
    if let Addressed::Many { organizations } = &addressed
        && is_by_prefix_alone
        && i64::try_from(*organizations).is_ok_and(|organizations| organizations > MOST_COUNTED)
    {
        return Ok(MOST_COUNTED + 1);
    }
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from (
               select from organization o
               where o.tenant_id = $1
                 and ($2::text is null or o.product = $2)
                 and ($3::text is null or o.data_centre = $3)
                 and ($4::smallint is null or o.trouble = $4)
                 and ($5::text is null or starts_with(o.name_lower, lower($5)) or starts_with(o.zoho_id_lower, lower($5))
                      or ($7::uuid[] is not null and o.organization_id = any($7))
                      or ($7::uuid[] is null and (
                          select true from connection c
                          where c.tenant_id = $1 and c.organization_id = o.organization_id
                            and starts_with(c.person_email_lower, lower($5)) limit 1)))
               limit $6) counted"#,
        tenant_id as TenantId,
        narrowed.product.map(Product::key),
        narrowed.data_centre.map(DataCentre::key),
        narrowed.trouble.map(Trouble::rank),
        narrowed.prefix,
        MOST_COUNTED + 1,
        addressed.few() as Option<&[Uuid]>,
    )
    .fetch_one(&mut **tx)
    .await?)
}
