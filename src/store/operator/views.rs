//! What operators have looked at, as the audit knows it.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::{domain::ids::PersonId, store::StoreError};

/// Whether it is on record that the person has looked at this page of all tenants since then.
pub(crate) async fn is_on_record(
    db: impl PgExecutor<'_>,
    person_id: PersonId,
    page: &str,
    since: DateTime<Utc>,
) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
               select from audit_event
               where tenant_id is null and actor_id = $1 and at > $3 and actor_kind = 'operator'
                 and action = 'operator_viewed' and detail = $2) as "is_on_record!""#,
        person_id.to_string(),
        page,
        since,
    )
    .fetch_one(db)
    .await?)
}
