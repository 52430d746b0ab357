//! E-1: codes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use sha2::{Digest as _, Sha256};

use super::*;

#[tokio::test]
async fn e1_a_code_works_once_and_presenting_it_again_revokes_all_it_produced() {
    let zoho = Zoho::start().await;
    let code = zoho.code(ANN, &[]).await;
    let (_, tokens) = zoho.exchange("eu", &code).await;
    let access = tokens["access_token"].as_str().unwrap();
    assert!(zoho.works("eu", access).await);

    assert_eq!(error(zoho.exchange("eu", &code).await), said(200, "invalid_code"));
    assert!(!zoho.works("eu", access).await);
    assert_eq!(error(zoho.refresh("eu", tokens["refresh_token"].as_str().unwrap()).await), said(200, "invalid_code"));
}

#[tokio::test]
async fn e1_presenting_a_code_again_also_ends_access_tokens_made_by_refreshing() {
    let zoho = Zoho::start().await;
    let code = zoho.code(ANN, &[]).await;
    let (_, tokens) = zoho.exchange("eu", &code).await;
    let (_, refreshed) = zoho.refresh("eu", tokens["refresh_token"].as_str().unwrap()).await;
    zoho.exchange("eu", &code).await;
    assert!(!zoho.works("eu", refreshed["access_token"].as_str().unwrap()).await);
}

#[tokio::test]
async fn e1_a_code_dies_after_two_minutes() {
    let zoho = Zoho::start().await;
    let (in_time, too_late) = (zoho.code(ANN, &[]).await, zoho.code(ANN, &[]).await);
    zoho.advance(118).await;
    assert_eq!(error(zoho.exchange("eu", &in_time).await), said(200, "none"));
    zoho.advance(3).await;
    assert_eq!(error(zoho.exchange("eu", &too_late).await), said(200, "invalid_code"));
}

#[tokio::test]
async fn e1_a_code_is_unknown_in_other_data_centres_and_stays_good_at_its_own() {
    let zoho = Zoho::start().await;
    let code = zoho.code(ANN, &[]).await;
    assert_eq!(error(zoho.exchange("us", &code).await), said(200, "invalid_code"));
    assert_eq!(error(zoho.exchange("eu", &code).await), said(200, "none"));
}

#[tokio::test]
async fn e1_a_code_needs_its_redirect_uri() {
    let zoho = Zoho::start().await;
    let code = zoho.code(ANN, &[]).await;
    for uri in ["http://localhost:8080/oauth/callback/", ""] {
        let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", uri)];
        assert_eq!(error(zoho.token("eu", &form).await), said(200, "invalid_redirect_uri"), "{uri}");
    }
    let without = [("grant_type", "authorization_code"), ("code", code.as_str())];
    assert_eq!(error(zoho.token("eu", &without).await), said(200, "invalid_redirect_uri"));
}

#[tokio::test]
async fn e1_another_client_cannot_use_the_code() {
    let zoho = Zoho::start().await;
    let other = json!({"client_id": "1000.OTHER", "secrets": {"": "a secret of the other"}, "data_centres": ["eu"]});
    zoho.control(Method::POST, "/control/clients", other).await;
    let code = zoho.code(ANN, &[]).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT),
        ("client_id", "1000.OTHER"),
        ("client_secret", "a secret of the other"),
    ];
    assert_eq!(error(zoho.token("eu", &form).await), said(200, "invalid_code"));
}

#[tokio::test]
async fn e1_a_challenge_once_sent_is_enforced() {
    let zoho = Zoho::start().await;
    let verifier = "a-verifier-of-at-least-forty-three-characters-long";
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let s256 = [("code_challenge", digest.as_str()), ("code_challenge_method", "S256")];
    let plain = [("code_challenge", verifier)];
    for (challenge, sent, word) in [
        (&s256[..], Some(verifier), "none"),
        (&s256[..], Some(digest.as_str()), "invalid_code"),
        (&s256[..], None, "invalid_code"),
        (&plain[..], Some(verifier), "none"),
        (&plain[..], Some("another"), "invalid_code"),
    ] {
        let code = zoho.code(ANN, challenge).await;
        let mut form = vec![("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT)];
        form.extend(sent.map(|sent| ("code_verifier", sent)));
        assert_eq!(error(zoho.token("eu", &form).await), said(200, word), "{challenge:?} {sent:?}");
    }
}

#[tokio::test]
async fn e1_of_many_who_present_a_code_at_once_one_succeeds_and_loses_what_it_got() {
    let zoho = Zoho::start().await;
    let code = zoho.code(ANN, &[]).await;
    let answers = join_all((0..20).map(|_| zoho.exchange("eu", &code))).await;
    let won: Vec<_> = answers.iter().filter(|(_, answer)| answer["access_token"].is_string()).collect();
    assert_eq!(won.len(), 1);
    assert!(!zoho.works("eu", won[0].1["access_token"].as_str().unwrap()).await);
    assert_eq!(zoho.ledger(&format!("value={code}")).await[0]["presented"], 20);
}

#[tokio::test]
async fn a_code_has_the_shape_of_zohos() {
    let zoho = Zoho::start().await;
    let code = zoho.code(ANN, &[]).await;
    let parts: Vec<&str> = code.split('.').collect();
    assert_eq!((code.len(), parts[0], parts[1].len(), parts[2].len()), (70, "1000", 32, 32));
}
