//! The person says which organization an unfinished connection is for (design.md §4 step 9).

use super::{
    deposit::{self, ACCESS_TOKEN, Deposit, REFRESH_TOKEN, Target},
    grant::KeptGrant,
    seal::Place,
};
use crate::{
    app::App,
    domain::{
        connection::Status,
        ids::{ConnectionId, RequestId},
        organization::{Environment, FoundOrganization, ZohoOrganizationId},
        scope::ScopeSet,
        secret::{AccessToken, RefreshToken},
        webhook::EventType,
    },
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
        connection::{self, Connection, Held},
        organization,
        person::Person,
        tx,
    },
    webhooks::event::{self, Event},
};

/// What the person said.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) organization: ZohoOrganizationId,
    /// Where the product lists none.
    pub(crate) name: Option<String>,
    /// Where Zoho did not say.
    pub(crate) environment: Option<Environment>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ChooseError {
    #[error("the connection is not waiting for a choice")]
    NotChoosing,
    #[error("the organization is not among those that zoho listed")]
    NotListed,
    #[error("the stored tokens do not open")]
    Unreadable,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Settles the choice; the answer is the connection that has the tokens now. An organization that
/// is connected already keeps its connection id and gets the new tokens.
pub(crate) async fn choose(
    app: &App,
    person: &Person,
    connection: &Connection,
    choice: Choice,
    (request_id, peer): (RequestId, String),
) -> Result<ConnectionId, ChooseError> {
    if connection.status != Status::Choosing {
        return Err(ChooseError::NotChoosing);
    }
    let found = match connection.choices.iter().find(|listed| listed.id == choice.organization) {
        Some(listed) => listed.clone(),
        None if connection.choices.is_empty() => {
            FoundOrganization::new(choice.organization, choice.name.as_deref().unwrap_or_default())
        }
        None => return Err(ChooseError::NotListed),
    };
    // What Zoho said about the environment outweighs what the person says.
    let environment = connection.environment.or(choice.environment).unwrap_or(Environment::Production);
    let now = app.clock.shared_now();
    let tenant_id = connection.tenant_id;
    // As engine: a person's refresh tokens are counted across tenants.
    let mut tx = app.pools.begin_as_engine().await?;
    let held =
        connection::find_held(&mut *tx, tenant_id, connection.connection_id).await?.ok_or(ChooseError::NotChoosing)?;
    // Judged under the lock: a double tap finds the choice made.
    if !held.is_choosing {
        return Err(ChooseError::NotChoosing);
    }
    let organization_id =
        organization::upsert(&mut *tx, tenant_id, connection.data_centre, connection.product, environment, &found, now)
            .await?;
    let same =
        connection::find_same(&mut *tx, tenant_id, held.person_id, Some(organization_id), connection.product).await?;
    let connection_id = match same {
        Some(same) => {
            move_tokens(app, &mut tx, connection, held, same.connection_id).await?;
            same.connection_id
        }
        None if connection::update_chosen(&mut *tx, tenant_id, connection.connection_id, organization_id).await? => {
            let connected = Event::of_connection(EventType::ConnectionConnected, tenant_id, connection.connection_id);
            event::insert(&mut tx, connected, now).await?;
            connection.connection_id
        }
        None => return Err(ChooseError::NotChoosing),
    };
    let event = AuditEvent {
        actor: Actor::Person(person.person_id),
        action: "organization_chosen",
        outcome: "done",
        tenant_id: Some(tenant_id),
        connection_id: Some(connection_id),
        peer: Some(peer),
        request_id: Some(request_id),
        detail: None,
    };
    audit_event::insert(&mut *tx, &event, now).await?;
    tx.commit().await?;
    app.wake_revocations.notify_one();
    Ok(connection_id)
}

/// Gives the choice's tokens to the connection that stands for the organization already.
async fn move_tokens(
    app: &App,
    tx: &mut tx::Connection,
    choosing: &Connection,
    held: Held,
    to: ConnectionId,
) -> Result<(), ChooseError> {
    let (tenant_id, from) = (choosing.tenant_id, choosing.connection_id);
    let open = |column, sealed: Option<Vec<u8>>| {
        let sealed = sealed.ok_or(ChooseError::NotChoosing)?;
        app.keys.open_text(&Place::column(column, tenant_id, from), &sealed).map_err(|_| ChooseError::Unreadable)
    };
    let now = app.clock.shared_now();
    let grant = KeptGrant {
        client_id: held.client_id,
        refresh_token: Some(RefreshToken::new(open(REFRESH_TOKEN, held.refresh_token_sealed)?.as_str())),
        access_token: AccessToken::new(open(ACCESS_TOKEN, held.access_token_sealed)?.as_str()),
        access_token_expires_at: held.access_token_expires_at.unwrap_or(now),
        scopes: ScopeSet::from_stored(held.scopes_granted),
        api_domain: None,
    };
    connection::delete_choosing(&mut *tx, tenant_id, from).await?;
    let new = Deposit {
        tenant_id,
        person_id: held.person_id,
        person_is_new: false,
        zoho_client_id: held.zoho_client_id,
        product: choosing.product,
        data_centre: choosing.data_centre,
        grant: &grant,
        scopes_requested: &ScopeSet::from_stored(held.scopes_requested),
        environment: None,
        consented_at: held.consented_at,
        target: Target::Connection(to),
    };
    deposit::deposit(app, tx, &new, now).await?;
    Ok(())
}
