//! Putting a grant into a connection: the one place where a connection gets its tokens.
//!
//! The same person who connects the same organization again gets the same connection. The refresh
//! token it held is superseded: it is revoked at Zoho, but only after the new one is committed
//! (security.md D-9).

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use subtle::ConstantTimeEq as _;

use super::{grant::KeptGrant, refresh, seal::Place, token_digest};
use crate::{
    app::App,
    config::Config,
    domain::{
        data_centre::DataCentre,
        ids::{ConnectionId, OrganizationId, PersonId, RevocationId, TenantId, ZohoClientId},
        organization::{Environment, FoundOrganization},
        product::Product,
        scope::ScopeSet,
        secret::RefreshToken,
        webhook::EventType,
    },
    store::{
        StoreError,
        connection::{self, Held},
        revocation::{self, NewRevocation, Reason},
        tx::Connection,
    },
    webhooks::event::{self, Event},
};

/// A superseded token's access token may still be in use: it is left alone for so long.
const GRACE: TimeDelta = TimeDelta::minutes(5);
/// From this many refresh tokens of one person on, people are warned and superseded ones die at once
/// (security.md R-13): 15 of Zoho's 20.
pub(crate) fn near_limit(config: &Config) -> i64 {
    i64::from(config.refresh_tokens_per_person * 3 / 4)
}

/// Where a grant goes.
#[derive(Debug)]
pub(crate) enum Target<'a> {
    /// To the person's connection of that organization and product.
    Organization(OrganizationId),
    /// To this connection, whose organization is the same as before.
    Connection(ConnectionId),
    /// To the person's unfinished choice among these.
    Choice(&'a [FoundOrganization]),
}

#[derive(Debug)]
pub(crate) struct Deposit<'a> {
    pub(crate) tenant_id: TenantId,
    /// Absent: an imported token that does not tell.
    pub(crate) person_id: Option<PersonId>,
    /// The person was never here before: nothing of theirs is looked for.
    pub(crate) person_is_new: bool,
    /// The client the grant belongs to, if it is not ours.
    pub(crate) zoho_client_id: Option<ZohoClientId>,
    pub(crate) product: Product,
    pub(crate) data_centre: DataCentre,
    pub(crate) grant: &'a KeptGrant,
    pub(crate) scopes_requested: &'a ScopeSet,
    /// Where the answer named it.
    pub(crate) environment: Option<Environment>,
    /// When the grant was given: Zoho evicts by it.
    pub(crate) consented_at: DateTime<Utc>,
    pub(crate) target: Target<'a>,
}

#[derive(Debug)]
pub(crate) struct Deposited {
    pub(crate) connection_id: ConnectionId,
    /// It was there before, connected or not.
    pub(crate) existed: bool,
    /// It held this very refresh token before.
    pub(crate) had_same_token: bool,
}

pub(crate) const REFRESH_TOKEN: &str = "connection.refresh_token_sealed";
pub(crate) const ACCESS_TOKEN: &str = "connection.access_token_sealed";

pub(crate) async fn deposit(
    app: &App,
    tx: &mut Connection,
    new: &Deposit<'_>,
    now: DateTime<Utc>,
) -> Result<Deposited, StoreError> {
    let refresh_token =
        new.grant.refresh_token.as_ref().ok_or(StoreError::Inconsistent("a deposit without refresh token"))?;
    let (tenant_id, person_id) = (new.tenant_id, new.person_id);
    let organization_id = match new.target {
        Target::Organization(organization_id) => Some(organization_id),
        Target::Choice(_) => None,
        Target::Connection(connection_id) => connection::find_organization(&mut *tx, tenant_id, connection_id).await?,
    };
    let held = match new.target {
        Target::Connection(connection_id) => connection::find_held(&mut *tx, tenant_id, connection_id).await?,
        Target::Organization(_) | Target::Choice(_) if new.person_is_new => None,
        Target::Organization(_) | Target::Choice(_) => {
            connection::find_same(&mut *tx, tenant_id, person_id, organization_id, new.product).await?
        }
    };
    let existed = held.is_some();
    let needed_reconnect = held.as_ref().is_some_and(|held| held.needs_reconnect);
    let connection_id = held.as_ref().map_or_else(ConnectionId::new, |held| held.connection_id);
    let mut consented_at = new.consented_at;
    let mut had_same_token = false;
    if let Some(held) = held {
        match before(app, new, &held, refresh_token) {
            Before::Nothing => {}
            Before::Same => (had_same_token, consented_at) = (true, held.consented_at),
            Before::Another(token_sealed) => supersede(&mut *tx, new, held, token_sealed, now).await?,
        }
    }
    let choices = match new.target {
        Target::Choice(choices) => choices,
        Target::Organization(_) | Target::Connection(_) => &[],
    };
    let seal =
        |column, secret: &str| app.keys.seal(&Place::column(column, tenant_id, connection_id), secret.as_bytes());
    let row = connection::Deposit {
        tenant_id,
        connection_id,
        person_id,
        organization_id,
        product: new.product,
        data_centre: new.data_centre,
        client_id: &new.grant.client_id,
        zoho_client_id: new.zoho_client_id,
        scopes_requested: new.scopes_requested,
        scopes_granted: &new.grant.scopes,
        refresh_token_sealed: &seal(REFRESH_TOKEN, refresh_token.expose()),
        refresh_token_digest: &token_digest::of(&app.keys, refresh_token.expose().as_bytes()),
        access_token_sealed: &seal(ACCESS_TOKEN, new.grant.access_token.expose()),
        access_token_expires_at: new.grant.access_token_expires_at,
        choices,
        environment: new.environment.filter(|_| organization_id.is_none()),
        consented_at,
        // As if nobody used it: who does makes it due before its access token ends.
        refresh_at: now + refresh::idle_pause(),
        refresh_at_in_use: new.grant.access_token_expires_at - refresh::early(),
    };
    connection::upsert(&mut *tx, &row, now).await?;
    let event = |event_type| Event::of_connection(event_type, tenant_id, connection_id);
    if organization_id.is_some() {
        let event_type = if needed_reconnect { EventType::ConnectionRecovered } else { EventType::ConnectionConnected };
        event::insert(&mut *tx, event(event_type), now).await?;
    }
    if let Some(person_id) = person_id {
        let used = if new.person_is_new {
            1
        } else {
            connection::count_refresh_tokens(&mut *tx, person_id, &new.grant.client_id).await?
        };
        if used >= near_limit(&app.config) {
            revocation::update_person_due(&mut *tx, person_id, now).await?;
            connection::budget_watch::upsert(&mut *tx, person_id, &new.grant.client_id, new.data_centre, now).await?;
            let limit = app.config.refresh_tokens_per_person;
            let warning =
                event(EventType::BudgetWarning).with("refresh_tokens", json!({ "used": used, "limit": limit }));
            event::insert(&mut *tx, warning, now).await?;
        }
    }
    Ok(Deposited { connection_id, existed, had_same_token })
}

/// What the connection held until now.
enum Before {
    Nothing,
    Same,
    /// Or one that does not open: should it be the same, that is found out when it is to be revoked.
    Another(Vec<u8>),
}

fn before(app: &App, new: &Deposit<'_>, held: &Held, token: &RefreshToken) -> Before {
    let Some(sealed) = &held.refresh_token_sealed else { return Before::Nothing };
    let place = Place::column(REFRESH_TOKEN, new.tenant_id, held.connection_id);
    match app.keys.open_text(&place, sealed) {
        Ok(known) if known.as_bytes().ct_eq(token.expose().as_bytes()).into() => Before::Same,
        Ok(_) | Err(_) => Before::Another(sealed.clone()),
    }
}

async fn supersede(
    tx: &mut Connection,
    new: &Deposit<'_>,
    held: Held,
    token_sealed: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let revocation = NewRevocation {
        revocation_id: RevocationId::new(),
        tenant_id: Some(new.tenant_id),
        connection_id: Some(held.connection_id),
        person_id: new.person_id,
        client_id: held.client_id,
        data_centre: new.data_centre,
        reason: Reason::Superseded,
        token_sealed,
        sealed_as: Place::column(REFRESH_TOKEN, new.tenant_id, held.connection_id).as_text().to_owned(),
        granted_at: held.consented_at,
        due_at: now + GRACE,
    };
    revocation::insert(&mut *tx, &revocation, now).await
}

/// What a reconnect came back with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Matches {
    SameOrganization,
    /// The connection has none yet: the choice goes on.
    Unchosen,
    Another,
}

/// Whether a grant is of the organization and environment the connection stands for. Where Zoho
/// cannot tell, the person's word from before counts.
pub(crate) async fn matches(
    tx: &mut Connection,
    tenant_id: TenantId,
    connection_id: ConnectionId,
    environment: Option<Environment>,
    found: &[FoundOrganization],
) -> Result<Matches, StoreError> {
    let Some(connected) = connection::find_connected_organization(&mut *tx, tenant_id, connection_id).await? else {
        return Ok(Matches::Unchosen);
    };
    let same_id = found.is_empty() || found.iter().any(|organization| organization.id == connected.zoho_id);
    let same_environment = environment.is_none_or(|environment| environment == connected.environment);
    Ok(if same_id && same_environment { Matches::SameOrganization } else { Matches::Another })
}
