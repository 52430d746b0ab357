//! Who did what: appended, never changed.

pub(crate) mod listed;
mod walk;

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::StoreError;
use crate::domain::ids::{AuditEventId, ConnectionId, PersonId, RequestId, TenantId};

#[derive(Debug, Clone)]
pub(crate) enum Actor {
    Person(PersonId),
    /// A person, as one who runs the installation.
    Operator(PersonId),
    /// A back end, by the id of its key.
    ApiKey(String),
    /// A browser that is nobody we know.
    Visitor,
    /// This program, unasked.
    Engine,
    /// Whoever may run commands on this machine.
    Command,
}

impl Actor {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Operator(_) => "operator",
            Self::ApiKey(_) => "api_key",
            Self::Visitor => "visitor",
            Self::Engine => "engine",
            Self::Command => "command",
        }
    }

    pub(crate) fn id(&self) -> Option<String> {
        match self {
            Self::Person(person_id) | Self::Operator(person_id) => Some(person_id.to_string()),
            Self::ApiKey(api_key_id) => Some(api_key_id.clone()),
            Self::Visitor | Self::Engine | Self::Command => None,
        }
    }
}

/// One event. `action`, `outcome` and `detail` are words of ours.
#[derive(Debug, Clone)]
pub(crate) struct AuditEvent {
    pub(crate) actor: Actor,
    pub(crate) action: &'static str,
    pub(crate) outcome: &'static str,
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) connection_id: Option<ConnectionId>,
    pub(crate) peer: Option<String>,
    pub(crate) request_id: Option<RequestId>,
    pub(crate) detail: Option<String>,
}

pub(crate) async fn insert(db: impl PgExecutor<'_>, event: &AuditEvent, now: DateTime<Utc>) -> Result<(), StoreError> {
    insert_once(db, AuditEventId::new(), event, now).await?;
    Ok(())
}

/// False where the event stands already: a commit was in doubt, and did count. `now` must be the same, too.
pub(crate) async fn insert_once(
    db: impl PgExecutor<'_>,
    audit_event_id: AuditEventId,
    event: &AuditEvent,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into audit_event (audit_event_id, at, tenant_id, connection_id, actor_kind, actor_id, action, outcome, peer, request_id, detail)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (audit_event_id, at) do nothing",
        audit_event_id as AuditEventId,
        now,
        event.tenant_id as Option<TenantId>,
        event.connection_id as Option<ConnectionId>,
        event.actor.kind(),
        event.actor.id(),
        event.action,
        event.outcome,
        event.peer,
        event.request_id as Option<RequestId>,
        event.detail,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// When something was last done to a connection.
pub(crate) async fn find_last(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    connection_id: ConnectionId,
    action: &str,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(sqlx::query_scalar!(
        "select max(at) from audit_event where tenant_id = $1 and connection_id = $2 and action = $3",
        tenant_id as TenantId,
        connection_id as ConnectionId,
        action,
    )
    .fetch_one(db)
    .await?)
}

/// Many events with one statement.
pub(crate) async fn insert_many(
    db: impl PgExecutor<'_>,
    events: &[(AuditEvent, DateTime<Utc>)],
) -> Result<(), StoreError> {
    fn column<T>(events: &[(AuditEvent, DateTime<Utc>)], of: impl Fn(&AuditEvent) -> T) -> Vec<T> {
        events.iter().map(|(event, _)| of(event)).collect()
    }
    sqlx::query!(
        "insert into audit_event (audit_event_id, at, tenant_id, connection_id, actor_kind, actor_id, action, outcome, peer, request_id, detail)
         select * from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
             $9::text[], $10::uuid[], $11::text[])",
        &column(events, |_| AuditEventId::new()) as &[AuditEventId],
        &events.iter().map(|(_, at)| *at).collect::<Vec<_>>(),
        &column(events, |event| event.tenant_id) as &[Option<TenantId>],
        &column(events, |event| event.connection_id) as &[Option<ConnectionId>],
        &column(events, |event| event.actor.kind().to_owned()),
        &column(events, |event| event.actor.id()) as &[Option<String>],
        &column(events, |event| event.action.to_owned()),
        &column(events, |event| event.outcome.to_owned()),
        &column(events, |event| event.peer.clone()) as &[Option<String>],
        &column(events, |event| event.request_id) as &[Option<RequestId>],
        &column(events, |event| event.detail.clone()) as &[Option<String>],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// One line of a connection's history.
#[derive(Debug, Clone)]
pub(crate) struct HistoryEntry {
    pub(crate) at: DateTime<Utc>,
    /// How many of the same kind the line stands for, the last one `at`.
    pub(crate) times: i64,
    pub(crate) action: String,
    pub(crate) outcome: String,
    pub(crate) detail: Option<String>,
}

/// What belongs into a connection's history. Refused calls of back ends, which may be many, do not.
const STORY: [&str; 13] = [
    "connected",
    "reconnected",
    "organization_chosen",
    "refreshed",
    "recovered",
    "refresh_failed",
    "needs_reconnect",
    "tested",
    "disconnected",
    "revoked_at_zoho",
    "left_at_zoho",
    "sign_in_failed",
    "onboarding_link_created",
];

/// The latest of a connection's life, newest first. Refreshes that follow each other are one line:
/// there is one an hour.
pub(crate) async fn list_of_connection(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    connection_id: ConnectionId,
) -> Result<Vec<HistoryEntry>, StoreError> {
    Ok(sqlx::query_as!(
        HistoryEntry,
        r#"with story as (
               select at, audit_event_id, action, outcome, detail,
                   count(*) filter (where action <> 'refreshed') over (order by at, audit_event_id) as chapter
               from audit_event where tenant_id = $1 and connection_id = $2 and action = any($3))
           select max(at) as "at!", count(*) as "times!", action, outcome, detail
           from story group by chapter, action, outcome, detail
           order by max(at) desc, chapter desc, action = 'refreshed' desc limit 50"#,
        tenant_id as TenantId,
        connection_id as ConnectionId,
        &STORY.map(str::to_owned),
    )
    .fetch_all(db)
    .await?)
}

/// Makes sure that the month of `at` has its partition.
pub(crate) async fn ensure_month(db: impl PgExecutor<'_>, at: DateTime<Utc>) -> Result<(), StoreError> {
    sqlx::query!("select audit_event_ensure_month($1)", at).execute(db).await?;
    Ok(())
}

/// Drops the months that ended at `kept_from` or before; tells which partitions went.
pub(crate) async fn drop_before(db: impl PgExecutor<'_>, kept_from: DateTime<Utc>) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar!(r#"select audit_event_drop_before($1) as "partition!""#, kept_from).fetch_all(db).await?)
}
