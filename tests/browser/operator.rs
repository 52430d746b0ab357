//! The operators' pages: a tenant made, its first owner invited, suspended, resumed and deleted; all of them examined.

use crate::{Demo, Stage, on_stage_of};

#[tokio::test]
async fn an_operator_makes_suspends_and_deletes_a_tenant() {
    on_stage_of(Demo::start_with(&["--operators", "us:780000001"]), async |stage| {
        stage.sign_in("us", "sam@example.com").await;
        stage.browser.see("is connected").await;
        stage.browser.press("Operator").await;
        stage.arrive("/operator/tenants").await;
        stage.browser.see("the newest first").await;
        stage.examine("operator-tenants").await;

        stage.browser.fill("name", "Zylker").await;
        stage.browser.fill("external_id", "cust-1").await;
        stage.browser.fill("slug", "Not a slug").await;
        stage.browser.press("Make the tenant").await;
        stage.browser.see("There is a problem").await;
        stage.examine("operator-tenants-wrong").await;
        stage.browser.fill("slug", "zylker").await;
        stage.browser.press("Make the tenant").await;
        stage.arrive("/operator/tenants/zylker").await;
        stage.browser.press("Make the invitation").await;
        stage.browser.see("The invitation is made").await;
        stage.examine("operator-tenant-invited").await;

        stage.open("/operator/tenants/zylker").await;
        stage.browser.press("Suspend…").await;
        stage.browser.see("This is what will happen").await;
        stage.examine("operator-suspend").await;
        stage.browser.press("Suspend Zylker").await;
        stage.browser.see("Nothing of Zylker works").await;
        stage.examine("operator-tenant-suspended").await;
        stage.browser.press("Resume Zylker").await;
        stage.browser.see("Stop everything").await;

        connections_and_health(stage).await;
        delete(stage).await;
    })
    .await;
}

async fn connections_and_health(stage: &mut Stage) {
    stage.open("/operator/connections").await;
    stage.browser.see("trouble first").await;
    stage.examine("operator-connections").await;
    // The list follows what is typed.
    stage.browser.fill("search", "nobody").await;
    stage.browser.see("Nothing fits.").await;
    stage.browser.fill("search", "").await;
    stage.browser.press("Zoho Assist").await;
    stage.browser.see("Failed in a row").await;
    stage.examine("operator-connection").await;
    stage.open("/operator/health").await;
    stage.browser.see("Way to Zoho").await;
    stage.examine("operator-health").await;
}

async fn delete(stage: &mut Stage) {
    stage.open("/operator/tenants/zylker/delete").await;
    stage.browser.see("This cannot be undone").await;
    stage.browser.fill("name", "Zylkr").await;
    stage.browser.press("Delete Zylker for good").await;
    stage.browser.see("That is not the name of this tenant").await;
    stage.examine("operator-delete").await;
    stage.browser.fill("name", "Zylker").await;
    stage.browser.press("Delete Zylker for good").await;
    // Nobody reloads: the receipt goes on by itself.
    stage.browser.see("Free for another tenant").await;
    stage.examine("operator-tenant-deleted").await;
}
