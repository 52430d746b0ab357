//! Steps 8 to 10, as one try: ask Zoho who it is, then commit, fail, or leave it for later. Runs right
//! after the exchange, or on any replica that finds the escrow later.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Failure,
    commit::{Unsettled, commit_soon},
    fail::give_up,
    identify::{Identified, NotIdentified, identify},
};
use crate::{
    app::App,
    store::{login_attempt::TakenAttempt, token_escrow},
    telemetry::chain,
    vault::grant::KeptGrant,
    zoho::{Client, TokenError},
};

/// An escrow that could not be settled for so long is revoked and reported (security.md R-27).
const GIVE_UP: TimeDelta = TimeDelta::hours(24);
/// For this long it is tried often.
const OFTEN: TimeDelta = TimeDelta::minutes(10);

/// One try, fenced by the escrow's number of tries. Tells the landing where it ended well.
pub(super) async fn settle(app: &App, attempt: &TakenAttempt, grant: KeptGrant, try_number: i32) -> Option<String> {
    let kept_since = app.clock.shared_now();
    settle_kept(app, attempt, &grant, try_number, kept_since).await
}

/// As `settle`, for an escrow that stands since `kept_since`.
pub(super) async fn settle_kept(
    app: &App,
    attempt: &TakenAttempt,
    grant: &KeptGrant,
    try_number: i32,
    kept_since: DateTime<Utc>,
) -> Option<String> {
    let outcome = match (attempt.offline, &grant.refresh_token) {
        (true, None) => Err(NotIdentified::Never(Failure::NoRefreshToken)),
        _ => identify_with_live_token(app, attempt, grant).await,
    };
    let now = app.clock.shared_now();
    let outcome = match outcome {
        Ok(identified) => commit_soon(app, attempt, grant, &identified, try_number).await,
        Err(NotIdentified::Never(failure)) => Err(Unsettled::Failed(failure)),
        Err(NotIdentified::Later) if now - kept_since > GIVE_UP => Err(Unsettled::Failed(Failure::Unavailable)),
        Err(NotIdentified::Later) => {
            try_later(app, attempt, try_number, kept_since).await;
            return None;
        }
    };
    match outcome {
        Ok(landing) => {
            metrics::counter!("attempts_total", "outcome" => "settled").increment(1);
            // Near the limit of a person's tokens a second is too long.
            app.wake_revocations.notify_one();
            return Some(landing);
        }
        Err(Unsettled::Lost) => {
            tracing::info!(request.id = %attempt.request_id, "another replica settled this attempt");
        }
        Err(Unsettled::Failed(failure)) => {
            if let Err(error) = give_up(app, attempt, grant, failure, try_number).await {
                tracing::warn!(error = chain(&error), request.id = %attempt.request_id, "a failed attempt is not written down yet");
            }
            app.wake_revocations.notify_one();
        }
        // The claim runs out and the escrow is found again.
        Err(Unsettled::Store(error)) => {
            tracing::warn!(error = chain(&error), request.id = %attempt.request_id, "an attempt is not settled yet");
        }
    }
    None
}

/// An escrow may be older than its access token: then the refresh token asks for another one first.
async fn identify_with_live_token(
    app: &App,
    attempt: &TakenAttempt,
    grant: &KeptGrant,
) -> Result<Identified, NotIdentified> {
    let now = app.clock.shared_now();
    let (Some(refresh_token), true) = (&grant.refresh_token, grant.access_token_expires_at <= now) else {
        return identify(app, attempt, grant).await;
    };
    let data_centre = attempt.data_centre;
    let hosts = app.config.zoho.servers.hosts(data_centre).ok_or(NotIdentified::Later)?;
    let secret = app.config.zoho.client_secret(data_centre).ok_or(NotIdentified::Later)?;
    let client = Client { id: &grant.client_id, secret };
    match app.zoho.refresh(&hosts.accounts, client, refresh_token).await {
        Ok(fresh) => {
            let renewed = KeptGrant { access_token: fresh.access_token, ..grant.clone() };
            identify(app, attempt, &renewed).await
        }
        Err(TokenError::DeadGrant) => Err(NotIdentified::Never(Failure::CodeExpired)),
        Err(_) => Err(NotIdentified::Later),
    }
}

async fn try_later(app: &App, attempt: &TakenAttempt, try_number: i32, kept_since: DateTime<Utc>) {
    let now = app.clock.shared_now();
    let pause = if now - kept_since < OFTEN {
        TimeDelta::seconds(2_i64.saturating_pow(u32::try_from(try_number).unwrap_or(0).min(6)))
    } else {
        TimeDelta::minutes(10)
    };
    if let Err(error) =
        token_escrow::update_not_before(app.pools.critical(), &attempt.state_digest, try_number, now + pause).await
    {
        tracing::warn!(error = chain(&error), "an escrow keeps its claim until it runs out");
    }
}
