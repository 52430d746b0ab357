//! Who may do what in which tenant; read per request, never kept in a session (security.md S-29).

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::{StoreError, known, tx::Tx};
use crate::domain::{
    data_centre::DataCentre,
    ids::{PersonId, TenantId},
    tenant::Role,
};

#[derive(Debug, Clone)]
pub(crate) struct Membership {
    pub(crate) tenant_id: TenantId,
    pub(crate) tenant_name: String,
    pub(crate) tenant_slug: String,
    pub(crate) role: Role,
    pub(crate) is_suspended: bool,
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
        r#"select m.tenant_id as "tenant_id: TenantId", t.name as tenant_name, t.slug as tenant_slug, m.role as "role: Role",
               t.suspended_at is not null as "is_suspended!"
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
        r#"select m.tenant_id as "tenant_id: TenantId", t.name as tenant_name, t.slug as tenant_slug, m.role as "role: Role",
               t.suspended_at is not null as "is_suspended!"
           from membership m join tenant t using (tenant_id)
           where m.person_id = $1
           order by (t.own_of_person_id is not distinct from $1) desc, lower(t.name), t.tenant_id"#,
        person_id as PersonId,
    )
    .fetch_all(db)
    .await?)
}

/// Somebody who belongs to a tenant.
#[derive(Debug)]
pub(crate) struct TenantMember {
    pub(crate) person_id: PersonId,
    pub(crate) display_name: String,
    pub(crate) email: String,
    pub(crate) data_centre: DataCentre,
    pub(crate) role: Role,
    pub(crate) created_at: DateTime<Utc>,
}

/// The most that a page shows.
pub(crate) const MOST_LISTED: i64 = 500;

/// The members of a tenant, owners first.
pub(crate) async fn list_of_tenant(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
) -> Result<Vec<TenantMember>, StoreError> {
    let rows = sqlx::query!(
        r#"select m.person_id as "person_id: PersonId", p.display_name, p.email, p.data_centre, m.role as "role: Role", m.created_at
           from membership m join person p using (person_id)
           where m.tenant_id = $1
           order by m.role <> 'owner', m.role <> 'admin', lower(p.display_name), m.person_id limit $2"#,
        tenant_id as TenantId,
        MOST_LISTED,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(TenantMember {
                person_id: row.person_id,
                display_name: row.display_name,
                email: row.email,
                data_centre: known(&row.data_centre, "person.data_centre")?,
                role: row.role,
                created_at: row.created_at,
            })
        })
        .collect()
}

/// Whoever changes who belongs to a tenant does so one after the other; tells how many owners it has.
pub(crate) async fn lock_owners(tx: &mut Tx, tenant_id: TenantId) -> Result<i64, StoreError> {
    sqlx::query!("select from tenant where tenant_id = $1 for no key update", tenant_id as TenantId)
        .fetch_optional(&mut **tx)
        .await?;
    // A statement of its own: it sees what was committed while we waited.
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from membership where tenant_id = $1 and role = 'owner'"#,
        tenant_id as TenantId,
    )
    .fetch_one(&mut **tx)
    .await?)
}

pub(crate) async fn update_role(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    person_id: PersonId,
    role: Role,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update membership set role = $3 where tenant_id = $1 and person_id = $2",
        tenant_id as TenantId,
        person_id as PersonId,
        role as Role,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn delete(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    person_id: PersonId,
) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from membership where tenant_id = $1 and person_id = $2",
        tenant_id as TenantId,
        person_id as PersonId,
    )
    .execute(db)
    .await?;
    Ok(())
}
