//! The operators' pages: who may see them, what they show, and what an operator may do to a tenant.

mod foreign;
mod tenants;

use crate::harness::{App, SAM, Visitor};

/// A site that Sam runs, and Sam's browser.
async fn site() -> (App, Visitor) {
    let app = App::builder().config(|config| config.operators = [SAM.parse().unwrap()].into()).start().await;
    let sam = app.visitor();
    sam.sign_in_as(SAM).await;
    (app, sam)
}
