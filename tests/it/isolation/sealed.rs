//! Ciphertext that does not open is left alone: moved elsewhere (security.md S-47), or without its key.

use std::time::Duration;

use crate::{
    faults::{Installation, browser, encryption_key},
    harness::{App, BEA, SAM, Visitor, process::until},
};

/// Of two connections.
const SWAP: &str = "update connection c set refresh_token_sealed = o.refresh_token_sealed
    from connection o where o.connection_id <> c.connection_id";

#[tokio::test(flavor = "multi_thread")]
async fn s47_a_ciphertext_copied_to_another_row_is_not_sent() {
    let app = App::start().await;
    let (bea, sam) = (app.visitor(), app.visitor());
    bea.sign_in_as(BEA).await.assert_status(303);
    sam.sign_in_as(SAM).await.assert_status(303);
    app.database.execute(SWAP).await;
    let page = format!("/connections/{}/disconnect", bea.only_connection().await);
    bea.submit(&page, &page, &[]).await.assert_status(303);
    app.advance(Duration::from_secs(60)).await;
    assert_eq!(app.zoho.requests("/oauth/v2/token/revoke").await, Vec::<String>::new(), "nothing is sent");
    let held = "select (select token_sealed from revocation) is not null and count(*) = 1 from connection
                where status = 'active' and refresh_token_sealed is not null";
    assert_eq!(app.database.text(held).await, "true", "nothing is overwritten");
    assert_eq!(app.zoho.refresh_tokens(SAM, "live").await.len(), 1);

    // Put back, both work.
    let put_back = "with there as (select token_sealed from revocation),
            here as (select refresh_token_sealed from connection where status = 'active'),
            back as (update revocation set token_sealed = (select refresh_token_sealed from here), due_at = created_at)
        update connection set refresh_token_sealed = (select token_sealed from there) where status = 'active'";
    app.database.execute(put_back).await;
    until("the right token is revoked", Duration::from_secs(10), async || {
        app.zoho.refresh_tokens(BEA, "live").await.is_empty().then_some(())
    })
    .await;
    assert_eq!(app.zoho.refresh_tokens(SAM, "live").await.len(), 1);
    let page = format!("/connections/{}/disconnect", sam.only_connection().await);
    sam.submit(&page, &page, &[]).await.assert_status(303);
    assert_eq!(app.zoho.refresh_tokens(SAM, "live").await.len(), 0);
}

/// The same browser, at another replica.
fn moved(to: Visitor, from: &Visitor) -> Visitor {
    for (name, value) in from.cookies() {
        to.put_cookie(&name, &value);
    }
    to
}

#[tokio::test(flavor = "multi_thread")]
async fn r22_a_missing_key_overwrites_nothing_and_its_return_heals_everything() {
    let site = Installation::prepare().await;
    let whole = site.replica("whole").await;
    let visitor = browser(&[&whole]);
    visitor.sign_in_as(BEA).await.assert_status(303);
    let other_key = encryption_key("second");
    let keyless = site.replica_with("keyless", &[("ENCRYPTION_KEYS", &other_key)]).await;

    // Begun on the one, brought to the other: refused there, not burnt.
    let (traveler, callback) = site.consented(&[&whole, &keyless], SAM).await;
    traveler.via(1).get(&callback).await.assert_status(400);
    traveler.get(&callback).await.assert_status(303);

    drop(whole);
    let visitor = moved(browser(&[&keyless]), &visitor);
    let page = format!("/connections/{}/disconnect", visitor.only_connection().await);
    visitor.submit(&page, &page, &[]).await.assert_status(303);
    until("the keyless replica has tried", Duration::from_secs(10), async || {
        keyless.log().contains("a token to revoke does not open").then_some(())
    })
    .await;
    assert_eq!(site.ask("select token_sealed is not null and done_at is null from revocation").await, "true");
    assert_eq!(site.zoho.refresh_tokens(BEA, "live").await.len(), 1);
    drop(keyless);

    // Back, behind a new first key.
    let keys = format!("{other_key},{}", site.environment["ENCRYPTION_KEYS"]);
    let healed = site.replica_with("healed", &[("ENCRYPTION_KEYS", &keys)]).await;
    site.execute("update revocation set due_at = created_at").await;
    // Zoho knows a moment before our row does.
    until("the token is revoked", Duration::from_secs(10), async || {
        (site.ask("select outcome from revocation").await == "yes").then_some(())
    })
    .await;
    assert!(site.zoho.refresh_tokens(BEA, "live").await.is_empty());
    let visitor = moved(browser(&[&healed]), &visitor);
    assert!(visitor.is_signed_in().await);
}
