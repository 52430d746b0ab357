//! Cookies and the sessions behind them.

use std::time::Duration;

use reqwest::Method;

use crate::harness::*;

/// The attributes of a `Set-Cookie` line, without its value.
fn attributes(line: &str) -> Vec<&str> {
    line.split("; ").skip(1).collect()
}

#[tokio::test]
async fn s24_cookies_are_bound_to_this_host_and_hidden_from_scripts() {
    let app = App::start().await;
    let sam = app.visitor();
    let begun = sam.get("/login").await;
    let [attempt] = begun.set_cookies()[..] else { panic!("{:?}", begun.headers) };
    assert!(attempt.starts_with("lwz_attempt_"), "{attempt}");
    assert_eq!(attributes(attempt), ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=600"]);
    let landing = sam.land(&sam.go_to_zoho(begun.location(), SAM).await).await;
    let session = landing.session_cookie().unwrap();
    assert!(session.starts_with("lwz_session="), "{session}");
    assert_eq!(attributes(session), ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"]);
}

#[tokio::test]
async fn s24_under_https_cookies_are_secure_and_have_the_host_prefix() {
    let app = App::builder().https().start().await;
    let sam = app.visitor();
    let begun = sam.get("/login").await;
    let landing = sam.land(&sam.go_to_zoho(begun.location(), SAM).await).await;
    assert_eq!(landing.location(), "/connections");
    for line in begun.set_cookies().iter().chain(&landing.set_cookies()) {
        assert!(line.starts_with("__Host-lwz_"), "{line}");
        let attributes = attributes(line);
        assert!(attributes.contains(&"Secure") && attributes.contains(&"Path=/"), "{line}");
        assert!(!line.to_lowercase().contains("domain="), "{line}");
    }
    assert!(sam.is_signed_in().await);
}

#[tokio::test]
async fn s25_five_tabs_complete_in_any_order_and_the_sixth_pushes_the_oldest_out() {
    let app = App::start().await;
    let sam = app.visitor();
    let mut tabs = Vec::new();
    for _ in 0..6 {
        let consent = sam.begin("/login").await;
        tabs.push(sam.go_to_zoho(&consent, SAM).await);
        app.advance(Duration::from_secs(1)).await;
        assert!(sam.cookie_header().len() < 4096);
    }
    assert_eq!(sam.cookies().len(), 5);
    sam.come_back(&tabs[0]).await.assert_status(400);
    for tab in [3, 1, 5, 2, 4] {
        assert_eq!(sam.come_back(&tabs[tab]).await.location(), "/connections", "tab {tab}");
        assert!(sam.cookie_header().len() < 4096, "{}", sam.cookie_header().len());
    }
    assert_eq!(sam.connection_ids().await.len(), 1);
}

#[tokio::test]
async fn s25_long_return_paths_and_scopes_leave_the_cookies_below_4_kb() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let tenant = sam.get("/connections").await.field("tenant").unwrap();
    let scopes = (0..15).map(|index| format!("ZohoCRM.settings.custom_module_number{index:03}.READ"));
    let scopes: String = scopes.collect::<Vec<_>>().join(",").chars().take(500).collect();
    let scopes = scopes.rsplit_once(',').unwrap().0.to_owned();
    for _ in 0..7 {
        let form = [("product", "crm"), ("tenant", tenant.as_str()), ("scopes", scopes.as_str())];
        sam.submit("/connections", "/connections", &form).await.assert_status(303);
        sam.begin(&format!("/login?product=none&return_to=/{}", "a".repeat(255))).await;
        assert!(sam.cookie_header().len() < 4096, "{}", sam.cookie_header().len());
    }
}

#[tokio::test]
async fn s26_a_preset_session_cookie_is_replaced_and_the_old_id_dies_at_sign_in() {
    let app = App::builder().replicas(2).start().await;
    let sam = app.visitor();
    let planted = "A".repeat(43);
    sam.put_cookie("lwz_session", &planted);
    assert!(!sam.is_signed_in().await);
    sam.sign_in_as(SAM).await;
    let first = sam.session().unwrap();
    assert_ne!(first, planted);
    sam.go("/login?product=none", SAM).await;
    let second = sam.session().unwrap();
    assert_ne!(second, first, "the id changes at sign-in");
    for (id, is_alive) in [(&planted, false), (&first, false), (&second, true)] {
        let browser = app.visitor().via(1);
        browser.put_cookie("lwz_session", id);
        assert_eq!(browser.is_signed_in().await, is_alive);
    }
}

#[tokio::test]
async fn s27_cookies_are_worthless_in_each_others_place() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let consents = [sam.begin("/login?product=crm").await, sam.begin("/login?product=crm").await];
    let [first, second] = [sam.go_to_zoho(&consents[0], SAM).await, sam.go_to_zoho(&consents[1], SAM).await];
    let attempts: Vec<_> = sam.cookies().into_iter().filter(|(name, _)| name.contains("attempt")).collect();
    let [.., (first_name, first_value), (second_name, second_value)] = &attempts[..] else { panic!("{attempts:?}") };
    let session = sam.session().unwrap();

    let browser = app.visitor();
    for value in [first_value.as_str(), &first_value[..43], ""] {
        browser.put_cookie("lwz_session", value);
        assert!(!browser.is_signed_in().await, "an attempt is no session");
    }
    let swapped = sam.copy();
    swapped.put_cookie(first_name, second_value);
    swapped.put_cookie(second_name, &session);
    swapped.come_back(&first).await.assert_status(400);
    swapped.come_back(&second).await.assert_status(400);

    let doubled = sam.copy();
    let cookies = format!("{first_name}={first_value}; {}", sam.cookie_header());
    let request = doubled.request(reqwest::Method::GET, &first).header("cookie", &cookies).without_cookies();
    request.send().await.assert_status(400);
    let twice = format!("lwz_session={session}; lwz_session={session}");
    let request = doubled.request(reqwest::Method::GET, "/connections").header("cookie", &twice).without_cookies();
    assert_eq!(request.send().await.status, 303, "two of one name count as none");
    assert_eq!(sam.come_back(&first).await.location(), "/connections");
}

#[tokio::test]
async fn s27_under_https_unprefixed_names_do_not_count() {
    let app = App::builder().https().start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let consent = sam.begin("/login?product=crm").await;
    let url = sam.go_to_zoho(&consent, SAM).await;
    let unprefixed = app.visitor();
    for (name, value) in sam.cookies() {
        unprefixed.put_cookie(name.strip_prefix("__Host-").unwrap(), &value);
    }
    assert!(!unprefixed.is_signed_in().await);
    unprefixed.come_back(&url).await.assert_status(400);
    assert_eq!(sam.come_back(&url).await.location(), "/connections");
}

#[tokio::test]
async fn s28_sign_out_ends_the_session_on_every_replica_and_a_late_duplicate_revives_nothing() {
    let app = App::builder().replicas(2).start().await;
    let sam = app.visitor();
    let consent = sam.begin("/login").await;
    let url = sam.go_to_zoho(&consent, SAM).await;
    let with_attempt = sam.copy();
    sam.come_back(&url).await;
    let session = sam.session().unwrap();
    let out = sam.submit("/connections", "/logout", &[]).await;
    assert_eq!(out.location(), "/?signed_out=1");
    assert_eq!(sam.session(), None, "the browser drops it");
    for replica in 0..2 {
        let browser = app.visitor().via(replica);
        browser.put_cookie("lwz_session", &session);
        assert!(!browser.is_signed_in().await);
    }
    with_attempt.come_back(&url).await;
    assert!(!with_attempt.is_signed_in().await, "a late duplicate revived the session");
    assert_eq!(app.database.count("browser_session").await, 0);
}

#[tokio::test]
async fn s28_under_https_sign_out_clears_the_browser() {
    let app = App::builder().https().start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let out = sam.submit("/connections", "/logout", &[]).await;
    assert!(out.header("clear-site-data").contains("\"storage\""), "{:?}", out.headers);
    assert!(!sam.is_signed_in().await);
}

#[tokio::test]
async fn s28_sessions_end_after_30_idle_minutes_and_after_12_hours() {
    let app = App::start().await;
    let (idle, busy) = (app.visitor(), app.visitor());
    idle.sign_in_as(SAM).await;
    busy.sign_in_as(BEA).await;
    app.advance(Duration::from_secs(29 * 60)).await;
    assert!(idle.is_signed_in().await);
    app.advance(Duration::from_secs(31 * 60)).await;
    assert!(!idle.is_signed_in().await);
    busy.sign_in_as(BEA).await;
    for _ in 0..28 {
        app.advance(Duration::from_secs(25 * 60)).await;
        assert!(busy.is_signed_in().await);
    }
    app.advance(Duration::from_secs(21 * 60)).await;
    assert!(!busy.is_signed_in().await, "12 hours are over");
}

#[tokio::test]
async fn s28_a_page_that_renews_itself_keeps_nobody_signed_in() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    for _ in 0..2 {
        app.advance(Duration::from_secs(14 * 60)).await;
        sam.request(Method::GET, "/connections").header("x-unasked", "1").send().await.assert_status(200);
    }
    app.advance(Duration::from_secs(3 * 60)).await;
    assert!(!sam.is_signed_in().await);
}

#[tokio::test]
async fn signed_out_pages_lead_to_the_sign_in_and_back() {
    let app = App::start().await;
    let sam = app.visitor();
    let page = sam.get("/connections").await;
    assert_eq!(page.location(), "/?return_to=%2Fconnections");
    let page = sam.get(page.location()).await;
    page.assert_status(200);
    assert!(
        page.links().iter().any(|link| link.starts_with("/login") && link.contains("return_to="))
            || page.field("return_to").is_some()
    );
    assert_eq!(sam.post_form("/connections", &[("csrf", "x"), ("product", "desk")]).await.location(), "/");
}

#[tokio::test]
async fn s25_a_dead_attempt_is_dropped_and_a_foreign_name_is_not_repeated() {
    let app = App::start().await;
    let sam = app.visitor();
    let cookies = "lwz_attempt_aaaaaaaa=dead; lwz_attempt_a\"b,c\\=1; lwz_attempt_=1; lwz_attempt_aaaaaaaaa=1";
    let begun = sam.request(Method::GET, "/login").without_cookies().header("cookie", cookies).send().await;
    begun.assert_status(303);
    let lines = begun.set_cookies();
    let [dropped, new] = lines[..] else { panic!("{lines:?}") };
    assert!(dropped.starts_with("lwz_attempt_aaaaaaaa=;") && dropped.contains("Max-Age=0"), "{dropped}");
    assert!(new.contains("Max-Age=600"), "{new}");
}
