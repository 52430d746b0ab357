//! Who may see and change a tenant's console: `TenantAdmin` in a handler's signature *is* the check.
//!
//! The tenant is named by the slug in the path. It does not exist for whoever is no member (security.md
//! S-41); a member without the role is told so. Both are read per request (S-29).

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};

use super::{
    caller::Member,
    page::{Place, Shell, TenantConsole},
    problem::Problem,
    site::problem_types::ProblemType,
};
use crate::{
    app::App,
    console::Change,
    domain::{
        ids::TenantId,
        return_path::ReturnPath,
        tenant::{Role, Standing},
    },
    store::{
        audit_event::{Actor, AuditEvent},
        membership::{self, Membership},
        tenant,
    },
    vault::usage::Full,
};

/// An owner or administrator of the tenant in the path.
#[derive(Debug)]
pub(crate) struct TenantAdmin {
    pub(crate) member: Member,
    pub(crate) tenant: Membership,
    /// All that the person administers, this one among them.
    administered: Vec<Membership>,
}

impl TenantAdmin {
    pub(crate) fn shell(&self, app: &App, here: Place) -> Shell {
        let console = TenantConsole::of(&self.tenant);
        let tenants = self.administered.iter().map(TenantConsole::of).collect();
        Shell { console: Some(console), tenants, ..self.member.shell(app, here) }
    }

    /// The address of one of the tenant's pages.
    pub(crate) fn path(&self, page: &str) -> String {
        format!("/tenants/{}/{page}", self.tenant.tenant_slug)
    }

    /// Roles, keys and deletions need a sign-in of the last minutes (security.md S-49); whoever has
    /// none is led through one and back to `page`.
    pub(crate) fn check_recent_sign_in(&self, app: &App, page: &str) -> Result<(), Problem> {
        if self.member.signed_in_recently(app) {
            return Ok(());
        }
        let return_to = ReturnPath::parse_or_default(Some(&self.path(page)));
        Err(Problem::SignInAgain { return_to })
    }

    pub(crate) fn change(&self) -> Change {
        change(&self.member, &self.tenant)
    }
}

/// Whoever belongs to the tenant in the path, whatever the role.
#[derive(Debug)]
pub(crate) struct TenantMember {
    pub(crate) member: Member,
    pub(crate) tenant: Membership,
}

impl TenantMember {
    pub(crate) fn change(&self) -> Change {
        change(&self.member, &self.tenant)
    }
}

/// For whoever would use or change something of a tenant's otherwise than through its console.
pub(super) async fn check_not_suspended(app: &App, tenant_id: TenantId) -> Result<(), Problem> {
    match tenant::find_standing(app.pools.engine(), tenant_id).await? {
        Some(Standing::Suspended) => Err(Problem::Suspended),
        // Nobody's any more.
        Some(Standing::Deleting | Standing::Deleted) => Err(Problem::NOT_FOUND),
        Some(Standing::Active) | None => Ok(()),
    }
}

fn change(member: &Member, tenant: &Membership) -> Change {
    Change {
        tenant_id: tenant.tenant_id,
        person_id: member.person().person_id,
        request_id: member.request_id,
        peer: member.peer.clone(),
    }
}

/// What a member may not see or do is on record (security.md S-70).
fn refuse(app: &App, asked: Change) -> Problem {
    let event = AuditEvent {
        actor: Actor::Person(asked.person_id),
        action: "console_refused",
        outcome: "refused",
        tenant_id: Some(asked.tenant_id),
        connection_id: None,
        peer: Some(asked.peer),
        request_id: Some(asked.request_id),
        detail: None,
    };
    match app.usage.note_refusal(event, app.clock.shared_now()) {
        Ok(()) => Problem::explained(ProblemType::RoleNeeded),
        Err(Full) => Problem::unavailable(),
    }
}

impl FromRequest for TenantMember {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let app = request.app_data::<web::Data<App>>().expect("the route table sets it").clone();
        let slug = request.match_info().get("tenant").unwrap_or_default().to_owned();
        let changes = !request.method().is_safe();
        let member = Member::from_request(request, payload);
        Box::pin(async move {
            let member = member.await?;
            let found = membership::find_by_slug(app.pools.engine(), &slug, member.person().person_id).await?;
            let tenant = found.ok_or(Problem::NOT_FOUND)?;
            // A suspended tenant's pages are there to be read.
            if changes && tenant.is_suspended {
                return Err(Problem::Suspended);
            }
            Ok(Self { member, tenant })
        })
    }
}

impl FromRequest for TenantAdmin {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let app = request.app_data::<web::Data<App>>().expect("the route table sets it").clone();
        let found = TenantMember::from_request(request, payload);
        Box::pin(async move {
            let TenantMember { member, tenant } = found.await?;
            if tenant.role < Role::Admin {
                return Err(refuse(&app, change(&member, &tenant)));
            }
            let person_id = member.person().person_id;
            let mut administered = membership::list_of_person(app.pools.engine(), person_id).await?;
            administered.retain(|tenant| tenant.role >= Role::Admin);
            Ok(Self { member, tenant, administered })
        })
    }
}
