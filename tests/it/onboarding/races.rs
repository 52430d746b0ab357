//! Single use, whoever comes at once.

use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn s46_two_browsers_that_start_at_once_are_one() {
    let site = Inviting::of(App::builder().replicas(2)).await;
    let link = site.invite("crm", PLAIN).await;
    let browsers = [site.app.visitor(), site.app.visitor().via(1), site.app.visitor()];
    let started = join_all(browsers.iter().map(|browser| send(browser, &link.path, "start", &[]))).await;
    let mut statuses: Vec<_> = started.iter().map(|page| page.status).collect();
    let winner = statuses.iter().position(|status| *status == 303).expect("one is off to Zoho");
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 403, 403]);
    for (index, browser) in browsers.iter().enumerate() {
        let page = browser.get(&link.path).await;
        page.assert_status(200);
        assert_eq!(page.has("opened in another browser"), index != winner);
        assert_eq!(page.actions().iter().any(|action| action.starts_with("/onboarding/")), index == winner);
    }
    // The one that has it may begin again.
    start(&browsers[winner], &link).await;
}

#[tokio::test]
async fn s46_another_browser_neither_sees_nor_confirms_what_rests() {
    let site = Inviting::open().await;
    let link = site.invite("crm", PLAIN).await;
    let (bea, other) = (site.app.visitor(), site.app.visitor());
    consent(&bea, &link, BEA).await;
    let page = other.get(&link.path).await;
    assert!(page.has("opened in another browser") && !page.has("bea@example.com"));
    for step in ["start", "confirm", "refuse"] {
        send(&other, &link.path, step, &[]).await.assert_status(403);
    }
    other.get(&format!("/onboarding/{}", link.id)).await.assert_status(404);
    // Nor does somebody else who has signed in on this browser meanwhile.
    let elsewhere = bea.copy();
    elsewhere.sign_in_as(SAM).await;
    let path = format!("/onboarding/{}", link.id);
    send(&elsewhere, &path, "confirm", &[]).await.assert_status(403);
    assert_eq!(site.state(&link).await, "consented");
    confirm(&bea, &link, &[]).await;
    other.get(&format!("/onboarding/{}/done", link.id)).await.assert_status(404);
    other.get(&format!("{}/done", link.path)).await.assert_status(404);
}

#[tokio::test]
async fn s46_many_confirmations_at_once_are_one_connection() {
    let site = Inviting::of(App::builder().replicas(2)).await;
    let link = site.invite("crm", PLAIN).await;
    let bea = site.app.visitor();
    consent(&bea, &link, BEA).await;
    let path = format!("/onboarding/{}", link.id);
    let taps: Vec<_> = (0..6).map(|tap| bea.copy().via(tap)).collect();
    let answers = join_all(taps.iter().map(|tap| tap.post_form(&path, &[("step", "confirm")]))).await;
    for answer in &answers {
        assert_eq!(answer.location(), format!("{path}/done"), "a double tap shows what the first one shows");
    }
    assert_eq!(site.connections().await, "1");
    let confirmed = "select count(*) from audit_event where action in ('onboarding_confirmed', 'connected')";
    assert_eq!(site.app.database.text(confirmed).await, "2");
    assert_eq!(site.app.database.text("select count(*) from browser_session").await, "1");
}

#[tokio::test]
async fn a_second_consent_in_another_tab_is_revoked_and_the_first_one_rests() {
    let site = Inviting::open().await;
    let link = site.invite("crm", PLAIN).await;
    let browser = site.app.visitor();
    let (first, second) = (start(&browser, &link).await, start(&browser, &link).await);
    let (first, second) = (browser.go_to_zoho(&first, BEA).await, browser.go_to_zoho(&second, SAM).await);
    browser.land(&first).await;
    browser.land(&second).await;
    site.no_live_token_of(SAM).await;
    assert!(browser.get(&link.path).await.has("bea@example.com"));
    confirm(&browser, &link, &[]).await;
    assert_eq!(site.app.zoho.refresh_tokens(BEA, "live").await.len(), 1);
}

#[tokio::test]
async fn two_who_accept_at_once_do_not_both_own_the_tenant() {
    let site = Inviting::open().await;
    let links = [site.invite("crm", PLAIN).await, site.invite("crm", PLAIN).await];
    let people = [(site.app.visitor(), BEA), (site.app.visitor(), SAM)];
    for ((visitor, person), link) in people.iter().zip(&links) {
        consent(visitor, link, person).await;
    }
    join_all(people.iter().zip(&links).map(|((visitor, _), link)| confirm(visitor, link, &[]))).await;
    let roles = site.app.database.column("select role from membership order by role").await;
    assert_eq!(roles, ["member", "owner"]);
}
