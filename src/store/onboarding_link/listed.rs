//! A tenant's links as its administrators see them: nothing that opens anything.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::{optional, state_at};
use crate::{
    domain::{
        ids::{ConnectionId, OnboardingLinkId, TenantId},
        onboarding::{LinkState, Refusal},
        product::Product,
    },
    store::{StoreError, known},
};

#[derive(Debug)]
pub(crate) struct ListedLink {
    pub(crate) onboarding_link_id: OnboardingLinkId,
    pub(crate) product: Product,
    pub(crate) expected_email_domain: Option<String>,
    pub(crate) expected_organization: Option<String>,
    /// Absent: a program, or somebody who has left.
    pub(crate) inviter: Option<String>,
    /// Who connected; absent before, and for somebody who has left.
    pub(crate) person: Option<String>,
    pub(crate) state: LinkState,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) confirm_by: Option<DateTime<Utc>>,
    pub(crate) ended_at: Option<DateTime<Utc>>,
    pub(crate) connection_id: Option<ConnectionId>,
    /// The connection that it asks to be reconnected.
    pub(crate) reconnects: Option<ConnectionId>,
}

/// A page has no more.
const MOST_LISTED: i64 = 200;

/// A tenant's links, those that are open first, then the newest. With `only`, that one.
pub(crate) async fn list(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    only: Option<OnboardingLinkId>,
    now: DateTime<Utc>,
) -> Result<Vec<ListedLink>, StoreError> {
    let rows = sqlx::query!(
        r#"select l.onboarding_link_id as "onboarding_link_id: OnboardingLinkId", l.product, l.expected_email_domain,
                  l.expected_organization, i.display_name as "inviter?", p.display_name as "person?", l.state, l.refused_because,
                  l.created_at, l.expires_at, l.confirm_by, l.ended_at, l.connection_id as "connection_id: ConnectionId",
                  l.reconnects_connection_id as "reconnects: ConnectionId",
                  l.reconnects_connection_id is not null and c.connection_id is null as "is_void!"
           from onboarding_link l
           left join person i on i.person_id = l.invited_by_person_id
           left join person p on p.person_id = l.person_id
           left join connection c
               on c.tenant_id = l.tenant_id and c.connection_id = l.reconnects_connection_id and c.status <> 'disconnected'
           where l.tenant_id = $1 and ($2::uuid is null or l.onboarding_link_id = $2)
           order by l.ended_at is not null, l.created_at desc, l.onboarding_link_id
           limit $3"#,
        tenant_id as TenantId,
        only as Option<OnboardingLinkId>,
        MOST_LISTED,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let written = known(&row.state, "onboarding_link.state")?;
            Ok(ListedLink {
                onboarding_link_id: row.onboarding_link_id,
                product: known(&row.product, "onboarding_link.product")?,
                expected_email_domain: row.expected_email_domain,
                expected_organization: row.expected_organization,
                inviter: row.inviter,
                person: row.person,
                state: state_at(written, row.is_void, row.expires_at, row.confirm_by, now),
                refusal: optional(row.refused_because, "onboarding_link.refused_because")?,
                created_at: row.created_at,
                expires_at: row.expires_at,
                confirm_by: row.confirm_by,
                ended_at: row.ended_at,
                connection_id: row.connection_id,
                reconnects: row.reconnects,
            })
        })
        .collect()
}

/// How one link stands; with a tenant, only if it is that tenant's.
pub(crate) async fn find_state(
    db: impl PgExecutor<'_>,
    tenant_id: Option<TenantId>,
    id: OnboardingLinkId,
    now: DateTime<Utc>,
) -> Result<Option<(LinkState, Option<ConnectionId>)>, StoreError> {
    let row = sqlx::query!(
        r#"select l.state, l.expires_at, l.confirm_by, l.connection_id as "connection_id: ConnectionId",
               l.reconnects_connection_id is not null and not exists (
                   select from connection c
                   where c.tenant_id = l.tenant_id and c.connection_id = l.reconnects_connection_id
                     and c.status <> 'disconnected') as "is_void!"
           from onboarding_link l where l.onboarding_link_id = $1 and ($2::uuid is null or l.tenant_id = $2)"#,
        id as OnboardingLinkId,
        tenant_id as Option<TenantId>,
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        let written = known(&row.state, "onboarding_link.state")?;
        Ok((state_at(written, row.is_void, row.expires_at, row.confirm_by, now), row.connection_id))
    })
    .transpose()
}
