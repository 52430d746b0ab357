//! What the address of the list asks for, and the form that changes it.

use url::form_urlencoded::Serializer;

use crate::{
    app::App,
    domain::{ids::TenantId, onboarding::LinkState},
    http::{
        api::{cursor, parameters::Parameters},
        problem::Problem,
        site::console_list::{Choice, PAGE},
    },
    store::onboarding_link::listed::{ListedLink, Position},
};

/// The list as its address asks for it.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) state: Option<LinkState>,
    pub(super) after: Option<Position>,
}

impl Asked {
    /// What is unknown, doubled or altered is refused (security.md S-40).
    pub(super) fn read(app: &App, tenant_id: TenantId, query: &str) -> Result<Self, Problem> {
        let mut parameters = Parameters::read(query);
        let asked = Self { state: parameters.take_filled("state", str::parse::<LinkState>), after: None };
        let after = parameters
            .take_filled("cursor", |cursor| asked.list(tenant_id).open(&app.keys, cursor, Position::from_text));
        parameters.finish()?;
        Ok(Self { after, ..asked })
    }

    fn list(&self, tenant_id: TenantId) -> cursor::List {
        cursor::List::new("console.onboarding_links", Some(tenant_id), &format!("{:?}", self.state))
    }

    fn at(&self, path: &str, cursor: Option<&str>) -> String {
        let pairs = [("state", self.state.map(LinkState::key)), ("cursor", cursor)];
        let given = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let query = Serializer::new(String::new()).extend_pairs(given).finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    /// Cuts the page out of rows of which one more was asked for; tells the address of the next.
    pub(super) fn cut(&self, app: &App, tenant_id: TenantId, path: &str, rows: &mut Vec<ListedLink>) -> Option<String> {
        let has_more = rows.len() > usize::from(PAGE);
        rows.truncate(usize::from(PAGE));
        let last = rows.last().filter(|_| has_more)?;
        let cursor = self.list(tenant_id).seal(&app.keys, &last.position().to_text());
        Some(self.at(path, Some(&cursor)))
    }

    pub(super) fn controls(&self, path: &str) -> Controls {
        let choice = |(state, key)| Choice { key, is_chosen: self.state == Some(state) };
        Controls {
            path: path.to_owned(),
            states: LinkState::KEYS.map(choice).into(),
            is_narrowed: self.state.is_some(),
            first: self.after.is_some().then(|| self.at(path, None)),
        }
    }
}

/// The filter bar.
pub(crate) struct Controls {
    pub(crate) path: String,
    pub(crate) states: Vec<Choice>,
    pub(crate) is_narrowed: bool,
    /// Where the list begins, unless this is there.
    pub(crate) first: Option<String>,
}

#[cfg(test)]
impl Controls {
    pub(super) fn sample(state: Option<LinkState>) -> Self {
        Asked { state, after: None }.controls("/tenants/acme-3f9c1a/onboarding-links")
    }
}
