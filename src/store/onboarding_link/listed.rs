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
    store::{StoreError, known, tx::Tx},
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

impl ListedLink {
    pub(crate) const fn position(&self) -> Position {
        Position {
            is_open: self.ended_at.is_none(),
            created_at: self.created_at,
            onboarding_link_id: self.onboarding_link_id,
        }
    }
}

/// Where a page ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// It stands among those that have not ended.
    is_open: bool,
    created_at: DateTime<Utc>,
    onboarding_link_id: OnboardingLinkId,
}

impl Position {
    pub(crate) fn to_text(self) -> String {
        format!("{} {} {}", u8::from(self.is_open), self.created_at.timestamp_micros(), self.onboarding_link_id)
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ' ');
        let (is_open, at, id) = (parts.next()? == "1", parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { is_open, created_at: DateTime::from_timestamp_micros(at)?, onboarding_link_id: id })
    }
}

struct Row {
    onboarding_link_id: OnboardingLinkId,
    product: String,
    expected_email_domain: Option<String>,
    expected_organization: Option<String>,
    inviter: Option<String>,
    person: Option<String>,
    state: String,
    refused_because: Option<String>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    confirm_by: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    connection_id: Option<ConnectionId>,
    reconnects: Option<ConnectionId>,
    is_void: bool,
}

impl Row {
    fn read(self, now: DateTime<Utc>) -> Result<ListedLink, StoreError> {
        let written = known(&self.state, "onboarding_link.state")?;
        Ok(ListedLink {
            onboarding_link_id: self.onboarding_link_id,
            product: known(&self.product, "onboarding_link.product")?,
            expected_email_domain: self.expected_email_domain,
            expected_organization: self.expected_organization,
            inviter: self.inviter,
            person: self.person,
            state: state_at(written, self.is_void, self.expires_at, self.confirm_by, now),
            refusal: optional(self.refused_because, "onboarding_link.refused_because")?,
            created_at: self.created_at,
            expires_at: self.expires_at,
            confirm_by: self.confirm_by,
            ended_at: self.ended_at,
            connection_id: self.connection_id,
            reconnects: self.reconnects,
        })
    }
}

/// Links `l` out of a subquery, with the names of whoever they are about.
macro_rules! named {
    ($links:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select l.onboarding_link_id as "onboarding_link_id!: OnboardingLinkId", l.product as "product!",
                   l.expected_email_domain, l.expected_organization, i.display_name as "inviter?", p.display_name as "person?", l.state as "state!",
                   l.refused_because, l.created_at as "created_at!", l.expires_at as "expires_at!", l.confirm_by, l.ended_at, l.connection_id as "connection_id: ConnectionId",
                   l.reconnects_connection_id as "reconnects: ConnectionId",
                   l.reconnects_connection_id is not null and c.connection_id is null as "is_void!"
               from ("#
                + $links
                + r#") l
               left join person i on i.person_id = l.invited_by_person_id
               left join person p on p.person_id = l.person_id
               left join connection c
                   on c.tenant_id = l.tenant_id and c.connection_id = l.reconnects_connection_id and c.status <> 'disconnected'
               order by l.ended_at is not null, l.created_at desc, l.onboarding_link_id desc"#,
            $($argument),*
        )
    };
}

/// At most `limit` links of a tenant after the position: those that have not ended first, then the newest. A state is the
/// one that `state_at` tells, also before the worker has written it.
pub(crate) async fn list(
    tx: &mut Tx,
    tenant_id: TenantId,
    state: Option<LinkState>,
    after: Option<&Position>,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<ListedLink>, StoreError> {
    // Filters that are not set must vanish from the plan, or their indexes are not used.
    sqlx::query("set local plan_cache_mode = force_custom_plan").execute(&mut **tx).await?;
    let rows = named!(
        "select * from (
             (select * from onboarding_link l
              where tenant_id = $1 and ended_at is null
                and ($2::text is null or $2 = case
                        when reconnects_connection_id is not null and not exists (
                            select from connection c
                            where c.tenant_id = l.tenant_id and c.connection_id = l.reconnects_connection_id
                              and c.status <> 'disconnected') then 'withdrawn'
                        when case when state = 'consented' then coalesce(confirm_by <= $6, true) else expires_at <= $6 end
                            then 'expired'
                        else state end)
                and ($3::boolean is null or ($3 and (created_at, onboarding_link_id) < ($4, $5)))
              order by created_at desc, onboarding_link_id desc limit $7)
             union all
             (select * from onboarding_link
              where tenant_id = $1 and ended_at is not null
                and ($2::text is null or state = $2)
                and ($3::boolean is null or $3 or (created_at, onboarding_link_id) < ($4, $5))
              order by created_at desc, onboarding_link_id desc limit $7)
         ) every
         order by ended_at is not null, created_at desc, onboarding_link_id desc limit $7",
        tenant_id as TenantId,
        state.map(LinkState::key),
        after.map(|at| at.is_open),
        after.map(|at| at.created_at),
        after.map(|at| at.onboarding_link_id) as Option<OnboardingLinkId>,
        now,
        limit,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(|row| row.read(now)).collect()
}

/// One of the tenant's.
pub(crate) async fn find(
    db: impl PgExecutor<'_>,
    tenant_id: TenantId,
    id: OnboardingLinkId,
    now: DateTime<Utc>,
) -> Result<Option<ListedLink>, StoreError> {
    let row = named!(
        "select * from onboarding_link where tenant_id = $1 and onboarding_link_id = $2",
        tenant_id as TenantId,
        id as OnboardingLinkId,
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| row.read(now)).transpose()
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
