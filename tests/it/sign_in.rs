//! The button, from the first click to the landing.

use crate::harness::*;

#[tokio::test]
async fn a_person_signs_in_and_finds_a_connection() {
    let app = App::start().await;
    let sam = app.visitor();
    let landing = sam.sign_in_as(SAM).await;
    assert_eq!(landing.location(), "/connections");
    let page = sam.get("/connections").await;
    page.assert_status(200);
    assert!(page.has("Rivera Supplies"));
    assert_eq!(sam.connection_ids().await.len(), 1);
    assert_eq!(app.database.count("connection").await, 1);
}
