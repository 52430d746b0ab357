//! `/tenants/{tenant}/connections`: every connection of a tenant, whosoever it is, trouble first.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use askama::Template;
use chrono::{DateTime, SecondsFormat, Utc};

use super::{
    console_list::{Ahead, Asked, Controls, List, PAGE, PIECE, Rights},
    csv,
    parts::Organization,
};
use crate::{
    app::App,
    domain::trouble::Trouble,
    http::{
        page::{self, Label, Moment, Place, Shell},
        problem::Problem,
        tenant::TenantAdmin,
    },
    store::connection::{
        budget_watch::{Near, list_near},
        of_tenant::{Listed, count, list},
    },
    vault::deposit::near_limit,
};

#[derive(Template)]
#[template(path = "tenant_connections.html")]
pub(crate) struct TenantConnectionsPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    pub(crate) controls: Controls,
    pub(crate) rows: Vec<ConnectionRow>,
    pub(crate) next: Option<String>,
}

pub(crate) struct ConnectionRow {
    pub(crate) id: String,
    pub(crate) product: &'static str,
    /// None while it is to be chosen.
    pub(crate) organization: Option<Organization>,
    pub(crate) data_centre: &'static str,
    /// Name and address; absent where an imported token does not tell.
    pub(crate) person: Option<(Label, Label)>,
    pub(crate) trouble: Trouble,
    pub(crate) ahead: Ahead,
    pub(crate) rights: Rights,
    pub(crate) connected_at: Moment,
    pub(crate) last_used_at: Option<Moment>,
}

const NOUN: &str = "console.connections";

impl ConnectionRow {
    fn of(app: &App, listed: &Listed, near: &Near, now: DateTime<Utc>) -> Self {
        let person = listed.person_name.as_deref().zip(listed.person_email.as_deref());
        Self {
            id: listed.connection_id.to_string(),
            product: listed.product.key(),
            organization: listed.organization.as_ref().map(Organization::of),
            data_centre: listed.data_centre.key(),
            person: person.map(|(name, email)| (Label::new(name), Label::new(email))),
            trouble: listed.trouble,
            ahead: Ahead::of(
                app,
                listed.trouble,
                (listed.retry_at, listed.access_token_expires_at),
                near.of(listed.connection_id),
            ),
            rights: Rights::of(&listed.scopes_granted),
            connected_at: Moment::new(listed.connected_at, now),
            last_used_at: listed.last_used_at.map(|at| Moment::new(at, now)),
        }
    }
}

/// `GET /tenants/{tenant}/connections`
pub(crate) async fn get_connections(
    app: web::Data<App>,
    admin: TenantAdmin,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant_id = admin.tenant.tenant_id;
    let of = List { noun: NOUN, tenant_id };
    let asked = Asked::read(&app, of, request.query_string())?;
    let (now, path) = (app.clock.shared_now(), admin.path("connections"));
    let mut tx = app.pools.begin_as_tenant(tenant_id).await?;
    let limit = i64::from(PAGE) + 1;
    let mut listed = list(&mut tx, tenant_id, &asked.narrowed, asked.order, asked.after.as_ref(), limit).await?;
    let counted = match asked.count_of(listed.len()) {
        Some(counted) => counted,
        None => count(&mut tx, tenant_id, &asked.narrowed).await?,
    };
    tx.commit().await?;
    let next = asked.cut(&app, of, &path, &mut listed, Listed::position);
    let ids: Vec<_> = listed.iter().map(|listed| listed.connection_id.into()).collect();
    let near = list_near(app.pools.engine(), tenant_id, &ids, near_limit(&app.config)).await?;
    let page = TenantConnectionsPage {
        shell: admin.shell(&app, Place::TenantConnections),
        slug: admin.tenant.tenant_slug.clone(),
        tenant: Label::new(&admin.tenant.tenant_name),
        controls: asked.controls(&path, counted),
        rows: listed.iter().map(|listed| ConnectionRow::of(&app, listed, &near, now)).collect(),
        next,
    };
    Ok(page::respond(StatusCode::OK, &page)?)
}

const COLUMNS: [&str; 12] = [
    "connection_id",
    "product",
    "organization_id",
    "organization",
    "environment",
    "data_centre",
    "person",
    "email",
    "status",
    "scopes",
    "connected_at",
    "last_used_at",
];

/// `GET /tenants/{tenant}/connections/csv`: all that the filters leave, whatever the page.
pub(crate) async fn get_connections_csv(
    app: web::Data<App>,
    admin: TenantAdmin,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant_id = admin.tenant.tenant_id;
    let asked = Asked::read(&app, List { noun: NOUN, tenant_id }, request.query_string())?;
    Ok(csv::respond("connections", csv::line(&COLUMNS), None, move |after| {
        let (app, narrowed, order) = (app.clone(), asked.narrowed.clone(), asked.order);
        async move {
            let mut tx = app.pools.begin_as_tenant(tenant_id).await?;
            let listed = list(&mut tx, tenant_id, &narrowed, order, after.as_ref(), i64::from(PIECE)).await?;
            tx.commit().await?;
            let goes_on = if listed.len() == usize::from(PIECE) { listed.last().map(Listed::position) } else { None };
            Ok((listed.iter().map(csv_line).collect(), goes_on.map(Some)))
        }
    }))
}

fn csv_line(listed: &Listed) -> String {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let organization = listed.organization.as_ref();
    csv::line(&[
        listed.connection_id.to_string(),
        listed.product.key().to_owned(),
        organization.map(|organization| organization.zoho_id.to_string()).unwrap_or_default(),
        organization.map(|organization| organization.name.clone()).unwrap_or_default(),
        organization.map(|organization| organization.environment.key().to_owned()).unwrap_or_default(),
        listed.data_centre.key().to_owned(),
        listed.person_name.clone().unwrap_or_default(),
        listed.person_email.clone().unwrap_or_default(),
        listed.trouble.key().to_owned(),
        listed.scopes_granted.join(" "),
        time(listed.connected_at),
        listed.last_used_at.map(time).unwrap_or_default(),
    ])
}

#[cfg(test)]
impl TenantConnectionsPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::page::tests;

        const PATH: &str = "/tenants/acme-3f9c1a/connections";
        let row = |organization, person: &str, trouble| ConnectionRow {
            id: "019aa3f2-7c1e-7d10-9b2f-000000000001".to_owned(),
            product: "crm",
            organization,
            data_centre: "in",
            person: Some((person.into(), "ann@example.com".into())),
            trouble,
            ahead: Ahead::NOTHING,
            rights: Rights::of(&["ZohoCRM.modules.READ".to_owned()]),
            connected_at: tests::moment(-86_400 * 3),
            last_used_at: Some(tests::moment(-60)),
        };
        let page = |tenant: &str, controls, rows| Self {
            shell: Shell::console(tenant, Place::TenantConnections),
            slug: "acme-3f9c1a".to_owned(),
            tenant: tenant.into(),
            controls,
            rows,
            next: None,
        };
        let every = Trouble::ALL.into_iter().map(|trouble| {
            let organization = (trouble != Trouble::Choosing).then(Organization::sample);
            row(organization, "Ann Lindqvist", trouble)
        });
        let imported = ConnectionRow {
            person: None,
            last_used_at: None,
            ..row(Some(Organization::nameless()), "", Trouble::None)
        };
        let worst = vec![
            row(Some(Organization::worst()), tests::HOSTILE, Trouble::Broken),
            ConnectionRow {
                ahead: Ahead { budget: Some((17, 20)), ..Ahead::NOTHING },
                ..row(Some(Organization::endless()), tests::ENDLESS, Trouble::None)
            },
        ];
        vec![
            ("typical", page("Acme", Controls::sample(PATH, 8), every.collect())),
            ("few", page("Acme", Controls::sample(PATH, 1), vec![imported])),
            ("empty", page("Acme", Controls::sample(PATH, 0), Vec::new())),
            ("nothing-found", page("Acme", Controls::narrowed(PATH, "zyl"), Vec::new())),
            ("worst", page(tests::ENDLESS, Controls::narrowed(PATH, tests::HOSTILE), worst)),
        ]
    }
}
