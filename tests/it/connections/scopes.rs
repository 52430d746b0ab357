//! Asking for more rights: through consent, to the same connection.

use serde_json::json;

use super::*;

const GRANTED: &str = "select array_to_string(scopes_granted, ' ') from connection";
const REQUESTED: &str = "select array_to_string(scopes_requested, ' ') from connection";
const USUAL: &str = "AaaServer.profile.READ ZohoCRM.org.READ ZohoCRM.modules.READ";

#[tokio::test]
async fn a_right_that_is_missing_is_asked_for_again_by_the_same_connection() {
    let app = App::start().await;
    let act = json!({"json": {"set": {"/scope": "AaaServer.profile.READ ZohoCRM.org.READ"}}});
    app.zoho.fault(json!({"path": "/oauth/v2/token", "count": 1, "act": act})).await;
    let sam = app.visitor();
    sam.go("/login?product=crm", SAM).await;
    let id = sam.only_connection().await;
    let page = sam.get(&format!("/connections/{id}")).await;
    assert!(page.has("Fewer rights than asked for") && page.has("Not granted"));
    assert!(sam.get("/connections").await.has("has fewer rights than asked for"));
    let consent = reconnect(&sam, &id).await;
    assert_eq!(parameter(&consent, "scope").unwrap(), USUAL.replace(' ', ","));
    let landing = sam.land(&sam.go_to_zoho(&consent, SAM).await).await;
    assert_eq!(landing.location(), format!("/connections/{id}"));
    let page = sam.get(landing.location()).await;
    assert!(!page.has("Fewer rights than asked for") && !page.has("Not granted"));
    assert_eq!(sam.only_connection().await, id);
}

#[tokio::test]
async fn more_rights_are_added_to_those_asked_for_before_and_stay_asked_for() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.go("/login?product=crm", SAM).await;
    let id = sam.only_connection().await;
    let page = format!("/connections/{id}");
    let ask = async |scopes: &str| {
        let begun = sam.submit(&page, &format!("{page}/reconnect"), &[("scopes", scopes)]).await;
        begun.location().to_owned()
    };
    // Rights are the same in any case: nothing is asked for twice.
    let consent = ask("zohocrm.MODULES.read, ZohoCRM.users.READ").await;
    let union = format!("{USUAL} ZohoCRM.users.READ");
    assert_eq!(parameter(&consent, "scope").unwrap(), union.replace(' ', ","));
    sam.land(&sam.go_to_zoho(&consent, SAM).await).await;
    assert_eq!(sam.only_connection().await, id);
    for column in [REQUESTED, GRANTED] {
        assert_eq!(app.database.column(column).await, [union.as_str()]);
    }
    let consent = ask("").await;
    assert_eq!(parameter(&consent, "scope").unwrap(), union.replace(' ', ","), "a later reconnect gives up nothing");
    // Of a disconnected connection, too.
    sam.submit(&page, &format!("{page}/disconnect"), &[]).await.assert_status(303);
    let consent = ask("ZohoCRM.settings.READ").await;
    assert!(parameter(&consent, "scope").unwrap().ends_with("ZohoCRM.users.READ,ZohoCRM.settings.READ"));
    sam.land(&sam.go_to_zoho(&consent, SAM).await).await;
    assert_eq!(sam.only_connection().await, id);
    assert!(row(&app, &id).await.starts_with("active crm"));
    sam.submit(&page, &format!("{page}/reconnect"), &[("scopes", "not;a;scope")]).await.assert_status(400);
    sam.submit(&page, &format!("{page}/reconnect"), &[("scopes", &"a".repeat(600))]).await.assert_status(400);
}

#[tokio::test]
async fn what_zoho_grants_in_other_case_is_not_missing() {
    let app = App::start().await;
    let act = json!({"json": {"set": {"/scope": "aaaserver.PROFILE.read zohocrm.ORG.read ZOHOCRM.modules.all"}}});
    app.zoho.fault(json!({"path": "/oauth/v2/token", "act": act})).await;
    let sam = app.visitor();
    sam.go("/login?product=crm", SAM).await;
    let page = sam.get(&format!("/connections/{}", sam.only_connection().await)).await;
    assert!(page.has("Granted") && !page.has("Not granted") && !page.has("Fewer rights"));
    let consent = sam.begin("/login?product=crm").await;
    assert_eq!(parameter(&consent, "access_type").as_deref(), Some("online"), "nothing is missing");
}
