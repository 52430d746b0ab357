//! Step 10: one transaction for person, organization, connection and browser session.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Failure,
    fail::{event, revoke_grant},
    identify::Identified,
};
use crate::{
    app::App,
    domain::{
        connection::Status,
        ids::{ConnectionId, OnboardingLinkId, PersonId, TenantId},
        organization::Environment,
        product::Product,
        return_path::ReturnPath,
        tenant::slug_for,
        webhook::EventType,
    },
    onboarding::{self, By, consent::Consent},
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        browser_session, connection,
        login_attempt::{self, Purpose, TakenAttempt},
        membership, organization,
        person::{self, SignedIn},
        revocation::Reason,
        tenant, token_escrow,
        tx::Connection,
    },
    vault::{
        deposit::{self, Deposited, Target},
        grant::KeptGrant,
    },
    webhooks::event::{self, Event},
};

/// Why a transaction ended without a connection.
pub(super) enum Unsettled {
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

/// Commits, and tells the landing. Tries again for a while where the database is away for a moment; the fence makes that
/// safe.
pub(super) async fn commit_soon(
    app: &App,
    attempt: &TakenAttempt,
    grant: &KeptGrant,
    identified: &Identified,
    try_number: i32,
) -> Result<String, Unsettled> {
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
) -> Result<String, Unsettled> {
    let now = app.clock.shared_now();
    let mut tx = app.pools.begin_as_engine().await?;
    if !token_escrow::delete(&mut *tx, &attempt.state_digest, try_number).await? {
        return Err(Unsettled::Lost);
    }
    let signed_in = person::upsert(&mut *tx, attempt.data_centre, &identified.profile, now).await?;
    let person_id = signed_in.person_id;
    if attempt.purpose.person_id().is_some_and(|began| began != person_id) {
        return Err(Unsettled::Failed(Failure::WrongPerson));
    }
    if let Purpose::Onboarding { onboarding_link_id, .. } = attempt.purpose {
        let landing = rest(app, &mut tx, attempt, grant, identified, (person_id, onboarding_link_id), now).await?;
        tx.commit().await?;
        return Ok(landing);
    }
    let mut record = Vec::with_capacity(2);
    let own_tenant = own_tenant(&mut tx, attempt, signed_in, identified, &mut record, now).await?;
    let (landing, done) = match (attempt.product, &grant.refresh_token) {
        (Some(product), Some(_)) if attempt.offline => {
            connect(app, &mut tx, attempt, grant, identified, (signed_in, own_tenant, product), now).await?
        }
        (product, unasked) => {
            if unasked.is_some() {
                revoke_grant(app, &mut tx, attempt, grant, Some(person_id), Reason::NotAskedFor, now).await?;
            }
            signed_in_landing(&mut tx, attempt, product, (person_id, own_tenant.0)).await?
        }
    };
    record.push(done);
    audit_event::insert_many(&mut *tx, &record.into_iter().map(|event| (event, now)).collect::<Vec<_>>()).await?;
    sign_in(&mut tx, attempt, person_id, now).await?;
    if !login_attempt::update_landed(&mut *tx, &attempt.state_digest, true, Some(person_id), &landing, now).await? {
        return Err(Unsettled::Lost);
    }
    tx.commit().await?;
    Ok(landing)
}

/// In onboarding nothing is connected until the person has confirmed, and nobody is signed in: what was
/// granted rests in the link, which decides the tenant.
async fn rest(
    app: &App,
    tx: &mut Connection,
    attempt: &TakenAttempt,
    grant: &KeptGrant,
    identified: &Identified,
    (person_id, onboarding_link_id): (PersonId, OnboardingLinkId),
    now: DateTime<Utc>,
) -> Result<String, Unsettled> {
    let consent = Consent {
        grant,
        person_id,
        email: &identified.profile.email,
        data_centre: attempt.data_centre,
        scopes_requested: &attempt.scopes_requested,
        organizations: &identified.organizations,
        environment: identified.environment,
    };
    let by =
        By { actor: Actor::Person(person_id), request_id: Some(attempt.request_id), peer: Some(attempt.peer.clone()) };
    let received = onboarding::consent::receive(app, &mut *tx, onboarding_link_id, &consent, &by, now).await?;
    if !received.rests {
        revoke_grant(app, tx, attempt, grant, Some(person_id), Reason::NotConnected, now).await?;
    }
    let state = &attempt.state_digest;
    if !login_attempt::update_landed(&mut *tx, state, true, Some(person_id), &received.landing, now).await? {
        return Err(Unsettled::Lost);
    }
    Ok(received.landing)
}

/// A first-time person gets a tenant of their own, as its owner. Tells whether it is new.
async fn own_tenant(
    tx: &mut Connection,
    attempt: &TakenAttempt,
    signed_in: SignedIn,
    identified: &Identified,
    record: &mut Vec<AuditEvent>,
    now: DateTime<Utc>,
) -> Result<(TenantId, bool), StoreError> {
    let profile = &identified.profile;
    let who = [&profile.display_name, &profile.email].into_iter().find(|name| !name.is_empty());
    let who = who.map_or("Somebody", |name| name.as_str());
    let name = format!("{who}’s workspace");
    let (tenant_id, is_new) = tenant::find_or_insert_own(&mut *tx, signed_in, &name, slug_for(who), now).await?;
    if is_new {
        let created = event(attempt, Some(signed_in.person_id), "tenant_created", "done");
        record.push(AuditEvent { tenant_id: Some(tenant_id), ..created });
        event::insert(tx, Event::of_tenant(EventType::TenantCreated, tenant_id, None, &name), now).await?;
    }
    Ok((tenant_id, is_new))
}

/// Deposits the grant; tells where to go next, and what is to be put on record.
async fn connect(
    app: &App,
    tx: &mut Connection,
    attempt: &TakenAttempt,
    grant: &KeptGrant,
    identified: &Identified,
    (signed_in, (own_tenant, is_new), product): (SignedIn, (TenantId, bool), Product),
    now: DateTime<Utc>,
) -> Result<(String, AuditEvent), Unsettled> {
    let person_id = signed_in.person_id;
    let tenant_id = attempt.purpose.tenant_id().unwrap_or(own_tenant);
    // Of a tenant that was made in this transaction nobody else can know.
    if !is_new || tenant_id != own_tenant {
        if membership::find(&mut *tx, tenant_id, person_id).await?.is_none() {
            return Err(Unsettled::Failed(Failure::WrongPerson));
        }
        if tenant::is_suspended_for_share(&mut *tx, tenant_id).await? {
            return Err(Unsettled::Failed(Failure::TenantSuspended));
        }
    }
    let target = match attempt.purpose {
        Purpose::Reconnect { connection_id, .. } => {
            let matches =
                deposit::matches(&mut *tx, tenant_id, connection_id, identified.environment, &identified.organizations)
                    .await?;
            match matches {
                deposit::Matches::SameOrganization => Target::Connection(connection_id),
                deposit::Matches::Unchosen => {
                    choose_the_only_one(tx, attempt, identified, (tenant_id, person_id, connection_id, product), now)
                        .await?
                }
                deposit::Matches::Another => return Err(Unsettled::Failed(Failure::OrganizationMismatch)),
            }
        }
        Purpose::SignIn | Purpose::Connect { .. } | Purpose::Onboarding { .. } => {
            match identified.organizations.as_slice() {
                [only] => {
                    let environment = identified.environment.unwrap_or(Environment::Production);
                    Target::Organization(
                        organization::upsert(&mut *tx, tenant_id, attempt.data_centre, product, environment, only, now)
                            .await?,
                    )
                }
                several_or_none => Target::Choice(several_or_none),
            }
        }
    };
    let is_choice = matches!(target, Target::Choice(_));
    let new = deposit::Deposit {
        tenant_id,
        person_id: Some(person_id),
        person_is_new: signed_in.is_new,
        zoho_client_id: None,
        product,
        data_centre: attempt.data_centre,
        grant,
        scopes_requested: &attempt.scopes_requested,
        environment: identified.environment,
        consented_at: now,
        target,
    };
    let Deposited { connection_id, existed, .. } = deposit::deposit(app, tx, &new, now).await?;
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
    let landing =
        if is_choice { choice_landing(connection_id, attempt) } else { attempt.return_path.as_str().to_owned() };
    Ok((landing, event))
}

/// A reconnect of a connection that never had an organization: the only one that Zoho lists is taken,
/// unless the person has a connection of that one, which would then hold the tokens: that is not what
/// they reconnected, and so they are asked.
async fn choose_the_only_one<'a>(
    tx: &mut Connection,
    attempt: &TakenAttempt,
    identified: &'a Identified,
    (tenant_id, person_id, connection_id, product): (TenantId, PersonId, ConnectionId, Product),
    now: DateTime<Utc>,
) -> Result<Target<'a>, StoreError> {
    let choice = Target::Choice(&identified.organizations);
    let [only] = identified.organizations.as_slice() else { return Ok(choice) };
    let environment = identified.environment.unwrap_or(Environment::Production);
    let organization_id =
        organization::upsert(&mut *tx, tenant_id, attempt.data_centre, product, environment, only, now).await?;
    if connection::find_same(&mut *tx, tenant_id, Some(person_id), Some(organization_id), product).await?.is_some() {
        return Ok(choice);
    }
    connection::update_organization(&mut *tx, tenant_id, connection_id, organization_id).await?;
    Ok(Target::Connection(connection_id))
}

/// The choice comes first; where the person was going is not forgotten.
fn choice_landing(connection_id: ConnectionId, attempt: &TakenAttempt) -> String {
    if attempt.return_path == ReturnPath::default_page() {
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
    (person_id, own_tenant): (PersonId, TenantId),
) -> Result<(String, AuditEvent), StoreError> {
    let signed_in = event(attempt, Some(person_id), "signed_in", "done");
    let signed_in = AuditEvent { tenant_id: Some(own_tenant), ..signed_in };
    let return_path = attempt.return_path.as_str();
    let Some(product) = product else { return Ok((return_path.to_owned(), signed_in)) };
    let has_it = connection::list_of_person(&mut *tx, person_id, None)
        .await?
        .iter()
        .any(|connection| connection.product == product && connection.status == Status::Active);
    if has_it {
        return Ok((return_path.to_owned(), signed_in));
    }
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("product", product.key())
        .append_pair("return_to", return_path)
        .finish();
    Ok((format!("/login?{query}"), signed_in))
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
