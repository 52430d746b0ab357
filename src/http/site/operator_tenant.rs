//! `/operator/tenants/{tenant}`: one customer as operators see it, and the invitation that gives it its first owner.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use chrono::{DateTime, Utc};

use super::onboarding_links::{Life, LinkForm, LinkProblem, LinkRequest, Made, link_id};
use crate::{
    app::App,
    domain::tenant::Standing,
    http::{
        answers,
        operator::{Operator, Ordered},
        page::{self, Label, Moment, Place, Shell},
        problem::Problem,
    },
    onboarding::{By, links::make},
    store::{
        StoreError,
        audit_event::Actor,
        console_list::Counted,
        operator::tenants::{Tenant, find_deletion},
        tx::Tx,
    },
};

#[derive(Template)]
#[template(path = "operator_tenant.html")]
pub(crate) struct OperatorTenantPage {
    pub(crate) shell: Shell,
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) name: Label,
    /// The SaaS's own id; absent where a person's sign-in made the tenant.
    pub(crate) external_id: Option<Label>,
    pub(crate) standing: Standing,
    pub(crate) connections: Counted,
    pub(crate) troubled: Counted,
    pub(crate) created_at: Moment,
    pub(crate) suspended_at: Option<Moment>,
    /// How far its deletion has come, where it is deleted.
    pub(crate) deletion: Option<DeletionReceipt>,
    pub(crate) made: Option<Made>,
    /// Absent where nobody can be invited.
    pub(crate) form: Option<LinkForm>,
}

/// What was ended, and what is still to be.
pub(crate) struct DeletionReceipt {
    pub(crate) began_at: Moment,
    /// When nothing was left.
    pub(crate) ended_at: Option<Moment>,
    pub(crate) tokens: i64,
    /// Tokens that are dead at Zoho for certain.
    pub(crate) dead: i64,
    /// Of these, how many Zoho did not know any more.
    pub(crate) unknown: i64,
    /// Tokens that a connection of another tenant lives by.
    pub(crate) shared: i64,
    pub(crate) keys: i64,
    pub(crate) links: i64,
}

impl DeletionReceipt {
    async fn of(tx: &mut Tx, tenant: &Tenant, now: DateTime<Utc>) -> Result<Option<Self>, StoreError> {
        let Some(began_at) = tenant.deleted_at else { return Ok(None) };
        let deletion = find_deletion(&mut **tx, tenant.tenant_id, began_at).await?;
        Ok(Some(Self {
            began_at: Moment::new(began_at, now),
            ended_at: tenant.erased_at.map(|at| Moment::new(at, now)),
            tokens: deletion.connections + deletion.asked - deletion.shared,
            dead: deletion.revoked + deletion.unknown,
            unknown: deletion.unknown,
            shared: deletion.shared,
            keys: deletion.keys,
            links: deletion.links,
        }))
    }
}

/// The address of the operators' page of a tenant.
pub(super) fn path(slug: &str) -> String {
    format!("/operator/tenants/{slug}")
}

impl OperatorTenantPage {
    /// What the form is made of: what was sent, and what is wrong with it.
    fn of(
        app: &App,
        operator: &Operator,
        tenant: &Tenant,
        made: Option<Made>,
        form: (&LinkRequest, Vec<LinkProblem>),
    ) -> Self {
        let now = app.clock.shared_now();
        let action = format!("{}/onboarding-links", path(&tenant.slug));
        Self {
            shell: operator.shell(app, Place::OperatorTenants),
            id: tenant.tenant_id.to_string(),
            slug: tenant.slug.clone(),
            name: Label::new(&tenant.name),
            external_id: tenant.external_id.as_deref().map(Label::new),
            standing: tenant.standing(),
            connections: Counted::of(tenant.connections),
            troubled: Counted::of(tenant.troubled),
            created_at: Moment::new(tenant.created_at, now),
            suspended_at: tenant.suspended_at.map(|at| Moment::new(at, now)),
            deletion: None,
            made,
            form: (tenant.standing() == Standing::Active).then(|| LinkForm::of(app, action, form.0, form.1)),
        }
    }
}

/// `GET /operator/tenants/{tenant}`
pub(crate) async fn get_tenant(
    app: web::Data<App>,
    operator: Operator,
    slug: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (mut tx, tenant) = operator.look_at(&app, "tenant", &slug).await?;
    let deletion = DeletionReceipt::of(&mut tx, &tenant, app.clock.shared_now()).await?;
    tx.commit().await?;
    let page = OperatorTenantPage::of(&app, &operator, &tenant, None, (&LinkRequest::default(), Vec::new()));
    let page = OperatorTenantPage { deletion, ..page };
    Ok(page::respond(StatusCode::OK, &page)?)
}

/// `POST /operator/tenants/{tenant}/onboarding-links`: answers with the address in place of a redirect, because nothing
/// keeps it that could be redirected to.
pub(crate) async fn post_onboarding_link(
    app: web::Data<App>,
    slug: web::Path<String>,
    Ordered(operator, request): Ordered<LinkRequest>,
) -> Result<HttpResponse, Problem> {
    operator.member.check(&request.form_token())?;
    let (tx, tenant) = operator.look_at(&app, "tenant", &slug).await?;
    tx.commit().await?;
    let wanted = match request.parse(&app) {
        Ok(wanted) => wanted,
        Err(problems) => {
            let page = OperatorTenantPage::of(&app, &operator, &tenant, None, (&request, problems));
            return Ok(answers::with_page(page::respond(StatusCode::BAD_REQUEST, &page)?));
        }
    };
    if tenant.standing() != Standing::Active {
        // Suspended since the form was shown: its page tells.
        let page = OperatorTenantPage::of(&app, &operator, &tenant, None, (&request, Vec::new()));
        return Ok(answers::with_page(page::respond(StatusCode::CONFLICT, &page)?));
    }
    let person_id = operator.member.person().person_id;
    let by = By {
        actor: Actor::Operator(person_id),
        request_id: Some(operator.member.request_id),
        peer: Some(operator.member.peer.clone()),
    };
    let tx = app.pools.begin_as_tenant(tenant.tenant_id).await?;
    let id = link_id(&request.nonce, tenant.tenant_id, person_id);
    let made = make(&app, tx, tenant.tenant_id, id, &wanted, &by).await?;
    let (status, made) = Made::of(made, app.clock.shared_now());
    let page = OperatorTenantPage::of(&app, &operator, &tenant, Some(made), (&LinkRequest::default(), Vec::new()));
    Ok(answers::with_page(page::respond(status, &page)?))
}

#[cfg(test)]
impl OperatorTenantPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use super::onboarding_links::samples::form;
        use crate::{domain::secret::OnboardingToken, http::page::tests};

        let receipt = |standing| DeletionReceipt {
            began_at: tests::moment(-120),
            ended_at: (standing == Standing::Deleted).then(|| tests::moment(-60)),
            tokens: 40,
            dead: if standing == Standing::Deleted { 40 } else { 12 },
            unknown: 2,
            shared: i64::from(standing == Standing::Deleted),
            keys: 3,
            links: 1,
        };
        let page = |name: &str, standing| Self {
            shell: Shell::operator(Place::OperatorTenants),
            id: "019aa3f2-7c1e-7d10-9b2f-000000000007".to_owned(),
            slug: "acme-3f9c1a".to_owned(),
            name: name.into(),
            external_id: Some("acme".into()),
            standing,
            connections: Counted::of(40),
            troubled: Counted::of(3),
            created_at: tests::moment(-86_400 * 12),
            suspended_at: (standing == Standing::Suspended).then(|| tests::moment(-3_600)),
            deletion: matches!(standing, Standing::Deleting | Standing::Deleted).then(|| receipt(standing)),
            made: None,
            form: (standing == Standing::Active).then(|| form(Vec::new())),
        };
        let url = OnboardingToken::new(format!("https://login.acme.example/onboarding/{}", "s".repeat(43)));
        let made = Some(Made::Link { url, expires_at: tests::moment(86_400 * 7) });
        let worst = Self {
            external_id: Some(tests::HOSTILE.into()),
            connections: Counted::of(5_000),
            form: Some(form(vec![LinkProblem::ProductMissing, LinkProblem::DomainMalformed])),
            ..page(tests::HOSTILE, Standing::Active)
        };
        vec![
            ("typical", page("Acme", Standing::Active)),
            ("invited", Self { made, ..page("Acme", Standing::Active) }),
            ("suspended", page("Acme", Standing::Suspended)),
            ("deleting", page("Acme", Standing::Deleting)),
            ("deleted", page("Acme", Standing::Deleted)),
            ("own", Self { external_id: None, ..page("Ann Lindqvist’s workspace", Standing::Active) }),
            ("worst", worst),
        ]
    }
}
