//! Changes by cookie: the session's form token and a same-origin request; bodies of one type, with no unknown member.

use reqwest::Method;

use crate::harness::*;

/// Every command of the site, for a connection and for the person's own tenant.
async fn commands(visitor: &Visitor, id: &str) -> Vec<String> {
    let links = visitor.get("/connections").await.links();
    let keys = links.into_iter().find(|link| link.ends_with("/api-keys")).expect("a link to the keys");
    vec![
        "/connections".to_owned(),
        "/logout".to_owned(),
        format!("/connections/{id}/reconnect"),
        format!("/connections/{id}/disconnect"),
        format!("/connections/{id}/organization"),
        format!("/connections/{id}/test"),
        format!("{keys}/Zk3v9Qa1/revoke"),
        keys,
    ]
}

#[tokio::test]
async fn s38_a_change_needs_a_same_origin_request() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    let csrf = sam.get("/connections").await.csrf();
    let ours = app.public_url().origin().to_owned();
    let before = app.database.row_counts().await;
    let port_off_by_one = format!("{ours}0");
    let refused: [&[(&str, &str)]; 11] = [
        &[],
        &[("origin", "null")],
        &[("origin", "https://evil.example")],
        &[("origin", &port_off_by_one)],
        &[("origin", "")],
        &[("sec-fetch-site", "cross-site"), ("origin", &ours)],
        &[("sec-fetch-site", "same-site"), ("origin", &ours)],
        &[("sec-fetch-site", "none"), ("origin", &ours)],
        &[("sec-fetch-site", ""), ("origin", &ours)],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        &[("origin", &ours), ("origin", "https://evil.example")],
    ];
    for command in commands(&sam, &id).await {
        for headers in refused {
            let mut request = sam.request(Method::POST, &command).form(&[("csrf", &csrf)]);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let page = request.send().await;
            assert_eq!(page.status, 403, "{command} {headers:?}");
            assert!(page.set_cookies().is_empty());
        }
    }
    assert_eq!(app.database.row_counts().await, before);
    assert!(sam.is_signed_in().await);
    for header in [("origin", ours.as_str()), ("sec-fetch-site", "same-origin")] {
        let other = app.visitor();
        other.sign_in_as(SAM).await;
        let csrf = other.get("/connections").await.csrf();
        let request = other.request(Method::POST, "/logout").form(&[("csrf", &csrf)]).header(header.0, header.1);
        assert_eq!(request.send().await.status, 303, "either is enough where it is sent: {header:?}");
    }
}

#[tokio::test]
async fn s38_a_change_needs_the_form_token_of_this_session() {
    let app = App::start().await;
    let (sam, bea) = (app.visitor(), app.visitor());
    sam.sign_in_as(SAM).await;
    bea.sign_in_as(BEA).await;
    let id = sam.only_connection().await;
    let of_bea = bea.get("/connections").await.csrf();
    let former = sam.get("/connections").await.csrf();
    sam.go("/login?product=none", SAM).await;
    let own = sam.get("/connections").await.csrf();
    assert_ne!(own, former);
    let before = app.database.row_counts().await;
    for command in commands(&sam, &id).await {
        for wrong in [of_bea.as_str(), &former, "", &own[1..], "A"] {
            let page = sam.post_form(&command, &[("csrf", wrong)]).await;
            assert_eq!(page.status, 403, "{command}");
        }
        assert_eq!(sam.post_form(&command, &[]).await.status, 403, "{command}: without one");
    }
    assert_eq!(app.database.row_counts().await, before);
    assert_eq!(sam.post_form("/logout", &[("csrf", &own)]).await.status, 303);
}

#[tokio::test]
async fn s40_forms_are_urlencoded_and_have_no_unknown_member() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let id = sam.only_connection().await;
    let csrf = sam.get("/connections").await.csrf();
    let before = app.database.row_counts().await;
    for command in commands(&sam, &id).await {
        for (content_type, body) in [
            ("application/json", format!("{{\"csrf\":\"{csrf}\"}}")),
            ("text/plain", format!("csrf={csrf}")),
            (
                "multipart/form-data; boundary=x",
                format!("--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--x--\r\n"),
            ),
            ("", format!("csrf={csrf}")),
        ] {
            let page = sam.request(Method::POST, &command).same_origin().body(content_type, &body).send().await;
            assert_eq!(page.status, 415, "{command} {content_type}");
        }
        for unknown in ["role", "status", "person", "connection_id"] {
            let page = sam.post_form(&command, &[("csrf", &csrf), (unknown, "owner")]).await;
            assert_eq!(page.status, 400, "{command} {unknown}");
        }
        let twice = format!("csrf={csrf}&csrf={csrf}");
        let request = sam.request(Method::POST, &command).same_origin();
        assert_eq!(request.body("application/x-www-form-urlencoded", &twice).send().await.status, 400, "{command}");
        let nul = format!("csrf={csrf}&name=%00");
        let request = sam.request(Method::POST, &command).same_origin();
        assert_eq!(request.body("application/x-www-form-urlencoded", &nul).send().await.status, 400, "{command}");
    }
    assert_eq!(app.database.row_counts().await, before);
}

#[tokio::test]
async fn s37_get_and_head_change_nothing() {
    let app = App::start().await;
    let bea = app.visitor();
    bea.sign_in_as(BEA).await;
    bea.go("/login?product=salesiq", BEA).await;
    let mut known = vec![
        "/".to_owned(),
        "/connections".to_owned(),
        "/problems".to_owned(),
        "/login".to_owned(),
        "/livez".to_owned(),
        "/readyz".to_owned(),
    ];
    let dump = async || {
        let mut all = Vec::new();
        for table in app.database.row_counts().await.keys() {
            let row = if table == "browser_session" { "to_jsonb(r) - 'seen_at'" } else { "to_jsonb(r)" };
            all.push(app.database.column(&format!("select {row} from {table} r order by 1")).await);
        }
        all
    };
    let before = dump().await;
    for _ in 0..2 {
        let mut next = 0;
        while let Some(path) = known.get(next).cloned() {
            next += 1;
            for method in [Method::GET, Method::HEAD] {
                let page = bea.copy().request(method, &path).send().await;
                assert!(page.status < 400, "{path}: {}", page.status);
                let links = page.links().into_iter().filter(|link| link.starts_with('/'));
                let links = links.map(|link| link.split('#').next().unwrap().to_owned());
                for link in links.filter(|link| !link.is_empty()) {
                    if !known.contains(&link) {
                        known.push(link);
                    }
                }
            }
        }
    }
    assert!(known.len() > 15, "{known:?}");
    assert_eq!(dump().await, before);
}
