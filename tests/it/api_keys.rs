//! The page where owners and administrators of a tenant make and revoke its API keys.

use std::time::{Duration, Instant};

use reqwest::Method;

use crate::harness::{
    page::{attribute, tags},
    *,
};

/// Where the person's own tenant keeps its keys, as the page of connections links to it.
async fn keys_page(visitor: &Visitor) -> String {
    let links = visitor.get("/connections").await.links();
    links.into_iter().find(|link| link.ends_with("/api-keys")).expect("a link to the keys")
}

/// Sends the form of the page as it stands, with what a person would have filled in.
async fn make(visitor: &Visitor, page: &str, fields: &[(&str, &str)]) -> Page {
    let nonce = visitor.get(page).await.field("nonce").expect("a nonce");
    let mut form = vec![("nonce", nonce.as_str())];
    form.extend_from_slice(fields);
    visitor.submit(page, page, &form).await
}

/// A key that may see connections, in the clear.
async fn make_key(visitor: &Visitor, page: &str, name: &str) -> String {
    let made = make(visitor, page, &[("name", name), ("grant", "connections:read")]).await;
    made.assert_status(200);
    shown_key(&made)
}

fn shown_key(page: &Page) -> String {
    let values = tags(&page.text, "input").into_iter().filter_map(|input| attribute(input, "value"));
    values.into_iter().find(|value| value.starts_with("lwz_")).expect("a key on the page")
}

async fn call(visitor: &Visitor, key: &str) -> Page {
    let bearer = format!("Bearer {key}");
    let request = visitor.request(Method::GET, "/api/v1/connections").without_cookies();
    request.header("authorization", &bearer).send().await
}

fn id_of(key: &str) -> &str {
    &key[4..12]
}

const KEYS: &str = "select concat_ws(' ', name, grants, expires_at - created_at, revoked_at is not null) from api_key
                    order by created_at, name";
const EVENTS: &str =
    "select concat_ws(' ', e.action, e.outcome, e.actor_kind, t.slug is not null, e.detail) from audit_event e
                      left join tenant t using (tenant_id) where e.action like 'api_key%' order by e.at, e.action";

#[tokio::test]
async fn s51_a_key_is_shown_in_the_answer_to_its_form_and_never_again() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let page = keys_page(&sam).await;
    let (csrf, nonce) = {
        let page = sam.get(&page).await;
        (page.csrf(), page.field("nonce").unwrap())
    };
    let form = [
        ("csrf", csrf.as_str()),
        ("nonce", &nonce),
        ("name", " Nightly\tsync "),
        ("grant", "tokens:read"),
        ("grant", "connections:read"),
        ("expires", "30d"),
    ];
    let made = sam.post_form(&page, &form).await;
    made.assert_status(200);
    assert_eq!(made.header("cache-control"), "no-store");
    let key = shown_key(&made);
    assert_eq!(app.database.column(KEYS).await, ["Nightly sync {connections:read,tokens:read} 30 days f"]);
    call(&sam, &key).await.assert_status(200);
    // The browser sends the form once more.
    let again = sam.post_form(&page, &form).await;
    again.assert_status(409);
    assert!(again.has("This form has made its key already"));
    let list = sam.get(&page).await;
    for later in [&again, &list] {
        assert!(!later.has(&key) && !later.has(&key[13..]), "never again");
        assert!(later.has("Nightly sync") && later.has(id_of(&key)));
    }
    assert_eq!(app.database.count("api_key").await, 1);
    assert_eq!(app.database.column(EVENTS).await, [format!("api_key_created done person t {}", id_of(&key))]);
    let stored = app.database.text("select row_to_json(k) from api_key k").await;
    assert!(!stored.contains(&key[13..]));
}

#[tokio::test]
async fn a_key_of_a_tenant_sees_that_tenant_and_says_when_it_was_used() {
    let app = App::start().await;
    let (sam, bea) = (app.visitor(), app.visitor());
    sam.sign_in_as(SAM).await;
    bea.sign_in_as(BEA).await;
    let page = keys_page(&sam).await;
    let key = make_key(&sam, &page, "ci").await;
    let answer = call(&sam, &key).await;
    assert!(answer.has(&sam.only_connection().await) && !answer.has(&bea.only_connection().await));
    assert!(sam.get(&page).await.has("Never"));
    wait_for("its use is written down", || async { (!sam.get(&page).await.has("Never")).then_some(()) }).await;
}

#[tokio::test]
async fn s52_a_revoked_key_is_dead_on_every_replica_and_stays_in_the_list() {
    let app = App::builder().replicas(3).start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let page = keys_page(&sam).await;
    let (key, other) = (make_key(&sam, &page, "laptop").await, make_key(&sam, &page, "server").await);
    let revoke = format!("{page}/{}/revoke", id_of(&key));
    let confirmation = sam.get(&revoke).await;
    assert!(confirmation.has("laptop") && confirmation.has("cannot be undone"));
    for replica in 0..3 {
        call(&sam.via(replica), &key).await.assert_status(200);
    }
    assert_eq!(sam.submit(&revoke, &revoke, &[]).await.location(), page);
    let revoked = Instant::now();
    for replica in 0..3 {
        let last = wait_for("it is dead", || async {
            let asked = Instant::now();
            (call(&sam.via(replica), &key).await.status == 401).then_some(asked)
        })
        .await;
        assert!(last - revoked < Duration::from_secs(1), "replica {replica}");
        call(&sam.via(replica), &other).await.assert_status(200);
    }
    assert!(sam.get(&page).await.has("Keys that have ended (1)"));
    // A second tap changes nothing and finds the same.
    assert_eq!(sam.get(&revoke).await.location(), page);
    assert_eq!(sam.submit(&page, &revoke, &[]).await.location(), page);
    let events = app.database.column(EVENTS).await;
    assert_eq!(events.iter().filter(|event| event.starts_with("api_key_revoked done person t")).count(), 1);
}

#[tokio::test]
async fn s53_a_key_ends_when_it_was_to_end() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let page = keys_page(&sam).await;
    let made = make(&sam, &page, &[("name", "short"), ("grant", "connections:read"), ("expires", "30d")]).await;
    let key = shown_key(&made);
    let endless = make(&sam, &page, &[("name", "long"), ("grant", "proxy"), ("expires", "never")]).await;
    call(&sam, &shown_key(&endless)).await.assert_status(403);
    app.advance(Duration::from_secs(30 * 86_400 - 10)).await;
    call(&sam, &key).await.assert_status(200);
    app.advance(Duration::from_secs(11)).await;
    call(&sam, &key).await.assert_status(401);
    call(&sam, &shown_key(&endless)).await.assert_status(403);
    sam.go("/login?product=none", SAM).await;
    assert!(sam.get(&page).await.has("Keys that have ended (1)"));
}

#[tokio::test]
async fn s49_keys_need_a_sign_in_of_the_last_five_minutes() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let page = keys_page(&sam).await;
    let key = make_key(&sam, &page, "first").await;
    let revoke = format!("{page}/{}/revoke", id_of(&key));
    let fields = [("name", "late"), ("grant", "connections:read")];
    app.advance(Duration::from_secs(299)).await;
    let csrf = sam.get(&page).await.csrf();
    app.advance(Duration::from_secs(2)).await;
    let form = [&[("csrf", csrf.as_str())][..], &fields].concat();
    let back = format!("/login?product=none&return_to={page}");
    for refused in
        [sam.post_form(&page, &form).await, sam.post_form(&revoke, &[("csrf", &csrf)]).await, sam.get(&revoke).await]
    {
        refused.assert_status(403);
        assert!(refused.has("Sign in once more"));
        let link = refused.links().into_iter().find(|link| link.starts_with("/login")).unwrap();
        assert!(link.replace("%2F", "/").starts_with(&back), "{link}");
    }
    let list = sam.get(&page).await;
    list.assert_status(200);
    assert!(list.has("first") && list.field("nonce").is_none(), "the list is shown, the form is not");
    assert_eq!(app.database.count("api_key").await, 1);
    let before = app.zoho.refresh_tokens(SAM, "live").await;
    let link = list.links().into_iter().find(|link| link.starts_with("/login")).unwrap();
    assert_eq!(sam.go(&link, SAM).await.location(), page, "it leads back");
    assert_eq!(app.zoho.refresh_tokens(SAM, "live").await, before, "and costs no refresh token");
    make(&sam, &page, &fields).await.assert_status(200);
    sam.submit(&revoke, &revoke, &[]).await.assert_status(303);
    call(&sam, &key).await.assert_status(401);
}

#[tokio::test]
async fn s41_a_tenants_keys_do_not_exist_for_others_and_members_are_told_why_not() {
    let app = App::start().await;
    let (sam, bea, nobody) = (app.visitor(), app.visitor(), app.visitor());
    sam.sign_in_as(SAM).await;
    bea.sign_in_as(BEA).await;
    let (page, own) = (keys_page(&sam).await, keys_page(&bea).await);
    let key = make_key(&sam, &page, "mine").await;
    let revoke = format!("{page}/{}/revoke", id_of(&key));
    let csrf = bea.get("/connections").await.csrf();
    let invented = "/tenants/nobody-has-this-000000/api-keys";
    let form = [("csrf", csrf.as_str()), ("name", "x"), ("grant", "proxy")];
    for path in [&page, &revoke, invented, &format!("{own}/{}/revoke", id_of(&key)), &format!("{own}/xx/revoke")] {
        bea.get(path).await.assert_status(404);
        if path.ends_with("/revoke") {
            bea.post_form(path, &form[..1]).await.assert_status(404);
        } else {
            bea.post_form(path, &form).await.assert_status(404);
        }
    }
    assert!(nobody.get(&page).await.location().starts_with("/?return_to="));
    // As a member, then as an administrator, then not at all: the next request knows.
    let member = "insert into membership (tenant_id, person_id, role, created_at)
                  select t.tenant_id, p.person_id, 'member', p.created_at from tenant t, person p
                  where t.own_of_person_id <> p.person_id and t.slug = ";
    let slug = page.split('/').nth(2).unwrap();
    app.database.execute(&format!("{member} '{slug}'")).await;
    let told = bea.get(&page).await;
    told.assert_status(403);
    assert!(told.has("owners and administrators") && !told.has("mine"));
    bea.post_form(&page, &form).await.assert_status(403);
    bea.post_form(&revoke, &form[..1]).await.assert_status(403);
    assert!(!bea.get("/connections").await.links().contains(&page));
    app.database.execute("update membership set role = 'admin' where role = 'member'").await;
    assert!(bea.get(&page).await.has("mine"));
    assert!(bea.get("/connections").await.links().contains(&page));
    app.database.execute("delete from membership where role = 'admin'").await;
    bea.get(&page).await.assert_status(404);
    call(&sam, &key).await.assert_status(200);
    assert_eq!(app.database.count("api_key").await, 1);
}

#[tokio::test]
async fn a_form_that_says_too_little_is_shown_again_and_an_odd_one_is_refused() {
    let app = App::start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    let page = keys_page(&sam).await;
    for (fields, words) in [
        (&[("grant", "proxy")][..], "Say what the key is for"),
        (&[("name", " "), ("grant", "proxy")], "Say what the key is for"),
        (&[("name", "keeps its name")], "Choose what the key may do"),
    ] {
        let again = make(&sam, &page, fields).await;
        again.assert_status(400);
        assert!(again.has("There is a problem") && again.has(words), "{fields:?}");
    }
    assert!(make(&sam, &page, &[("name", "keeps its name")]).await.has("value=\"keeps its name\""));
    let good = [("name", "x"), ("grant", "proxy")];
    for odd in [
        ("grant", "everything"),
        ("grant", ""),
        ("expires", "9999d"),
        ("expires", ""),
        ("tenant", "another"),
        ("tenant_id", ""),
        ("name", "twice"),
        ("role", "operator"),
    ] {
        make(&sam, &page, &[&good[..], &[odd]].concat()).await.assert_status(400);
    }
    assert_eq!(app.database.count("api_key").await, 0);
    let hostile = make(&sam, &page, &[("name", "<script>alert(1)</script>"), ("grant", "proxy")]).await;
    hostile.assert_status(200);
    assert!(!hostile.has("<script>alert"));
}
