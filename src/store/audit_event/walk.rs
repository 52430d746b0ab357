//! The way through the audit, newest first, on which a list looks for what fits.
//!
//! Some filter leads: the one whose index has the fewest events in the order of time. The others are judged on the way,
//! which is at most [`WALK`] events long, so that a question that nothing answers ends in time, too. Postgres would weigh
//! indexes by how often values occur, and not by when: a tenant that has been quiet for a month would be looked for
//! among everything that has happened since. So the leading column is asked for as one of a list, and is part of the
//! order, and only its index has that order.

use chrono::{DateTime, Utc};

use super::{
    StoreError,
    listed::{Connection, Filter, Listed, ListedActor, Position, Tenant},
};
use crate::{
    domain::{
        audit::{ActorFilter, FREQUENT, OutcomeFilter},
        ids::{AuditEventId, ConnectionId, RequestId, TenantId},
    },
    store::{known, tx::Tx},
};

/// Events of one walk: a tenth of a second where they lie all over the table.
pub(super) const WALK: i64 = 10_000;

pub(super) struct Walked {
    pub(super) events: Vec<Listed>,
    /// Absent: there is nothing behind it.
    pub(super) end: Option<Position>,
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
    /// It is what was asked for; else it is the end of the walk.
    fits: bool,
    is_end: bool,
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

/// Has the transaction's statements planned for the walk.
pub(super) async fn prepare(tx: &mut Tx) -> Result<(), StoreError> {
    // Filters that are not set must vanish from the plan, or their indexes are not used; and whatever the guess, nothing
    // is read that is not in order.
    sqlx::raw_sql(
        "set local plan_cache_mode = force_custom_plan; set local enable_sort = off; set local enable_bitmapscan = off;
         set local enable_seqscan = off",
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

macro_rules! walk {
    ($tx:expr, $filter:expr, $before:expr, $wanted:expr, led by $led_by:literal, order $order:literal) => {{
        let (actor_kind, actor_id) = $filter.actor.as_ref().map(ActorFilter::columns).unwrap_or_default();
        sqlx::query_as!(
            Row,
            r#"select e.audit_event_id as "audit_event_id: AuditEventId", e.at, e.tenant_id as "tenant_id: TenantId",
                   t.external_id as "tenant_external_id?", t.name as "tenant_name?", e.connection_id as "connection_id: ConnectionId",
                   c.product as "product?", o.name as "organization?", e.actor_kind, e.actor_id,
                   coalesce(p.display_name, k.name) as actor_name, p.email as "actor_email?", e.action, e.outcome, e.peer,
                   e.request_id as "request_id: RequestId", e.detail, e.fits as "fits!", e.walked = $11 as "is_end!"
               from (
                   select * from (
                       select *, row_number() over (order by "#
                + $order
                + r#") as walked,
                           (($1::uuid is null or tenant_id = $1)
                             and ($2::text is null or action = $2)
                             and ($3::text is null or actor_kind = $3)
                             and ($4::text is null or actor_id = $4)
                             and ($5::uuid is null or connection_id = $5)
                             and ($6::boolean is null or ($6 and outcome in ('done', 'works', 'yes', 'already'))
                                  or (not $6 and outcome not in ('done', 'works', 'yes', 'already')))) is true as fits
                       from audit_event e
                       where "#
                + $led_by
                + r#" and ($7::timestamptz is null or at >= $7)
                         and ($8::timestamptz is null or at < $8)
                         and ($9::timestamptz is null or (at, audit_event_id) < ($9, $10))
                       order by "#
                + $order
                + r#" limit $11) e
                   where fits or walked = $11
                   order by "#
                + $order
                + r#" limit $12) e
               left join tenant t on t.tenant_id = e.tenant_id
               left join connection c on c.tenant_id = e.tenant_id and c.connection_id = e.connection_id
               left join organization o on o.tenant_id = c.tenant_id and o.organization_id = c.organization_id
               left join person p on p.person_id = case when e.actor_kind in ('person', 'operator') then e.actor_id::uuid end
               left join api_key k on k.api_key_id = case when e.actor_kind = 'api_key' then e.actor_id end
               order by "#
                + $order,
            $filter.tenant_id as Option<TenantId>,
            $filter.action,
            actor_kind,
            actor_id,
            $filter.connection_id as Option<ConnectionId>,
            $filter.outcome.map(|outcome| outcome == OutcomeFilter::Done),
            $filter.since,
            $filter.until,
            $before.map(|position| position.at),
            $before.map(|position| position.audit_event_id) as Option<AuditEventId>,
            WALK,
            i64::try_from($wanted).unwrap_or(i64::MAX),
        )
        .fetch_all(&mut **$tx)
        .await?
    }};
}

/// What leads; of a tenant, or of all of them.
enum Lead {
    Connection,
    Actor,
    Action,
    NotDone,
    Time,
}

impl Lead {
    fn of(filter: &Filter) -> Self {
        let is_somebody = filter.actor.as_ref().is_some_and(|actor| actor.columns().1.is_some());
        if filter.connection_id.is_some() && filter.tenant_id.is_some() {
            Self::Connection
        } else if is_somebody {
            Self::Actor
        } else if filter.action.as_deref().is_some_and(|action| !FREQUENT.contains(&action)) {
            Self::Action
        } else if filter.outcome == Some(OutcomeFilter::NotDone) {
            Self::NotDone
        } else {
            Self::Time
        }
    }
}

/// One walk, which ends where `wanted` events are found.
pub(super) async fn before(
    tx: &mut Tx,
    filter: &Filter,
    before: Option<Position>,
    wanted: usize,
) -> Result<Walked, StoreError> {
    let rows = match (Lead::of(filter), filter.tenant_id.is_some()) {
        (Lead::Connection, _) => {
            walk!(tx, filter, before, wanted, led by "tenant_id = any(array[$1]) and connection_id = $5",
            order "e.tenant_id desc, e.at desc, e.audit_event_id desc")
        }
        (Lead::Actor, true) => walk!(tx, filter, before, wanted, led by "tenant_id = any(array[$1]) and actor_id = $4",
            order "e.tenant_id desc, e.at desc, e.audit_event_id desc"),
        (Lead::Actor, false) => walk!(tx, filter, before, wanted, led by "actor_id = any(array[$4])",
            order "e.actor_id desc, e.at desc, e.audit_event_id desc"),
        (Lead::Action, true) => walk!(tx, filter, before, wanted,
            led by "tenant_id = any(array[$1]) and action = $2 and action not in ('refreshed', 'signed_in')",
            order "e.tenant_id desc, e.at desc, e.audit_event_id desc"),
        (Lead::Action, false) => walk!(tx, filter, before, wanted,
            led by "action = any(array[$2]) and action not in ('refreshed', 'signed_in')",
            order "e.action desc, e.at desc, e.audit_event_id desc"),
        (Lead::NotDone, true) => walk!(tx, filter, before, wanted,
            led by "tenant_id = any(array[$1]) and outcome not in ('done', 'works', 'yes', 'already')",
            order "e.tenant_id desc, e.at desc, e.audit_event_id desc"),
        (Lead::NotDone, false) => {
            walk!(tx, filter, before, wanted, led by "outcome not in ('done', 'works', 'yes', 'already')",
            order "e.at desc, e.audit_event_id desc")
        }
        (Lead::Time, true) => walk!(tx, filter, before, wanted, led by "tenant_id = any(array[$1])",
            order "e.tenant_id desc, e.at desc, e.audit_event_id desc"),
        (Lead::Time, false) => {
            walk!(tx, filter, before, wanted, led by "true", order "e.at desc, e.audit_event_id desc")
        }
    };
    let end = rows.last().filter(|row| row.is_end);
    let end = end.map(|row| Position { at: row.at, audit_event_id: row.audit_event_id });
    let events = rows.into_iter().filter(|row| row.fits).map(Listed::try_from).collect::<Result<_, _>>()?;
    Ok(Walked { events, end })
}
