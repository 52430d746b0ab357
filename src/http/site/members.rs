//! `/tenants/{tenant}/members`: who belongs to a tenant, and as what.

use actix_web::{HttpResponse, http::StatusCode, web};
use askama::Template;
use serde::Deserialize;

use crate::{
    app::App,
    console::members::{MemberError, change_role, may_change, may_remove},
    domain::{ids::PersonId, secret::FormToken, tenant::Role},
    http::{
        answers,
        form::Posted,
        page::{self, Label, Moment, Place, Shell},
        problem::Problem,
        see_other,
        site::problem_types::ProblemType,
        tenant::TenantAdmin,
    },
    store::membership,
};

#[derive(Template)]
#[template(path = "members.html")]
pub(crate) struct MembersPage {
    pub(crate) shell: Shell,
    pub(crate) slug: String,
    pub(crate) tenant: Label,
    pub(crate) members: Vec<MemberRow>,
    /// Whether the sign-in is recent enough to change something.
    pub(crate) may_change: bool,
    /// The change that was just asked for would have left no owner.
    pub(crate) is_last_owner: bool,
}

pub(crate) struct MemberRow {
    pub(crate) id: String,
    pub(crate) name: Label,
    pub(crate) email: Label,
    pub(crate) data_centre: &'static str,
    /// `owner`, `admin` or `member`
    pub(crate) role: &'static str,
    /// What else they may be made; none where that is not for this administrator.
    pub(crate) roles: Vec<&'static str>,
    pub(crate) is_self: bool,
    pub(crate) may_be_removed: bool,
    pub(crate) since: Moment,
}

/// In the order in which they are offered: nobody becomes an owner by a button that was pressed too soon.
const ROLES: [Role; 3] = [Role::Member, Role::Admin, Role::Owner];

impl MembersPage {
    async fn of(app: &App, admin: &TenantAdmin, is_last_owner: bool) -> Result<Self, Problem> {
        let now = app.clock.shared_now();
        let tenant_id = admin.tenant.tenant_id;
        let mut tx = app.pools.begin_as_tenant(tenant_id).await?;
        let members = membership::list_of_tenant(&mut *tx, tenant_id).await?;
        tx.commit().await?;
        let (own, own_id) = (admin.tenant.role, admin.member.person().person_id);
        let row = |member: membership::TenantMember| {
            let is_self = member.person_id == own_id;
            let may = |to: &Role| *to != member.role && may_change(own, is_self, member.role, *to);
            MemberRow {
                id: member.person_id.to_string(),
                name: Label::new(&member.display_name),
                email: Label::new(&member.email),
                data_centre: member.data_centre.key(),
                role: member.role.key(),
                roles: ROLES.into_iter().filter(may).map(Role::key).collect(),
                is_self,
                may_be_removed: may_remove(own, is_self, member.role),
                since: Moment::new(member.created_at, now),
            }
        };
        Ok(Self {
            shell: admin.shell(app, Place::Members),
            slug: admin.tenant.tenant_slug.clone(),
            tenant: Label::new(&admin.tenant.tenant_name),
            members: members.into_iter().map(row).collect(),
            may_change: admin.member.signed_in_recently(app),
            is_last_owner,
        })
    }
}

/// `GET /tenants/{tenant}/members`
pub(crate) async fn get_members(app: web::Data<App>, admin: TenantAdmin) -> Result<HttpResponse, Problem> {
    Ok(page::respond(StatusCode::OK, &MembersPage::of(&app, &admin, false).await?)?)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleForm {
    #[serde(default)]
    csrf: String,
    role: String,
}

/// `POST /tenants/{tenant}/members/{person}/role`
pub(crate) async fn post_role(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
    Posted(admin, form): Posted<TenantAdmin, RoleForm>,
) -> Result<HttpResponse, Problem> {
    admin.member.check(&FormToken::new(form.csrf))?;
    let role = ROLES.into_iter().find(|role| role.key() == form.role).ok_or(Problem::INVALID)?;
    let person_id: PersonId = path.1.parse().map_err(|_| Problem::NOT_FOUND)?;
    admin.check_recent_sign_in(&app, "members")?;
    match change_role(&app, admin.change(), person_id, role).await {
        Ok(()) => Ok(see_other(&admin.path("members"))),
        Err(error) => refused(&app, &admin, error).await,
    }
}

/// The page again, or a problem's.
pub(crate) async fn refused(app: &App, admin: &TenantAdmin, error: MemberError) -> Result<HttpResponse, Problem> {
    match error {
        MemberError::LastOwner => {
            let page = MembersPage::of(app, admin, true).await?;
            Ok(answers::with_page(page::respond(StatusCode::CONFLICT, &page)?))
        }
        MemberError::NotThere => Err(Problem::NOT_FOUND),
        MemberError::BeyondRole => Err(Problem::explained(ProblemType::RoleNeeded)),
        MemberError::Store(error) => Err(error.into()),
    }
}

#[cfg(test)]
impl MembersPage {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::http::page::tests;

        let row = |name: &str, role, roles: &[&'static str]| MemberRow {
            id: format!("019aa3f2-7c1e-7d10-9b2f-{:012x}", name.len()),
            name: name.into(),
            email: "ann@example.com".into(),
            data_centre: "eu",
            role,
            roles: roles.to_vec(),
            is_self: false,
            may_be_removed: !roles.is_empty(),
            since: tests::moment(-86_400 * 90),
        };
        let own = || MemberRow { is_self: true, ..row("Ann Lindqvist", "owner", &["admin", "member"]) };
        let page = |members| Self {
            shell: Shell::console("Acme", Place::Members),
            slug: "acme-3f9c1a".to_owned(),
            tenant: "Acme".into(),
            members,
            may_change: true,
            is_last_owner: false,
        };
        let others =
            || vec![own(), row("Bea Novák", "admin", &["owner", "member"]), row("Cy", "member", &["owner", "admin"])];
        vec![
            ("typical", page(others())),
            ("alone", page(vec![own()])),
            ("stale", Self { may_change: false, ..page(others()) }),
            ("last-owner", Self { is_last_owner: true, ..page(others()) }),
            (
                "worst",
                Self {
                    tenant: tests::ENDLESS.into(),
                    ..page(vec![row(tests::HOSTILE, "owner", &[]), row(tests::ENDLESS, "admin", &["member"])])
                },
            ),
        ]
    }
}
