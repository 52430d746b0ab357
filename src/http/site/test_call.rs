//! `POST /connections/{id}/test`: one harmless call at Zoho; the connection's page tells what came of it.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use chrono::TimeDelta;

use super::connection::own_working_connection;
use crate::{
    app::App,
    domain::{
        ids::{ConnectionId, TenantId},
        secret::FormToken,
    },
    http::{
        caller::Member,
        form::{Bare, Posted},
        problem::Problem,
        see_other,
    },
    store::audit_event,
    vault::test_call::{TestCall, TestError, test_call},
};

/// Whoever taps again sooner is shown what the last call brought.
const PAUSE: TimeDelta = TimeDelta::seconds(3);

/// `POST /connections/{id}/test`
pub(crate) async fn post_test(
    app: web::Data<App>,
    id: web::Path<String>,
    Posted(member, form): Posted<Member, Bare>,
) -> Result<HttpResponse, Problem> {
    member.check(&FormToken::new(form.csrf))?;
    let connection = own_working_connection(&app, &member, &id).await?;
    let connection_id = connection.connection_id;
    test(&app, &member, connection.tenant_id, connection_id).await?;
    Ok(see_other(&format!("/connections/{connection_id}")))
}

/// What came of it is told by the connection's page.
pub(crate) async fn test(
    app: &Arc<App>,
    member: &Member,
    tenant_id: TenantId,
    connection_id: ConnectionId,
) -> Result<(), Problem> {
    let last = audit_event::find_last(app.pools.engine(), tenant_id, connection_id, "tested").await?;
    if last.is_some_and(|at| app.clock.shared_now() - at < PAUSE) {
        return Ok(());
    }
    let test = TestCall {
        tenant_id,
        connection_id,
        person_id: member.person().person_id,
        request_id: member.request_id,
        peer: member.peer.clone(),
    };
    match test_call(app, test).await {
        // Disconnected in another tab: the page tells.
        Ok(_) | Err(TestError::NotInUse) => Ok(()),
        Err(TestError::Busy) => Err(Problem::unavailable()),
        Err(TestError::Store(error)) => Err(error.into()),
    }
}
