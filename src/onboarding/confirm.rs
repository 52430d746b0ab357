//! Confirming: one transaction makes the connection, the membership and the browser session, and uses
//! the link up.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::By;
use crate::{
    app::App,
    domain::{
        digest::{Digest, digest},
        ids::{ConnectionId, OnboardingLinkId, PersonId, TenantId},
        onboarding::LinkState,
        organization::{Environment, FoundOrganization},
        secret::{SessionToken, random_token},
        tenant::Role,
    },
    login::Visit,
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        browser_session, membership,
        onboarding_link::{self, End, Named, OnboardingLink, Rested},
        organization, tenant,
        tx::Connection,
    },
    vault::{
        choose::Choice,
        deposit::{self, Deposit, Deposited, Target},
        grant::{KeptGrant, resting_place},
    },
    webhooks::event::{self, Event},
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfirmError {
    #[error("nothing of this browser's waits to be confirmed")]
    NothingWaits,
    #[error("the tenant is suspended")]
    Suspended,
    #[error("somebody else is signed in here")]
    WrongPerson,
    #[error("it was not said which organization")]
    NotChosen,
    #[error("the organization is not among those that may be connected")]
    NotListed,
    #[error("the stored tokens do not open")]
    Unreadable,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Connects what rests in the link. The session, where this browser gets a new one.
pub(crate) async fn confirm(
    app: &App,
    id: OnboardingLinkId,
    browser: &Digest,
    choice: Option<Choice>,
    visit: &Visit,
) -> Result<Option<SessionToken>, ConfirmError> {
    let now = app.clock.shared_now();
    let mut tx = app.pools.begin_as_engine().await?;
    onboarding_link::lock(&mut *tx, id).await?;
    let link = onboarding_link::find(&mut *tx, &Named::Id(id)).await?;
    let link = link.filter(|link| link.state(now) == LinkState::Consented && link.is_of(browser));
    let link = link.ok_or(ConfirmError::NothingWaits)?;
    if link.reconnects.is_none() {
        // Two who come at once do not both become its owner. Before the share: two who hold that wait for each other.
        tenant::lock(&mut *tx, link.tenant_id).await?;
    }
    if tenant::is_suspended_for_share(&mut *tx, link.tenant_id).await? {
        return Err(ConfirmError::Suspended);
    }
    let rested = onboarding_link::find_rested(&mut *tx, id).await?.ok_or(ConfirmError::NothingWaits)?;
    if visit.session.as_ref().is_some_and(|session| session.person.person_id != rested.person_id) {
        return Err(ConfirmError::WrongPerson);
    }
    let (found, environment) = chosen(&link, &rested, choice)?;
    // Whoever only reconnects belongs to the tenant already, or not any more.
    let joined = match link.reconnects {
        Some(_) => None,
        None => join(&mut tx, link.tenant_id, rested.person_id, now).await?,
    };
    let (connection_id, existed) = connect(app, &mut tx, &link, &rested, (&found, environment), now).await?;
    onboarding_link::update_ended(&mut *tx, id, End::Connected(connection_id), now).await?;
    let by = By {
        actor: Actor::Person(rested.person_id),
        request_id: Some(visit.request_id),
        peer: Some(visit.peer.clone()),
    };
    let confirmed = by.event("onboarding_confirmed", "done", (link.tenant_id, id));
    let by_joining = joined.map(|role| AuditEvent {
        action: "member_joined",
        detail: Some(role.key().to_owned()),
        ..confirmed.clone()
    });
    let by_connecting = [
        AuditEvent { connection_id: Some(connection_id), ..confirmed.clone() },
        AuditEvent {
            connection_id: Some(connection_id),
            action: if existed { "reconnected" } else { "connected" },
            detail: None,
            ..confirmed
        },
    ];
    for told in by_joining.into_iter().chain(by_connecting) {
        audit_event::insert(&mut *tx, &told, now).await?;
    }
    let completed =
        Event::of_connection(crate::domain::webhook::EventType::OnboardingCompleted, link.tenant_id, connection_id);
    event::insert(&mut tx, completed.with("onboarding_link_id", id.to_string()), now).await?;
    let session = if joined.is_some() || visit.session.is_none() {
        Some(sign_in(&mut tx, rested.person_id, visit, now).await?)
    } else {
        None
    };
    tx.commit().await?;
    app.wake_revocations.notify_one();
    Ok(session)
}

/// The organization to connect: the only one, the one that was picked from the list, or the one that
/// was typed where Zoho lists none. Never "the first".
fn chosen(
    link: &OnboardingLink,
    rested: &Rested,
    choice: Option<Choice>,
) -> Result<(FoundOrganization, Environment), ConfirmError> {
    let said = choice.as_ref().and_then(|choice| choice.environment);
    let found = match (rested.organizations.as_slice(), choice) {
        ([only], None) => only.clone(),
        (_, None) => return Err(ConfirmError::NotChosen),
        ([], Some(choice)) => {
            if link.expected_organization.as_ref().is_some_and(|expected| *expected != choice.organization) {
                return Err(ConfirmError::NotListed);
            }
            FoundOrganization::new(choice.organization, choice.name.as_deref().unwrap_or_default())
        }
        (listed, Some(choice)) => {
            let picked = listed.iter().find(|listed| listed.id == choice.organization);
            picked.ok_or(ConfirmError::NotListed)?.clone()
        }
    };
    // What Zoho said about the environment outweighs what the person says.
    Ok((found, rested.environment.or(said).unwrap_or(Environment::Production)))
}

/// The person becomes the owner of a tenant that has none, else a member; the tenant is locked. Tells what they became,
/// where that is new.
async fn join(
    tx: &mut Connection,
    tenant_id: TenantId,
    person_id: PersonId,
    now: DateTime<Utc>,
) -> Result<Option<Role>, StoreError> {
    let had = membership::find(&mut *tx, tenant_id, person_id).await?;
    let role = if membership::has_owner(&mut *tx, tenant_id).await? { Role::Member } else { Role::Owner };
    if had.is_some_and(|had| had >= role) {
        return Ok(None);
    }
    membership::upsert(&mut *tx, tenant_id, person_id, role, now).await?;
    Ok(Some(role))
}

async fn connect(
    app: &App,
    tx: &mut Connection,
    link: &OnboardingLink,
    rested: &Rested,
    (found, environment): (&FoundOrganization, Environment),
    now: DateTime<Utc>,
) -> Result<(ConnectionId, bool), ConfirmError> {
    let (tenant_id, product, data_centre) = (link.tenant_id, link.product, rested.data_centre);
    let json = app.keys.open(&resting_place(tenant_id, link.onboarding_link_id), &rested.grant_sealed);
    let grant = json.ok().and_then(|json| KeptGrant::from_json(&json)).ok_or(ConfirmError::Unreadable)?;
    let target = match &link.reconnects {
        Some(reconnects) => Target::Connection(reconnects.connection_id),
        None => Target::Organization(
            organization::upsert(&mut *tx, tenant_id, data_centre, product, environment, found, now).await?,
        ),
    };
    let new = Deposit {
        tenant_id,
        person_id: Some(rested.person_id),
        person_is_new: false,
        zoho_client_id: None,
        product,
        data_centre,
        grant: &grant,
        scopes_requested: &rested.scopes_requested,
        environment: rested.environment,
        consented_at: rested.consented_at,
        target,
    };
    let Deposited { connection_id, existed, .. } = deposit::deposit(app, tx, &new, now).await?;
    Ok((connection_id, existed))
}

/// A new session, with the lineage of the one it replaces: other tabs still belong (security.md S-26).
async fn sign_in(
    tx: &mut Connection,
    person_id: PersonId,
    visit: &Visit,
    now: DateTime<Utc>,
) -> Result<SessionToken, StoreError> {
    let replaced = match &visit.session_digest {
        Some(held) => browser_session::delete(&mut *tx, held).await?,
        None => None,
    };
    let lineage =
        replaced.filter(|(replaced, _)| *replaced == person_id).map_or_else(Uuid::now_v7, |(_, lineage)| lineage);
    let token = SessionToken::new(random_token());
    browser_session::insert(&mut *tx, &digest(token.expose().as_bytes()), person_id, lineage, now).await?;
    Ok(token)
}
