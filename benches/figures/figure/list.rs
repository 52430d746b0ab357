//! Lists at a million connections in two thousand tenants, by API and in the console: pages, filters and searches, each by
//! its slowest twentieth.

use std::sync::Arc;

use super::sign_in::Browser;
use crate::{
    Outcome,
    http::{Connection, get},
    load::Load,
    report::{Goal, Line, Report},
    seed,
    stage::Stage,
};

/// What is asked, by name. A line more is a figure more; `{cursor}` becomes that of a page in the middle.
const LISTS: &[(&str, &str)] = &[
    ("first_page", "/api/v1/connections"),
    ("page_of_200", "/api/v1/connections?limit=200"),
    ("later_page", "/api/v1/connections?cursor={cursor}"),
    ("large_tenant", "/api/v1/connections?tenant=list-0"),
    ("small_tenant", "/api/v1/connections?tenant=list-77"),
    ("product", "/api/v1/connections?product=desk"),
    ("rare_status", "/api/v1/connections?status=disconnected"),
    ("no_such_status", "/api/v1/connections?status=choosing"),
    ("organization", "/api/v1/connections?organization=list-4711"),
    ("organization_in_tenant", "/api/v1/connections?tenant=list-712&organization=list-4711"),
    ("person", "/api/v1/connections?person=eu:7700004711"),
    ("tenant_product_status", "/api/v1/connections?tenant=list-0&product=crm&status=needs_reconnect"),
];

/// The same of pages: those of a tenant with a tenth of all connections, and the operators'.
const PAGES: &[(&str, &str)] = &[
    ("organizations", "/tenants/list-0/organizations"),
    ("organizations_by_name", "/tenants/list-0/organizations?sort=name"),
    ("organizations_by_last_use", "/tenants/list-0/organizations?sort=used"),
    ("organizations_search", "/tenants/list-0/organizations?search=organization+99"),
    ("organizations_search_email", "/tenants/list-0/organizations?search=person12&status=needs_reconnect"),
    ("organizations_product", "/tenants/list-0/organizations?product=desk"),
    ("organizations_rare_product", "/tenants/list-0/organizations?product=zia_agents"),
    ("console_connections", "/tenants/list-0/connections"),
    ("console_connections_newest", "/tenants/list-0/connections?sort=newest"),
    ("console_connections_by_last_use", "/tenants/list-0/connections?sort=used"),
    ("console_connections_product", "/tenants/list-0/connections?product=crm"),
    ("console_connections_rare_product", "/tenants/list-0/connections?product=zia_agents&sort=name"),
    ("console_search_name", "/tenants/list-0/connections?search=organization+77"),
    ("console_search_id", "/tenants/list-0/connections?search=list-4710"),
    ("console_search_id_by_name", "/tenants/list-0/connections?search=list-4&sort=name"),
    ("console_search_email", "/tenants/list-0/connections?search=person12"),
    ("console_search_nothing", "/tenants/list-0/connections?search=nobody"),
    ("operator_tenants", "/operator/tenants"),
    ("operator_tenants_search", "/operator/tenants?search=list-77"),
    ("operator_connections", "/operator/connections"),
    ("operator_connections_product", "/operator/connections?product=desk"),
    ("operator_connections_search", "/operator/connections?search=organization+4711"),
];

pub(super) async fn measure(stage: &mut Stage, report: &mut Report) -> Outcome {
    let count = stage.scale.count(1_000_000);
    seed::list(&mut stage.database, &stage.emulator.client_id, count).await?;
    let cursor = cursor(stage).await?;
    for (name, path) in LISTS {
        let request = get(&path.replace("{cursor}", &cursor), &stage.authorization());
        slowest_twentieth(stage, report, name, &request).await.map_err(|error| format!("{name}: {error}"))?;
    }
    let session = Browser::open(stage.replica.address).await?.sign_in("us:780000001").await?;
    seed::let_in(&mut stage.database).await?;
    for (name, path) in PAGES {
        let request = get(path, &session);
        slowest_twentieth(stage, report, name, &request).await.map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

async fn slowest_twentieth(stage: &Stage, report: &mut Report, name: &str, request: &[u8]) -> Outcome {
    let load = Load {
        addresses: vec![stage.replica.address],
        // What the client waits for is a little more than what the server takes.
        connections: 2,
        requests: Arc::new(vec![request.to_vec()]),
        check: |answer| answer.expect(200),
        pause: std::time::Duration::ZERO,
    };
    load.run(stage.scale.turn() / 8).await?;
    let p95 = load.run(stage.scale.turn()).await?.milliseconds(0.95);
    report.add(&Line::plain(format!("list_1m_{name}_p95"), p95, "ms").goal(Goal::AtMost(25.0)))
}

/// Of a page some way into the list.
async fn cursor(stage: &Stage) -> Outcome<String> {
    let mut connection = Connection::open(stage.replica.address).await?;
    let mut cursor = None;
    for _ in 0..20 {
        let query = cursor.map(|cursor: String| format!("&cursor={cursor}")).unwrap_or_default();
        let request = get(&format!("/api/v1/connections?limit=200{query}"), &stage.authorization());
        let answer = connection.ask(&request).await?;
        answer.expect(200)?;
        let page: serde_json::Value = serde_json::from_slice(answer.body)?;
        cursor = Some(page["next"].as_str().ok_or("the list ends early")?.to_owned());
    }
    Ok(cursor.unwrap_or_default())
}
