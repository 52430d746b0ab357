//! The audit as people and back ends read it: newest first, with the names of whoever and whatever it was about.

use chrono::{DateTime, Utc};

use super::{StoreError, walk};
use crate::{
    domain::{
        audit::{ActorFilter, OutcomeFilter},
        ids::{AuditEventId, ConnectionId, RequestId, TenantId},
        product::Product,
    },
    store::tx::Tx,
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
    pub(super) at: DateTime<Utc>,
    pub(super) audit_event_id: AuditEventId,
}

impl Position {
    pub(crate) const fn at(self) -> DateTime<Utc> {
        self.at
    }

    pub(crate) fn to_text(self) -> String {
        format!("{} {}", self.at.timestamp_micros(), self.audit_event_id)
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (at, id) = text.split_once(' ')?;
        Some(Self { at: DateTime::from_timestamp_micros(at.parse().ok()?)?, audit_event_id: id.parse().ok()? })
    }
}

/// Some events, and where more may be.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) events: Vec<Listed>,
    /// Absent: that was all. A page with fewer events than were asked for, even with none, may have one: until there
    /// was no more time to look.
    pub(crate) next: Option<Position>,
}

/// Walks for one page: beyond, its reader is told how far it got.
const WALKS: usize = 5;

/// At most `limit` events before the position.
pub(crate) async fn list(
    tx: &mut Tx,
    filter: &Filter,
    before: Option<Position>,
    limit: usize,
) -> Result<Page, StoreError> {
    walk::prepare(tx).await?;
    let (mut events, mut before) = (Vec::new(), before);
    for _ in 0..WALKS {
        // One more tells whether there is another page.
        let walked = walk::before(tx, filter, before, limit + 1 - events.len()).await?;
        events.extend(walked.events);
        if events.len() > limit {
            events.truncate(limit);
            return Ok(Page { next: events.last().map(Listed::position), events });
        }
        before = walked.end;
        if before.is_none() {
            break;
        }
    }
    Ok(Page { events, next: before })
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
