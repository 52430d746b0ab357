//! `GET /connections` and `GET /connections/{id}`.

use serde_json::{Value, json};

use crate::harness::{Installation, Serving, client};

const ACME: &str = "01930000-0000-7000-8000-000000000001";

/// Two tenants, two people, five connections: three of Acme's, two of Globex's.
async fn furnished() -> Installation {
    let mut installation = Installation::new().await;
    installation
        .execute(
            "insert into person values
               ('01930000-0000-7000-8000-0000000000a1', 'eu', '795000000', 'Ann', 'ann@example.com', '2026-01-01Z', '2026-01-01Z'),
               ('01930000-0000-7000-8000-0000000000a2', 'us', '780000001', 'Sam', 'sam@example.com', '2026-01-01Z', '2026-01-01Z');
             insert into tenant (tenant_id, external_id, name, slug, created_at) values
               ('01930000-0000-7000-8000-000000000001', 'acme', 'Acme', 'acme-slug', '2026-01-01Z'),
               ('01930000-0000-7000-8000-000000000002', 'globex', 'Globex', 'globex-slug', '2026-01-01Z');
             insert into organization values
               ('01930000-0000-7000-8000-000000000001', '01930000-0000-7000-8000-0000000000b1', 'eu', 'assist', '77000000', 'production', 'Zylker', '2026-01-01Z'),
               ('01930000-0000-7000-8000-000000000001', '01930000-0000-7000-8000-0000000000b2', 'eu', 'crm', '77000001', 'sandbox', 'Zylker CRM', '2026-01-01Z'),
               ('01930000-0000-7000-8000-000000000002', '01930000-0000-7000-8000-0000000000b3', 'us', 'desk', '78000000', 'production', 'Initech', '2026-01-01Z');
             insert into connection (tenant_id, connection_id, person_id, organization_id, product, data_centre, status, status_reason,
                 scopes_requested, scopes_granted, client_id, refresh_token_sealed, token_version, health, connected_at, consented_at)
               select t::uuid, c::uuid, p::uuid, o::uuid, product, dc, status, reason, '{a.b.READ}', '{a.b.READ}', 'client', '\\x0102', 1, 'ok',
                      '2026-01-02T03:04:05Z', '2026-01-02Z'
               from (values
                 ('01930000-0000-7000-8000-000000000001', '01930000-0000-7000-8000-0000000000c1', '01930000-0000-7000-8000-0000000000a1', '01930000-0000-7000-8000-0000000000b1', 'assist', 'eu', 'active', null),
                 ('01930000-0000-7000-8000-000000000001', '01930000-0000-7000-8000-0000000000c2', '01930000-0000-7000-8000-0000000000a1', '01930000-0000-7000-8000-0000000000b2', 'crm', 'eu', 'needs_reconnect', 'evicted'),
                 ('01930000-0000-7000-8000-000000000001', '01930000-0000-7000-8000-0000000000c3', '01930000-0000-7000-8000-0000000000a2', null, 'desk', 'us', 'choosing', null),
                 ('01930000-0000-7000-8000-000000000002', '01930000-0000-7000-8000-0000000000c4', '01930000-0000-7000-8000-0000000000a2', '01930000-0000-7000-8000-0000000000b3', 'desk', 'us', 'active', null),
                 ('01930000-0000-7000-8000-000000000002', '01930000-0000-7000-8000-0000000000c5', '01930000-0000-7000-8000-0000000000a1', '01930000-0000-7000-8000-0000000000b3', 'desk', 'us', 'disconnected', null)
               ) v (t, c, p, o, product, dc, status, reason)",
        )
        .await;
    installation
}

fn key(installation: &Installation, more: &[&str]) -> String {
    let create = ["api-key", "create", "--name", "test", "--grants", "connections:read", "--json"];
    installation.json(&[&create[..], more].concat())["key"].as_str().expect("a key").to_owned()
}

/// The last two characters of each connection's id.
fn ids(list: &Value) -> String {
    let list = list["connections"].as_array().expect("a list");
    list.iter()
        .map(|connection| connection["id"].as_str().expect("an id")[34..].to_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

async fn listed(site: &Serving, key: &str, query: &str) -> String {
    let answer = site.get(&format!("/api/v1/connections{query}"), key).await;
    assert_eq!(answer.status, 200, "{query} {answer:?}");
    ids(&answer.json)
}

#[tokio::test]
async fn a_connection_is_told_as_the_contract_says() {
    let installation = furnished().await;
    let key = key(&installation, &[]);
    let site = installation.serve();
    let answer = site.get("/api/v1/connections/01930000-0000-7000-8000-0000000000c1", &key).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    assert_eq!(
        answer.json,
        json!({
            "id": "01930000-0000-7000-8000-0000000000c1",
            "tenant": { "id": ACME, "external_id": "acme", "name": "Acme" },
            "person": {
                "id": "01930000-0000-7000-8000-0000000000a1", "zuid": "795000000", "display_name": "Ann", "email": "ann@example.com",
            },
            "organization": { "id": "77000000", "name": "Zylker", "environment": "production" },
            "product": "assist", "data_centre": "eu", "status": "active", "status_reason": null,
            "scopes_requested": ["a.b.READ"], "scopes_granted": ["a.b.READ"], "connected_at": "2026-01-02T03:04:05Z",
            "last_refreshed_at": null, "last_used_at": null, "health": "ok",
        })
    );
    let evicted = site.get("/api/v1/connections/01930000-0000-7000-8000-0000000000c2", &key).await;
    assert_eq!(
        (&evicted.json["status"], &evicted.json["status_reason"]),
        (&json!("needs_reconnect"), &json!("evicted"))
    );
    let choosing = site.get("/api/v1/connections/01930000-0000-7000-8000-0000000000c3", &key).await;
    assert_eq!(choosing.json["organization"], Value::Null);
}

#[tokio::test]
async fn a_list_is_filtered() {
    let installation = furnished().await;
    let key = key(&installation, &[]);
    let site = installation.serve();
    for (query, expected) in [
        ("", "c1 c2 c3 c4 c5"),
        ("?tenant=acme", "c1 c2 c3"),
        ("?tenant=globex-slug", "c4 c5"),
        ("?tenant=01930000-0000-7000-8000-000000000001", "c1 c2 c3"),
        ("?tenant=nobody", ""),
        ("?product=desk", "c3 c4 c5"),
        ("?organization=77000001", "c2"),
        ("?person=eu:795000000", "c1 c2 c5"),
        ("?person=eu%3A795000009", ""),
        ("?person=01930000-0000-7000-8000-0000000000a2", "c3 c4"),
        ("?status=disconnected", "c5"),
        ("?tenant=acme&product=crm&status=needs_reconnect&limit=200", "c2"),
    ] {
        assert_eq!(listed(&site, &key, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_list_goes_on_where_its_cursor_says_and_no_other_does() {
    let installation = furnished().await;
    let key_of_all = key(&installation, &[]);
    let key_of_acme = key(&installation, &["--tenant", "acme"]);
    let site = installation.serve();
    let (mut pages, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let answer = site.get(&format!("/api/v1/connections{query}"), &key_of_all).await;
        pages.push(ids(&answer.json));
        let Some(next) = answer.json["next"].as_str() else { break };
        query = format!("?limit=2&cursor={next}");
    }
    assert_eq!(pages, ["c1 c2", "c3 c4", "c5"]);

    let first = site.get("/api/v1/connections?limit=1", &key_of_all).await;
    let cursor = first.json["next"].as_str().expect("a cursor").to_owned();
    let altered = format!("{}{}", &cursor[..cursor.len() - 2], if cursor.ends_with("AA") { "BB" } else { "AA" });
    for (key, query) in [
        (&key_of_all, format!("?cursor={altered}")),
        (&key_of_all, "?cursor=MDE5".to_owned()),
        (&key_of_all, format!("?cursor={cursor}&product=desk")),
        (&key_of_acme, format!("?cursor={cursor}")),
    ] {
        let refused = site.get(&format!("/api/v1/connections{query}"), key).await;
        assert_eq!(refused.problem(), (400, "/problems/invalid-request"), "{query}");
        assert_eq!(refused.json["errors"][0]["member"], "cursor");
    }
}

#[tokio::test]
async fn s53_a_tenants_key_sees_its_tenant_alone() {
    let installation = furnished().await;
    let key = key(&installation, &["--tenant", "acme"]);
    let site = installation.serve();
    assert_eq!(listed(&site, &key, "").await, "c1 c2 c3");
    assert_eq!(listed(&site, &key, "?tenant=acme").await, "c1 c2 c3");
    assert_eq!(listed(&site, &key, "?tenant=globex").await, "");
    assert_eq!(listed(&site, &key, "?person=us:780000001").await, "c3");
    let own = site.get("/api/v1/connections/01930000-0000-7000-8000-0000000000c1", &key).await;
    assert_eq!((own.status, &own.json["person"]["display_name"]), (200, &json!("Ann")));
    let mut bodies = Vec::new();
    for id in ["01930000-0000-7000-8000-0000000000c4", "01930000-0000-7000-8000-0000000000ff", "nonsense"] {
        let mut answer = site.get(&format!("/api/v1/connections/{id}"), &key).await;
        assert_eq!(answer.problem(), (404, "/problems/not-found"));
        answer.json.as_object_mut().expect("an object").remove("request_id");
        bodies.push(answer.json);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn every_mistake_in_a_query_is_named() {
    let installation = Installation::new().await;
    let key = key(&installation, &[]);
    let site = installation.serve();
    let query = "?limit=201&product=mail&status=dead&person=ann&organization=a%20b&tenant=%00&color=blue&color=red";
    let answer = site.get(&format!("/api/v1/connections{query}"), &key).await;
    assert_eq!(answer.problem(), (400, "/problems/invalid-request"));
    let mut members: Vec<_> = answer.json["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| error["member"].as_str().expect("a name"))
        .collect();
    members.sort_unstable();
    members.dedup();
    assert_eq!(members, ["color", "limit", "organization", "person", "product", "status", "tenant"]);
    for query in ["?limit=0", "?limit=-1", "?limit=ten"] {
        assert_eq!(site.get(&format!("/api/v1/connections{query}"), &key).await.status, 400, "{query}");
    }
    let one = site.get("/api/v1/connections/01930000-0000-7000-8000-0000000000c1?limit=1", &key).await;
    assert_eq!(one.problem(), (400, "/problems/invalid-request"));
}

#[tokio::test]
async fn other_methods_and_paths_are_refused_as_documents() {
    let installation = Installation::new().await;
    let key = key(&installation, &[]);
    let site = installation.serve();
    let put = site.send(client().put(format!("{}/api/v1/connections", site.url)).bearer_auth(&key)).await;
    assert_eq!(put.problem(), (405, "about:blank"));
    assert_eq!(put.header("allow"), "GET, HEAD, POST");
    for path in ["/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/connections/a/b"] {
        assert_eq!(site.get(path, &key).await.problem(), (404, "/problems/not-found"), "{path}");
    }
}
