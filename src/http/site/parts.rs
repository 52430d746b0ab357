//! What several pages say about a connection, as values: which organization, how it stands, how it fares.
//!
//! Products, environments, data centres, roles and scopes are carried by their keys (`zia_agents`, `sandbox`, `eu`, `owner`);
//! `templates/words.html` has the words for each.

use chrono::{DateTime, Utc};

use crate::{
    app::App,
    domain::{
        connection::{self as domain, ReconnectReason, Status},
        ids::ConnectionId,
    },
    http::page::{Label, Moment},
    store::{
        StoreError,
        connection::{self, ConnectedOrganization, Connection},
        person::Person,
    },
    vault::deposit::near_limit,
};

#[derive(Clone)]
pub(crate) struct Organization {
    /// None where the person only typed the id (Zia Agents).
    pub(crate) name: Option<Label>,
    pub(crate) id: String,
    /// `production`, `sandbox` or `developer`
    pub(crate) environment: &'static str,
}

/// The status of a connection, with its health where it has one.
#[derive(Clone, Copy)]
pub(crate) enum Standing {
    Active(Health),
    Choosing,
    NeedsReconnect(Reason),
    Disconnected,
}

impl Standing {
    pub(crate) fn is_active(self) -> bool {
        matches!(self, Self::Active(_))
    }

    /// Nothing more to say than that.
    pub(crate) fn is_well(self) -> bool {
        matches!(self, Self::Active(Health::Working))
    }

    pub(crate) fn is_disconnected(self) -> bool {
        matches!(self, Self::Disconnected)
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Reason {
    Revoked,
    Evicted,
}

#[derive(Clone, Copy)]
pub(crate) enum Health {
    Working,
    Throttled { until: Option<Moment> },
    Unavailable,
    Misconfigured,
    Unreadable,
}

/// The connection whose refresh token Zoho would delete for the next one: it keeps a number of them per person.
#[derive(Clone)]
pub(crate) struct AtStake {
    pub(crate) product: &'static str,
    pub(crate) organization: Option<Organization>,
    pub(crate) tenant: Label,
}

/// How many refresh tokens of one person and data centre are in use.
#[derive(Clone, Copy)]
pub(crate) struct RefreshTokens {
    pub(crate) used: u32,
    pub(crate) limit: u32,
    /// Whether to warn already; where that begins is not for the page to say.
    pub(crate) near_limit: bool,
}

#[cfg(test)]
impl Organization {
    pub(crate) fn sample() -> Self {
        Self { name: Some("Zylker".into()), id: "77000000".to_owned(), environment: "production" }
    }

    pub(crate) fn worst() -> Self {
        Self {
            name: Some(crate::http::page::tests::HOSTILE.into()),
            id: "9290000000150010007".to_owned(),
            environment: "developer",
        }
    }

    pub(crate) fn endless() -> Self {
        Self { name: Some(crate::http::page::tests::ENDLESS.into()), ..Self::worst() }
    }

    pub(crate) fn nameless() -> Self {
        Self { name: None, id: "60012345678".to_owned(), environment: "sandbox" }
    }
}

impl Organization {
    pub(crate) fn of(organization: &ConnectedOrganization) -> Self {
        let id = organization.zoho_id.to_string();
        Self {
            name: Some(Label::new(&organization.name)).filter(|_| organization.name != id),
            id,
            environment: organization.environment.key(),
        }
    }
}

impl Reason {
    pub(crate) fn of(reason: ReconnectReason) -> Self {
        match reason {
            ReconnectReason::Revoked => Self::Revoked,
            ReconnectReason::Evicted => Self::Evicted,
        }
    }
}

impl Standing {
    pub(crate) fn of(connection: &Connection, now: DateTime<Utc>) -> Self {
        match connection.status {
            Status::Choosing => Self::Choosing,
            Status::NeedsReconnect(reason) => Self::NeedsReconnect(Reason::of(reason)),
            Status::Disconnected => Self::Disconnected,
            Status::Active => Self::Active(match connection.health {
                domain::Health::Ok => Health::Working,
                domain::Health::Throttled => Health::Throttled {
                    until: connection.retry_at.filter(|at| *at > now).map(|at| Moment::new(at, now)),
                },
                domain::Health::Unavailable => Health::Unavailable,
                domain::Health::Misconfigured => Health::Misconfigured,
                domain::Health::Unreadable => Health::Unreadable,
            }),
        }
    }
}

impl RefreshTokens {
    /// Of the person's tokens of one client, ours or another; those alone share a budget.
    pub(crate) async fn of(app: &App, person: &Person, client_id: &str) -> Result<Self, StoreError> {
        let known = connection::count_refresh_tokens(app.pools.engine(), person.person_id, client_id).await?;
        let limit = app.config.refresh_tokens_per_person;
        Ok(Self {
            // Beyond the limit Zoho has deleted the oldest, whether we have noticed or not.
            used: u32::try_from(known).unwrap_or(u32::MAX).min(limit),
            limit,
            near_limit: known >= near_limit(&app.config),
        })
    }
}

impl AtStake {
    /// What the next consent to our client would cost, if it would cost anything.
    pub(crate) async fn of(app: &App, person: &Person) -> Result<Option<(ConnectionId, Self)>, StoreError> {
        let client_id = app.config.zoho.client_id(person.data_centre);
        let most = i64::from(app.config.refresh_tokens_per_person);
        let (db, person_id) = (app.pools.engine(), person.person_id);
        let at_stake = connection::find_at_stake(db, person_id, client_id, most).await?;
        let Some(connection_id) = at_stake else { return Ok(None) };
        let connections = connection::list_of_person(db, person_id, Some(connection_id)).await?;
        Ok(connections.into_iter().next().map(|connection| {
            let stake = Self {
                product: connection.product.key(),
                organization: connection.organization.as_ref().map(Organization::of),
                tenant: Label::new(&connection.tenant_name),
            };
            (connection_id, stake)
        }))
    }
}
