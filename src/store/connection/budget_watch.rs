//! Who is near Zoho's limit of refresh tokens, for lists: the few that were noticed are counted anew, all others are not
//! looked at.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use uuid::Uuid;

use crate::{
    domain::{
        data_centre::DataCentre,
        ids::{PersonId, TenantId},
    },
    store::StoreError,
};

/// Notices somebody.
pub(crate) async fn upsert(
    db: impl PgExecutor<'_>,
    person_id: PersonId,
    client_id: &str,
    data_centre: DataCentre,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into budget_watch (person_id, client_id, data_centre, noticed_at) values ($1, $2, $3, $4)
         on conflict (person_id, client_id, data_centre) do update set noticed_at = excluded.noticed_at",
        person_id as PersonId,
        client_id,
        data_centre.key(),
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Refresh tokens in use, by the connection and by the organization that they make go short: of several people, the most.
#[derive(Debug, Default)]
pub(crate) struct Near(HashMap<Uuid, i64>);

impl Near {
    pub(crate) fn of(&self, connection_or_organization: impl Into<Uuid>) -> Option<i64> {
        self.0.get(&connection_or_organization.into()).copied()
    }
}

/// Of these connections, or of the connections of these organizations, those whose person has `near` refresh tokens or
/// more. As engine: a person's budget is spent in all their tenants.
pub(crate) async fn list_near(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    ids: &[Uuid],
    near: i64,
) -> Result<Near, StoreError> {
    let rows = sqlx::query!(
        r#"select c.connection_id, c.organization_id, used.tokens as "tokens!"
           from budget_watch w
           join connection c on c.person_id = w.person_id and c.client_id = w.client_id and c.data_centre = w.data_centre
           cross join lateral (
               select (select count(*) from connection o
                       where o.person_id = w.person_id and o.client_id = w.client_id and o.data_centre = w.data_centre
                         and o.refresh_token_sealed is not null and o.status <> 'needs_reconnect')
                    + (select count(*) from revocation r
                       where r.person_id = w.person_id and r.client_id = w.client_id and r.data_centre = w.data_centre
                         and r.done_at is null) as tokens) used
           where c.tenant_id = $1 and (c.connection_id = any($2) or c.organization_id = any($2))
             and c.status not in ('disconnected', 'needs_reconnect') and used.tokens >= $3"#,
        tenant_id as TenantId,
        ids,
        near,
    )
    .fetch_all(db)
    .await?;
    let mut found = Near::default();
    for row in rows {
        for id in [Some(row.connection_id), row.organization_id].into_iter().flatten() {
            let most = found.0.entry(id).or_default();
            *most = row.tokens.max(*most);
        }
    }
    Ok(found)
}
