//! Asks Zoho Assist who a customer is, with a token from Login with Zoho.
//!
//!     export LWZ_URL=http://localhost:8080 LWZ_API_KEY=lwz_… LWZ_TENANT=acme LWZ_ORGANIZATION=77000000
//!     cargo run --example assist            # with a token of our own
//!     cargo run --example assist -- proxy   # without ever seeing one
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program for a terminal")]

use std::{env, error::Error, process::ExitCode, time::Duration};

use reqwest::{Client, Response, header::AUTHORIZATION};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let shown = show_user().await.inspect_err(|problem| eprintln!("{problem}"));
    u8::from(shown.is_err()).into()
}

async fn show_user() -> Result<(), Box<dyn Error>> {
    let http = Client::builder().timeout(Duration::from_secs(70)).build()?;
    let (tenant, organization) = (env::var("LWZ_TENANT")?, env::var("LWZ_ORGANIZATION")?);
    let wanted = [("product", "assist"), ("tenant", &tenant), ("organization", &organization)];
    let user = if env::args().nth(1).as_deref() == Some("proxy") {
        // No token in our hands: the vault sends the call, and renews the token if need be.
        let list = ask(&http, "/connections", &[&wanted[..], &[("status", "active")]].concat()).await?;
        let path = format!("/connections/{}/proxy/api/v2/user", text(&list["connections"][0]["id"]));
        ask(&http, &path, &[]).await?
    } else {
        call_assist(&http, "/api/v2/user", &wanted).await?
    };
    let user = &user["representation"];
    println!("{}: {}", text(&user["org_details"]["org_name"]), text(&user["user_email"]));
    Ok(())
}

/// A call to the vault; told to come back later, it does.
async fn ask(http: &Client, path: &str, query: &[(&str, &str)]) -> Result<Value, Box<dyn Error>> {
    let (url, key) = (format!("{}/api/v1{path}", env::var("LWZ_URL")?), env::var("LWZ_API_KEY")?);
    for _ in 0..5 {
        let answer = http.get(&url).query(query).bearer_auth(&key).send().await?;
        let status = answer.status();
        let wait = answer.headers().get("retry-after").and_then(|wait| wait.to_str().ok()?.parse().ok());
        let body: Value = answer.json().await?;
        match (status.as_u16(), wait) {
            (200, _) => return Ok(body),
            (429 | 503, Some(wait)) => {
                eprintln!("{}: again in {wait} s", text(&body["type"]));
                tokio::time::sleep(Duration::from_secs(wait)).await;
            }
            // Zoho's consent is gone; only the person who gave it can renew it.
            (409, _) if body["type"] == "/problems/needs-reconnect" => {
                return Err(format!("Ask the customer to open {}", text(&body["reconnect_url"])).into());
            }
            (status, _) => return Err(format!("{status} {}", text(&body["type"])).into()),
        }
    }
    Err("no token for now".into())
}

/// A call to the product, with one fresh token where it refuses the first.
async fn call_assist(http: &Client, path: &str, wanted: &[(&str, &str)]) -> Result<Value, Box<dyn Error>> {
    let token = ask(http, "/access-token", wanted).await?;
    let mut answer = get(http, &token, path).await?;
    if answer.status() == 401 {
        eprintln!("Zoho refused token {}", text(&token["token_id"]));
        let again = [wanted, &[("rejected", text(&token["token_id"]))]].concat();
        answer = get(http, &ask(http, "/access-token", &again).await?, path).await?;
    }
    Ok(answer.error_for_status()?.json().await?)
}

async fn get(http: &Client, token: &Value, path: &str) -> Result<Response, Box<dyn Error>> {
    let header = format!("{} {}", text(&token["token_type"]), text(&token["access_token"]));
    let request = http.get(format!("{}{path}", text(&token["product_url"])));
    Ok(request.header(AUTHORIZATION, header).send().await?)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
