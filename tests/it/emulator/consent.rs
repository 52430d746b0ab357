//! E-4, and the pages a person clicks through.

use super::*;

async fn consent_form(zoho: &Zoho, person: &str, changes: &[(&str, &str)]) -> String {
    let mut all = vec![("emulator_person", person)];
    all.extend_from_slice(changes);
    let answer = zoho.authorize(place(person), &all).await;
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

fn hidden(page: &str, name: &str) -> String {
    let value = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap().split('"').next().unwrap();
    value.replace("&#38;", "&").replace("&amp;", "&")
}

#[tokio::test]
async fn a_person_signs_in_is_moved_to_their_data_centre_consents_and_goes_back() {
    let zoho = Zoho::start().await;
    let begin = zoho.authorize("us", &[]).await;
    let sign_in = location(&begin);
    assert!(sign_in.starts_with("/signin?client_id="));
    let page = zoho.http.get(zoho.accounts("us", &sign_in)).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("There are no passwords in an emulator") && page.contains("ann@example.com"));

    let form = [("query", hidden(&page, "query")), ("person", ANN.to_owned())];
    let moved = location(&zoho.http.post(zoho.accounts("us", "/signin")).form(&form).send().await.unwrap());
    assert!(moved.starts_with(&zoho.accounts("eu", "/oauth/v2/auth?")), "{moved}");
    let page = zoho.http.get(&moved).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("See your name and e-mail address") && page.contains("Zylker Labs"), "{page}");

    let form = [
        ("query", hidden(&page, "query")),
        ("person", ANN.to_owned()),
        ("organization", "77000001".to_owned()),
        ("answer", "accept".to_owned()),
    ];
    let back =
        location(&zoho.http.post(zoho.accounts("eu", "/oauth/v2/auth/answer")).form(&form).send().await.unwrap());
    assert!(back.starts_with(REDIRECT));
    assert_eq!(parameter(&back, "state").as_deref(), Some("a state"));
    assert_eq!(parameter(&back, "location").as_deref(), Some("eu"));
    assert_eq!(parameter(&back, "accounts-server"), Some(zoho.emulator.accounts_url("eu")));
    let (_, tokens) = zoho.exchange("eu", &parameter(&back, "code").unwrap()).await;
    let (_, user) = zoho.get(&zoho.api("eu", "/api/v2/user"), tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(user["representation"]["org_details"]["org_name"], "Zylker Labs");
}

#[tokio::test]
async fn the_same_address_in_two_data_centres_is_two_people() {
    let zoho = Zoho::start().await;
    let typed = |email: &'static str| {
        let zoho = &zoho;
        async move {
            let form = [("query", "client_id=x"), ("email", email)];
            let answer = zoho.http.post(zoho.accounts("us", "/signin")).form(&form).send().await.unwrap();
            let again = zoho.accounts("us", &location(&answer));
            zoho.http.get(again).send().await.unwrap().text().await.unwrap()
        }
    };
    assert!(typed("sam@example.com").await.contains("is 2 people"));
    assert!(typed("stranger@example.com").await.contains("Nobody here has the address"));
}

#[tokio::test]
async fn china_stands_apart() {
    let zoho = Zoho::start().await;
    let page = |place: &'static str| {
        let request = zoho.http.get(zoho.accounts(place, "/signin"));
        async move { request.send().await.unwrap().text().await.unwrap() }
    };
    assert!(!page("us").await.contains("li@example.com"));
    let china = page("cn").await;
    assert!(china.contains("li@example.com") && !china.contains("ann@example.com"));
    assert_eq!(zoho.connect("cn:860000001", &[]).await.answer["expires_in"], 3600);
}

#[tokio::test]
async fn one_organization_is_chosen_silently_and_several_are_asked_for() {
    let zoho = Zoho::start().await;
    let single = consent_form(&zoho, SAM, &[]).await;
    assert!(single.contains("Rivera Supplies") && !single.contains("type=\"radio\""));
    let several = consent_form(&zoho, ANN, &[]).await;
    assert_eq!(several.matches("type=\"radio\"").count(), 3);
    let environments = consent_form(&zoho, ISHA, &[("scope", "ZohoCRM.org.READ")]).await;
    assert!(environments.contains("Sandbox") && environments.contains("Developer"));
    let only_production = consent_form(&zoho, ISHA, &[]).await;
    assert!(!only_production.contains("type=\"radio\""));
}

#[tokio::test]
async fn mistakes_end_on_pages_of_their_own_without_redirect() {
    let zoho = Zoho::start().await;
    for (change, code) in [
        (("client_id", "1000.NOBODY"), "ERROR_invalid_client"),
        (("response_type", "token"), "ERROR_invalid_response_type"),
        (("redirect_uri", "http://localhost:8080/oauth/callback/"), "ERROR_invalid_redirect_uri"),
        (("scope", "Nonsense.everything.READ"), "ERROR_invalid_scope"),
        (("code_challenge", "short"), "ERROR_invalid_code_challenge"),
    ] {
        let answer = zoho.authorize("us", &[change]).await;
        assert_eq!((answer.status().as_u16(), answer.headers().get(LOCATION)), (400, None), "{code}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(code), "{page}");
    }
}

#[tokio::test]
async fn refusing_leads_back_with_access_denied() {
    let zoho = Zoho::start().await;
    let page = consent_form(&zoho, ANN, &[]).await;
    let form = [("query", hidden(&page, "query")), ("person", ANN.to_owned()), ("answer", "reject".to_owned())];
    let back =
        location(&zoho.http.post(zoho.accounts("eu", "/oauth/v2/auth/answer")).form(&form).send().await.unwrap());
    assert_eq!(back, format!("{REDIRECT}?error=access_denied&state=a+state"));
}

#[tokio::test]
async fn e4_prompt_mints_and_a_repeat_consent_without_it_brings_no_refresh_token_and_no_page() {
    let zoho = Zoho::start().await;
    let first = zoho.connect(SAM, &[("prompt", "")]).await;
    assert!(!first.refresh.is_empty(), "the first consent mints, asked by prompt or not");
    let again = zoho.authorize("us", &[("emulator_person", SAM), ("prompt", "")]).await;
    let code = parameter(&location(&again), "code").unwrap();
    assert!(zoho.exchange("us", &code).await.1.get("refresh_token").is_none());
    assert!(!zoho.connect(SAM, &[]).await.refresh.is_empty());
}

#[tokio::test]
async fn e4_a_repeat_consent_keeps_its_organization() {
    let zoho = Zoho::start().await;
    zoho.connect(ANN, &[("emulator_organization", "77000002")]).await;
    let again = zoho.authorize("eu", &[("emulator_person", ANN), ("prompt", ""), ("access_type", "online")]).await;
    let code = parameter(&location(&again), "code").unwrap();
    assert_eq!(zoho.ledger(&format!("value={code}")).await[0]["organization"], "77000002");
}

#[tokio::test]
async fn e4_online_access_brings_no_refresh_token() {
    let zoho = Zoho::start().await;
    for access_type in ["", "online"] {
        assert!(zoho.connect(SAM, &[("access_type", access_type)]).await.answer.get("refresh_token").is_none());
    }
}

#[tokio::test]
async fn e4_new_scopes_are_asked_for_again() {
    let zoho = Zoho::start().await;
    zoho.connect(SAM, &[]).await;
    let more = zoho
        .authorize(
            "us",
            &[("emulator_person", SAM), ("prompt", ""), ("scope", "ZohoAssist.userapi.READ,Desk.basic.READ")],
        )
        .await;
    assert_eq!(more.status(), 200);
}

#[tokio::test]
async fn e4_refresh_answers_never_carry_a_refresh_token() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(SAM, &[]).await;
    assert!(zoho.refresh("us", &tokens.refresh).await.1.get("refresh_token").is_none());
}

#[tokio::test]
async fn e4_revocation_ends_that_grant_and_no_other() {
    let zoho = Zoho::start().await;
    let one = zoho.connect(ANN, &[("emulator_organization", "77000000")]).await;
    let other = zoho.connect(ANN, &[("emulator_organization", "77000001")]).await;
    assert_eq!(zoho.revoke("us", &one.refresh).await, 400, "another data centre does not know it");
    assert_eq!(zoho.revoke("eu", &one.refresh).await, 200);
    assert_eq!(zoho.revoke("eu", &one.refresh).await, 400);
    assert!(!zoho.works("eu", &one.access).await);
    assert!(zoho.works("eu", &other.access).await);
    assert_eq!(error(zoho.refresh("eu", &other.refresh).await), said(200, "none"));
}

#[tokio::test]
async fn e4_the_newer_revocation_wants_the_client() {
    let zoho = Zoho::start().await;
    let tokens = zoho.connect(SAM, &[]).await;
    let url = zoho.accounts("us", "/oauth/v2/revoke/token");
    let form = [("token", tokens.refresh.as_str()), ("token_type", "refresh_token")];
    let without: Value = zoho.http.post(&url).form(&form).send().await.unwrap().json().await.unwrap();
    assert_eq!(without["error"], "invalid_client");
    let with = zoho.http.post(&url).basic_auth(&zoho.client.client_id, Some(zoho.secret("us"))).form(&form);
    assert_eq!(with.send().await.unwrap().json::<Value>().await.unwrap()["status"], "success");
}

#[tokio::test]
async fn auto_approve_answers_at_once_for_the_current_person() {
    let options = Options { auto_approve: true, clients: vec![client()], ..Options::default() };
    let zoho = Zoho::start_with(options).await;
    assert_eq!(parameter(&location(&zoho.authorize("us", &[]).await), "location").as_deref(), Some("us"));
    zoho.settings(json!({"current_person": "chloe@example.com"})).await;
    assert_eq!(parameter(&location(&zoho.authorize("us", &[]).await), "location").as_deref(), Some("ca"));
    let refused = location(&zoho.authorize("us", &[("emulator_answer", "reject")]).await);
    assert_eq!(parameter(&refused, "error").as_deref(), Some("access_denied"));
    let url = zoho.accounts("us", "/oauth/v2/auth");
    let query = [
        ("client_id", zoho.client.client_id.as_str()),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", PROFILE),
    ];
    let by_cookie =
        zoho.http.get(url).query(&query).header("cookie", "emulator_person_eu=795000000").send().await.unwrap();
    assert_eq!(parameter(&location(&by_cookie), "location").as_deref(), Some("eu"));
}

#[tokio::test]
async fn pages_have_a_policy_that_lets_the_answer_lead_back_to_the_client() {
    let zoho = Zoho::start().await;
    let answer = zoho.authorize("eu", &[("emulator_person", ANN)]).await;
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("form-action"));
    let style = zoho.http.get(zoho.accounts("eu", "/emulator.css")).send().await.unwrap();
    assert_eq!(style.headers()["content-type"], "text/css;charset=UTF-8");
}

#[tokio::test]
async fn odd_names_are_only_ever_text() {
    let zoho = Zoho::start().await;
    let page = consent_form(&zoho, "eu:795000003", &[]).await;
    assert!(page.contains("script") && !page.contains("<script"));
}
