//! The operators' pages: who may see them, what they show, and what an operator may do to a tenant.

mod connection;
mod connections;
mod delete;
mod foreign;
mod health;
mod suspend;
mod tenants;

use crate::harness::*;

/// A site that Sam runs, and Sam's browser.
async fn site() -> (App, Visitor) {
    site_of(App::builder()).await
}

async fn site_of(builder: app::Builder) -> (App, Visitor) {
    let builder = builder.config(|config| {
        config.operators = [SAM.parse().unwrap()].into();
        config.webhooks_to_loopback = true;
    });
    let app = builder.start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    (app, sam)
}

/// A customer: Bea's browser, her connection, and the operators' page of her tenant.
async fn customer(app: &App) -> (Visitor, String, String) {
    let bea = app.visitor();
    bea.sign_in_as(BEA).await;
    let id = bea.only_connection().await;
    let slug = "select slug from tenant join connection using (tenant_id) where connection_id";
    let slug = app.database.text(&format!("{slug} = '{id}'")).await;
    (bea, id, format!("/operator/tenants/{slug}"))
}

/// Sends one of the forms of an operators' page.
async fn order(sam: &Visitor, page: &str, command: &str) {
    sam.submit(page, &format!("{page}/{command}"), &[]).await.assert_status(303);
}
