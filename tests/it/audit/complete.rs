//! Everything that is done leaves one event, with who, where, from where and how it ended (security.md S-70).

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::json;

use super::console;
use crate::harness::*;

/// Made in the tenant itself, by a key of it or by its people.
struct Walk {
    app: App,
    sam: Visitor,
    console: String,
    connection: String,
}

impl Walk {
    async fn begin() -> Self {
        let app = App::builder().config(|config| config.webhooks_to_loopback = true).start().await;
        let sam = app.visitor();
        sam.sign_in_as(SAM).await;
        let (console, connection) = (console(&sam).await, sam.only_connection().await);
        Self { app, sam, console, connection }
    }

    async fn post(&self, page: &str, target: &str, form: &[(&str, &str)]) -> Page {
        self.sam.submit(&format!("{}/{page}", self.console), &format!("{}/{target}", self.console), form).await
    }

    /// What was recorded, but for our own work, with how often.
    async fn recorded(&self) -> BTreeMap<String, String> {
        let question =
            "select action || '=' || string_agg(distinct outcome || ' ' || actor_kind, ', ') || ' ' || count(*)
                        from audit_event group by action";
        let split = |line: String| line.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        self.app.database.column(question).await.into_iter().map(split).collect()
    }

    async fn signs_in_and_out(&self) {
        let other = self.app.visitor();
        other.go("/login?product=none", SAM).await;
        other.submit("/connections", "/logout", &[]).await.assert_status(303);
        let consent = other.begin("/login").await;
        other.land(&other.refuse_at_zoho(&consent, SAM).await).await;
        let consent = other.begin("/login").await;
        let callback = other.go_to_zoho(&consent, SAM).await;
        let foreign = with_parameter(&callback, "accounts-server", Some("https://accounts.zoho.evil"));
        other.come_back(&foreign).await.assert_status(400);
    }

    async fn makes_and_ends_keys(&self) {
        let page = format!("{}/api-keys", self.console);
        let nonce = self.sam.get(&page).await.field("nonce").unwrap();
        let form = [("nonce", nonce.as_str()), ("name", "ci"), ("grant", "connections:read")];
        self.post("api-keys", "api-keys", &form).await.assert_status(200);
        let id = self.app.database.text("select api_key_id from api_key where name = 'ci'").await;
        let revoke = format!("api-keys/{id}/revoke");
        self.post(&revoke, &revoke, &[]).await.assert_status(303);
    }

    async fn is_refused(&self) {
        let back_end = self.app.backend_of(&self.connection, &["tokens:read"]).await;
        let nobody = "019aa3f2-7c1e-7d10-9b2f-3a5e8c7d6b41";
        assert_eq!(back_end.token(nobody, "").await.status, 404);
        assert_eq!(back_end.get("/api/v1/connections").await.status, 403);
    }

    async fn looks_after_members(&self) {
        let bea = self.app.visitor();
        bea.sign_in_as(BEA).await;
        let id = self.app.database.text("select person_id from person where zuid = '795000001'").await;
        let slug = self.console.trim_start_matches("/tenants/");
        let join = format!(
            "insert into membership select tenant_id, '{id}', 'member', '2026-11-21T10:00:00Z' from tenant where slug = '{slug}'"
        );
        self.app.database.execute(&join).await;
        bea.get(&format!("{}/members", self.console)).await.assert_status(403);
        let role = format!("members/{id}/role");
        self.post("members", &role, &[("role", "admin")]).await.assert_status(303);
        let own = self.app.database.text("select person_id from person where zuid = '780000001'").await;
        self.post("members", &format!("members/{own}/role"), &[("role", "member")]).await.assert_status(409);
        let remove = format!("members/{id}/remove");
        self.post(&remove, &remove, &[]).await.assert_status(303);
        self.app.database.execute(&join).await;
        bea.sign_in_as(BEA).await;
        let leave = format!("{}/leave", self.console);
        bea.submit(&leave, &leave, &[]).await.assert_status(303);
    }

    async fn invites(&self) {
        let back_end = self.app.backend(&["onboarding:write"]).await;
        let tenant = json!({"external_id": "acme", "name": "Acme"});
        let invite = json!({"tenant": tenant, "product": "crm"});
        let mut paths = Vec::new();
        for _ in 0..3 {
            let made = back_end.request(Method::POST, "/api/v1/onboarding-links").json(&invite).send().await.unwrap();
            let made = Told::read(made).await.json();
            let url = made["url"].as_str().unwrap().strip_prefix(self.app.public_url().origin()).unwrap().to_owned();
            paths.push((made["id"].as_str().unwrap().to_owned(), url));
        }
        let withdrawn = format!("/api/v1/onboarding-links/{}", paths[0].0);
        back_end.request(Method::DELETE, &withdrawn).send().await.unwrap();
        for (index, (id, path)) in paths.iter().enumerate().skip(1) {
            let person = self.app.visitor();
            let consent = person.post_form(path, &[("step", "start")]).await.location().to_owned();
            if index == 2 {
                person.land(&person.refuse_at_zoho(&consent, ISHA).await).await;
                continue;
            }
            person.land(&person.go_to_zoho_for(&consent, ISHA, "all").await).await;
            let page = format!("/onboarding/{id}");
            let choice = person.get(&page).await.values("organization");
            let mut form = vec![("step", "confirm")];
            form.extend(choice.first().map(|organization| ("organization", organization.as_str())));
            person.post_form(&page, &form).await.assert_status(303);
        }
    }

    async fn is_told(&self) {
        let id = self.sam.get(&format!("{}/webhooks", self.console)).await.field("id").unwrap();
        let form = [("id", id.as_str()), ("url", "http://127.0.0.1:9/hook"), ("event", "connection.connected")];
        self.post("webhooks", "webhooks", &form).await.assert_status(200);
        let id = self.app.database.text("select webhook_endpoint_id from webhook_endpoint").await;
        let page = format!("webhooks/{id}");
        self.post(&page, &format!("{page}/test"), &[]).await.assert_status(303);
        self.post(&page, &format!("{page}/secret"), &[]).await.assert_status(200);
        self.post(&page, &format!("{page}/enabled"), &[("enabled", "false")]).await.assert_status(303);
        let delete = format!("{page}/delete");
        self.post(&delete, &delete, &[]).await.assert_status(303);
    }

    async fn imports(&self) {
        let back_end = self.app.backend_of(&self.connection, &["connections:write"]).await;
        let tenant = self.console.trim_start_matches("/tenants/");
        let body = json!({"tenant": tenant, "product": "crm", "data_centre": "us", "scopes": ["ZohoCRM.modules.READ"],
            "refresh_token": "1000.dead.dead"});
        let told = Told::read(back_end.request(Method::POST, "/api/v1/connections").json(&body).send().await.unwrap());
        assert_eq!(told.await.problem(), "400 invalid-request");
    }

    async fn tests_and_ends_its_connection(&self) {
        let page = format!("connections/{}", self.connection);
        self.post(&page, &format!("{page}/test"), &[]).await.assert_status(303);
        let disconnect = format!("{page}/disconnect");
        self.post(&disconnect, &disconnect, &[]).await.assert_status(303);
    }
}

#[tokio::test]
async fn s70_whatever_is_done_or_refused_leaves_one_event_with_all_it_takes() {
    let walk = Walk::begin().await;
    walk.signs_in_and_out().await;
    walk.makes_and_ends_keys().await;
    walk.is_refused().await;
    walk.looks_after_members().await;
    walk.invites().await;
    walk.is_told().await;
    walk.imports().await;
    walk.tests_and_ends_its_connection().await;
    for action in ["token_refused", "call_refused", "console_refused", "revoked_at_zoho"] {
        wait_for(action, || async { walk.recorded().await.contains_key(action).then_some(()) }).await;
    }
    let told: Vec<_> = walk.recorded().await.into_iter().map(|(action, rest)| format!("{action}: {rest}")).collect();
    let expected = [
        "api_key_created: done person 1",
        "api_key_revoked: done person 1",
        "call_refused: refused api_key 1",
        "connected: done person 3",
        "console_refused: refused person 1",
        "data_centre_refused: refused visitor 1",
        "disconnected: done person 1",
        "import_failed: failed api_key 1",
        "member_joined: done person 1",
        "member_left: done person 1",
        "member_removed: done person 1",
        "onboarding_confirmed: done person 1",
        "onboarding_consented: done person 1",
        "onboarding_link_created: done api_key 3",
        "onboarding_started: done visitor 2",
        "onboarding_withdrawn: done api_key 1",
        "reconnected: done person 1",
        "revoked_at_zoho: yes engine 1",
        "role_changed: done person, refused person 2",
        "sign_in_failed: failed visitor 2",
        "signed_in: done person 1",
        "signed_out: done person 1",
        "tenant_created: done api_key, done person 3",
        "tested: works person 1",
        "token_refused: refused api_key 1",
        "webhook_endpoint_changed: done person 1",
        "webhook_endpoint_created: done person 1",
        "webhook_endpoint_deleted: done person 1",
        "webhook_secret_rotated: done person 1",
        "webhook_tested: done person 1",
    ];
    assert_eq!(told, expected);
    // Whoever is not we has an address and a request; and all of it can be asked for.
    let lacking = "select action from audit_event
                   where actor_kind <> 'engine' and (peer is null or request_id is null or (actor_id is null) = (actor_kind <> 'visitor'))";
    assert_eq!(walk.app.database.column(lacking).await, Vec::<String>::new());
    let homeless = "select distinct action from audit_event where tenant_id is null order by 1";
    let homeless = walk.app.database.column(homeless).await;
    assert_eq!(homeless, ["data_centre_refused", "sign_in_failed"]);
    let page = walk.sam.get(&format!("{}/audit", walk.console)).await;
    let unknown: Vec<_> =
        walk.recorded().await.into_keys().filter(|action| !page.has(&format!("value=\"{action}\""))).collect();
    assert_eq!(unknown, Vec::<String>::new(), "no words for them");
}
