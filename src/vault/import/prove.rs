//! Step 2: the code for tokens, once (security.md D-3), whoever imports it again, also at the same time; or one refresh, which shows that a refresh
//! token is alive, this client's and of this data centre.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Import, ImportError, Objection, Token};
use crate::{
    app::App,
    domain::digest::digest,
    store::imported_code,
    vault::grant::KeptGrant,
    zoho::{Client, TokenError},
};

/// Pauses before the second and third try, which happen only if no byte can have been sent.
const RECONNECTS: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(900)];

/// A grant that Zoho has just honored.
#[derive(Debug)]
pub(super) struct Proved {
    pub(super) grant: KeptGrant,
    pub(super) asked_at: DateTime<Utc>,
}

pub(super) async fn prove(app: &App, import: &Import) -> Result<Proved, ImportError> {
    let accounts = &app.hosts(import.data_centre).accounts;
    let zoho = &app.config.zoho;
    let client = match &import.client {
        Some(own) => Client { id: &own.id, secret: &own.secret },
        None => Client {
            id: zoho.client_id(import.data_centre),
            secret: zoho.client_secret(import.data_centre).ok_or(Objection::DataCentreOff)?,
        },
    };
    let asked_at = app.clock.shared_now();
    if let Token::SelfClientCode(code) = &import.token
        && !imported_code::insert(app.pools.critical(), &digest(code.expose().as_bytes()), asked_at).await?
    {
        return Err(Objection::DeadCode.into());
    }
    let mut pauses = RECONNECTS.iter();
    let answer = loop {
        let answer = match &import.token {
            Token::SelfClientCode(code) => app.zoho.exchange(accounts, client, code, None, None).await,
            Token::RefreshToken(token) => app.zoho.refresh(accounts, client, token).await,
        };
        match (answer, pauses.next()) {
            (Err(TokenError::NotSent), Some(pause)) => tokio::time::sleep(*pause).await,
            (answer, _) => break answer,
        }
    };
    let answer = answer.map_err(|error| failure_of(&import.token, &error))?;
    let mut grant = KeptGrant::new(client.id, answer, &import.scopes, asked_at);
    if let Token::RefreshToken(token) = &import.token {
        // A refresh brings none; should one come, the old one may be dead.
        grant.refresh_token.get_or_insert_with(|| token.clone());
    }
    if grant.refresh_token.is_none() {
        return Err(Objection::NoRefreshToken.into());
    }
    Ok(Proved { grant, asked_at })
}

fn failure_of(token: &Token, error: &TokenError) -> ImportError {
    match error {
        TokenError::DeadGrant if token.is_code() => Objection::DeadCode.into(),
        TokenError::DeadGrant => Objection::DeadToken.into(),
        TokenError::Misconfigured(_) => ImportError::Misconfigured,
        TokenError::Throttled { retry_after } => ImportError::Throttled { retry_after: *retry_after },
        TokenError::Misbehaved(_) => ImportError::Misbehaved,
        TokenError::NotSent | TokenError::Lost | TokenError::Unavailable => ImportError::Unavailable,
    }
}
