//! What the console's lists have in common: filters, order and page in the address, and the form that changes them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use url::form_urlencoded::Serializer;

use crate::{
    app::App,
    domain::{
        data_centre::DataCentre,
        ids::{OrganizationId, TenantId},
        product::Product,
        text,
        trouble::Trouble,
    },
    http::{
        api::{cursor, parameters::Parameters},
        page::Moment,
        problem::Problem,
    },
    store::console_list::{Counted, Narrowed, Order, Position},
};

/// Rows of one page.
pub(crate) const PAGE: u16 = 50;
/// Rows that a table for spreadsheets reads at once.
pub(crate) const PIECE: u16 = 500;

/// A list as its address asks for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) narrowed: Narrowed,
    pub(crate) order: Order,
    pub(crate) after: Option<Position>,
}

/// Which list, of which tenant: a cursor counts for it alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    pub(crate) noun: &'static str,
    pub(crate) tenant_id: TenantId,
}

impl Asked {
    /// What is unknown, doubled or altered is refused (security.md S-40).
    pub(crate) fn read(app: &App, list: List, query: &str) -> Result<Self, Problem> {
        let mut parameters = Parameters::read(query);
        let unknown = "is not known";
        let narrowed = Narrowed {
            product: parameters.take_filled("product", str::parse::<Product>),
            data_centre: parameters.take_filled("data_centre", str::parse::<DataCentre>),
            trouble: parameters.take_filled("status", |key| Trouble::from_key(key).ok_or(unknown)),
            prefix: parameters
                .take_filled("search", |typed| Ok::<_, &str>(text::clean(typed)))
                .filter(|typed| !typed.is_empty()),
            organization_id: parameters.take_filled("organization", str::parse::<OrganizationId>),
        };
        let order = parameters.take_filled("sort", |key| Order::from_key(key).ok_or(unknown)).unwrap_or_default();
        let asked = Self { narrowed, order, after: None };
        let after =
            parameters.take_filled("cursor", |cursor| asked.list(list).open(&app.keys, cursor, Position::from_text));
        parameters.finish()?;
        Ok(Self { after, ..asked })
    }

    fn list(&self, list: List) -> cursor::List {
        let filters = format!("{:?} {:?}", self.narrowed, self.order);
        cursor::List::new(list.noun, Some(list.tenant_id), &filters)
    }

    /// The query that asks for the same, from its first page on.
    fn query(&self) -> String {
        let Narrowed { product, data_centre, trouble, prefix, organization_id } = &self.narrowed;
        let order = Some(self.order).filter(|order| *order != Order::default());
        let mut query = Serializer::new(String::new());
        let pairs = [
            ("search", prefix.clone()),
            ("product", product.map(|product| product.key().to_owned())),
            ("data_centre", data_centre.map(|data_centre| data_centre.key().to_owned())),
            ("status", trouble.map(|trouble| trouble.key().to_owned())),
            ("organization", organization_id.map(|id| id.to_string())),
            ("sort", order.map(|order| order.key().to_owned())),
        ];
        for (name, value) in pairs {
            if let Some(value) = value {
                query.append_pair(name, &value);
            }
        }
        query.finish()
    }

    fn at(path: &str, query: &str) -> String {
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    /// How many there are, where the rows that were read, of which one more was asked for, are all of them.
    pub(crate) fn count_of(&self, rows: usize) -> Option<Counted> {
        let is_whole = self.after.is_none() && rows <= usize::from(PAGE);
        i64::try_from(rows).ok().filter(|_| is_whole).map(Counted::of)
    }

    /// Cuts the page out of rows of which one more was asked for; tells the address of the next.
    pub(crate) fn cut<Row>(
        &self,
        app: &App,
        list: List,
        path: &str,
        rows: &mut Vec<Row>,
        position: impl Fn(&Row) -> Position,
    ) -> Option<String> {
        let has_more = rows.len() > usize::from(PAGE);
        rows.truncate(usize::from(PAGE));
        let last = rows.last().filter(|_| has_more)?;
        let cursor = self.list(list).seal(&app.keys, &position(last).to_text());
        let query = Serializer::new(self.query()).append_pair("cursor", &cursor).finish();
        Some(Self::at(path, query.trim_start_matches('&')))
    }

    pub(crate) fn controls(&self, path: &str, count: Counted) -> Controls {
        let Narrowed { product, data_centre, trouble, prefix, organization_id } = &self.narrowed;
        let choices = |keys: Vec<&'static str>, chosen: Option<&'static str>| {
            keys.into_iter().map(|key| Choice { key, is_chosen: Some(key) == chosen }).collect()
        };
        let troubles = Trouble::ALL.into_iter().map(Trouble::key);
        Controls {
            path: path.to_owned(),
            search: prefix.clone().unwrap_or_default(),
            products: choices(Product::ALL.map(Product::key).to_vec(), product.map(Product::key)),
            data_centres: choices(DataCentre::ALL.map(DataCentre::key).to_vec(), data_centre.map(DataCentre::key)),
            troubles: choices(troubles.collect(), trouble.map(Trouble::key)),
            orders: choices(Order::ALL.map(Order::key).to_vec(), Some(self.order.key())),
            organization: organization_id.map(|id| id.to_string()),
            is_narrowed: self.narrowed != Narrowed::default(),
            first: self.after.is_some().then(|| Self::at(path, &self.query())),
            csv: Self::at(&format!("{path}/csv"), &self.query()),
            count,
        }
    }
}

/// The filter bar.
pub(crate) struct Controls {
    pub(crate) path: String,
    pub(crate) search: String,
    pub(crate) products: Vec<Choice>,
    pub(crate) data_centres: Vec<Choice>,
    pub(crate) troubles: Vec<Choice>,
    pub(crate) orders: Vec<Choice>,
    /// The id of the organization whose connections these are.
    pub(crate) organization: Option<String>,
    pub(crate) is_narrowed: bool,
    /// Where the list begins, unless this is there.
    pub(crate) first: Option<String>,
    pub(crate) csv: String,
    pub(crate) count: Counted,
}

pub(crate) struct Choice {
    pub(crate) key: &'static str,
    pub(crate) is_chosen: bool,
}

/// What a row knows of the time ahead, beyond its trouble.
#[derive(Clone, Copy)]
pub(crate) struct Ahead {
    /// Until when Zoho is not asked again.
    pub(crate) until: Option<Moment>,
    /// When the access at hand ends, of what is waiting for the next.
    pub(crate) ends: Option<Moment>,
    /// Refresh tokens in use and their limit, near it.
    pub(crate) budget: Option<(i64, u32)>,
}

impl Ahead {
    pub(crate) fn of(
        app: &App,
        trouble: Trouble,
        (retry_at, expires_at): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
        tokens: Option<i64>,
    ) -> Self {
        let now = app.clock.shared_now();
        let ahead = |at: Option<DateTime<Utc>>| at.filter(|at| *at > now).map(|at| Moment::new(at, now));
        let waits = matches!(trouble, Trouble::Throttled | Trouble::Unavailable | Trouble::Broken);
        let limit = app.config.refresh_tokens_per_person;
        Self {
            until: ahead(retry_at),
            ends: ahead(expires_at.filter(|_| waits)),
            // Beyond the limit Zoho has deleted the oldest, whether we have noticed or not.
            budget: tokens.map(|tokens| (tokens.min(i64::from(limit)), limit)),
        }
    }
}

/// How many rights, and their names.
pub(crate) struct Rights(Vec<String>);

impl Rights {
    pub(crate) fn of(scopes: &[String]) -> Self {
        let mut told = BTreeSet::new();
        Self(scopes.iter().filter(|scope| told.insert(scope.to_ascii_lowercase())).cloned().collect())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn names(&self) -> String {
        self.0.join(", ")
    }
}

#[cfg(test)]
impl Ahead {
    pub(crate) const NOTHING: Self = Self { until: None, ends: None, budget: None };
}

#[cfg(test)]
impl Controls {
    pub(crate) fn sample(path: &str, known: i64) -> Self {
        Asked::default().controls(path, Counted::of(known))
    }

    pub(crate) fn narrowed(path: &str, search: &str) -> Self {
        let narrowed = Narrowed {
            prefix: Some(search.to_owned()),
            product: Some(Product::Desk),
            trouble: Some(Trouble::Throttled),
            ..Narrowed::default()
        };
        Asked { narrowed, order: Order::Name, after: None }.controls(path, Counted::of(0))
    }
}
