//! One connection as an administrator sees it: who used it, what happened, and what can be done.

use super::console;
use crate::harness::*;

#[tokio::test]
async fn an_administrator_sees_the_whole_life_of_anybodys_connection() {
    let app = App::start().await;
    let (sam, bea) = (app.visitor(), app.visitor());
    sam.sign_in_as(SAM).await;
    bea.sign_in_as(BEA).await;
    let console = console(&sam).await;
    let id = bea.only_connection().await;
    // Bea's connection is Sam's tenant's: she connected it there, and he is its administrator.
    app.database
        .execute(&format!(
            "insert into membership select tenant_id, (select person_id from person where zuid = '780000001'), 'admin', now()
             from connection where connection_id = '{id}'"
        ))
        .await;
    let slug = app
        .database
        .text(&format!("select slug from tenant t join connection c using (tenant_id) where connection_id = '{id}'"))
        .await;
    let backend = app.backend_of(&id, &["tokens:read"]).await;
    assert_eq!(backend.token(&id, "").await.status, 200);
    let page = format!("/tenants/{slug}/connections/{id}");
    let seen = wait_for("the use is written down", || async {
        Some(sam.get(&page).await).filter(|page| page.has("1 token,"))
    })
    .await;
    assert!(seen.has("bea") || seen.has("Bea"));
    assert!(seen.has("Uses: 1 in 14 days") && seen.has("Failures: 0 in 14 days") && seen.has("Connected: consent"));
    assert!(seen.has("test</bdi>"), "the name of the key");
    // The menu leads to every tenant that Sam administers.
    assert!(
        seen.has(&format!("href=\"/tenants/{slug}/organizations\"")) && seen.has(&format!("{console}/organizations"))
    );
    let tested = sam.submit(&page, &format!("{page}/test"), &[]).await;
    assert_eq!(tested.location(), page);
    assert!(sam.get(&page).await.has("Tested: it works"));
    let disconnect = format!("{page}/disconnect");
    assert!(sam.get(&disconnect).await.has("with your name at its end"));
    assert_eq!(sam.submit(&disconnect, &disconnect, &[]).await.location(), page);
    assert!(sam.get(&page).await.has("Disconnected, and confirmed by Zoho"));
    assert_eq!(backend.token(&id, "").await.problem(), "409 disconnected");
    let event = "select concat_ws(' ', action, actor_kind, (select zuid from person where person_id::text = actor_id))
                 from audit_event where action in ('tested', 'disconnected') order by at, action desc";
    assert_eq!(app.database.column(event).await, ["tested person 780000001", "disconnected person 780000001"]);
    assert_eq!(sam.get(&disconnect).await.location(), page, "nothing is left to end");
}
