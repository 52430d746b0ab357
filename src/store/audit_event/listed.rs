//! The audit as people and back ends read it: newest first, with the names of whoever and whatever it was about.

use chrono::{DateTime, Utc};

use super::StoreError;
use crate::{
    domain::{
        audit::{ActorFilter, OutcomeFilter},
        ids::{AuditEventId, ConnectionId, RequestId, TenantId},
        product::Product,
    },
    store::{known, tx::Tx},
};

/// What a list is limited to; absent is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) tenant_id: Option<TenantId>,
    pub(crate) action: Option<String>,
    pub(crate) actor: Option<ActorFilter>,
    pub(crate) connection_id: Option<ConnectionId>,
    pub(crate) outcome: Option<OutcomeFilter>,
    pub(crate) since: Option<DateTime<Utc>>,
    /// The first moment that does not count any more.
    pub(crate) until: Option<DateTime<Utc>>,
}

#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) audit_event_id: AuditEventId,
    pub(crate) at: DateTime<Utc>,
    pub(crate) tenant: Option<Tenant>,
    pub(crate) connection: Option<Connection>,
    pub(crate) actor: ListedActor,
    pub(crate) action: String,
    pub(crate) outcome: String,
    pub(crate) peer: Option<String>,
    pub(crate) request_id: Option<RequestId>,
    pub(crate) detail: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) tenant_id: TenantId,
    pub(crate) external_id: Option<String>,
    pub(crate) name: String,
}

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) connection_id: ConnectionId,
    /// Absent: it is gone; another connection got its tokens.
    pub(crate) product: Option<Product>,
    pub(crate) organization: Option<String>,
}

#[derive(Debug)]
pub(crate) struct ListedActor {
    /// `person`, `api_key`, …
    pub(crate) kind: String,
    pub(crate) id: Option<String>,
    /// A person's or a key's, where the reader may know it.
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
}

impl Listed {
    pub(crate) const fn position(&self) -> Position {
        Position { at: self.at, audit_event_id: self.audit_event_id }
    }
}

/// Where a page ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    at: DateTime<Utc>,
    audit_event_id: AuditEventId,
}

impl Position {
    pub(crate) fn to_text(self) -> String {
        format!("{} {}", self.at.timestamp_micros(), self.audit_event_id)
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (at, id) = text.split_once(' ')?;
        Some(Self { at: DateTime::from_timestamp_micros(at.parse().ok()?)?, audit_event_id: id.parse().ok()? })
    }
}

struct Row {
    audit_event_id: AuditEventId,
    at: DateTime<Utc>,
    tenant_id: Option<TenantId>,
    tenant_external_id: Option<String>,
    tenant_name: Option<String>,
    connection_id: Option<ConnectionId>,
    product: Option<String>,
    organization: Option<String>,
    actor_kind: String,
    actor_id: Option<String>,
    actor_name: Option<String>,
    actor_email: Option<String>,
    action: String,
    outcome: String,
    peer: Option<String>,
    request_id: Option<RequestId>,
    detail: Option<String>,
}

impl TryFrom<Row> for Listed {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let product = row.product.as_deref().map(|product| known(product, "connection.product")).transpose()?;
        Ok(Self {
            audit_event_id: row.audit_event_id,
            at: row.at,
            tenant: row.tenant_id.map(|tenant_id| Tenant {
                tenant_id,
                external_id: row.tenant_external_id,
                name: row.tenant_name.unwrap_or_default(),
            }),
            connection: row.connection_id.map(|connection_id| Connection {
                connection_id,
                product,
                organization: row.organization,
            }),
            actor: ListedActor {
                kind: row.actor_kind,
                id: row.actor_id,
                name: row.actor_name.filter(|name| !name.is_empty()),
                email: row.actor_email.filter(|email| !email.is_empty()),
            },
            action: row.action,
            outcome: row.outcome,
            peer: row.peer,
            request_id: row.request_id,
            detail: row.detail,
        })
    }
}

/// At most `limit` events before the position.
pub(crate) async fn list(
    tx: &mut Tx,
    filter: &Filter,
    before: Option<Position>,
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    // Filters that are not set must vanish from the plan, or their indexes are not used.
    sqlx::query("set local plan_cache_mode = force_custom_plan").execute(&mut **tx).await?;
    let (actor_kind, actor_id) = filter.actor.as_ref().map(ActorFilter::columns).unwrap_or_default();
    let rows = sqlx::query_as!(
        Row,
        r#"select e.audit_event_id as "audit_event_id: AuditEventId", e.at, e.tenant_id as "tenant_id: TenantId",
               t.external_id as "tenant_external_id?", t.name as "tenant_name?", e.connection_id as "connection_id: ConnectionId",
               c.product as "product?", o.name as "organization?", e.actor_kind, e.actor_id,
               coalesce(p.display_name, k.name) as actor_name, p.email as "actor_email?", e.action, e.outcome, e.peer,
               e.request_id as "request_id: RequestId", e.detail
           from (
               select * from audit_event
               where ($1::uuid is null or tenant_id = $1)
                 and ($2::text is null or action = $2)
                 and ($3::text is null or actor_kind = $3)
                 and ($4::text is null or actor_id = $4)
                 and ($5::uuid is null or connection_id = $5)
                 and ($6::boolean is null or ($6 and outcome in ('done', 'works', 'yes', 'already'))
                      or (not $6 and outcome not in ('done', 'works', 'yes', 'already')))
                 and ($7::timestamptz is null or at >= $7)
                 and ($8::timestamptz is null or at < $8)
                 and ($9::timestamptz is null or (at, audit_event_id) < ($9, $10))
               order by at desc, audit_event_id desc limit $11) e
           left join tenant t on t.tenant_id = e.tenant_id
           left join connection c on c.tenant_id = e.tenant_id and c.connection_id = e.connection_id
           left join organization o on o.tenant_id = c.tenant_id and o.organization_id = c.organization_id
           left join person p on p.person_id = case when e.actor_kind in ('person', 'operator') then e.actor_id::uuid end
           left join api_key k on k.api_key_id = case when e.actor_kind = 'api_key' then e.actor_id end
           order by e.at desc, e.audit_event_id desc"#,
        filter.tenant_id as Option<TenantId>,
        filter.action,
        actor_kind,
        actor_id,
        filter.connection_id as Option<ConnectionId>,
        filter.outcome.map(|outcome| outcome == OutcomeFilter::Done),
        filter.since,
        filter.until,
        before.map(|position| position.at),
        before.map(|position| position.audit_event_id) as Option<AuditEventId>,
        limit,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(Listed::try_from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_leads_back() {
        let at = DateTime::from_timestamp_micros(1_795_000_000_123_456).unwrap();
        let position = Position { at, audit_event_id: AuditEventId::new() };
        assert_eq!(Position::from_text(&position.to_text()), Some(position));
        for odd in ["", "1", "x 019aa3f2-7c1e-7d10-9b2f-000000000001", "1 x"] {
            assert_eq!(Position::from_text(odd), None, "{odd}");
        }
    }
}
