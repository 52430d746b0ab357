//! Step 6: the code for tokens, once (security.md D-3), in a task that outlives the browser (D-5).

use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use super::{Failure, escrow, fail, settle};
use crate::{
    app::App,
    domain::secret::{AuthorizationCode, PkceVerifier},
    store::login_attempt::TakenAttempt,
    vault::{grant::KeptGrant, revoke},
    zoho::{Client, TokenError},
};

/// Pauses before the second and third try, which happen only if no byte can have been sent.
const RECONNECTS: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(900)];

/// Exchanges, keeps and settles. How it ended stands in the attempt's row; where it ended well, the landing is told, too.
/// `permit` is the exchange's place among those of the data centre; what follows needs none.
pub(super) async fn run(
    app: &App,
    attempt: &TakenAttempt,
    code: &AuthorizationCode,
    verifier: &PkceVerifier,
    permit: OwnedSemaphorePermit,
) -> Option<String> {
    let asked_at = app.clock.shared_now();
    let answer = exchange(app, attempt, code, verifier).await;
    drop(permit);
    let grant = match answer {
        Ok(grant) => grant,
        Err(error) => {
            tracing::warn!(
                data_centre = %attempt.data_centre, class = error.class(), request.id = %attempt.request_id,
                "zoho did not exchange a code"
            );
            // Our own mistakes and Zoho's outages are nobody's bogus codes.
            if matches!(error, TokenError::DeadGrant) {
                app.limits.failed_exchanges.count(&attempt.peer);
            }
            fail::fail(app, attempt, failure_of(&error)).await;
            return None;
        }
    };
    crate::fail_point!("after_exchange");
    let grant =
        KeptGrant::new(app.config.zoho.client_id(attempt.data_centre), grant, &attempt.scopes_requested, asked_at);
    if let Err(error) = escrow::keep(app, &attempt.state_digest, &grant).await {
        tracing::error!(error = %error, request.id = %attempt.request_id, "a grant could not be kept; revoking it");
        if let Some(token) = &grant.refresh_token {
            revoke::at_once(app, attempt.data_centre, token).await;
        }
        return None;
    }
    crate::fail_point!("after_escrow");
    settle::settle(app, attempt, grant, 1).await
}

async fn exchange(
    app: &App,
    attempt: &TakenAttempt,
    code: &AuthorizationCode,
    verifier: &PkceVerifier,
) -> Result<crate::zoho::Grant, TokenError> {
    let hosts = app.hosts(attempt.data_centre);
    let secret = app.config.zoho.client_secret(attempt.data_centre).expect("placed only where there is a secret");
    let client = Client { id: app.config.zoho.client_id(attempt.data_centre), secret };
    let mut pauses = RECONNECTS.iter();
    loop {
        let redirect_uri = Some(app.config.public_url.redirect_uri());
        let answer = app.zoho.exchange(&hosts.accounts, client, code, redirect_uri, Some(verifier)).await;
        match (answer, pauses.next()) {
            (Err(TokenError::NotSent), Some(pause)) => tokio::time::sleep(*pause).await,
            (answer, _) => return answer,
        }
    }
}

fn failure_of(error: &TokenError) -> Failure {
    match error {
        TokenError::DeadGrant => Failure::CodeExpired,
        TokenError::Misconfigured(_) => Failure::Misconfigured,
        TokenError::Throttled { .. } => Failure::Throttled,
        TokenError::Misbehaved(_) => Failure::Misbehaved,
        TokenError::NotSent | TokenError::Lost | TokenError::Unavailable => Failure::Unavailable,
    }
}
