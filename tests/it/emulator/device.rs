//! The device flow.

use super::*;

async fn post(zoho: &Zoho, place: &str, path: &str, form: &[(&str, &str)]) -> Value {
    let mut all = vec![("client_id", zoho.client.client_id.as_str()), ("client_secret", zoho.secret(place))];
    all.extend_from_slice(form);
    zoho.http.post(zoho.accounts(place, path)).form(&all).send().await.unwrap().json().await.unwrap()
}

async fn begin(zoho: &Zoho) -> (String, String) {
    let form = [("grant_type", "device_request"), ("scope", ASSIST), ("access_type", "offline")];
    let answer = post(zoho, "us", "/oauth/v3/device/code", &form).await;
    (answer["device_code"].as_str().unwrap().to_owned(), answer["user_code"].as_str().unwrap().to_owned())
}

async fn poll(zoho: &Zoho, place: &str, device_code: &str) -> Value {
    post(zoho, place, "/oauth/v3/device/token", &[("grant_type", "device_token"), ("code", device_code)]).await
}

async fn decide(zoho: &Zoho, code: &str, answer: &str) -> u16 {
    let form = [("code", code), ("person", ANN), ("answer", answer)];
    zoho.http.post(zoho.accounts("us", "/oauth/v3/device")).form(&form).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_device_polls_slowly_and_goes_on_in_the_data_centre_of_its_person() {
    let zoho = Zoho::start().await;
    let (device_code, user_code) = begin(&zoho).await;
    assert_eq!(poll(&zoho, "us", &device_code).await["error"], "authorization_pending");
    assert_eq!(poll(&zoho, "us", &device_code).await["error"], "slow_down");
    zoho.advance(30).await;
    assert_eq!(poll(&zoho, "us", &device_code).await["error"], "authorization_pending");
    assert_eq!(decide(&zoho, &user_code.to_lowercase(), "accept").await, 200);
    assert_eq!(poll(&zoho, "us", &device_code).await, json!({"error": "other_dc", "user_location": "eu"}));
    let tokens = poll(&zoho, "eu", &device_code).await;
    assert!(tokens["refresh_token"].is_string(), "{tokens}");
    assert!(zoho.works("eu", tokens["access_token"].as_str().unwrap()).await);
    assert_eq!(poll(&zoho, "eu", &device_code).await["error"], "invalid_code");
}

#[tokio::test]
async fn a_device_can_be_refused_and_its_code_expires() {
    let zoho = Zoho::start().await;
    let (device_code, user_code) = begin(&zoho).await;
    assert_eq!(decide(&zoho, "WRONG", "accept").await, 400);
    decide(&zoho, &user_code, "reject").await;
    assert_eq!(poll(&zoho, "us", &device_code).await["error"], "access_denied");
    let (device_code, user_code) = begin(&zoho).await;
    zoho.advance(301).await;
    assert_eq!(decide(&zoho, &user_code, "accept").await, 400);
    assert_eq!(poll(&zoho, "us", &device_code).await["error"], "expired");
}
