//! Who belongs to a tenant, and what nobody may do to that (security.md S-50).

use std::time::Duration;

use super::console;
use crate::harness::*;

const EVENTS: &str = "select concat_ws(' ', action, outcome, substr(detail, 38)) from audit_event
                      where action in ('role_changed', 'member_left', 'member_removed') order by at, audit_event_id";

/// Sam's own tenant with Bea in it, and where it is managed.
async fn together(app: &App, role: &str) -> (Visitor, Visitor, String, String, String) {
    let (sam, bea) = (app.visitor(), app.visitor());
    sam.sign_in_as(SAM).await;
    bea.sign_in_as(BEA).await;
    let console = console(&sam).await;
    let id = |zuid: &str| format!("select person_id from person where zuid = '{zuid}'");
    let (sam_id, bea_id) = (app.database.text(&id("780000001")).await, app.database.text(&id("795000001")).await);
    app.database
        .execute(&format!(
            "insert into membership select tenant_id, '{bea_id}', '{role}', '2026-11-21T10:00:00Z' from tenant
             where own_of_person_id = '{sam_id}'"
        ))
        .await;
    (sam, bea, console, sam_id, bea_id)
}

async fn make(visitor: &Visitor, console: &str, person: &str, role: &str) -> Page {
    let members = format!("{console}/members");
    visitor.submit(&members, &format!("{members}/{person}/role"), &[("role", role)]).await
}

#[tokio::test]
async fn an_owner_makes_somebody_administrator_and_removes_them_again() {
    let app = App::start().await;
    let (sam, bea, console, _, bea_id) = together(&app, "member").await;
    let members = format!("{console}/members");
    bea.get(&members).await.assert_status(403);
    assert_eq!(make(&sam, &console, &bea_id, "admin").await.location(), members);
    // The session with the lesser role is dead (S-26); the next one has the new role.
    assert!(!bea.is_signed_in().await);
    bea.sign_in_as(BEA).await;
    let page = bea.get(&members).await;
    page.assert_status(200);
    assert!(page.has("Administrator") && page.has("(you)"));
    let remove = format!("{members}/{bea_id}/remove");
    assert!(sam.get(&remove).await.has("stays connected"));
    assert_eq!(sam.submit(&remove, &remove, &[]).await.location(), members);
    bea.get(&members).await.assert_status(404);
    sam.get(&remove).await.assert_status(404);
    assert_eq!(app.database.column(EVENTS).await, ["role_changed done member admin", "member_removed done admin"]);
}

#[tokio::test]
async fn s50_nobody_raises_their_own_role_and_administrators_leave_owners_alone() {
    let app = App::start().await;
    let (_, bea, console, sam_id, bea_id) = together(&app, "admin").await;
    make(&bea, &console, &bea_id, "owner").await.assert_status(403);
    make(&bea, &console, &sam_id, "member").await.assert_status(403);
    let members = format!("{console}/members");
    bea.get(&format!("{members}/{sam_id}/remove")).await.assert_status(403);
    bea.submit(&members, &format!("{members}/{sam_id}/remove"), &[]).await.assert_status(403);
    make(&bea, &console, &sam_id, "king").await.assert_status(400);
    let roles = "select role from membership m join tenant t using (tenant_id) where t.own_of_person_id is not null
                 and (select count(*) from membership n where n.tenant_id = m.tenant_id) = 2 order by role";
    assert_eq!(app.database.column(roles).await, ["admin", "owner"]);
    assert_eq!(
        app.database.column(EVENTS).await,
        ["role_changed refused admin owner", "role_changed refused owner member", "member_removed refused owner"]
    );
}

#[tokio::test]
async fn s50_the_last_owner_stays_also_when_two_leave_at_once() {
    let app = App::builder().replicas(2).start().await;
    let (sam, bea, console, sam_id, _) = together(&app, "owner").await;
    let leave = format!("{console}/leave");
    let other = bea.via(1);
    let (one, two) = tokio::join!(sam.submit(&leave, &leave, &[]), other.submit(&leave, &leave, &[]));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
    let last = if one.status == 409 { &sam } else { &bea };
    assert!([&one, &two].into_iter().any(|page| page.has("You are its last owner")));
    // Nor can the last one be demoted.
    let owners =
        "select count(*) from membership m join tenant t using (tenant_id) where m.role = 'owner' and t.slug = '$'";
    let owners = owners.replace('$', console.trim_start_matches("/tenants/"));
    assert_eq!(app.database.text(&owners).await, "1");
    let who = app
        .database
        .text(&format!(
            "select person_id from membership join tenant using (tenant_id) where slug = '{}'",
            console.trim_start_matches("/tenants/")
        ))
        .await;
    let refused = make(last, &console, &who, "member").await;
    refused.assert_status(409);
    assert!(refused.has("somebody has to own it"));
    assert!(who == sam_id || one.status == 303);
}

#[tokio::test]
async fn s49_roles_need_a_sign_in_of_the_last_minutes() {
    let app = App::start().await;
    let (sam, _, console, _, bea_id) = together(&app, "member").await;
    app.advance(Duration::from_secs(301)).await;
    let members = format!("{console}/members");
    let page = sam.get(&members).await;
    assert!(page.has("sign in again") && !page.has("/role\""));
    let csrf = page.csrf();
    let form = [("csrf", csrf.as_str()), ("role", "admin")];
    sam.post_form(&format!("{members}/{bea_id}/role"), &form).await.assert_status(403);
    sam.post_form(&format!("{members}/{bea_id}/remove"), &form[..1]).await.assert_status(403);
    assert_eq!(app.database.column(EVENTS).await, Vec::<String>::new());
}
