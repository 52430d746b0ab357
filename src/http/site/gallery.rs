//! Renders every sample of every page: checked as markup here, and laid out as files in `target/pages/` to be looked at.

use std::{collections::BTreeSet, fs, path::Path};

use askama::Template;

use super::{
    api_docs::{ApiCallsPage, ApiDocsPage, ApiTypePage},
    api_keys::ApiKeysPage,
    at_stake::AtStakePage,
    audit::AuditPage,
    connection::ConnectionPage,
    connections::ConnectionsPage,
    delete_webhook::DeleteWebhookPage,
    disconnect::DisconnectPage,
    finishing::FinishingPage,
    import::ImportPage,
    imported::ImportedPage,
    markup,
    members::MembersPage,
    onboarding::{ConfirmPage, EndedPage, OnboardingPage},
    onboarding_done::OnboardingDonePage,
    onboarding_links::OnboardingLinksPage,
    operator_connection::OperatorConnectionPage,
    operator_connections::OperatorConnectionsPage,
    operator_delete::OperatorDeletePage,
    operator_health::OperatorHealthPage,
    operator_suspend::OperatorSuspendPage,
    operator_tenant::OperatorTenantPage,
    operator_tenants::OperatorTenantsPage,
    organization_choice::OrganizationChoicePage,
    organizations::OrganizationsPage,
    problem_types::{ProblemIndexPage, ProblemPage, StatusPage},
    remove_member::RemoveMemberPage,
    revoke_api_key::RevokeApiKeyPage,
    sign_in::SignInPage,
    sign_in_again::SignInAgainPage,
    tenant_connection::TenantConnectionPage,
    tenant_connections::TenantConnectionsPage,
    tenant_disconnect::TenantDisconnectPage,
    webhook::WebhookPage,
    webhooks::WebhooksPage,
    withdraw_onboarding_link::WithdrawPage,
};
use crate::http::{assets, page::tests::HOSTILE};

/// (`connections-worst`, its HTML)
fn pages() -> Vec<(String, String)> {
    fn add<T: Template>(to: &mut Vec<(String, String)>, page: &str, samples: Vec<(&str, T)>) {
        for (sample, template) in samples {
            let html = template.render().expect("a sample renders");
            to.push((format!("{page}-{sample}"), html));
        }
    }
    let mut pages = Vec::new();
    add(&mut pages, "sign-in", SignInPage::samples());
    add(&mut pages, "connections", ConnectionsPage::samples());
    add(&mut pages, "connection", ConnectionPage::samples());
    add(&mut pages, "choice", OrganizationChoicePage::samples());
    add(&mut pages, "at-stake", AtStakePage::samples());
    add(&mut pages, "api-keys", ApiKeysPage::samples());
    add(&mut pages, "organizations", OrganizationsPage::samples());
    add(&mut pages, "tenant-connections", TenantConnectionsPage::samples());
    add(&mut pages, "tenant-connection", TenantConnectionPage::samples());
    add(&mut pages, "tenant-disconnect", TenantDisconnectPage::samples());
    add(&mut pages, "operator-connection", OperatorConnectionPage::samples());
    add(&mut pages, "operator-connections", OperatorConnectionsPage::samples());
    add(&mut pages, "operator-delete", OperatorDeletePage::samples());
    add(&mut pages, "operator-health", OperatorHealthPage::samples());
    add(&mut pages, "operator-suspend", OperatorSuspendPage::samples());
    add(&mut pages, "operator-tenant", OperatorTenantPage::samples());
    add(&mut pages, "operator-tenants", OperatorTenantsPage::samples());
    add(&mut pages, "members", MembersPage::samples());
    add(&mut pages, "remove-member", RemoveMemberPage::samples());
    add(&mut pages, "revoke-api-key", RevokeApiKeyPage::samples());
    add(&mut pages, "webhooks", WebhooksPage::samples());
    add(&mut pages, "webhook", WebhookPage::samples());
    add(&mut pages, "delete-webhook", DeleteWebhookPage::samples());
    add(&mut pages, "sign-in-again", SignInAgainPage::samples());
    add(&mut pages, "onboarding", OnboardingPage::samples());
    add(&mut pages, "onboarding-confirm", ConfirmPage::samples());
    add(&mut pages, "onboarding-ended", EndedPage::samples());
    add(&mut pages, "onboarding-done", OnboardingDonePage::samples());
    add(&mut pages, "onboarding-links", OnboardingLinksPage::samples());
    add(&mut pages, "withdraw-onboarding-link", WithdrawPage::samples());
    add(&mut pages, "disconnect", DisconnectPage::samples());
    add(&mut pages, "finishing", FinishingPage::samples());
    add(&mut pages, "audit", AuditPage::samples());
    add(&mut pages, "import", ImportPage::samples());
    add(&mut pages, "imported", ImportedPage::samples());
    add(&mut pages, "api-docs", ApiDocsPage::samples());
    add(&mut pages, "api-calls", ApiCallsPage::samples());
    add(&mut pages, "api-type", ApiTypePage::samples());
    add(&mut pages, "problem", ProblemPage::samples());
    add(&mut pages, "problems", ProblemIndexPage::samples());
    add(&mut pages, "status", StatusPage::samples());
    pages
}

#[test]
fn every_sample_is_well_formed_and_keeps_its_promises() {
    for (name, html) in pages() {
        let outcome = std::panic::catch_unwind(|| markup::check(&html));
        assert!(outcome.is_ok(), "{name} (the reason is above)");
        assert!(!html.contains(HOSTILE), "{name} lets a name through");
        assert!(!html.contains("<script>alert"), "{name} lets a script through");
    }
}

#[test]
fn every_icon_is_drawn_and_every_drawing_is_used() {
    let sprite = include_str!("../../../static/icons.svg");
    let drawn: BTreeSet<&str> =
        sprite.split("<symbol id=\"").skip(1).filter_map(|symbol| symbol.split('"').next()).collect();
    let pages = pages();
    let used: BTreeSet<&str> = pages
        .iter()
        .flat_map(|(_, html)| html.split("<use href=\"").skip(1))
        .filter_map(|rest| rest.split('"').next()?.split('#').nth(1))
        .collect();
    assert_eq!(drawn, used);
}

/// HTML, style sheets and scripts together, as they travel to a browser that comes for the first time (ui.md).
const FIRST_PAINT: usize = 30_000;

#[test]
fn the_first_paint_of_every_page_weighs_less_than_thirty_kilobytes() {
    let typical = pages().into_iter().filter(|(name, _)| !name.ends_with("-worst"));
    let weigh = |(name, html): (String, String)| {
        let named = |before: &'static str| html.split(before).skip(1).filter_map(|rest| rest.split('"').next());
        let files = named("<link rel=\"stylesheet\" href=\"").chain(named("<script src=\""));
        let weight = html.len() + files.map(assets::weight).sum::<usize>();
        (weight, name)
    };
    let heavy: Vec<_> = typical.map(weigh).filter(|(weight, _)| *weight >= FIRST_PAINT).collect();
    assert!(heavy.is_empty(), "{heavy:?}");
}

#[test]
fn the_sign_in_page_does_so_even_where_nothing_is_compressed() {
    let (_, html) = pages().swap_remove(0);
    let weight =
        html.len() + include_str!("../../../static/app.css").len() + include_str!("../../../static/app.js").len();
    assert!(weight < FIRST_PAINT, "{weight} bytes");
}

#[test]
fn the_samples_can_be_looked_at() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let gallery = root.join("target/pages");
    fs::create_dir_all(gallery.join("static")).expect("a place in target");
    for name in [
        "app.css",
        "console.css",
        "console.js",
        "docs.css",
        "app.js",
        "icons.svg",
        "favicon.svg",
        "favicon-attention.svg",
        "favicon-broken.svg",
    ] {
        let to = gallery.join(&assets::url(name)[1..]);
        fs::copy(root.join("static").join(name), to).expect("an asset is copied");
    }
    for (name, html) in pages() {
        fs::write(gallery.join(format!("{name}.html")), html).expect("a page is written");
    }
}
