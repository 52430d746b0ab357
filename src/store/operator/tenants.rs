//! Tenants as operators see them: all of them, with how much each has connected.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::{
    domain::{ids::TenantId, tenant::Standing, trouble::Trouble},
    store::{StoreError, console_list::MOST_COUNTED, tx::Tx},
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

/// By its slug or our id.
pub(crate) async fn find(db: impl PgExecutor<'_>, name: &str) -> Result<Option<Tenant>, StoreError> {
    Ok(sqlx::query_as!(
        Tenant,
        r#"select t.tenant_id as "tenant_id: TenantId", t.external_id, t.name, t.slug, t.created_at, t.suspended_at,
               t.deleted_at, t.erased_at,
               (select count(*) from (
                    select from connection c where c.tenant_id = t.tenant_id and c.trouble < $2 limit $4) c) as "connections!",
               (select count(*) from (
                    select from connection c where c.tenant_id = t.tenant_id and c.trouble < $3 limit $4) c) as "troubled!"
           from tenant t where t.slug = $1 or t.tenant_id = $5
           order by t.tenant_id = $5 desc limit 1"#,
        name,
        Trouble::Ended.rank(),
        BEARABLE.rank(),
        MOST_COUNTED + 1,
        name.parse::<TenantId>().ok() as Option<TenantId>,
    )
    .fetch_optional(db)
    .await?)
}

/// How far the deletion of a tenant has come.
#[derive(Debug)]
pub(crate) struct Deletion {
    /// Connections that have not ended yet; each has a token that is still to be revoked.
    pub(crate) connections: i64,
    /// Tokens that Zoho was asked to end since.
    pub(crate) asked: i64,
    /// Those of them that Zoho has ended, and those that it did not know any more.
    pub(crate) revoked: i64,
    pub(crate) unknown: i64,
    /// Left at Zoho, because a connection of another tenant lives by the same token.
    pub(crate) shared: i64,
    pub(crate) keys: i64,
    pub(crate) links: i64,
}

pub(crate) async fn find_deletion(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    since: DateTime<Utc>,
) -> Result<Deletion, StoreError> {
    Ok(sqlx::query_as!(
        Deletion,
        r#"select (select count(*) from connection c where c.tenant_id = $1 and c.trouble < $3) as "connections!",
               count(*) as "asked!", count(*) filter (where r.outcome = 'yes') as "revoked!",
               count(*) filter (where r.outcome = 'already') as "unknown!",
               count(*) filter (where r.outcome = 'shared') as "shared!",
               (select count(*) from api_key k where k.tenant_id = $1 and k.revoked_at >= $2) as "keys!",
               (select count(*) from onboarding_link l where l.tenant_id = $1 and l.ended_at >= $2) as "links!"
           from revocation r where r.tenant_id = $1 and r.created_at >= $2"#,
        tenant_id as TenantId,
        since,
        Trouble::Ended.rank(),
    )
    .fetch_one(db)
    .await?)
}
