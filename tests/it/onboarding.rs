//! Invitations: made by a page or a back end, bound to the browser that starts, confirmed after consent.

mod api;
mod console;
mod ends;
mod flow;
mod races;
mod reconnect;
mod told;

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::*;

/// What a back end asks for without further wishes.
const PLAIN: &[(&str, &str)] = &[];
const EVENTS: &str = "select concat_ws(' ', action, outcome, actor_kind) from audit_event
                      where action like 'onboarding%' order by at, audit_event_id";

/// A site whose SaaS invites for its customer Acme.
struct Inviting {
    app: App,
    saas: Backend,
}

struct Link {
    id: String,
    /// A path of the site.
    path: String,
}

impl Inviting {
    async fn open() -> Self {
        Self::of(App::builder()).await
    }

    async fn of(builder: app::Builder) -> Self {
        let origins = || vec!["https://app.example.com".to_owned()];
        let app = builder.config(move |config| config.return_origins = origins()).start().await;
        let saas = app.backend(&["onboarding:write", "connections:read", "tokens:read"]).await;
        Self { app, saas }
    }

    async fn post(&self, body: &Value) -> Told {
        Told::read(self.saas.request(Method::POST, "/api/v1/onboarding-links").json(body).send().await.unwrap()).await
    }

    /// A link for a product, for Acme, with these members.
    async fn invite(&self, product: &str, wishes: &[(&str, &str)]) -> Link {
        self.invite_to("acme", product, wishes).await
    }

    async fn invite_to(&self, tenant: &str, product: &str, wishes: &[(&str, &str)]) -> Link {
        let mut body = json!({"tenant": {"external_id": tenant, "name": "Acme Field Service"}, "product": product});
        for (name, value) in wishes {
            body[*name] = json!(value);
        }
        let made = self.post(&body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        let url = made["url"].as_str().unwrap();
        let path = url.strip_prefix(self.app.public_url().origin()).expect("an address of ours").to_owned();
        Link { id: made["id"].as_str().unwrap().to_owned(), path }
    }

    async fn told(&self, link: &Link) -> Value {
        let told = self.saas.get(&format!("/api/v1/onboarding-links/{}", link.id)).await;
        assert_eq!(told.status, 200, "{}", told.text);
        told.json()
    }

    async fn state(&self, link: &Link) -> String {
        self.told(link).await["state"].as_str().unwrap().to_owned()
    }

    async fn connections(&self) -> String {
        self.app.database.text("select count(*) from connection").await
    }

    async fn no_live_token_of(&self, person: &str) {
        wait_for("what was granted is revoked", || async {
            self.app.zoho.refresh_tokens(person, "live").await.is_empty().then_some(())
        })
        .await;
    }
}

/// Sends a form of an onboarding page, with the form token if the page has one.
async fn send(visitor: &Visitor, path: &str, step: &str, fields: &[(&str, &str)]) -> Page {
    let token = visitor.get(path).await.field("csrf");
    let mut form = vec![("step", step)];
    if let Some(token) = &token {
        form.push(("csrf", token));
    }
    form.extend_from_slice(fields);
    visitor.post_form(path, &form).await
}

/// Starts; tells where consent is asked for.
async fn start(visitor: &Visitor, link: &Link) -> String {
    let begun = send(visitor, &link.path, "start", &[]).await;
    let consent = begun.location().to_owned();
    assert!(consent.contains("/oauth/v2/auth?"), "{consent}");
    consent
}

/// Starts and consents; the answer is the page that asks once more, or whatever stands there.
async fn consent(visitor: &Visitor, link: &Link, person: &str) -> Page {
    consent_for(visitor, link, person, None).await
}

async fn consent_for(visitor: &Visitor, link: &Link, person: &str, organization: Option<&str>) -> Page {
    let consent = start(visitor, link).await;
    let callback = match organization {
        Some(organization) => visitor.go_to_zoho_for(&consent, person, organization).await,
        None => visitor.go_to_zoho(&consent, person).await,
    };
    let landing = visitor.land(&callback).await.location().to_owned();
    assert_eq!(landing, format!("/onboarding/{}", link.id));
    visitor.get(&landing).await
}

/// Confirms; the answer is the last page.
async fn confirm(visitor: &Visitor, link: &Link, fields: &[(&str, &str)]) -> Page {
    let path = format!("/onboarding/{}", link.id);
    let confirmed = send(visitor, &path, "confirm", fields).await;
    assert_eq!(confirmed.location(), format!("{path}/done"));
    let done = visitor.get(&format!("{path}/done")).await;
    done.assert_status(200);
    done
}
