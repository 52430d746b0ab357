//! Steps 8 to 10: ask Zoho who it is, then one transaction for person, organization, connection and
//! browser session. Runs right after the exchange, or on any replica that finds the escrow later.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    Failure,
    identify::{Identified, NotIdentified, identify},
};
use crate::{
    app::App,
    domain::{
        ids::{PersonId, RevocationId, TenantId},
        organization::Environment,
        product::Product,
        tenant::{Role, slug_for},
    },
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        browser_session,
        login_attempt::{self, Purpose, TakenAttempt},
        membership, organization, person,
        revocation::{self, NewRevocation, Reason},
        tenant, token_escrow,
        tx::Connection,
    },
    telemetry::chain,
    vault::{
        deposit::{self, Deposited, Target},
        grant::KeptGrant,
        seal::Place,
    },
    zoho::{Client, TokenError},
};

/// An escrow that could not be settled for so long is revoked and reported (security.md R-27).
const GIVE_UP: TimeDelta = TimeDelta::hours(24);
/// For this long it is tried often.
const OFTEN: TimeDelta = TimeDelta::minutes(10);

/// Why a transaction ended without a connection.
enum Unsettled {
    /// Certain: nothing will be connected, the token is revoked.
    Failed(Failure),
    /// Another replica has the escrow by now.
    Lost,
    Store(StoreError),
}

impl From<StoreError> for Unsettled {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// One try, fenced by the escrow's number of tries.
pub(super) async fn settle(app: &App, attempt: &TakenAttempt, grant: KeptGrant, try_number: i32) {
    let kept_since = app.clock.shared_now();
    settle_kept(app, attempt, &grant, try_number, kept_since).await;
}

/// As `settle`, for an escrow that stands since `kept_since`.
pub(super) async fn settle_kept(
    app: &App,
    attempt: &TakenAttempt,
    grant: &KeptGrant,
    try_number: i32,
    kept_since: DateTime<Utc>,
) {
    let outcome = match (attempt.offline, &grant.refresh_token) {
        (true, None) => Err(NotIdentified::Never(Failure::NoRefreshToken)),
        _ => identify_with_live_token(app, attempt, grant).await,
    };
    let now = app.clock.shared_now();
    let outcome = match outcome {
        Ok(identified) => commit_soon(app, attempt, grant, &identified, try_number).await,
        Err(NotIdentified::Never(failure)) => Err(Unsettled::Failed(failure)),
        Err(NotIdentified::Later) if now - kept_since > GIVE_UP => Err(Unsettled::Failed(Failure::Unavailable)),
        Err(NotIdentified::Later) => return try_later(app, attempt, try_number, kept_since).await,
    };
    match outcome {
        Ok(()) => {
            metrics::counter!("attempts_total", "outcome" => "settled").increment(1);
            app.wake_revocations.notify_one();
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

/// Tries again for a while where the database is away for a moment; the fence makes that safe.
async fn commit_soon(
    app: &App,
    attempt: &TakenAttempt,
    grant: &KeptGrant,
    identified: &Identified,
    try_number: i32,
) -> Result<(), Unsettled> {
    let policy = backon::ExponentialBuilder::default().with_min_delay(Duration::from_millis(250)).with_max_times(5);
    backon::Retryable::retry(|| commit(app, attempt, grant, identified, try_number), policy)
        .when(|unsettled| matches!(unsettled, Unsettled::Store(_)))
        .await
}

async fn commit(
    app: &App,
    attempt: &TakenAttempt,
    grant: &KeptGrant,
    identified: &Identified,
    try_number: i32,
) -> Result<(), Unsettled> {
    let now = app.clock.shared_now();
    let mut tx = app.pools.begin_as_engine().await?;
    if !token_escrow::delete(&mut *tx, &attempt.state_digest, try_number).await? {
        return Err(Unsettled::Lost);
    }
    let person_id = person::upsert(&mut *tx, attempt.data_centre, &identified.profile, now).await?;
    if attempt.purpose.person_id().is_some_and(|began| began != person_id) {
        return Err(Unsettled::Failed(Failure::WrongPerson));
    }
    let own_tenant = own_tenant(&mut tx, person_id, identified, now).await?;
    let landing = match (attempt.product, &grant.refresh_token) {
        (Some(product), Some(_)) if attempt.offline => {
            connect(app, &mut tx, attempt, grant, identified, (person_id, own_tenant, product), now).await?
        }
        (product, unasked) => {
            if unasked.is_some() {
                revoke_grant(app, &mut tx, attempt, grant, Some(person_id), Reason::NotAskedFor, now).await?;
            }
            signed_in_landing(&mut tx, attempt, product, person_id, now).await?
        }
    };
    sign_in(&mut tx, attempt, person_id, now).await?;
    if !login_attempt::update_landed(&mut *tx, &attempt.state_digest, true, Some(person_id), &landing, now).await? {
        return Err(Unsettled::Lost);
    }
    tx.commit().await?;
    Ok(())
}

/// A first-time person gets a tenant of their own, as its owner.
async fn own_tenant(
    tx: &mut Connection,
    person_id: PersonId,
    identified: &Identified,
    now: DateTime<Utc>,
) -> Result<TenantId, StoreError> {
    let profile = &identified.profile;
    let who = [&profile.display_name, &profile.email].into_iter().find(|name| !name.is_empty());
    let who = who.map_or("Somebody", |name| name.as_str());
    let name = format!("{who}’s workspace");
    let (tenant_id, is_new) = tenant::find_or_insert_own(&mut *tx, person_id, &name, slug_for(who), now).await?;
    if is_new {
        membership::insert(&mut *tx, tenant_id, person_id, Role::Owner, now).await?;
    }
    Ok(tenant_id)
}

/// Deposits the grant and tells where to go next.
async fn connect(
    app: &App,
    tx: &mut Connection,
    attempt: &TakenAttempt,
    grant: &KeptGrant,
    identified: &Identified,
    (person_id, own_tenant, product): (PersonId, TenantId, Product),
    now: DateTime<Utc>,
) -> Result<String, Unsettled> {
    let tenant_id = attempt.purpose.tenant_id().unwrap_or(own_tenant);
    if membership::find(&mut *tx, tenant_id, person_id).await?.is_none() {
        return Err(Unsettled::Failed(Failure::WrongPerson));
    }
    let target = match attempt.purpose {
        Purpose::Reconnect { connection_id, .. } => {
            let matches =
                deposit::matches(&mut *tx, tenant_id, connection_id, identified.environment, &identified.organizations)
                    .await?;
            match matches {
                deposit::Matches::SameOrganization => Target::Connection(connection_id),
                deposit::Matches::Unchosen => Target::Choice(&identified.organizations),
                deposit::Matches::Another => return Err(Unsettled::Failed(Failure::OrganizationMismatch)),
            }
        }
        Purpose::SignIn | Purpose::Connect { .. } => match identified.organizations.as_slice() {
            [only] => {
                let environment = identified.environment.unwrap_or(Environment::Production);
                Target::Organization(
                    organization::upsert(&mut *tx, tenant_id, attempt.data_centre, product, environment, only, now)
                        .await?,
                )
            }
            several_or_none => Target::Choice(several_or_none),
        },
    };
    let is_choice = matches!(target, Target::Choice(_));
    let new = deposit::Deposit {
        tenant_id,
        person_id,
        product,
        data_centre: attempt.data_centre,
        grant,
        scopes_requested: &attempt.scopes_requested,
        environment: identified.environment,
        consented_at: now,
        target,
    };
    let Deposited { connection_id, existed } = deposit::deposit(app, tx, &new, now).await?;
    let event = AuditEvent {
        tenant_id: Some(tenant_id),
        connection_id: Some(connection_id),
        ..event(
            attempt,
            Some(person_id),
            if existed { "reconnected" } else { "connected" },
            if is_choice { "choosing" } else { "done" },
        )
    };
    audit_event::insert(&mut *tx, &event, now).await?;
    Ok(if is_choice { choice_landing(connection_id, attempt) } else { attempt.return_path.as_str().to_owned() })
}

/// The choice comes first; where the person was going is not forgotten.
fn choice_landing(connection_id: crate::domain::ids::ConnectionId, attempt: &TakenAttempt) -> String {
    if attempt.return_path == crate::domain::return_path::ReturnPath::default_page() {
        return format!("/connections/{connection_id}");
    }
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("return_to", attempt.return_path.as_str())
        .finish();
    format!("/connections/{connection_id}?{query}")
}

/// Online, nothing is connected. Somebody else than expected, who has no connection yet, goes
/// through `/login` once more, which now asks for consent.
async fn signed_in_landing(
    tx: &mut Connection,
    attempt: &TakenAttempt,
    product: Option<Product>,
    person_id: PersonId,
    now: DateTime<Utc>,
) -> Result<String, StoreError> {
    audit_event::insert(&mut *tx, &event(attempt, Some(person_id), "signed_in", "done"), now).await?;
    let return_path = attempt.return_path.as_str();
    let Some(product) = product else { return Ok(return_path.to_owned()) };
    let has_it = crate::store::connection::list_of_person(&mut *tx, person_id, None).await?.iter().any(|connection| {
        connection.product == product && connection.status == crate::domain::connection::Status::Active
    });
    if has_it {
        return Ok(return_path.to_owned());
    }
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("product", product.key())
        .append_pair("return_to", return_path)
        .finish();
    Ok(format!("/login?{query}"))
}

/// The browser session, written once. It replaces the one that the browser held; of the same
/// person it inherits the lineage, so that other tabs still belong.
async fn sign_in(
    tx: &mut Connection,
    attempt: &TakenAttempt,
    person_id: PersonId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let Some(session) = &attempt.session_digest else { return Ok(()) };
    let replaced = match &attempt.replaces_session_digest {
        Some(held) => browser_session::delete(&mut *tx, held).await?,
        None => None,
    };
    let lineage = replaced
        .filter(|(replaced_person, _)| *replaced_person == person_id)
        .map_or_else(Uuid::now_v7, |(_, lineage)| lineage);
    browser_session::insert(&mut *tx, session, person_id, lineage, now).await
}

/// Ends an attempt that has a grant but connects nothing: the token is revoked.
async fn give_up(
    app: &App,
    attempt: &TakenAttempt,
    grant: &KeptGrant,
    failure: Failure,
    try_number: i32,
) -> Result<(), StoreError> {
    let now = app.clock.shared_now();
    let mut tx = app.pools.begin_as_engine().await?;
    if !token_escrow::delete(&mut *tx, &attempt.state_digest, try_number).await? {
        return Ok(());
    }
    let reason =
        if failure == Failure::OrganizationMismatch { Reason::OrganizationMismatch } else { Reason::NotConnected };
    // An attempt that has landed may have this very token in use.
    if !write_failure(&mut tx, attempt, failure, now).await? {
        return Ok(());
    }
    revoke_grant(app, &mut tx, attempt, grant, attempt.purpose.person_id(), reason, now).await?;
    tx.commit().await
}

/// Ends an attempt without a grant. Tries for a while: the browser is waiting to be told.
pub(super) async fn fail(app: &App, attempt: &TakenAttempt, failure: Failure) {
    let written = async || -> Result<(), StoreError> {
        let mut tx = app.pools.begin_as_engine().await?;
        write_failure(&mut tx, attempt, failure, app.clock.shared_now()).await?;
        tx.commit().await
    };
    let policy = backon::ExponentialBuilder::default().with_max_times(8).with_jitter();
    if let Err(error) = backon::Retryable::retry(written, policy).await {
        tracing::error!(error = chain(&error), request.id = %attempt.request_id, "a failed attempt could not be written down");
    }
}

/// False where the attempt has landed already: nothing is written twice.
async fn write_failure(
    tx: &mut Connection,
    attempt: &TakenAttempt,
    failure: Failure,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    if !login_attempt::update_landed(&mut *tx, &attempt.state_digest, false, None, &failure.landing(), now).await? {
        return Ok(false);
    }
    metrics::counter!("attempts_total", "outcome" => failure.slug()).increment(1);
    let event = AuditEvent {
        detail: Some(failure.slug().to_owned()),
        ..event(attempt, attempt.purpose.person_id(), "sign_in_failed", "failed")
    };
    audit_event::insert(&mut *tx, &event, now).await?;
    Ok(true)
}

async fn revoke_grant(
    app: &App,
    tx: &mut Connection,
    attempt: &TakenAttempt,
    grant: &KeptGrant,
    person_id: Option<PersonId>,
    reason: Reason,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let Some(token) = &grant.refresh_token else { return Ok(()) };
    let revocation_id = RevocationId::new();
    let place = Place::outside_tenants("revocation.token_sealed", revocation_id);
    let new = NewRevocation {
        revocation_id,
        tenant_id: attempt.purpose.tenant_id(),
        connection_id: attempt.purpose.connection_id(),
        person_id,
        client_id: grant.client_id.clone(),
        data_centre: attempt.data_centre,
        reason,
        token_sealed: app.keys.seal(&place, token.expose().as_bytes()),
        sealed_as: place.as_text().to_owned(),
        due_at: now,
    };
    revocation::insert(&mut *tx, &new, now).await
}

/// What happened in this attempt, by whoever it was.
pub(super) fn event(
    attempt: &TakenAttempt,
    person_id: Option<PersonId>,
    action: &'static str,
    outcome: &'static str,
) -> AuditEvent {
    AuditEvent {
        actor: person_id.map_or(Actor::Visitor, Actor::Person),
        action,
        outcome,
        tenant_id: attempt.purpose.tenant_id(),
        connection_id: attempt.purpose.connection_id(),
        peer: Some(attempt.peer.clone()),
        request_id: Some(attempt.request_id),
        detail: None,
    }
}
