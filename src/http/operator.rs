//! Who may see the operators' pages: `Operator` in a handler's signature *is* the check.
//!
//! For everybody else those pages are no pages: the same answer as for an invented address, whatever the method, the
//! session and the form (security.md S-41, S-49). So the sender is looked up before the form is read, unlike
//! elsewhere, and whoever turns out to be no operator is greeted by no page.
//!
//! An operator reads through [`Operator::look`] and its like, whose transaction begins with an audit event: what was
//! not written down is not shown (S-70). A page that renews itself is not written down each time, but for each hour.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use chrono::TimeDelta;
use serde::de::DeserializeOwned;

use super::{
    caller::{self, Member},
    form,
    page::{Place, Shell, Wellness},
    problem::Problem,
};
use crate::{
    app::App,
    domain::{
        ids::{ConnectionId, TenantId},
        return_path::ReturnPath,
    },
    operator::By,
    store::{
        audit_event::{self, Actor, AuditEvent},
        connection::tenant_of,
        operator::{
            tenants::{self, Tenant},
            views,
        },
        shut_gate,
        tx::Tx,
    },
};

/// For so long one look is on record.
const LONG_LOOK: TimeDelta = TimeDelta::hours(1);

/// Somebody who runs the installation.
#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) member: Member,
    wellness: Wellness,
}

impl Operator {
    pub(crate) fn shell(&self, app: &App, here: Place) -> Shell {
        Shell { wellness: self.wellness, ..self.member.shell(app, here) }
    }

    /// As changes know who makes them.
    pub(crate) fn by(&self) -> By {
        By {
            person_id: self.member.person().person_id,
            request_id: self.member.request_id,
            peer: self.member.peer.clone(),
        }
    }

    /// A transaction that sees all tenants; `page` is a word of ours.
    pub(crate) async fn look(&self, app: &App, page: &'static str) -> Result<Tx, Problem> {
        let mut tx = app.pools.begin_as_operator().await?;
        self.note(app, &mut tx, page, (None, None)).await?;
        Ok(tx)
    }

    /// The same, to look at one tenant: the event is the tenant's own.
    pub(crate) async fn look_at(&self, app: &App, page: &'static str, slug: &str) -> Result<(Tx, Tenant), Problem> {
        let mut tx = app.pools.begin_as_operator().await?;
        let tenant = tenants::find(&mut *tx, slug).await?.ok_or(Problem::NOT_FOUND)?;
        self.note(app, &mut tx, page, (Some(tenant.tenant_id), None)).await?;
        Ok((tx, tenant))
    }

    /// The same, to look at one connection.
    pub(crate) async fn look_at_connection(
        &self,
        app: &App,
        page: &'static str,
        id: ConnectionId,
    ) -> Result<(Tx, Tenant), Problem> {
        let mut tx = app.pools.begin_as_operator().await?;
        let tenant_id = tenant_of::find(&mut *tx, id).await?.ok_or(Problem::NOT_FOUND)?;
        let tenant = tenants::find(&mut *tx, &tenant_id.to_string()).await?.ok_or(Problem::NOT_FOUND)?;
        self.note(app, &mut tx, page, (Some(tenant_id), Some(id))).await?;
        Ok((tx, tenant))
    }

    /// A transaction for what an open page fetches by itself. A page that stays open is one long look: it is on record
    /// when it is opened, and again each [`LONG_LOOK`] that it goes on.
    pub(crate) async fn go_on_looking(&self, app: &App, page: &'static str) -> Result<Tx, Problem> {
        let mut tx = app.pools.begin_as_operator().await?;
        let since = app.clock.shared_now() - LONG_LOOK;
        if !views::is_on_record(&mut *tx, self.member.person().person_id, page, since).await? {
            self.note(app, &mut tx, page, (None, None)).await?;
        }
        Ok(tx)
    }

    async fn note(
        &self,
        app: &App,
        tx: &mut Tx,
        page: &'static str,
        (tenant_id, connection_id): (Option<TenantId>, Option<ConnectionId>),
    ) -> Result<(), Problem> {
        let event = AuditEvent {
            actor: Actor::Operator(self.member.person().person_id),
            action: "operator_viewed",
            outcome: "done",
            tenant_id,
            connection_id,
            peer: Some(self.member.peer.clone()),
            request_id: Some(self.member.request_id),
            detail: Some(page.to_owned()),
        };
        Ok(audit_event::insert(&mut **tx, &event, app.clock.shared_now()).await?)
    }

    /// What cannot be undone needs a sign-in of the last minutes (security.md S-49); whoever has none is led through
    /// one and back to `page`.
    pub(crate) fn check_recent_sign_in(&self, app: &App, page: &str) -> Result<(), Problem> {
        if self.member.signed_in_recently(app) {
            return Ok(());
        }
        Err(Problem::SignInAgain { return_to: ReturnPath::parse_or_default(Some(page)) })
    }
}

impl FromRequest for Operator {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = request.app_data::<web::Data<App>>().expect("the route table sets it").clone();
        let request = request.clone();
        Box::pin(async move {
            let visitor = caller::unannounced(&app, &request).await?;
            if !visitor.session.as_ref().is_some_and(|session| caller::is_operator(&app, session)) {
                return Err(Problem::NOT_FOUND);
            }
            caller::announce(&request, &visitor);
            let worst = shut_gate::find_worst(app.pools.engine(), app.clock.shared_now()).await?;
            let wellness = match worst.as_deref() {
                None => Wellness::Well,
                Some("slow") => Wellness::Attention,
                Some(_) => Wellness::Broken,
            };
            Ok(Self { member: Member::of(visitor).ok_or(Problem::NOT_FOUND)?, wellness })
        })
    }
}

/// An operator's command: who sends it, then the fields of the form.
#[derive(Debug)]
pub(crate) struct Ordered<Fields>(pub(crate) Operator, pub(crate) Fields);

impl<Fields: DeserializeOwned + 'static> FromRequest for Ordered<Fields> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let operator = Operator::from_request(&request, &mut Payload::None).await?;
            Ok(Self(operator, form::fields(&request, payload).await?))
        })
    }
}
