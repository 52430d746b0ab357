//! Tenants as operators see them: all of them, with how much each has connected.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::{
    domain::{ids::TenantId, tenant::Standing, trouble::Trouble},
    store::{StoreError, tx::Tx},
};

#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) tenant_id: TenantId,
    pub(crate) external_id: Option<String>,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) suspended_at: Option<DateTime<Utc>>,
    pub(crate) deleted_at: Option<DateTime<Utc>>,
    pub(crate) erased_at: Option<DateTime<Utc>>,
    /// Connections that have not ended, up to `MOST_COUNTED` and one.
    pub(crate) connections: i64,
    /// Those of them that need somebody, likewise.
    pub(crate) troubled: i64,
}

impl Tenant {
    pub(crate) fn standing(&self) -> Standing {
        Standing::of(self.suspended_at.is_some(), self.deleted_at.is_some(), self.erased_at.is_some())
    }
}

/// Absent is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Narrowed {
    /// How a name, a slug or an external id begins, in any case.
    pub(crate) prefix: Option<String>,
    pub(crate) standing: Option<Standing>,
}

/// What is counted at most of one tenant: beyond, the list says "more than".
pub(crate) const MOST_COUNTED: i64 = 1000;
/// From this trouble on nobody has to act.
const BEARABLE: Trouble = Trouble::Unavailable;

/// At most `limit` tenants, the newest first, from behind `after` on.
pub(crate) async fn list(
    tx: &mut Tx,
    narrowed: &Narrowed,
    after: Option<TenantId>,
    limit: i64,
) -> Result<Vec<Tenant>, StoreError> {
    // A filter that is not set must vanish from the plan, or the index is not used.
    sqlx::query("set local plan_cache_mode = force_custom_plan").execute(&mut **tx).await?;
    Ok(sqlx::query_as!(
        Tenant,
        r#"select t.tenant_id as "tenant_id: TenantId", t.external_id, t.name, t.slug, t.created_at, t.suspended_at,
               t.deleted_at, t.erased_at,
               (select count(*) from (
                    select from connection c where c.tenant_id = t.tenant_id and c.trouble < $5 limit $7) c) as "connections!",
               (select count(*) from (
                    select from connection c where c.tenant_id = t.tenant_id and c.trouble < $6 limit $7) c) as "troubled!"
           from (
               select * from tenant t
               where ($1::text is null or starts_with(t.name_lower, lower($1)) or starts_with(t.slug_lower, lower($1))
                      or starts_with(t.external_id_lower, lower($1)))
                 and ($2::text is null or $2 = case
                         when t.erased_at is not null then 'deleted' when t.deleted_at is not null then 'deleting'
                         when t.suspended_at is not null then 'suspended' else 'active' end)
                 and ($3::uuid is null or t.tenant_id < $3)
               order by t.tenant_id desc limit $4
           ) t
           order by t.tenant_id desc"#,
        narrowed.prefix,
        narrowed.standing.map(Standing::key),
        after as Option<TenantId>,
        limit,
        Trouble::Ended.rank(),
        BEARABLE.rank(),
        MOST_COUNTED + 1,
    )
    .fetch_all(&mut **tx)
    .await?)
}

pub(crate) async fn find(db: impl PgExecutor<'_>, slug: &str) -> Result<Option<Tenant>, StoreError> {
    Ok(sqlx::query_as!(
        Tenant,
        r#"select t.tenant_id as "tenant_id: TenantId", t.external_id, t.name, t.slug, t.created_at, t.suspended_at,
               t.deleted_at, t.erased_at,
               (select count(*) from (
                    select from connection c where c.tenant_id = t.tenant_id and c.trouble < $2 limit $4) c) as "connections!",
               (select count(*) from (
                    select from connection c where c.tenant_id = t.tenant_id and c.trouble < $3 limit $4) c) as "troubled!"
           from tenant t where t.slug = $1"#,
        slug,
        Trouble::Ended.rank(),
        BEARABLE.rank(),
        MOST_COUNTED + 1,
    )
    .fetch_optional(db)
    .await?)
}
