//! Zoho keeps 20 refresh tokens per client and person, and silently deletes the oldest.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn r13_twenty_five_sign_ins_kill_no_other_connection() {
    let app = App::start().await;
    let sam = app.visitor();
    for product in ["crm", "desk", "books"] {
        assert_eq!(sam.go(&format!("/login?product={product}"), SAM).await.location(), "/connections");
    }
    let others = live(&app, SAM).await;
    assert_eq!(others.len(), 3);
    for sign_in in 0..25 {
        assert_eq!(app.visitor().sign_in_as(SAM).await.location(), "/connections", "sign-in {sign_in}");
        app.advance(Duration::from_secs(1)).await;
        let now = live(&app, SAM).await;
        assert!(others.iter().all(|token| now.contains(token)), "sign-in {sign_in} cost another connection its token");
        assert!(now.len() <= 16, "sign-in {sign_in}: {}", now.len());
    }
    assert!(app.zoho.refresh_tokens(SAM, "evicted").await.is_empty());
    app.advance(Duration::from_secs(301)).await;
    let left = wait_for_live(&app, SAM, 4).await;
    assert!(others.iter().all(|token| left.contains(token)));
    assert_eq!(app.database.count("connection").await, 4);
}

#[tokio::test]
async fn r13_from_fifteen_tokens_on_superseded_ones_die_at_once() {
    let app = App::start().await;
    for _ in 0..18 {
        app.visitor().sign_in_as(SAM).await;
    }
    // Time stood still: nothing was due by the grace of five minutes.
    wait_for("the number of live tokens falls below fifteen", || async {
        (live(&app, SAM).await.len() < 15).then_some(())
    })
    .await;
}
