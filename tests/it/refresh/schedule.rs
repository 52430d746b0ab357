use super::*;

#[tokio::test]
async fn a_connection_in_use_is_refreshed_before_anybody_waits() {
    let app = App::start().await;
    let id = connect(&app, SAM).await;
    let back_end = app.backend(TOKENS).await;
    app.zoho.forget_journal().await;
    assert_eq!(back_end.token(&id, "").await.status, 200);
    wait_for_column(&app, "last_used_at is not null", "true").await;
    minutes(&app, 52).await;
    assert_eq!(refreshes(&app).await, 0, "not before it is due");
    minutes(&app, 4).await;
    wait_for("the worker refreshes", || async { (refreshes(&app).await == 1).then_some(()) }).await;
    wait_for_column(&app, "token_version", "2").await;
    let told = back_end.token(&id, "?minimum_seconds=3000").await;
    assert_eq!(told.member("token_id"), "v2");
    assert_eq!(refreshes(&app).await, 1, "nobody had to wait");
}

#[tokio::test]
async fn an_idle_connection_is_refreshed_once_a_day() {
    let app = App::start().await;
    connect(&app, SAM).await;
    app.zoho.forget_journal().await;
    for _ in 0..11 {
        minutes(&app, 120).await;
    }
    assert_eq!(refreshes(&app).await, 0, "22 hours of peace");
    minutes(&app, 200).await;
    wait_for("its health is looked after", || async { (refreshes(&app).await == 1).then_some(()) }).await;
    wait_for_column(&app, "token_version", "2").await;
    for _ in 0..11 {
        minutes(&app, 120).await;
    }
    assert_eq!(refreshes(&app).await, 1);
}

#[tokio::test]
async fn a_connection_that_falls_idle_is_left_alone() {
    let app = App::start().await;
    let id = connect(&app, SAM).await;
    let back_end = app.backend(TOKENS).await;
    assert_eq!(back_end.token(&id, "").await.status, 200);
    wait_for_column(&app, "last_used_at is not null", "true").await;
    app.zoho.forget_journal().await;
    app.advance(Duration::from_secs(25 * 3600)).await;
    wait_for_column(&app, "token_version", "2").await;
    // The one that was due; a day later there is no other.
    app.advance(Duration::from_secs(20 * 3600)).await;
    assert_eq!(back_end.get("/livez").await.status, 200);
    assert_eq!(refreshes(&app).await, 1);
}

#[tokio::test]
async fn r8_many_due_at_once_are_refreshed_once_each() {
    let app = App::builder().replicas(2).start().await;
    let id = connect(&app, SAM).await;
    // Copies of one connection: their tokens do not open, as each is sealed for its own row.
    app.database
        .execute(
            "insert into organization select tenant_id, gen_random_uuid(), data_centre, product, 'copy' || n, environment, name, created_at
             from organization, generate_series(1, 200) n",
        )
        .await;
    app.database
        .execute(
            "insert into connection (tenant_id, connection_id, person_id, organization_id, product, data_centre, status, scopes_requested,
                 scopes_granted, client_id, refresh_token_sealed, access_token_sealed, access_token_expires_at, token_version, health,
                 connected_at, consented_at, refresh_at)
             select c.tenant_id, gen_random_uuid(), person_id, o.organization_id, c.product, c.data_centre, status, scopes_requested,
                 scopes_granted, client_id, refresh_token_sealed, access_token_sealed, access_token_expires_at, token_version, health,
                 connected_at, consented_at, '2026-11-21T10:00:00Z'
             from connection c join organization o on o.zoho_id like 'copy%'",
        )
        .await;
    wait_for("all are seen to", || async {
        let left = "select count(*) from connection where health <> 'unreadable'";
        (app.database.text(left).await == "1").then_some(())
    })
    .await;
    assert_eq!(app.database.text("select max(fence) from connection").await, "1", "each was claimed once");
    assert_eq!(app.database.text("select count(*) from connection where lease_owner is not null").await, "0");
    let told = app.backend(TOKENS).await.token(&id, "").await;
    assert_eq!(told.status, 200, "the one that opens is unharmed");
}
