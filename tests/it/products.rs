//! Each product end to end: what is asked for, who is asked which organization it is, what is stored; and the dialects
//! in which Zoho says how long a token lives.

use std::time::Duration;

use serde_json::json;

use crate::harness::*;

#[tokio::test]
async fn every_product_is_connected_with_its_scopes_and_its_own_discovery() {
    let app = App::start().await;
    let sam = app.visitor();
    for (product, scopes, discovery, zoho_id) in [
        ("assist", "ZohoAssist.userapi.READ", Some("/api/v2/user"), "60000001"),
        ("salesiq", "SalesIQ.portals.READ,SalesIQ.conversations.READ", Some("/api/v2/portals"), "portal60000001"),
        (
            "connect",
            "zohopulse.networklist.READ,zohopulse.tasks.READ",
            Some("/pulse/api/allScopes"),
            "929060000001015001",
        ),
        ("zia_agents", "ZiaAgents.agents.TRIGGER", None, ""),
        ("crm", "ZohoCRM.org.READ,ZohoCRM.modules.READ", Some("/crm/v8/org"), "60000001"),
        ("desk", "Desk.basic.READ,Desk.tickets.READ", Some("/api/v1/organizations"), "60000001"),
        ("books", "ZohoBooks.settings.READ", Some("/books/v3/organizations"), "60000001"),
    ] {
        app.zoho.forget_journal().await;
        let consent = sam.begin(&format!("/login?product={product}")).await;
        assert_eq!(parameter(&consent, "scope").unwrap(), format!("AaaServer.profile.READ,{scopes}"));
        assert_eq!(parameter(&consent, "access_type").as_deref(), Some("offline"));
        assert_eq!(parameter(&consent, "prompt").as_deref(), Some("consent"));
        assert_eq!(parameter(&consent, "response_type").as_deref(), Some("code"));
        assert_eq!(parameter(&consent, "code_challenge_method").as_deref(), Some("S256"));
        assert_eq!(parameter(&consent, "state").unwrap().len(), 43);
        let landing = sam.land(&sam.go_to_zoho(&consent, SAM).await).await;
        let stored = format!(
            "select concat_ws(' ', c.status, c.data_centre, o.zoho_id, o.environment, o.name)
             from connection c left join organization o using (tenant_id, organization_id) where c.product = '{product}'"
        );
        let calls = app.zoho.requests("/").await;
        let calls: Vec<_> = calls.iter().filter(|call| call.starts_with("api:")).collect();
        if let Some(path) = discovery {
            assert_eq!(landing.location(), "/connections", "{product}");
            assert_eq!(calls, [&format!("api:us GET {path}")], "{product}");
            let stored = app.database.text(&stored).await;
            assert!(stored.starts_with("active us ") && stored.ends_with(" production Rivera Supplies"), "{stored}");
            assert!(stored.contains(&zoho_id[..zoho_id.len().min(14)]), "{product}: {stored}");
        } else {
            assert!(landing.location().starts_with("/connections/"), "{product}");
            assert!(calls.is_empty(), "{calls:?}");
            assert_eq!(app.database.text(&stored).await, "choosing us");
        }
    }
    assert_eq!(app.database.count("connection").await, 7);
    assert_eq!(sam.connection_ids().await.len(), 7);
}

#[tokio::test]
async fn settings_replace_a_products_own_scopes_and_profile_and_discovery_stay() {
    let app = App::builder().scopes("crm", "ZohoCRM.modules.ALL,ZohoCRM.users.READ").login_product("crm").start().await;
    let consent = app.visitor().begin("/login").await;
    assert_eq!(
        parameter(&consent, "scope").unwrap(),
        "AaaServer.profile.READ,ZohoCRM.org.READ,ZohoCRM.modules.ALL,ZohoCRM.users.READ"
    );
}

#[tokio::test]
async fn people_of_many_data_centres_are_served_by_their_own_hosts() {
    let app = App::start().await;
    for person in
        [SAM, BEA, CHLOE, ISHA, YUKI, "au:700000001", "uk:440000001", "sa:966000001", "ae:971000001", "sg:650000001"]
    {
        let place = person.split(':').next().unwrap();
        app.zoho.forget_journal().await;
        let visitor = app.visitor();
        assert_eq!(visitor.go("/login?product=crm", person).await.location(), "/connections", "{person}");
        let calls = app.zoho.requests("/").await;
        let calls: Vec<_> = calls.iter().filter(|call| !call.contains("/oauth/v2/auth")).collect();
        assert_eq!(
            calls,
            [
                &format!("accounts:{place} POST /oauth/v2/token"),
                &format!("accounts:{place} GET /oauth/user/info"),
                &format!("api:{place} GET /crm/v8/org"),
            ]
        );
    }
}

#[tokio::test]
async fn china_starts_apart_and_stays_apart() {
    let app = App::start().await;
    let li = app.visitor();
    let consent = li.begin("/login?data_centre=cn").await;
    assert!(consent.starts_with(&app.accounts("cn")), "{consent}");
    assert_eq!(li.land(&li.go_to_zoho(&consent, LI).await).await.location(), "/connections");
    assert_eq!(app.database.column("select data_centre from connection").await, ["cn"]);
    // A flow neither enters nor leaves China.
    let sam = app.visitor();
    let url = sam.go_to_zoho(&sam.begin("/login").await, SAM).await;
    let moved =
        with_parameter(&with_parameter(&url, "location", Some("cn")), "accounts-server", Some(&app.accounts("cn")));
    assert_eq!(sam.come_back(&moved).await.location(), "/problems/data-centre-not-enabled");
    for elsewhere in ["eu", "mars", "CN"] {
        app.visitor().get(&format!("/login?data_centre={elsewhere}")).await.assert_status(400);
    }
    let without = App::builder().config(|config| config.zoho.id_cn = None).start().await;
    without.visitor().get("/login?data_centre=cn").await.assert_status(400);
}

#[tokio::test]
async fn crm_environments_are_told_apart_by_their_hosts() {
    let app = App::start().await;
    let isha = app.visitor();
    for (organization, environment) in [("50000001", "production"), ("50000002", "sandbox"), ("50000003", "developer")]
    {
        app.zoho.forget_journal().await;
        let consent = isha.begin("/login?product=crm").await;
        let consent =
            with_parameter(&with_parameter(&consent, "access_type", Some("offline")), "prompt", Some("consent"));
        let _ = isha.land(&isha.go_to_zoho_for(&consent, ISHA, organization).await).await;
        let host = match environment {
            "production" => "api",
            other => other,
        };
        if environment == "production" {
            assert_eq!(app.zoho.requests("/crm/").await, [format!("{host}:in GET /crm/v8/org")]);
        }
    }
    // The second and third trips were online, because the person has CRM: connecting another takes the form.
    let tenant = isha.get("/connections").await.field("tenant").unwrap();
    for (organization, environment) in [("50000002", "sandbox"), ("50000003", "developer")] {
        app.zoho.forget_journal().await;
        let begun = isha.submit("/connections", "/connections", &[("product", "crm"), ("tenant", &tenant)]).await;
        let landing = isha.land(&isha.go_to_zoho_for(begun.location(), ISHA, organization).await).await;
        assert_eq!(landing.location(), "/connections");
        assert_eq!(app.zoho.requests("/crm/").await, [format!("{environment}:in GET /crm/v8/org")]);
    }
    let environments = app.database.column("select environment from organization order by 1").await;
    assert_eq!(environments, ["developer", "production", "sandbox"]);
    let page = isha.get("/connections").await;
    assert!(page.has("Sandbox") && page.has("Developer"), "each is shown as a badge");
}

#[tokio::test]
async fn every_dialect_of_a_lifetime_means_an_hour() {
    let app = App::start().await;
    let seconds = "select extract(epoch from access_token_expires_at - consented_at)::int from connection";
    for dialect in
        ["seconds", "milliseconds_and_seconds", "milliseconds", "seconds_under_the_old_name", "text", "absent"]
    {
        app.zoho.settings(json!({"token": {"expires_in": dialect}})).await;
        assert_eq!(app.visitor().sign_in_as(SAM).await.location(), "/connections");
        assert_eq!(app.database.column(seconds).await, ["3600"], "{dialect}");
        app.advance(Duration::from_secs(400)).await;
    }
    app.zoho.settings(json!({"token": {"expires_in": "seconds"}})).await;
    for (value, expected) in [
        (json!(1800), "1800"),
        (json!(-5), "3600"),
        (json!(0), "3600"),
        (json!(99_999_999_999_u64), "3600"),
        (json!([]), "3600"),
        (json!("soon"), "3600"),
    ] {
        app.zoho
            .fault(json!({"path": "/oauth/v2/token", "count": 1, "act": {"json": {"set": {"/expires_in": value}}}}))
            .await;
        assert_eq!(app.visitor().sign_in_as(SAM).await.location(), "/connections");
        assert_eq!(app.database.column(seconds).await, [expected], "{value}");
        app.advance(Duration::from_secs(400)).await;
    }
}

#[tokio::test]
async fn scopes_in_every_spelling_and_an_absent_api_domain_are_understood() {
    let app = App::start().await;
    for scope in ["normalized", "expanded", "lower_case", "commas", "absent"] {
        for api_domain in ["present", "absent", "as_in_old_samples"] {
            app.zoho.settings(json!({"token": {"scope": scope, "api_domain": api_domain}})).await;
            let sam = app.visitor();
            assert_eq!(sam.go("/login?product=crm", SAM).await.location(), "/connections", "{scope} {api_domain}");
            let page = sam.get(&format!("/connections/{}", sam.only_connection().await)).await;
            page.assert_status(200);
            assert!(!page.has("data-status=\"missing\"") && !page.has("Not granted"), "{scope}");
            app.advance(Duration::from_secs(400)).await;
        }
    }
    assert_eq!(app.database.column("select status from connection").await, ["active"]);
}

#[tokio::test]
async fn a_product_that_a_data_centre_lacks_has_a_page_that_says_so() {
    let app = App::builder()
        .config(|config| {
            let file = config.zoho.servers.data_centres().fold(String::new(), |file, (place, hosts)| {
                format!(
                    "{file}[{place}]\naccounts = \"{}\"\napi = \"{}\"\nassist = \"{}\"\n",
                    hosts.accounts, hosts.api, hosts.api
                ) + &if place.key() == "us" { format!("desk = \"{}\"\n", hosts.api) } else { String::new() }
            });
            config.zoho.servers = login_with_zoho::settings::Servers::from_toml(&file).unwrap();
        })
        .start()
        .await;
    let bea = app.visitor();
    let landing = bea.go("/login?product=desk", BEA).await;
    assert_eq!(landing.location(), "/problems/product-not-offered");
    wait_for("the token is revoked", || async { app.zoho.refresh_tokens(BEA, "live").await.is_empty().then_some(()) })
        .await;
}
