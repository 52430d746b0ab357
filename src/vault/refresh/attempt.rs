//! One token call under one lease: asked once, within 10 s of the claim, and written by who still
//! holds the lease.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};

use super::{
    Outcome, SOON, Trouble,
    consequence::{self, Consequence},
    early,
    gate::{Ended, Place as GatePlace, Shut},
    idle_pause,
};
use crate::{
    app::App,
    domain::{
        connection::{Health, ReconnectReason},
        secret::RefreshToken,
        webhook::EventType,
    },
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        connection::{
            self,
            refresh::{self as store, Claimed, Failed, Refreshed},
            stored_token,
        },
    },
    telemetry::chain,
    vault::{
        client::{NoCredentials, credentials},
        deposit::{ACCESS_TOKEN, REFRESH_TOKEN},
        revoke,
        seal::Place,
        token_digest,
    },
    webhooks::event::{self, Event},
    zoho::{Grant, TokenError},
};

/// From the claim to the answer, by the monotonic clock: the lease lasts longer than that, so that an
/// answer in time is written in time.
const LIMIT: Duration = Duration::from_secs(10);

/// Both clocks, read before the claim was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Started {
    pub(super) shared: DateTime<Utc>,
    at: Instant,
}

impl Started {
    pub(super) fn now(app: &App) -> Self {
        Self { shared: app.clock.shared_now(), at: Instant::now() }
    }

    /// `None`: too late to ask, or to believe an answer.
    fn left(self) -> Option<Duration> {
        LIMIT.checked_sub(self.at.elapsed()).filter(|left| !left.is_zero())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    ByCaller,
    Unasked,
}

#[derive(Debug)]
pub(super) struct Attempt {
    claimed: Claimed,
    started: Started,
    asked: Asked,
    /// Held until Zoho has answered.
    _place: GatePlace,
}

impl Attempt {
    pub(super) fn new(claimed: Claimed, started: Started, place: GatePlace, asked: Asked) -> Self {
        Self { claimed, started, asked, _place: place }
    }
}

/// Asks, writes, and tells.
pub(super) async fn finish(app: &Arc<App>, attempt: Attempt) -> Outcome {
    let (data_centre, began) = (attempt.claimed.data_centre.key(), Instant::now());
    let outcome = ask_and_write(app, &attempt).await;
    let told = match outcome {
        Outcome::Fresh => "refreshed",
        Outcome::Ended => "ended",
        Outcome::Failed(trouble) => trouble.key(),
    };
    metrics::counter!("refreshes_total", "data_centre" => data_centre, "outcome" => told).increment(1);
    let (took, now) = (began.elapsed(), app.clock.shared_now());
    app.refreshes.health.note(attempt.claimed.data_centre, told, took, now);
    metrics::histogram!("refresh_duration_seconds", "data_centre" => data_centre).record(took.as_secs_f64());
    outcome
}

async fn ask_and_write(app: &App, attempt: &Attempt) -> Outcome {
    let Attempt { claimed, started, asked, .. } = attempt;
    let answer = match ask(app, claimed, *started).await {
        Ok(answer) => answer,
        Err(NotAsked::TooLate) => {
            tracing::warn!(connection.id = %claimed.connection_id, "a refresh took too long, and what came of it does not count");
            return Outcome::Failed(Trouble::Unavailable { wait: SOON });
        }
        Err(NotAsked::Never) => {
            write_failed(app, claimed, &consequence::of_never_asked(claimed, app.clock.shared_now())).await;
            return Outcome::Failed(Trouble::Busy);
        }
        Err(NotAsked::Shut(shut)) => {
            let failed = consequence::of_shut(shut, claimed, app.clock.shared_now());
            write_failed(app, claimed, &failed).await;
            return Outcome::Failed(shut.into());
        }
        Err(NotAsked::Unreadable) => {
            let failed = consequence::of_unreadable(claimed, app.clock.shared_now());
            write_failed(app, claimed, &failed).await;
            return Outcome::Failed(Trouble::Unreadable);
        }
        Err(NotAsked::Store(error)) => {
            write_failed(app, claimed, &consequence::of_never_asked(claimed, app.clock.shared_now())).await;
            return waits(claimed, &error);
        }
    };
    match answer {
        Ok(grant) => write_refreshed(app, claimed, *started, *asked, grant).await,
        Err(error) => follow(app, claimed, error).await,
    }
}

enum NotAsked {
    /// The answer came when the lease may have been somebody else's.
    TooLate,
    /// Too late to ask.
    Never,
    Shut(Shut),
    Unreadable,
    Store(StoreError),
}

/// The outer error: Zoho was not asked, or too late to count.
async fn ask(app: &App, claimed: &Claimed, started: Started) -> Result<Result<Grant, TokenError>, NotAsked> {
    let place = Place::column(REFRESH_TOKEN, claimed.tenant_id, claimed.connection_id);
    let token = app.keys.open_text(&place, &claimed.refresh_token_sealed).map_err(|error| {
        tracing::error!(error = chain(&error), connection.id = %claimed.connection_id, "a refresh token does not open");
        metrics::counter!("unreadable_tokens_total").increment(1);
        NotAsked::Unreadable
    })?;
    let token = RefreshToken::new(token.as_str());
    let (data_centre, client_id) = (claimed.data_centre, claimed.client_id.as_str());
    let credentials = credentials(app, claimed.tenant_id, data_centre, client_id, claimed.zoho_client_id).await;
    let credentials = credentials.map_err(|error| not_asked(claimed, error))?;
    let Some(hosts) = app.config.zoho.servers.hosts(data_centre) else {
        tracing::error!(%data_centre, "connections wait in a data centre that the servers table does not name");
        return Err(NotAsked::Shut(Shut::Misconfigured { wait: SOON }));
    };
    let gate = app.refreshes.gate(data_centre);
    // Another tenant may have kept an older secret of the same client.
    let client_key = claimed.zoho_client_id.map_or_else(|| client_id.to_owned(), |id| id.to_string());
    let may_wait = started.left().ok_or(NotAsked::Never)? / 2;
    let wait = gate.distance(may_wait, app.clock.monotonic()).map_err(NotAsked::Shut)?;
    tokio::time::sleep(wait).await;
    gate.check(&client_key, app.clock.monotonic()).map_err(NotAsked::Shut)?;
    // Paused for long since the claim: somebody else may be asking by now.
    let left = started.left().ok_or(NotAsked::Never)?;
    let answer = tokio::time::timeout(left, app.zoho.refresh(&hosts.accounts, credentials.as_client(), &token)).await;
    let answer = answer.unwrap_or(Err(TokenError::Lost));
    if gate.ended(&client_key, ended(&answer), app.clock.monotonic()) {
        let class = answer.as_ref().err().map(TokenError::class);
        tracing::error!(%data_centre, class, "refreshes are held back: Zoho does not answer, or refuses the client");
    }
    if let Ok(Grant { refresh_token: Some(rotated), .. }) = &answer {
        keep_rotated(app, claimed, token.expose(), rotated).await;
    }
    if started.left().is_none() && answer.is_ok() {
        return Err(NotAsked::TooLate);
    }
    Ok(answer)
}

fn not_asked(claimed: &Claimed, error: NoCredentials) -> NotAsked {
    match error {
        NoCredentials::Store(error) => NotAsked::Store(error),
        NoCredentials::NotSet => {
            tracing::error!(data_centre = %claimed.data_centre, "no client secret is set for a data centre with connections");
            NotAsked::Shut(Shut::Misconfigured { wait: SOON })
        }
        NoCredentials::Unreadable(_) => {
            tracing::error!(error = chain(&error), connection.id = %claimed.connection_id, "a client secret does not open");
            NotAsked::Unreadable
        }
    }
}

fn ended(answer: &Result<Grant, TokenError>) -> Ended {
    match answer {
        Ok(_) | Err(TokenError::DeadGrant) => Ended::Answered,
        Err(TokenError::Throttled { .. }) => Ended::Throttled,
        Err(TokenError::Misconfigured(_)) => Ended::Misconfigured,
        Err(TokenError::NotSent | TokenError::Misbehaved(_) | TokenError::Lost | TokenError::Unavailable) => {
            Ended::NoAnswer
        }
    }
}

async fn write_refreshed(app: &App, claimed: &Claimed, started: Started, asked: Asked, grant: Grant) -> Outcome {
    let now = app.clock.shared_now();
    let seal = |column, secret: &str| {
        let place = Place::column(column, claimed.tenant_id, claimed.connection_id);
        app.keys.seal(&place, secret.as_bytes())
    };
    if let Some(domain) = &grant.api_domain
        && app.hosts(claimed.data_centre).environment_of(domain).is_none()
    {
        tracing::error!(data_centre = %claimed.data_centre, "zoho named an api_domain that the servers table does not have; it is ignored");
        metrics::counter!("foreign_api_domains_total", "data_centre" => claimed.data_centre.key()).increment(1);
    }
    // Counted from before the request, so that it is never believed too long.
    let lifetime = chrono::TimeDelta::from_std(grant.lifetime).unwrap_or_default();
    let expires_at = started.shared + lifetime;
    let in_use = asked == Asked::ByCaller || claimed.is_in_use(now);
    let refresh_at =
        if in_use { (expires_at - early()).max(started.shared + lifetime / 2) } else { now + idle_pause() };
    let new = Refreshed {
        access_token_sealed: &seal(ACCESS_TOKEN, grant.access_token.expose()),
        expires_at,
        scopes_granted: grant.scopes.as_ref().map(crate::domain::scope::ScopeSet::names),
        refresh_at,
        action: if claimed.health == Health::Ok && claimed.dead_since.is_none() { "refreshed" } else { "recovered" },
    };
    let policy = backon::ExponentialBuilder::default().with_min_delay(Duration::from_millis(100)).with_max_times(4);
    let written = backon::Retryable::retry(|| store_refreshed(app, claimed, &new, now), policy).await;
    match written {
        // Not ours to write any more: somebody else's token counts, and this one is dropped.
        Ok(_) => Outcome::Fresh,
        Err(error) => waits(claimed, &error),
    }
}

/// Zoho's answers to refreshes carry no refresh token. Should one ever do, the old one may be dead by now:
/// the new one is kept whatever became of the lease, or revoked where the connection has ended or got
/// another grant.
async fn keep_rotated(app: &App, claimed: &Claimed, old: &str, rotated: &RefreshToken) {
    let key = (claimed.tenant_id, claimed.connection_id);
    let place = Place::column(REFRESH_TOKEN, claimed.tenant_id, claimed.connection_id);
    let sealed = app.keys.seal(&place, rotated.expose().as_bytes());
    let digest = token_digest::of(&app.keys, rotated.expose().as_bytes());
    let swap = async || -> Result<bool, StoreError> {
        // Sealed anew since the claim, perhaps, but the same token.
        let Some(stored) = stored_token::find_refresh_token(app.pools.critical(), key).await? else { return Ok(false) };
        let is_old = app.keys.open_text(&place, &stored).is_ok_and(|stored| stored.as_str() == old);
        Ok(is_old && stored_token::update_refresh_token(app.pools.critical(), key, &stored, &sealed, &digest).await?)
    };
    let policy = backon::ExponentialBuilder::default().with_min_delay(Duration::from_millis(100)).with_max_times(5);
    match backon::Retryable::retry(swap, policy).await {
        Ok(true) => {}
        Ok(false) => revoke::at_once(app, claimed.data_centre, rotated).await,
        Err(error) => {
            tracing::error!(error = chain(&error), connection.id = %claimed.connection_id, "another refresh token came and is not kept");
        }
    }
}

/// One statement, as nearly always; a transaction where somebody is to be told.
async fn store_refreshed(
    app: &App,
    claimed: &Claimed,
    new: &Refreshed<'_>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let event_type = match new.action {
        "recovered" => EventType::ConnectionRecovered,
        _ if claimed.is_told => EventType::ConnectionRefreshed,
        _ => return store::update_refreshed(app.pools.critical(), claimed, new, now).await,
    };
    let mut tx = app.pools.begin_as_engine().await?;
    let written = store::update_refreshed(&mut *tx, claimed, new, now).await?;
    if written {
        event::insert(&mut tx, Event::of_connection(event_type, claimed.tenant_id, claimed.connection_id), now).await?;
    }
    tx.commit().await?;
    Ok(written)
}

/// What a failure means for the connection.
async fn follow(app: &App, claimed: &Claimed, error: TokenError) -> Outcome {
    let now = app.clock.shared_now();
    tracing::info!(class = error.class(), data_centre = %claimed.data_centre, connection.id = %claimed.connection_id, "a refresh failed");
    match consequence::of(error, claimed, now) {
        Consequence::Wait(failed, trouble) => {
            write_failed(app, claimed, &failed).await;
            Outcome::Failed(trouble)
        }
        Consequence::NeedsReconnect => match end(app, claimed, now).await {
            Ok(()) => Outcome::Ended,
            Err(error) => waits(claimed, &error),
        },
    }
}

/// Where it cannot be written, the lease runs out by itself.
async fn write_failed(app: &App, claimed: &Claimed, failed: &Failed) {
    if let Err(error) = store::update_failed(app.pools.critical(), claimed, failed, app.clock.shared_now()).await {
        waits(claimed, &error);
    }
}

fn waits(claimed: &Claimed, error: &StoreError) -> Outcome {
    tracing::warn!(error = chain(error), connection.id = %claimed.connection_id, "what came of a refresh is not written");
    Outcome::Failed(Trouble::Busy)
}

/// Confirmed dead: the connection needs its owner.
async fn end(app: &App, claimed: &Claimed, now: DateTime<Utc>) -> Result<(), StoreError> {
    let most = i64::from(app.config.refresh_tokens_per_person);
    let mut tx = app.pools.begin_as_engine().await?;
    let was_evicted = match claimed.person_id {
        Some(person_id) => {
            let client_id = claimed.client_id.as_str();
            connection::budget::was_evicted(&mut *tx, person_id, client_id, claimed.consented_at, most).await?
        }
        None => false,
    };
    let reason = if was_evicted { ReconnectReason::Evicted } else { ReconnectReason::Revoked };
    if store::update_needs_reconnect(&mut *tx, claimed, reason, now).await? {
        let event = AuditEvent {
            actor: Actor::Engine,
            action: "needs_reconnect",
            outcome: reason.key(),
            tenant_id: Some(claimed.tenant_id),
            connection_id: Some(claimed.connection_id),
            peer: None,
            request_id: None,
            detail: None,
        };
        audit_event::insert(&mut *tx, &event, now).await?;
        let told = Event::of_connection(EventType::ConnectionNeedsReconnect, claimed.tenant_id, claimed.connection_id);
        event::insert(&mut tx, told.with("reason", reason.key()), now).await?;
    }
    tx.commit().await
}
