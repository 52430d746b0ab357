//! What administrators and operators see of anybody's connection: how it fares, who used it with which key, and what has
//! happened since the consent. Read in a transaction of whoever may see it.

use chrono::TimeDelta;

use super::{
    connection::{
        HistoryEntry, Receipt, ScopeLine, ScopeStanding, SomebodyAtZoho, Tested, TokenLife, just_tested, scope_lines,
    },
    parts::{Organization, RefreshTokens, Standing},
    plot::Plot,
};
use crate::{
    app::App,
    http::page::{Label, Moment},
    store::{StoreError, audit_event, connection::Connection, person::Person, token_vend, tx::Tx},
};

/// Days that the plots go back.
const DAYS: i32 = 14;

pub(crate) struct SeenConnection {
    pub(crate) id: String,
    pub(crate) product: &'static str,
    pub(crate) organization: Option<Organization>,
    pub(crate) data_centre: &'static str,
    /// Absent where an imported token does not tell.
    pub(crate) person: Option<SomebodyAtZoho>,
    pub(crate) standing: Standing,
    pub(crate) scopes: Vec<ScopeLine>,
    pub(crate) connected_at: Moment,
    pub(crate) last_refreshed_at: Option<Moment>,
    pub(crate) last_used_at: Option<Moment>,
    pub(crate) token: Option<TokenLife>,
    /// Of its person, for the client that it belongs to.
    pub(crate) refresh_tokens: Option<RefreshTokens>,
    pub(crate) receipt: Option<Receipt>,
    pub(crate) tested: Option<Tested>,
    pub(crate) history: Vec<HistoryEntry>,
    /// Since when it stands as it does.
    pub(crate) since: Option<Moment>,
    /// When trouble began last.
    pub(crate) failure: Option<Failure>,
    /// Who used it in these days, the latest first.
    pub(crate) keys: Vec<KeyUse>,
    pub(crate) uses: Plot,
    pub(crate) refreshes: Plot,
    pub(crate) failures: Plot,
}

pub(crate) struct Failure {
    /// A word of ours: `throttled`, `evicted` and so on.
    pub(crate) class: String,
    pub(crate) at: Moment,
}

pub(crate) struct KeyUse {
    pub(crate) id: String,
    /// Absent for a key of the whole installation, or one that is gone.
    pub(crate) name: Option<Label>,
    pub(crate) vends: i64,
    pub(crate) calls: i64,
    pub(crate) last_at: Moment,
}

/// What makes a connection stand as it does.
const TURNS: [&str; 7] = [
    "connected",
    "reconnected",
    "organization_chosen",
    "recovered",
    "refresh_failed",
    "needs_reconnect",
    "disconnected",
];

impl SeenConnection {
    pub(crate) fn is_missing_scopes(&self) -> bool {
        self.scopes.iter().any(|line| line.standing == ScopeStanding::Missing)
    }

    pub(crate) async fn read(
        app: &App,
        tx: &mut Tx,
        connection: &Connection,
        person: Option<&Person>,
    ) -> Result<Self, StoreError> {
        let now = app.clock.shared_now();
        let (tenant_id, connection_id) = (connection.tenant_id, connection.connection_id);
        let from = now - TimeDelta::days(i64::from(DAYS));
        let history = audit_event::list_of_connection(&mut **tx, tenant_id, connection_id).await?;
        let keys = token_vend::list_by_key(&mut **tx, tenant_id, connection_id, from).await?;
        let days = token_vend::count_by_day(&mut **tx, tenant_id, connection_id, now, DAYS).await?;
        let receipt = Receipt::find(app, connection, now).await?;
        let refresh_tokens = match person {
            Some(person) => Some(RefreshTokens::of(app, person, &connection.client_id).await?),
            None => None,
        };
        let plot = |of: fn(&token_vend::Day) -> i64| Plot::of(&days.iter().map(of).collect::<Vec<_>>(), now);
        let failure =
            history.iter().find(|entry| matches!(entry.action.as_str(), "refresh_failed" | "needs_reconnect"));
        let turn = history.iter().find(|entry| TURNS.contains(&entry.action.as_str()));
        Ok(Self {
            id: connection_id.to_string(),
            product: connection.product.key(),
            organization: connection.organization.as_ref().map(Organization::of),
            data_centre: connection.data_centre.key(),
            person: person.map(SomebodyAtZoho::of),
            standing: Standing::of(connection, now),
            scopes: scope_lines(&connection.scopes_requested, &connection.scopes_granted),
            connected_at: Moment::new(connection.connected_at, now),
            last_refreshed_at: connection.last_refreshed_at.map(|at| Moment::new(at, now)),
            last_used_at: connection.last_used_at.map(|at| Moment::new(at, now)),
            token: TokenLife::of(connection, now),
            refresh_tokens,
            receipt,
            tested: just_tested(&history, now),
            since: turn.map(|entry| Moment::new(entry.at, now)),
            failure: failure.map(|entry| Failure { class: entry.outcome.clone(), at: Moment::new(entry.at, now) }),
            history: history.iter().filter_map(|entry| HistoryEntry::of(entry, now)).collect(),
            keys: keys
                .into_iter()
                .map(|key| KeyUse {
                    id: key.api_key_id,
                    name: key.name.as_deref().map(Label::new),
                    vends: key.vends,
                    calls: key.calls,
                    last_at: Moment::new(key.last_at, now),
                })
                .collect(),
            uses: plot(|day| day.uses),
            refreshes: plot(|day| day.refreshes),
            failures: plot(|day| day.failures),
        })
    }
}

#[cfg(test)]
mod samples;
