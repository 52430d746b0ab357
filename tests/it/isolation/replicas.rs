//! What one replica did holds on the others within a second.

use std::time::{Duration, Instant};

use crate::harness::{App, BEA, SAM};

#[tokio::test(flavor = "multi_thread")]
async fn s28_a_session_that_ended_on_one_replica_has_ended_on_all() {
    let app = App::builder().replicas(3).start().await;
    let visitor = app.visitor();
    visitor.sign_in_as(BEA).await.assert_status(303);
    let thief = visitor.copy();
    for replica in 0..3 {
        assert!(thief.via(replica).is_signed_in().await);
    }
    visitor.via(1).submit("/connections", "/logout", &[]).await.assert_status(303);
    let ended = Instant::now();
    for replica in 0..3 {
        assert_eq!(thief.via(replica).get("/connections").await.location(), "/?return_to=%2Fconnections");
    }
    assert!(ended.elapsed() < Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn s29_a_membership_that_ended_has_ended_on_all_replicas() {
    let app = App::builder().replicas(2).start().await;
    let visitor = app.visitor();
    visitor.sign_in_as(SAM).await.assert_status(303);
    let slug = app.database.text("select slug from tenant").await;
    let connect = async |replica: usize| {
        let form = [("product", "crm"), ("tenant", slug.as_str())];
        visitor.via(replica).submit("/connections", "/connections", &form).await.status
    };
    assert_eq!((connect(0).await, connect(1).await), (303, 303));
    app.database.execute("delete from membership").await;
    assert_eq!((connect(0).await, connect(1).await), (404, 404), "within a second");
}

#[tokio::test(flavor = "multi_thread")]
async fn r30_attempts_from_before_a_restore_are_refused_on_all_replicas() {
    let app = App::builder().replicas(2).start().await;
    let visitor = app.visitor();
    let consent = visitor.begin("/login").await;
    let callback = visitor.go_to_zoho(&consent, SAM).await;
    // Attempts that tell whether a replica has heard of the restore: refusals at Zoho cost nothing.
    let mut canaries = Vec::new();
    for _ in 0..40 {
        let canary = app.visitor();
        let consent = canary.begin("/login").await;
        let callback = canary.refuse_at_zoho(&consent, SAM).await;
        canaries.push((canary, callback));
    }
    app.advance(Duration::from_secs(10)).await;
    let now = app.clock.shared_now().to_rfc3339();
    app.database.execute(&format!("update installation set attempts_from = '{now}'")).await;
    for replica in 0..2 {
        loop {
            let (canary, callback) = canaries.pop().expect("a replica hears of it within two seconds");
            if canary.via(replica).get(&callback).await.status == 400 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        visitor.via(replica).get(&callback).await.assert_status(400);
        assert_eq!(app.visitor().via(replica).sign_in_as(BEA).await.location(), "/connections");
    }
    let codes = app.zoho.token_calls().await;
    assert_eq!(
        codes.iter().filter(|call| call.listener == "accounts:us").count(),
        0,
        "no exchange for the old attempt"
    );
}
