//! What the lists say of the time ahead: a budget that runs short, and how long the access of what waits lasts.

use super::console;
use crate::harness::*;

#[tokio::test]
async fn d9_whoever_is_near_the_limit_of_sign_ins_is_shown_so_until_there_is_room_again() {
    // Of four, three are near.
    let app = App::builder().config(|config| config.refresh_tokens_per_person = 4).start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let console = console(&sam).await;
    let lists = ["organizations", "connections"].map(|list| format!("{console}/{list}"));
    sam.connect("crm", SAM, "all").await;
    for list in &lists {
        let page = sam.get(list).await;
        assert!(page.has("None in sight") && !page.has("sign-ins that Zoho keeps"), "{}", page.text);
    }
    assert_eq!(app.database.count("budget_watch").await, 0, "nobody is noticed");
    sam.connect("desk", SAM, "all").await;
    for list in &lists {
        let page = sam.get(list).await;
        assert_eq!(page.text.matches("3 of the 4 sign-ins").count(), 3, "{}", page.text);
    }
    // Another tenant's people are not this one's.
    let bea = app.visitor();
    bea.sign_in_as(BEA).await;
    let other = super::console(&bea).await;
    assert!(!bea.get(&format!("{other}/connections")).await.has("sign-ins that Zoho keeps"));
    let id = app.database.text("select connection_id from connection where product = 'desk'").await;
    let disconnect = format!("{console}/connections/{id}/disconnect");
    sam.submit(&disconnect, &disconnect, &[]).await.assert_status(303);
    wait_for("there is room again", || async {
        let page = sam.get(&lists[1]).await;
        (!page.has("sign-ins that Zoho keeps")).then_some(())
    })
    .await;
    assert!(!sam.get(&lists[0]).await.has("sign-ins that Zoho keeps"));
}

#[tokio::test]
async fn what_waits_says_until_when_and_how_long_it_lasts() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let console = console(&sam).await;
    app.database
        .execute("update connection set health = 'throttled', retry_at = '2026-11-21T10:12:00Z', refresh_at = '2026-11-21T10:12:00Z'")
        .await;
    for list in ["organizations", "connections"] {
        let page = sam.get(&format!("{console}/{list}")).await;
        assert!(page.has("10:12 UTC") && page.has("What it has lasts until") && page.has("11:00 UTC"), "{}", page.text);
    }
}
