//! Who may do what in which tenant; read per request, never kept in a session (security.md S-29).

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::StoreError;
use crate::domain::{
    ids::{PersonId, TenantId},
    tenant::Role,
};

#[derive(Debug, Clone)]
pub(crate) struct Membership {
    pub(crate) tenant_id: TenantId,
    pub(crate) tenant_name: String,
    pub(crate) tenant_slug: String,
    pub(crate) role: Role,
}

/// Does nothing where the person is a member already.
pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    person_id: PersonId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into membership (tenant_id, person_id, role, created_at) values ($1, $2, $3, $4) on conflict do nothing",
        tenant_id as TenantId,
        person_id as PersonId,
        role as Role,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives a role to whoever has none or less.
pub(crate) async fn upsert(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    person_id: PersonId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into membership (tenant_id, person_id, role, created_at) values ($1, $2, $3, $4)
         on conflict (tenant_id, person_id) do update set role = excluded.role",
        tenant_id as TenantId,
        person_id as PersonId,
        role as Role,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn has_owner(db: impl PgExecutor<'_>, tenant_id: TenantId) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from membership where tenant_id = $1 and role = 'owner') as "has_owner!""#,
        tenant_id as TenantId,
    )
    .fetch_one(db)
    .await?)
}

pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    person_id: PersonId,
) -> Result<Option<Role>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select role as "role: Role" from membership where tenant_id = $1 and person_id = $2"#,
        tenant_id as TenantId,
        person_id as PersonId,
    )
    .fetch_optional(db)
    .await?)
}

/// The person's membership in the tenant of that slug.
pub(crate) async fn find_by_slug(
    db: impl PgExecutor<'_>,
    tenant_slug: &str,
    person_id: PersonId,
) -> Result<Option<Membership>, StoreError> {
    Ok(sqlx::query_as!(
        Membership,
        r#"select m.tenant_id as "tenant_id: TenantId", t.name as tenant_name, t.slug as tenant_slug, m.role as "role: Role"
           from tenant t join membership m using (tenant_id)
           where t.slug = $1 and m.person_id = $2"#,
        tenant_slug,
        person_id as PersonId,
    )
    .fetch_optional(db)
    .await?)
}

/// The tenants of a person, their own first.
pub(crate) async fn list_of_person(
    db: impl PgExecutor<'_>,
    person_id: PersonId,
) -> Result<Vec<Membership>, StoreError> {
    Ok(sqlx::query_as!(
        Membership,
        r#"select m.tenant_id as "tenant_id: TenantId", t.name as tenant_name, t.slug as tenant_slug, m.role as "role: Role"
           from membership m join tenant t using (tenant_id)
           where m.person_id = $1
           order by (t.own_of_person_id is not distinct from $1) desc, lower(t.name), t.tenant_id"#,
        person_id as PersonId,
    )
    .fetch_all(db)
    .await?)
}
