//! `/operator/health`: refreshes by data centre, gates that are shut, what waits, and who comes near a limit.

use std::time::Duration;

use serde_json::json;

use super::{customer, site, site_of};
use crate::harness::*;

const PAGE: &str = "/operator/health";

/// The cells of a data centre's row, without markup.
fn cells(page: &Page, region: &str) -> Vec<String> {
    page.assert_status(200);
    let row = page.text.split("<tr role=\"row\">").find(|row| row.contains(&format!("role=\"rowheader\">{region}<")));
    let row = row.unwrap_or_else(|| panic!("no row for {region}\n{}", page.text));
    row.split("<td ").skip(1).map(|cell| plain(&cell[cell.find('>').unwrap() + 1..])).collect()
}

fn plain(markup: &str) -> String {
    let text = markup.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    text.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn refreshes_are_counted_by_data_centre_and_plotted() {
    let (app, sam) = site().await;
    let id = sam.only_connection().await;
    let back_end = app.backend(&["tokens:read"]).await;
    assert!(!sam.get(PAGE).await.has("<figure"), "nothing happened yet");
    app.advance(Duration::from_secs(7200)).await;
    assert_eq!(back_end.token(&id, "").await.status, 200);
    sam.sign_in_as(SAM).await;
    let page = wait_for("it is counted", || async {
        Some(sam.get(PAGE).await).filter(|page| page.has("1 refresh in the data centre"))
    })
    .await;
    let told = cells(&page, "United States");
    assert_eq!((told[0].as_str(), told[5].as_str(), told[6].as_str()), ("Open", "1", "0"), "{told:?}");
    assert!(told[7].ends_with(" ms"), "{told:?}");
    assert_eq!(cells(&page, "Europe")[7], "Nothing yet");
    assert_eq!(page.text.matches("<figure").count(), 3);
    // An hour later it is no news.
    app.advance(Duration::from_secs(3600)).await;
    sam.sign_in_as(SAM).await;
    assert_eq!(cells(&sam.get(PAGE).await, "United States")[5], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_is_shut_on_any_replica_is_told_and_the_favicon_shows_it() {
    let (app, sam) = site_of(App::builder().replicas(2)).await;
    for product in ["crm", "desk", "books", "salesiq", "connect"] {
        sam.connect(product, SAM, "all").await;
    }
    let ids = app.database.column("select connection_id from connection").await;
    let back_end = app.backend(&["tokens:read"]).await;
    app.advance(Duration::from_secs(7200)).await;
    // Only that: connecting would bring a new token.
    sam.go("/login?product=none", SAM).await.assert_status(303);
    app.zoho.fault(json!({"listener": "accounts:us", "path": "/oauth/v2/token", "act": {"status": 503}})).await;
    for id in &ids {
        assert_ne!(back_end.via(1).token(id, "").await.status, 200);
    }
    let page = wait_for("it is told", || async {
        Some(sam.get(PAGE).await).filter(|page| {
            // Who asks is looked up before the figures: the row may have come in between.
            cells(page, "United States")[0].starts_with("Shut") && page.has("/static/favicon-broken.")
        })
    })
    .await;
    assert!(cells(&page, "United States")[0].contains("1 replica;"), "{:?}", cells(&page, "United States"));
    assert_eq!(cells(&page, "Europe")[0], "Open");
    assert!(sam.get("/operator/tenants").await.has("/static/favicon-broken."));
    assert!(!sam.get("/connections").await.has("/static/favicon-broken."));
    let failed = wait_for("failures are counted", || async {
        Some(cells(&sam.get(PAGE).await, "United States")[6].parse::<i64>().unwrap()).filter(|failed| *failed >= 5)
    });
    failed.await;
    app.zoho.clear_faults().await;
    app.advance(Duration::from_secs(600)).await;
    wait_for("it works again", || async { (back_end.via(1).token(&ids[0], "").await.status == 200).then_some(()) })
        .await;
    wait_for("it is open again", || async {
        (cells(&sam.get(PAGE).await, "United States")[0] == "Open").then_some(())
    })
    .await;
    assert!(sam.get(PAGE).await.has("/static/favicon."));
}

#[tokio::test]
async fn what_waits_is_counted_where_it_waits() {
    let (app, sam) = site().await;
    customer(&app).await;
    app.database
        .execute("update connection set health = 'throttled', retry_at = '2026-11-21T23:00:00Z', refresh_at = '2026-11-21T09:00:00Z'")
        .await;
    let page = sam.get(PAGE).await;
    assert_eq!(cells(&page, "United States")[1..5], ["1", "1", "0", "0"]);
    app.database.execute("update connection set health = 'misconfigured', refresh_at = null").await;
    assert_eq!(cells(&sam.get(PAGE).await, "Europe")[1..5], ["0", "0", "0", "1"]);
}

#[tokio::test]
async fn whoever_comes_near_a_limit_is_named() {
    let (app, sam) = site().await;
    let (_bea, id, _page) = customer(&app).await;
    app.database
        .execute(&format!(
            "update connection set token_calls = array(select '2026-11-21T10:00:00Z'::timestamptz - n * interval '50 s' from generate_series(0, 8) n)
             where connection_id = '{id}'"
        ))
        .await;
    app.database
        .execute(&format!(
            "insert into organization (tenant_id, organization_id, data_centre, product, zoho_id, environment, name, created_at)
             select tenant_id, gen_random_uuid(), 'eu', 'crm', (5000000 + n)::text, 'production', 'O', connected_at
             from connection, generate_series(1, 15) n where connection_id = '{id}';
             insert into connection (tenant_id, connection_id, person_id, organization_id, product, data_centre, status, scopes_requested,
                 scopes_granted, client_id, refresh_token_sealed, token_version, health, connected_at, consented_at)
             select c.tenant_id, gen_random_uuid(), c.person_id, o.organization_id, 'crm', 'eu', 'active', '{{}}', '{{}}', c.client_id,
                 '\\x00', 1, 'ok', c.connected_at, c.connected_at
             from connection c join organization o on o.tenant_id = c.tenant_id and o.product = 'crm' where c.connection_id = '{id}';
             insert into budget_watch (person_id, client_id, data_centre, noticed_at)
             select person_id, client_id, data_centre, connected_at from connection where connection_id = '{id}'"
        ))
        .await;
    let shown = sam.get(PAGE).await;
    assert!(shown.links().contains(&format!("/operator/connections/{id}")) && shown.has(": 9 of 10"), "{}", shown.text);
    assert!(shown.has("bea@example.com") && shown.has("16 of 20"));
    app.advance(Duration::from_secs(300)).await;
    assert!(!sam.get(PAGE).await.has(" of 10</span>"), "five minutes later fewer count");
    app.database.execute("delete from connection where product = 'crm'").await;
    assert!(!sam.get(PAGE).await.has(" of 20</span>"), "what has gone is not counted");
}

#[tokio::test]
async fn the_figures_renew_themselves_and_name_nobody() {
    let (app, sam) = site().await;
    customer(&app).await;
    sam.get(PAGE).await.assert_status(200);
    let figures = sam.get("/operator/health/figures").await;
    figures.assert_status(200);
    assert!(figures.has("id=\"figures\"") && figures.has("data-refresh") && !figures.has("bea@example.com"));
    let views = "select detail from audit_event where action = 'operator_viewed'";
    assert_eq!(app.database.column(views).await, ["health"], "that the page is still open is no other view");
}

#[tokio::test]
async fn s70_a_page_that_stays_open_is_on_record_once_an_hour() {
    const FIGURES: &str = "/operator/health/figures";
    let (app, sam) = site().await;
    let bea = app.visitor();
    bea.sign_in_as(BEA).await;
    app.database.execute("insert into operator values ('eu', '795000001', '2026-11-21T10:00:00Z')").await;
    let views = "audit_event where action = 'operator_viewed' and detail = 'health' and actor_kind = 'operator'";
    sam.get(PAGE).await.assert_status(200);
    // Half an hour, and half an hour more, with somebody at the keyboard.
    for (minutes, seen) in [(0, 1), (29, 1), (29, 1), (3, 2), (2, 2), (27, 2)] {
        app.advance(Duration::from_secs(60 * minutes)).await;
        sam.get("/connections").await.assert_status(200);
        for _ in 0..2 {
            sam.get(FIGURES).await.assert_status(200);
        }
        assert_eq!(app.database.count(views).await, seen, "after {minutes} minutes");
    }
    // Whoever fetches them alone has looked as well, and what somebody else has seen counts for nobody.
    bea.sign_in_as(BEA).await;
    for _ in 0..2 {
        bea.get(FIGURES).await.assert_status(200);
    }
    assert_eq!(app.database.count(views).await, 3);
}
