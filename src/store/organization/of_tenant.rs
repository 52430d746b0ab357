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
        console_list::{self, Counted, MOST_COUNTED, Narrowed, Order, Position},
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

/// So many connections are looked through for an address that is searched for.
const LOOKED_THROUGH: usize = 3000;

/// Organizations that somebody has connected whose address begins as is searched for: looked up once for all that is
/// asked in a transaction.
#[derive(Debug)]
pub(crate) struct Addressed {
    organizations: Vec<Uuid>,
    /// There may be more of them.
    is_cut: bool,
}

impl Addressed {
    /// Also prepares the transaction for lists.
    pub(crate) async fn find(tx: &mut Tx, tenant_id: TenantId, narrowed: &Narrowed) -> Result<Self, StoreError> {
        console_list::prepare(tx).await?;
        let Some(prefix) = &narrowed.prefix else { return Ok(Self { organizations: Vec::new(), is_cut: false }) };
        let found = sqlx::query!(
            r#"with found as materialized (
                   select organization_id from connection
                   where tenant_id = $1 and organization_id is not null and starts_with(person_email_lower, lower($2)) limit $3)
               select array(select distinct organization_id from found) as "organizations!", count(*) as "connections!" from found"#,
            tenant_id as TenantId,
            prefix,
            i64::try_from(LOOKED_THROUGH).unwrap_or(i64::MAX),
        )
        .fetch_one(&mut **tx)
        .await?;
        Ok(Self {
            organizations: found.organizations,
            is_cut: usize::try_from(found.connections).is_ok_and(|connections| connections >= LOOKED_THROUGH),
        })
    }
}

/// The page is cut out before anything is joined. What is searched for is looked for in each column apart, as for
/// connections. People's addresses are looked up beforehand (`$11`); where those are too many to be named, each
/// organization is asked for one, on a walk that soon has its page. `$6` to `$8` and `$10` are the position, each null on
/// the first page.
macro_rules! page {
    ($tx:expr, $tenant:expr, $narrowed:expr, $addressed:expr, $after:expr, $limit:expr,
     by $place:literal, after $beyond:literal, order $order:literal) => {
        page!(@found $tx, $tenant, $narrowed, $addressed, $after, $limit, $order, "select o.organization_id, ", $place, r#" as place
            from organization o
            where o.tenant_id = $1
              and ($2::text is null or o.product = $2)
              and ($3::text is null or o.data_centre = $3)
              and ($4::smallint is null or o.trouble = $4)
              and ($6::smallint is null or $7::text is null or $8::uuid is null or $10::integer is null or "#, $beyond, ")")
    };
    (@found $tx:expr, $tenant:expr, $narrowed:expr, $addressed:expr, $after:expr, $limit:expr, $order:literal, $($found:literal),+) => {
        sqlx::query_as!(
            Row,
            r#"select o.organization_id as "organization_id: OrganizationId", o.zoho_id, o.name, o.name_lower as "name_lower!", o.environment,
                   o.product, o.data_centre, o.people, o.trouble, used.retry_at, used.access_token_expires_at,
                   coalesce(used.scopes, '{}') as "scopes_granted!",
                   o.created_at as connected_at, used.last_used_at, o.last_used_day
               from (
                   ("# + $($found +)+ " and ($5::text is null or starts_with(o.name_lower, lower($5))) order by " + $order + r#" limit $9)
                   union ("# + $($found +)+ " and $5 is not null and starts_with(o.zoho_id_lower, lower($5)) order by " + $order + r#" limit $9)
                   union ("# + $($found +)+ " and $5 is not null and o.organization_id = any($11) order by " + $order + r#" limit $9)
                   union ("# + $($found +)+ r#" and $5 is not null and $11::uuid[] is null and (
                       select true from connection c
                       where c.tenant_id = $1 and c.organization_id = o.organization_id
                         and starts_with(c.person_email_lower, lower($5)) limit 1) order by "# + $order + r#" limit $9)
                   order by "# + $order + r#" limit $9
               ) page
               join organization o using (organization_id)
               left join lateral (
                   select max(c.last_used_at) as last_used_at, min(c.retry_at) filter (where c.trouble = o.trouble) as retry_at,
                       min(c.access_token_expires_at) filter (where c.trouble = o.trouble) as access_token_expires_at,
                       array_agg(distinct scope order by scope) filter (where scope is not null) as scopes
                   from connection c left join lateral unnest(c.scopes_granted) scope on true
                   where c.tenant_id = o.tenant_id and c.organization_id = o.organization_id and c.status <> 'disconnected'
               ) used on true
               where o.tenant_id = $1
               order by "# + $order,
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
    addressed: &Addressed,
    order: Order,
    after: Option<&Position>,
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    let addressed = (!addressed.is_cut).then_some(addressed.organizations.as_slice());
    let rows = match order {
        Order::Trouble => page!(tx, tenant_id, narrowed, addressed, after, limit, by "o.trouble",
            after "(o.trouble, o.organization_id) > ($6, $8)", order "place, organization_id"),
        Order::Name => page!(tx, tenant_id, narrowed, addressed, after, limit, by "o.name_lower",
            after "(o.name_lower, o.organization_id) > ($7, $8)", order "place, organization_id"),
        Order::Newest => page!(tx, tenant_id, narrowed, addressed, after, limit, by "o.organization_id",
            after "o.organization_id < $8", order "place desc, organization_id desc"),
        Order::Used => page!(tx, tenant_id, narrowed, addressed, after, limit, by "o.last_used_day",
            after "(o.last_used_day, o.organization_id) < ($10, $8)", order "place desc, organization_id desc"),
    };
    rows.into_iter().map(Listed::try_from).collect()
}

pub(crate) async fn count(
    tx: &mut Tx,
    tenant_id: TenantId,
    narrowed: &Narrowed,
    addressed: &Addressed,
) -> Result<Counted, StoreError> {
    let rows = sqlx::query_scalar!(
        r#"with fit as not materialized (
               select o.organization_id, o.name_lower, o.zoho_id_lower from organization o
               where o.tenant_id = $1
                 and ($2::text is null or o.product = $2)
                 and ($3::text is null or o.data_centre = $3)
                 and ($4::smallint is null or o.trouble = $4)
           )
           select count(*) as "count!" from (
               (select organization_id from fit where $5::text is null or starts_with(name_lower, lower($5)) limit $6)
               union (select organization_id from fit where $5 is not null and starts_with(zoho_id_lower, lower($5)) limit $6)
               union (select organization_id from fit where $5 is not null and organization_id = any($7) limit $6)
               limit $6) counted"#,
        tenant_id as TenantId,
        narrowed.product.map(Product::key),
        narrowed.data_centre.map(DataCentre::key),
        narrowed.trouble.map(Trouble::rank),
        narrowed.prefix,
        MOST_COUNTED + 1,
        &addressed.organizations,
    )
    .fetch_one(&mut **tx)
    .await?;
    let counted = Counted::of(rows);
    Ok(Counted { has_more: counted.has_more || addressed.is_cut, ..counted })
}
