//! `/tenants/{tenant}/organizations`: every Zoho organization that is connected to a tenant, and what will go wrong next.

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
    store::{
        connection::{
            ConnectedOrganization,
            budget_watch::{Near, list_near},
        },
        organization::of_tenant::{Addressed, Listed, count, list},
    },
    vault::deposit::near_limit,
};

#[derive(Template)]
#[template(path = "organizations.html")]
pub(crate) struct OrganizationsPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    pub(crate) controls: Controls,
    pub(crate) rows: Vec<OrganizationRow>,
    /// The address of the next page.
    pub(crate) next: Option<String>,
}

pub(crate) struct OrganizationRow {
    /// Ours, which its connections are listed by.
    pub(crate) id: String,
    pub(crate) organization: Organization,
    pub(crate) product: &'static str,
    pub(crate) data_centre: &'static str,
    pub(crate) people: i32,
    pub(crate) trouble: Trouble,
    pub(crate) ahead: Ahead,
    pub(crate) rights: Rights,
    pub(crate) connected_at: Moment,
    pub(crate) last_used_at: Option<Moment>,
}

const NOUN: &str = "console.organizations";

impl OrganizationRow {
    fn of(app: &App, listed: &Listed, near: &Near, now: DateTime<Utc>) -> Self {
        Self {
            id: listed.organization_id.to_string(),
            organization: Organization::of(&ConnectedOrganization {
                zoho_id: listed.zoho_id.clone(),
                name: listed.name.clone(),
                environment: listed.environment,
            }),
            product: listed.product.key(),
            data_centre: listed.data_centre.key(),
            people: listed.people,
            trouble: listed.trouble,
            ahead: Ahead::of(
                app,
                listed.trouble,
                (listed.retry_at, listed.access_token_expires_at),
                near.of(listed.organization_id),
            ),
            rights: Rights::of(&listed.scopes_granted),
            connected_at: Moment::new(listed.connected_at, now),
            last_used_at: listed.last_used_at.map(|at| Moment::new(at, now)),
        }
    }
}

/// `GET /tenants/{tenant}/organizations`
pub(crate) async fn get_organizations(
    app: web::Data<App>,
    admin: TenantAdmin,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant_id = admin.tenant.tenant_id;
    let of = List { noun: NOUN, tenant_id };
    let asked = Asked::read(&app, of, request.query_string())?;
    let (now, path) = (app.clock.shared_now(), admin.path("organizations"));
    let mut tx = app.pools.begin_as_tenant(tenant_id).await?;
    let limit = i64::from(PAGE) + 1;
    let addressed = Addressed::find(&mut tx, tenant_id, &asked.narrowed).await?;
    let mut listed =
        list(&mut tx, tenant_id, &asked.narrowed, &addressed, asked.order, asked.after.as_ref(), limit).await?;
    let counted = match asked.count_of(listed.len()) {
        Some(counted) => counted,
        None => count(&mut tx, tenant_id, &asked.narrowed, &addressed).await?.or_these(listed.len()),
    };
    tx.commit().await?;
    let next = asked.cut(&app, of, &path, &mut listed, Listed::position);
    let ids: Vec<_> = listed.iter().map(|listed| listed.organization_id.into()).collect();
    let near = list_near(app.pools.engine(), tenant_id, &ids, near_limit(&app.config)).await?;
    let page = OrganizationsPage {
        shell: admin.shell(&app, Place::Organizations),
        slug: admin.tenant.tenant_slug.clone(),
        tenant: Label::new(&admin.tenant.tenant_name),
        controls: asked.controls(&path, counted),
        rows: listed.iter().map(|listed| OrganizationRow::of(&app, listed, &near, now)).collect(),
        next,
    };
    Ok(page::respond(StatusCode::OK, &page)?)
}

const COLUMNS: [&str; 11] = [
    "organization_id",
    "name",
    "environment",
    "data_centre",
    "product",
    "people",
    "status",
    "scopes",
    "connected_at",
    "last_used_at",
    "waits_until",
];

/// `GET /tenants/{tenant}/organizations/csv`: all that the filters leave, whatever the page.
pub(crate) async fn get_organizations_csv(
    app: web::Data<App>,
    admin: TenantAdmin,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant_id = admin.tenant.tenant_id;
    let asked = Asked::read(&app, List { noun: NOUN, tenant_id }, request.query_string())?;
    Ok(csv::respond("organizations", csv::line(&COLUMNS), None, move |after| {
        let (app, narrowed, order) = (app.clone(), asked.narrowed.clone(), asked.order);
        async move {
            let mut tx = app.pools.begin_as_tenant(tenant_id).await?;
            let addressed = Addressed::find(&mut tx, tenant_id, &narrowed).await?;
            let listed =
                list(&mut tx, tenant_id, &narrowed, &addressed, order, after.as_ref(), i64::from(PIECE)).await?;
            tx.commit().await?;
            let goes_on = if listed.len() == usize::from(PIECE) { listed.last().map(Listed::position) } else { None };
            Ok((listed.iter().map(csv_line).collect(), goes_on.map(Some)))
        }
    }))
}

fn csv_line(listed: &Listed) -> String {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    csv::line(&[
        listed.zoho_id.to_string(),
        listed.name.clone(),
        listed.environment.key().to_owned(),
        listed.data_centre.key().to_owned(),
        listed.product.key().to_owned(),
        listed.people.to_string(),
        listed.trouble.key().to_owned(),
        listed.scopes_granted.join(" "),
        time(listed.connected_at),
        listed.last_used_at.map(time).unwrap_or_default(),
        listed.retry_at.map(time).unwrap_or_default(),
    ])
}

#[cfg(test)]
impl OrganizationsPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::page::tests;

        const PATH: &str = "/tenants/acme-3f9c1a/organizations";
        let row = |organization, trouble, until| OrganizationRow {
            id: "019aa3f2-7c1e-7d10-9b2f-000000000002".to_owned(),
            organization,
            product: "desk",
            data_centre: "eu",
            people: 12,
            trouble,
            ahead: Ahead { until, ..Ahead::NOTHING },
            rights: Rights::of(&["Desk.basic.READ".to_owned(), "Desk.tickets.READ".to_owned()]),
            connected_at: tests::moment(-86_400 * 40),
            last_used_at: Some(tests::moment(-120)),
        };
        let page = |tenant: &str, controls, rows| Self {
            shell: Shell::console(tenant, Place::Organizations),
            slug: "acme-3f9c1a".to_owned(),
            tenant: tenant.into(),
            controls,
            rows,
            next: None,
        };
        let every = Trouble::ALL.into_iter().map(|trouble| {
            let until = (trouble == Trouble::Throttled).then(|| tests::moment(540));
            row(Organization::sample(), trouble, until)
        });
        let worst = vec![
            row(Organization::worst(), Trouble::NeedsReconnect, None),
            OrganizationRow {
                people: 1,
                last_used_at: None,
                rights: Rights::of(&[]),
                ..row(Organization::endless(), Trouble::Throttled, None)
            },
            OrganizationRow {
                ahead: Ahead {
                    until: Some(tests::moment(540)),
                    ends: Some(tests::moment(1800)),
                    budget: Some((20, 20)),
                },
                ..row(Organization::nameless(), Trouble::Throttled, None)
            },
        ];
        let many = Self {
            next: Some(format!("{PATH}?cursor=abc")),
            ..page("Acme", Controls::sample(PATH, 5000), every.collect())
        };
        vec![
            ("typical", many),
            ("few", page("Acme", Controls::sample(PATH, 1), vec![row(Organization::nameless(), Trouble::None, None)])),
            ("empty", page("Acme", Controls::sample(PATH, 0), Vec::new())),
            ("nothing-found", page("Acme", Controls::narrowed(PATH, "zyl"), Vec::new())),
            ("worst", page(tests::ENDLESS, Controls::narrowed(PATH, tests::HOSTILE), worst)),
        ]
    }
}
