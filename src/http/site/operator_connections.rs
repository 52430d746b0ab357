//! `/operator/connections`: connections of all tenants, trouble first: what operators see of them is their state.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use chrono::{DateTime, Utc};
use url::form_urlencoded::Serializer;

use super::{
    console_list::{Choice, PAGE},
    parts::Organization,
};
use crate::{
    app::App,
    domain::{data_centre::DataCentre, members::plain, product::Product, text, trouble::Trouble},
    http::{
        api::{cursor, parameters::Parameters},
        operator::Operator,
        page::{self, Label, Moment, Place, Shell},
        problem::Problem,
    },
    store::{
        operator::connections::{Listed, MOST_FOUND, Narrowed, Position, list, search},
        tenant,
    },
};

#[derive(Template)]
#[template(path = "operator_connections.html")]
pub(crate) struct OperatorConnectionsPage {
    pub(crate) shell: Shell,
    pub(crate) controls: Controls,
    /// No tenant is called so.
    pub(crate) is_tenant_unknown: bool,
    pub(crate) rows: Vec<ConnectionRow>,
    /// There may be more, which a longer search would find.
    pub(crate) is_cut: bool,
    pub(crate) first: Option<String>,
    pub(crate) next: Option<String>,
}

/// The filter bar.
pub(crate) struct Controls {
    /// As it was typed.
    pub(crate) tenant: String,
    pub(crate) search: String,
    pub(crate) products: Vec<Choice>,
    pub(crate) data_centres: Vec<Choice>,
    pub(crate) troubles: Vec<Choice>,
    pub(crate) is_narrowed: bool,
}

pub(crate) struct ConnectionRow {
    pub(crate) id: String,
    pub(crate) tenant: Label,
    pub(crate) slug: String,
    pub(crate) product: &'static str,
    /// None while it is to be chosen.
    pub(crate) organization: Option<Organization>,
    pub(crate) data_centre: &'static str,
    /// Name and address; absent where an imported token does not tell.
    pub(crate) person: Option<(Label, Label)>,
    pub(crate) trouble: Trouble,
    pub(crate) until: Option<Moment>,
    pub(crate) connected_at: Moment,
    pub(crate) last_used_at: Option<Moment>,
}

impl ConnectionRow {
    fn of(listed: &Listed, now: DateTime<Utc>) -> Self {
        let person = listed.person_name.as_deref().zip(listed.person_email.as_deref());
        Self {
            id: listed.connection_id.to_string(),
            tenant: Label::new(&listed.tenant_name),
            slug: listed.tenant_slug.clone(),
            product: listed.product.key(),
            organization: listed.organization.as_ref().map(Organization::of),
            data_centre: listed.data_centre.key(),
            person: person.map(|(name, email)| (Label::new(name), Label::new(email))),
            trouble: listed.trouble,
            until: listed.retry_at.filter(|at| *at > now).map(|at| Moment::new(at, now)),
            connected_at: Moment::new(listed.connected_at, now),
            last_used_at: listed.last_used_at.map(|at| Moment::new(at, now)),
        }
    }
}

const PATH: &str = "/operator/connections";

/// A list as its address asks for it.
#[derive(Debug, Default)]
struct Asked {
    tenant: Option<String>,
    narrowed: Narrowed,
    after: Option<Position>,
}

impl Asked {
    /// What is unknown, doubled or altered is refused (security.md S-40).
    fn read(app: &App, query: &str) -> Result<Self, Problem> {
        let mut parameters = Parameters::read(query);
        let unknown = "is not known";
        let tenant = parameters.take_filled("tenant", plain);
        let narrowed = Narrowed {
            tenant_id: None,
            product: parameters.take_filled("product", str::parse::<Product>),
            data_centre: parameters.take_filled("data_centre", str::parse::<DataCentre>),
            trouble: parameters.take_filled("status", |key| Trouble::from_key(key).ok_or(unknown)),
            prefix: parameters
                .take_filled("search", |typed| Ok::<_, &str>(text::clean(typed)))
                .filter(|typed| !typed.is_empty()),
        };
        let asked = Self { tenant, narrowed, after: None };
        let after =
            parameters.take_filled("cursor", |cursor| asked.list().open(&app.keys, cursor, cursor::pair::<i16, _>));
        parameters.finish()?;
        Ok(Self { after, ..asked })
    }

    fn controls(&self) -> Controls {
        let Narrowed { product, data_centre, trouble, prefix, .. } = &self.narrowed;
        let choices = |keys: &[&'static str], chosen: Option<&'static str>| {
            keys.iter().map(|key| Choice { key, is_chosen: Some(*key) == chosen }).collect()
        };
        Controls {
            tenant: self.tenant.clone().unwrap_or_default(),
            search: prefix.clone().unwrap_or_default(),
            products: choices(&Product::ALL.map(Product::key), product.map(Product::key)),
            data_centres: choices(&DataCentre::ALL.map(DataCentre::key), data_centre.map(DataCentre::key)),
            troubles: choices(&Trouble::ALL.map(Trouble::key), trouble.map(Trouble::key)),
            is_narrowed: self.tenant.is_some() || self.narrowed != Narrowed::default(),
        }
    }

    fn list(&self) -> cursor::List {
        cursor::List::new("operator.connections", None, &format!("{:?} {:?}", self.tenant, self.narrowed))
    }

    fn address(&self, cursor: Option<&str>) -> String {
        let Narrowed { product, data_centre, trouble, prefix, .. } = &self.narrowed;
        let pairs = [
            ("tenant", self.tenant.as_deref()),
            ("search", prefix.as_deref()),
            ("product", product.map(Product::key)),
            ("data_centre", data_centre.map(DataCentre::key)),
            ("status", trouble.map(Trouble::key)),
            ("cursor", cursor),
        ];
        let given = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let query = Serializer::new(String::new()).extend_pairs(given).finish();
        if query.is_empty() { PATH.to_owned() } else { format!("{PATH}?{query}") }
    }
}

/// `GET /operator/connections`
pub(crate) async fn get_connections(
    app: web::Data<App>,
    operator: Operator,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::read(&app, request.query_string())?;
    let mut narrowed = asked.narrowed.clone();
    let mut tx = operator.look(&app, "connections").await?;
    let mut is_tenant_unknown = false;
    if let Some(tenant) = &asked.tenant {
        narrowed.tenant_id = tenant::find_by_any_name(&mut *tx, tenant).await?;
        is_tenant_unknown = narrowed.tenant_id.is_none();
    }
    let mut listed = match (&narrowed.prefix, narrowed.tenant_id) {
        _ if is_tenant_unknown => Vec::new(),
        (Some(prefix), None) => search(&mut tx, &narrowed, prefix).await?,
        _ => list(&mut tx, &narrowed, asked.after, i64::from(PAGE) + 1).await?,
    };
    tx.commit().await?;
    // A search in all tenants has one page.
    let is_search = narrowed.prefix.is_some() && narrowed.tenant_id.is_none();
    let has_more = !is_search && listed.len() > usize::from(PAGE);
    if has_more {
        listed.truncate(usize::from(PAGE));
    }
    let cursor = listed.last().filter(|_| has_more).map(Listed::position);
    let cursor = cursor.map(|(trouble, id)| asked.list().seal(&app.keys, &format!("{trouble} {id}")));
    let now = app.clock.shared_now();
    let page = OperatorConnectionsPage {
        shell: operator.shell(&app, Place::OperatorConnections),
        controls: asked.controls(),
        is_tenant_unknown,
        is_cut: is_search && i64::try_from(listed.len()).is_ok_and(|found| found >= MOST_FOUND),
        rows: listed.iter().map(|listed| ConnectionRow::of(listed, now)).collect(),
        first: asked.after.map(|_| asked.address(None)),
        next: cursor.map(|cursor| asked.address(Some(&cursor))),
    };
    Ok(page::respond(StatusCode::OK, &page)?)
}

#[cfg(test)]
impl OperatorConnectionsPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::page::tests;

        let row = |tenant: &str, organization, person: &str, trouble| ConnectionRow {
            id: "019aa3f2-7c1e-7d10-9b2f-000000000001".to_owned(),
            tenant: tenant.into(),
            slug: "acme-3f9c1a".to_owned(),
            product: "crm",
            organization,
            data_centre: "in",
            person: Some((person.into(), "ann@example.com".into())),
            trouble,
            until: (trouble == Trouble::Throttled).then(|| tests::moment(540)),
            connected_at: tests::moment(-86_400 * 3),
            last_used_at: Some(tests::moment(-60)),
        };
        let narrowed = |prefix: &str| Asked {
            narrowed: Narrowed { prefix: Some(prefix.to_owned()), ..Narrowed::default() },
            ..Asked::default()
        };
        let page = |asked: &Asked, rows| Self {
            shell: Shell::operator(Place::OperatorConnections),
            controls: asked.controls(),
            is_tenant_unknown: false,
            rows,
            is_cut: false,
            first: None,
            next: None,
        };
        let every = Trouble::ALL.into_iter().map(|trouble| {
            let organization = (trouble != Trouble::Choosing).then(Organization::sample);
            row("Acme", organization, "Ann Lindqvist", trouble)
        });
        let unknown = Asked { tenant: Some("nobody".to_owned()), ..Asked::default() };
        let imported = ConnectionRow {
            person: None,
            last_used_at: None,
            ..row("Acme", Some(Organization::nameless()), "", Trouble::None)
        };
        let worst = vec![
            row(tests::HOSTILE, Some(Organization::worst()), tests::HOSTILE, Trouble::Broken),
            row(tests::ENDLESS, Some(Organization::endless()), tests::ENDLESS, Trouble::NeedsReconnect),
        ];
        let next = Some(format!("{PATH}?cursor=abc"));
        vec![
            ("typical", Self { next, ..page(&Asked::default(), every.collect()) }),
            ("few", page(&Asked::default(), vec![imported])),
            ("empty", page(&Asked::default(), Vec::new())),
            ("no-such-tenant", Self { is_tenant_unknown: true, ..page(&unknown, Vec::new()) }),
            ("worst", Self { is_cut: true, ..page(&narrowed(tests::HOSTILE), worst) }),
        ]
    }
}
