//! Handing out an access token that works (design.md §7, security.md S-55 to S-59).
//!
//! 1. What is known of the connection is at most half a second old ([`known`]); a caller whose token was
//!    rejected has it read anew.
//! 2. A token with the life that was asked for is handed out at once. When it is near its end the next
//!    one is asked for behind the caller's back.
//! 3. Otherwise a refresh comes first. Should it fail, the old token is handed out to its real end,
//!    with a warning; only when none is left, the caller is told why.

pub(crate) mod known;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use self::known::{Known, NotRead};
use super::refresh::{FOLLOW, Outcome, SOON, Stale, Trouble, refresh, waiting};
use crate::{
    app::App,
    domain::{
        connection::{Health, ReconnectReason, Status},
        data_centre::DataCentre,
        ids::{ConnectionId, TenantId},
        product::Product,
        scope::ScopeSet,
        secret::AccessToken,
    },
    store::connection::{ConnectedOrganization, refresh::BELIEVED_WAIT, vended::VendedRow},
    vault::deposit::near_limit,
};

/// What a caller wants.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) connection_id: ConnectionId,
    /// The tenant of the caller's key; absent: any.
    pub(crate) tenant_id: Option<TenantId>,
    /// The life the token must have.
    pub(crate) minimum: TimeDelta,
    /// The id of a token that Zoho refused.
    pub(crate) rejected: Option<String>,
}

/// An access token and what it is good for.
#[derive(Debug)]
pub(crate) struct Vended {
    pub(crate) tenant_id: TenantId,
    pub(crate) connection_id: ConnectionId,
    pub(crate) access_token: AccessToken,
    pub(crate) token_id: String,
    pub(crate) expires_at: DateTime<Utc>,
    /// Absent: it came with the consent.
    pub(crate) refreshed_at: Option<DateTime<Utc>>,
    pub(crate) product: Product,
    pub(crate) data_centre: DataCentre,
    pub(crate) organization: ConnectedOrganization,
    pub(crate) scopes_granted: ScopeSet,
    pub(crate) warnings: Vec<Warning>,
}

/// What the caller should tell somebody, though the token works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Warning {
    ZohoThrottled,
    ZohoUnavailable,
    ZohoMisconfigured,
    ScopeMissing,
    RefreshTokensNearLimit,
}

impl Warning {
    pub(crate) const ALL: [Self; 5] = [
        Self::ZohoThrottled,
        Self::ZohoUnavailable,
        Self::ZohoMisconfigured,
        Self::ScopeMissing,
        Self::RefreshTokensNearLimit,
    ];

    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::ZohoThrottled => "zoho_throttled",
            Self::ZohoUnavailable => "zoho_unavailable",
            Self::ZohoMisconfigured => "zoho_misconfigured",
            Self::ScopeMissing => "scope_missing",
            Self::RefreshTokensNearLimit => "refresh_tokens_near_limit",
        }
    }
}

/// Why nobody gets a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VendError {
    #[error("there is no such connection")]
    NotFound,
    #[error("the tenant is suspended")]
    Suspended,
    #[error("the organization is not chosen yet")]
    Choosing,
    #[error("the connection needs its owner")]
    NeedsReconnect(ReconnectReason),
    #[error("the connection was disconnected")]
    Disconnected,
    #[error("zoho throttles this connection")]
    Throttled { retry_after: Duration },
    #[error("zoho is unavailable")]
    Unavailable { retry_after: Duration },
    #[error("zoho refuses the client of this connection")]
    Misconfigured { retry_after: Duration },
    #[error("zoho misbehaved")]
    Misbehaved,
    #[error("the stored token does not open")]
    Unreadable,
    #[error("the database, or a refresh under way, did not come to an end in time")]
    Busy,
}

impl From<NotRead> for VendError {
    fn from(NotRead: NotRead) -> Self {
        Self::Busy
    }
}

impl From<Trouble> for VendError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Throttled { wait } => Self::Throttled { retry_after: wait },
            Trouble::Unavailable { wait } => Self::Unavailable { retry_after: wait },
            Trouble::Misconfigured { wait } => Self::Misconfigured { retry_after: wait },
            Trouble::Misbehaved => Self::Misbehaved,
            Trouble::Unreadable => Self::Unreadable,
            Trouble::Busy => Self::Busy,
        }
    }
}

/// Below this a token is not worth handing out while a newer one may be had.
const TOO_SHORT: TimeDelta = TimeDelta::seconds(30);
/// Below this the next one is asked for.
const NEAR_ITS_END: TimeDelta = TimeDelta::minutes(5);
/// How long a caller waits for a newer token who could have the old one.
const PATIENCE: Duration = Duration::from_secs(5);
/// No token lives longer: what is further ahead was written before Postgres's clock was set back.
const LONGEST_LIFE: TimeDelta = TimeDelta::seconds(3600);
/// A token this young is not refreshed because it is short: another would be as short.
const NEW: TimeDelta = TimeDelta::seconds(60);

pub(crate) async fn vend(app: &Arc<App>, wanted: &Wanted) -> Result<Vended, VendError> {
    let remembered = app.tokens.remembered(wanted.connection_id).filter(|_| wanted.rejected.is_none());
    let known = match remembered {
        Some(known) => known,
        None => app.tokens.read(app, wanted.connection_id).await?.ok_or(VendError::NotFound)?,
    };
    let now = app.clock.shared_now();
    let current = Current::of(&known, wanted)?;
    if current.is_good(wanted, now) {
        if current.left(now) < NEAR_ITS_END && !current.is_new(now) && !known.row.waits(now) {
            drop(refresh(app, known.row.stale()));
        }
        return Ok(current.vended(app, &known.row, None));
    }
    let outcome = renew(app, &known.row, current.is_usable(wanted, now), now).await;
    let known = app.tokens.read(app, wanted.connection_id).await?.ok_or(VendError::NotFound)?;
    let current = Current::of(&known, wanted)?;
    let trouble = match outcome {
        Outcome::Failed(trouble) => Some(trouble),
        Outcome::Fresh | Outcome::Ended => None,
    };
    if current.is_usable(wanted, app.clock.shared_now()) {
        return Ok(current.vended(app, &known.row, trouble));
    }
    Err(trouble.map_or(VendError::Busy, VendError::from))
}

/// A refresh, or why nobody asks for one now.
async fn renew(app: &Arc<App>, row: &VendedRow, is_usable: bool, now: DateTime<Utc>) -> Outcome {
    if let Some(at) = row.retry_at.filter(|_| row.waits(now)) {
        return Outcome::Failed(waiting(row.health, (at - now).to_std().unwrap_or_default()));
    }
    let patience = if is_usable { PATIENCE } else { FOLLOW };
    let outcome = tokio::time::timeout(patience, refresh(app, row.stale())).await;
    outcome.unwrap_or(Outcome::Failed(Trouble::Unavailable { wait: SOON }))
}

/// The token of an active connection.
struct Current<'a> {
    access_token: &'a AccessToken,
    token_id: String,
    expires_at: DateTime<Utc>,
    refreshed_at: Option<DateTime<Utc>>,
    organization: &'a ConnectedOrganization,
}

impl<'a> Current<'a> {
    fn of(known: &'a Known, wanted: &Wanted) -> Result<Self, VendError> {
        let row = &known.row;
        if wanted.tenant_id.is_some_and(|tenant_id| tenant_id != row.tenant_id) {
            return Err(VendError::NotFound);
        }
        match row.status {
            Status::Disconnected => return Err(VendError::Disconnected),
            _ if row.is_suspended => return Err(VendError::Suspended),
            Status::Active => {}
            Status::Choosing => return Err(VendError::Choosing),
            Status::NeedsReconnect(reason) => return Err(VendError::NeedsReconnect(reason)),
        }
        let Some(organization) = &row.organization else { return Err(VendError::Choosing) };
        match (&known.access_token, row.access_token_expires_at) {
            (Some(Ok(access_token)), Some(expires_at)) => Ok(Self {
                access_token,
                token_id: token_id(row.token_version),
                expires_at,
                refreshed_at: row.last_refreshed_at,
                organization,
            }),
            _ => Err(VendError::Unreadable),
        }
    }

    /// Good enough to be handed out without asking Zoho.
    fn is_good(&self, wanted: &Wanted, now: DateTime<Utc>) -> bool {
        let left = self.left(now);
        let is_new = self.is_new(now);
        !self.is_rejected(wanted) && (left >= wanted.minimum.max(TOO_SHORT) || (is_new && left > TimeDelta::zero()))
    }

    /// Another would be as short.
    fn is_new(&self, now: DateTime<Utc>) -> bool {
        self.refreshed_at.is_some_and(|at| now - at < NEW)
    }

    fn is_usable(&self, wanted: &Wanted, now: DateTime<Utc>) -> bool {
        !self.is_rejected(wanted) && self.left(now) > TimeDelta::zero()
    }

    fn left(&self, now: DateTime<Utc>) -> TimeDelta {
        Some(self.expires_at - now).filter(|left| *left <= LONGEST_LIFE).unwrap_or_default()
    }

    fn is_rejected(&self, wanted: &Wanted) -> bool {
        wanted.rejected.as_ref().is_some_and(|rejected| *rejected == self.token_id)
    }

    fn vended(&self, app: &App, row: &VendedRow, trouble: Option<Trouble>) -> Vended {
        Vended {
            tenant_id: row.tenant_id,
            connection_id: row.connection_id,
            access_token: self.access_token.clone(),
            token_id: self.token_id.clone(),
            expires_at: self.expires_at,
            refreshed_at: self.refreshed_at,
            product: row.product,
            data_centre: row.data_centre,
            organization: self.organization.clone(),
            scopes_granted: row.scopes_granted.clone(),
            warnings: warnings(app, row, trouble),
        }
    }
}

/// Names one access token of a connection, for who wants to say that it was refused.
fn token_id(version: i64) -> String {
    format!("v{version}")
}

fn warnings(app: &App, row: &VendedRow, trouble: Option<Trouble>) -> Vec<Warning> {
    let by_trouble = trouble.and_then(|trouble| match trouble {
        Trouble::Throttled { .. } => Some(Warning::ZohoThrottled),
        Trouble::Unavailable { .. } | Trouble::Misbehaved => Some(Warning::ZohoUnavailable),
        Trouble::Misconfigured { .. } => Some(Warning::ZohoMisconfigured),
        Trouble::Unreadable | Trouble::Busy => None,
    });
    let by_health = match row.health {
        Health::Throttled => Some(Warning::ZohoThrottled),
        Health::Unavailable => Some(Warning::ZohoUnavailable),
        Health::Misconfigured => Some(Warning::ZohoMisconfigured),
        Health::Ok | Health::Unreadable => None,
    };
    let scopes = (!row.scopes_requested.missing_from(&row.scopes_granted).is_empty()).then_some(Warning::ScopeMissing);
    let is_near = row.refresh_tokens.is_some_and(|tokens| tokens >= near_limit(&app.config));
    let tokens = is_near.then_some(Warning::RefreshTokensNearLimit);
    [by_trouble.or(by_health), scopes, tokens].into_iter().flatten().collect()
}

impl VendedRow {
    fn stale(&self) -> Stale {
        Stale {
            tenant_id: self.tenant_id,
            connection_id: self.connection_id,
            data_centre: self.data_centre,
            token_version: self.token_version,
        }
    }

    /// Nobody asks Zoho for it now.
    fn waits(&self, now: DateTime<Utc>) -> bool {
        self.retry_at.is_some_and(|retry_at| retry_at > now && retry_at <= now + BELIEVED_WAIT)
    }
}
