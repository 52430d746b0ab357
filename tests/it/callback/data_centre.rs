//! `location` and `accounts-server` select a row of a closed table, and nothing else.

use login_with_zoho::settings::DataCentre;

use super::*;

#[tokio::test]
async fn s15_a_foreign_accounts_server_is_refused_spent_audited_and_never_contacted() {
    let app = App::start().await;
    let outside = Outside::listen().await;
    let sam = app.visitor();
    let good = callback(&sam, SAM).await;
    let foreign = with_parameter(&good, "accounts-server", Some(&outside.url()));
    assert_refused(&sam.come_back(&foreign).await);
    assert_refused(&sam.come_back(&good).await);
    assert_eq!(
        app.database.column("select action || ' ' || outcome from audit_event").await,
        ["data_centre_refused refused"]
    );
    assert_eq!(exchanges(&app).await, 0);
    outside.assert_untouched().await;
}

#[tokio::test]
async fn s16_what_a_url_parser_would_forgive_is_still_foreign() {
    let app = App::start().await;
    let outside = Outside::listen().await;
    let ours = app.accounts("eu");
    let port = ours.rsplit(':').next().unwrap().to_owned();
    let other = outside.authority();
    for foreign in [
        String::new(),
        "/".to_owned(),
        "null".to_owned(),
        "eu".to_owned(),
        ours.replace("http", "HTTP"),
        ours.replace("http://", "https://"),
        ours.replace("http://", "//"),
        ours.replace("http://", ""),
        ours.replace("http://", "http:\\\\"),
        ours.replace("http://", "http:/"),
        ours.replace("http://", "http:///"),
        ours.replace("127.0.0.1", "localhost"),
        ours.replace("127.0.0.1", "127.1"),
        ours.replace("127.0.0.1", "2130706433"),
        ours.replace("127.0.0.1", "[::ffff:127.0.0.1]"),
        ours.replace("127.0.0.1", "127.0.0.1."),
        ours.replace("127.0.0.1", "127。0。0。1"),
        ours.replace(&port, &format!("0{port}")),
        format!("{ours}@{other}"),
        format!("{ours}#@{other}"),
        format!("{ours}\\@{other}"),
        format!("{ours}.evil.example"),
        format!("{ours}//"),
        format!("{ours}/oauth"),
        format!("{ours}?"),
        format!("{ours}#"),
        format!(" {ours}"),
        format!("{ours} "),
        format!("{ours}\t"),
        ours.replace(':', "%3A"),
        format!("{ours},{ours}"),
        app.api("eu"),
    ] {
        let bea = app.visitor();
        let good = callback(&bea, BEA).await;
        for location in [Some("eu"), None] {
            let url = with_parameter(&with_parameter(&good, "location", location), "accounts-server", Some(&foreign));
            let page = bea.come_back(&url).await;
            assert_eq!((page.status, page.session_cookie()), (400, None), "{foreign:?}");
        }
    }
    assert_eq!(exchanges(&app).await, 0);
    outside.assert_untouched().await;
    let bea = app.visitor();
    let good = callback(&bea, BEA).await;
    let with_slash = with_parameter(&good, "accounts-server", Some(&format!("{ours}/")));
    assert_eq!(bea.come_back(&with_slash).await.location(), "/connections", "one trailing slash is allowed");
}

#[tokio::test]
async fn s17_places_that_disagree_or_are_unknown_are_refused_and_spent() {
    let app = App::start().await;
    for (location, server) in [
        (Some("us"), Some(app.accounts("eu"))),
        (Some("eu"), Some(app.accounts("us"))),
        (Some("EU"), Some(app.accounts("eu"))),
        (Some("mars"), None),
        (Some(""), None),
        (Some("eu "), Some(app.accounts("eu"))),
    ] {
        let bea = app.visitor();
        let good = callback(&bea, BEA).await;
        let url = with_parameter(&with_parameter(&good, "location", location), "accounts-server", server.as_deref());
        assert_refused(&bea.come_back(&url).await);
        assert_refused(&bea.come_back(&good).await);
    }
    assert_eq!(exchanges(&app).await, 0);
}

#[tokio::test]
async fn s17_one_place_alone_decides() {
    let app = App::start().await;
    for absent in ["location", "accounts-server"] {
        let bea = app.visitor();
        let good = callback(&bea, BEA).await;
        assert_eq!(bea.come_back(&with_parameter(&good, absent, None)).await.location(), "/connections");
    }
    let calls = app.zoho.token_calls().await;
    assert!(calls.iter().all(|call| call.listener == "accounts:eu"), "{calls:?}");
}

#[tokio::test]
async fn s17_a_data_centre_that_is_not_switched_on_has_its_own_page() {
    let app =
        App::builder().config(|config| config.zoho.enabled.retain(|place| *place != DataCentre::Eu)).start().await;
    let bea = app.visitor();
    let landing = bea.sign_in_as(BEA).await;
    assert_eq!(landing.location(), "/problems/data-centre-not-enabled");
    assert_eq!(landing.session_cookie(), None);
    bea.get("/problems/data-centre-not-enabled").await.assert_status(200);
    assert_eq!(exchanges(&app).await, 0);
}

#[tokio::test]
async fn s20_each_data_centre_gets_its_own_secret_in_a_form_and_no_request_line_holds_one() {
    let app = App::start().await;
    for person in [SAM, BEA, CHLOE, ISHA, YUKI] {
        assert_eq!(app.visitor().sign_in_as(person).await.location(), "/connections", "{person}");
    }
    let secrets = harness_secrets();
    let calls = app.zoho.token_calls().await;
    assert_eq!(calls.len(), 5);
    for call in &calls {
        let place = call.listener.strip_prefix("accounts:").unwrap();
        assert_eq!(call.query, "");
        assert_eq!(call.form["client_secret"], secrets[place], "{place}");
        assert_eq!(call.form["redirect_uri"], app.public_url().redirect_uri());
        assert_eq!(call.form["grant_type"], "authorization_code");
    }
    for entry in app.zoho.journal("").await {
        assert_ne!(entry["secret_in_request_line"], true, "{entry}");
    }
}

fn harness_secrets() -> std::collections::BTreeMap<String, String> {
    crate::harness::app::client().secrets
}
