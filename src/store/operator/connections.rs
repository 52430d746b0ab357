//! Connections of all tenants as operators see them, trouble first.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    domain::{data_centre::DataCentre, ids::TenantId, product::Product, trouble::Trouble},
    store::{StoreError, connection::ConnectedOrganization, known, tx::Tx},
};

#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) tenant_name: String,
    pub(crate) tenant_slug: String,
    pub(crate) connection_id: Uuid,
    pub(crate) organization: Option<ConnectedOrganization>,
    pub(crate) product: Product,
    pub(crate) data_centre: DataCentre,
    pub(crate) person_name: Option<String>,
    pub(crate) person_email: Option<String>,
    pub(crate) trouble: Trouble,
    pub(crate) retry_at: Option<DateTime<Utc>>,
    pub(crate) connected_at: DateTime<Utc>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
}

impl Listed {
    pub(crate) fn position(&self) -> Position {
        (self.trouble.rank(), self.connection_id)
    }
}

/// Where a row stands: its trouble, and its id.
pub(crate) type Position = (i16, Uuid);

/// Absent is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Narrowed {
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) product: Option<Product>,
    pub(crate) data_centre: Option<DataCentre>,
    pub(crate) trouble: Option<Trouble>,
    /// How an organization's name or id, or an e-mail address begins, in any case.
    pub(crate) prefix: Option<String>,
}

struct Row {
    tenant_name: String,
    tenant_slug: String,
    connection_id: Uuid,
    zoho_id: Option<String>,
    organization_name: Option<String>,
    organization_environment: Option<String>,
    product: String,
    data_centre: String,
    person_name: Option<String>,
    person_email: Option<String>,
    trouble: i16,
    retry_at: Option<DateTime<Utc>>,
    connected_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Listed {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            tenant_name: row.tenant_name,
            tenant_slug: row.tenant_slug,
            connection_id: row.connection_id,
            organization: ConnectedOrganization::from_columns(
                row.zoho_id,
                row.organization_name,
                row.organization_environment,
            )?,
            product: known(&row.product, "connection.product")?,
            data_centre: known(&row.data_centre, "connection.data_centre")?,
            person_name: row.person_name,
            person_email: row.person_email,
            trouble: Trouble::from_rank(row.trouble).ok_or(StoreError::Inconsistent("connection.trouble"))?,
            retry_at: row.retry_at,
            connected_at: row.connected_at,
            last_used_at: row.last_used_at,
        })
    }
}

/// The page is cut out of `$cut`, which tells tenant, id and trouble, before anything is joined.
macro_rules! page {
    ($tx:expr, $cut:literal, $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            Row,
            "with cut as (" + $cut + r#")
               select t.name as tenant_name, t.slug as tenant_slug, c.connection_id, o.zoho_id as "zoho_id?",
                   o.name as "organization_name?", o.environment as "organization_environment?", c.product, c.data_centre,
                   p.display_name as "person_name?", p.email as "person_email?", c.trouble as "trouble!", c.retry_at,
                   c.connected_at, c.last_used_at
               from cut
               join connection c on c.tenant_id = cut.tenant_id and c.connection_id = cut.connection_id
               join tenant t on t.tenant_id = c.tenant_id
               left join person p on p.person_id = c.person_id
               left join organization o on o.tenant_id = c.tenant_id and o.organization_id = c.organization_id
               order by c.trouble, c.connection_id"#,
            $($parameter),+
        )
        .fetch_all(&mut **$tx)
        .await?
    };
}

/// At most `limit` connections after the position.
pub(crate) async fn list(
    tx: &mut Tx,
    narrowed: &Narrowed,
    after: Option<Position>,
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    // Filters that are not set must vanish from the plan, or their indexes are not used.
    sqlx::query("set local plan_cache_mode = force_custom_plan").execute(&mut **tx).await?;
    let (after_trouble, after_id) = after.unzip();
    let trouble = narrowed.trouble.map(Trouble::rank);
    let rows = if let Some(tenant_id) = narrowed.tenant_id {
        page!(
            tx,
            r#"select c.tenant_id, c.connection_id from connection c
               where c.tenant_id = $1
                 and ($2::text is null or c.product = $2)
                 and ($3::text is null or c.data_centre = $3)
                 and ($4::smallint is null or c.trouble = $4)
                 and ($5::text is null or starts_with(c.organization_name_lower, lower($5))
                      or starts_with(c.organization_zoho_id_lower, lower($5)) or starts_with(c.person_email_lower, lower($5)))
                 and ($6::smallint is null or $7::uuid is null or (c.trouble, c.connection_id) > ($6, $7))
               order by c.trouble, c.connection_id limit $8"#,
            tenant_id as TenantId,
            narrowed.product.map(Product::key),
            narrowed.data_centre.map(DataCentre::key),
            trouble,
            narrowed.prefix,
            after_trouble,
            after_id,
            limit,
        )
    } else {
        let products = narrowed.product.map_or(Product::ALL.to_vec(), |product| vec![product]);
        let data_centres = narrowed.data_centre.map_or(DataCentre::ALL.to_vec(), |data_centre| vec![data_centre]);
        page!(
            tx,
            r#"select piece.tenant_id, piece.connection_id
               from unnest($1::text[]) data_centre cross join unnest($2::text[]) product
               cross join lateral (
                   select c.tenant_id, c.connection_id, c.trouble from connection c
                   where c.data_centre = data_centre.data_centre and c.product = product.product
                     and ($3::smallint is null or c.trouble = $3)
                     and ($4::smallint is null or $5::uuid is null or (c.trouble, c.connection_id) > ($4, $5))
                   order by c.trouble, c.connection_id limit $6) piece
               order by piece.trouble, piece.connection_id limit $6"#,
            &data_centres.into_iter().map(|data_centre| data_centre.key().to_owned()).collect::<Vec<_>>(),
            &products.into_iter().map(|product| product.key().to_owned()).collect::<Vec<_>>(),
            trouble,
            after_trouble,
            after_id,
            limit,
        )
    };
    rows.into_iter().map(Listed::try_from).collect()
}

/// What a search in all tenants looks at, of organizations and of people.
pub(crate) const MOST_FOUND: i64 = 200;

/// Connections whose organization or person begins so, in all tenants: those of the first organizations and people that
/// do, and of these the first. A search that finds more wants a longer beginning, or a tenant.
pub(crate) async fn search(tx: &mut Tx, narrowed: &Narrowed, prefix: &str) -> Result<Vec<Listed>, StoreError> {
    sqlx::query("set local plan_cache_mode = force_custom_plan").execute(&mut **tx).await?;
    let rows = page!(
        tx,
        r#"select found.tenant_id, found.connection_id from (
               select c.tenant_id, c.connection_id, c.trouble, c.product, c.data_centre from (
                   select p.person_id from person p where starts_with(p.email_lower, lower($1))
                   order by p.email_lower limit $5) p
               join connection c on c.person_id = p.person_id
               union
               select c.tenant_id, c.connection_id, c.trouble, c.product, c.data_centre from (
                   (select o.tenant_id, o.organization_id from organization o where starts_with(o.name_lower, lower($1))
                    order by o.name_lower limit $5)
                   union
                   (select o.tenant_id, o.organization_id from organization o where starts_with(o.zoho_id_lower, lower($1))
                    order by o.zoho_id_lower limit $5)) o
               join connection c on c.tenant_id = o.tenant_id and c.organization_id = o.organization_id) found
           where ($2::text is null or found.product = $2)
             and ($3::text is null or found.data_centre = $3)
             and ($4::smallint is null or found.trouble = $4)
           order by found.trouble, found.connection_id limit $5"#,
        prefix,
        narrowed.product.map(Product::key),
        narrowed.data_centre.map(DataCentre::key),
        narrowed.trouble.map(Trouble::rank),
        MOST_FOUND,
    );
    rows.into_iter().map(Listed::try_from).collect()
}
