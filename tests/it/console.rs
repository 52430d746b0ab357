//! A tenant's console: what owners and administrators see of what is connected, and what they may do about it.

mod ahead;
mod connection;
mod foreign;
mod lists;
mod members;

use crate::harness::{App, Visitor};

/// The addresses of a person's own tenant begin so, as the page of connections links to it.
async fn console(visitor: &Visitor) -> String {
    let links = visitor.get("/connections").await.links();
    let link = links.into_iter().find(|link| link.ends_with("/organizations")).expect("a link to the console");
    link.trim_end_matches("/organizations").to_owned()
}

/// Connections of many people to many organizations, in the tenant of that slug; without tokens, as if disconnected
/// never.
async fn fill(app: &App, tenant: &str, rows: usize) {
    let slug = tenant.trim_start_matches("/tenants/");
    app.database
        .execute(&format!(
            "do $$ declare t uuid := (select tenant_id from tenant where slug = '{slug}'); begin
             insert into person (person_id, data_centre, zuid, display_name, email, created_at, signed_in_at)
             select gen_random_uuid(), 'eu', (900000000 + n)::text, 'Person ' || n, 'p' || n || '@zylker.example',
                 '2026-11-21T09:00:00Z', '2026-11-21T09:00:00Z' from generate_series(1, {rows}) n;
             insert into organization (tenant_id, organization_id, data_centre, product, zoho_id, environment, name, created_at)
             select t, gen_random_uuid(), 'eu', 'crm', (5000000 + n)::text, 'production', 'Estate ' || lpad(n::text, 6, '0'),
                 '2026-11-21T09:00:00Z' from generate_series(1, {rows}) n;
             insert into connection (tenant_id, connection_id, person_id, organization_id, product, data_centre, status,
                 status_reason, scopes_requested, scopes_granted, client_id, token_version, health, connected_at, consented_at)
             select t, gen_random_uuid(), p.person_id, o.organization_id, 'crm', 'eu', 'needs_reconnect', 'revoked',
                 '{{ZohoCRM.modules.READ}}', '{{ZohoCRM.modules.READ}}', 'nobody', 1, 'ok', '2026-11-21T09:00:00Z', '2026-11-21T09:00:00Z'
             from generate_series(1, {rows}) n
             join person p on p.data_centre = 'eu' and p.zuid = (900000000 + n)::text
             join organization o on o.tenant_id = t and o.zoho_id = (5000000 + n)::text;
             end $$"
        ))
        .await;
}
