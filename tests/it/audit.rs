//! What is on record, who may read it, and how long it is kept (security.md S-70).

mod api;
mod complete;
mod page;
mod retention;

use crate::harness::{App, Visitor};

/// The addresses of a person's own tenant begin so.
async fn console(visitor: &Visitor) -> String {
    let links = visitor.get("/connections").await.links();
    let link = links.into_iter().find(|link| link.ends_with("/organizations")).expect("a link to the console");
    link.trim_end_matches("/organizations").to_owned()
}

/// So many events in the tenant, a minute apart before 2026-11-21 10:00: every tenth was refused, every hundredth is a
/// person's, all others are renewals of ours.
async fn fill(app: &App, tenant_id: &str, person_id: &str, rows: usize) {
    app.database
        .execute(&format!(
            "insert into audit_event (audit_event_id, at, tenant_id, actor_kind, actor_id, action, outcome, peer, request_id)
             select gen_random_uuid(), timestamptz '2026-11-21T10:00:00Z' - n * interval '1 minute', '{tenant_id}',
                 case when n % 100 = 0 then 'person' else 'engine' end, case when n % 100 = 0 then '{person_id}' end,
                 case when n % 100 = 0 then 'role_changed' else 'refreshed' end,
                 case when n % 10 = 0 then 'refused' else 'done' end, '203.0.113.7', gen_random_uuid()
             from generate_series(1, {rows}) n"
        ))
        .await;
}
