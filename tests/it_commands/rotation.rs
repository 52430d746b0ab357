//! Changing the keys that seal what is stored (security.md R-23).

use serde_json::json;
use uuid::Uuid;

use crate::{
    harness::{Installation, key, key_text, text},
    sealed::{open, seal},
};

const TENANT: &str = "01930000-0000-7000-8000-000000000001";

struct Stored {
    connection: Uuid,
    refresh_place: String,
    revocation_place: String,
    escrow_place: String,
    client_place: String,
    link_place: String,
    webhook_place: String,
}

/// A grant that waits in an onboarding link for somebody to confirm; tells its place.
async fn rest_in_a_link(installation: &mut Installation) -> String {
    let link = Uuid::now_v7();
    let place = format!("lwz1|onboarding_link.grant_sealed|{TENANT}|{link}");
    sqlx::query(
        "insert into onboarding_link (onboarding_link_id, tenant_id, token_digest, product, scopes, invited_by_api_key_id, created_at,
             expires_at, state, browser_digest, grant_sealed, confirm_by, due_at)
         values ($1, $2::uuid, 'digest', 'crm', '{}', 'key', '2026-01-01Z', '2099-01-01Z', 'consented', 'browser', $3, '2099-01-01Z', '2099-01-01Z')",
    )
    .bind(link)
    .bind(TENANT.parse::<Uuid>().expect("an id"))
    .bind(seal("k1", key(1), &place, "{\"grant\":2}"))
    .execute(&mut installation.admin)
    .await
    .expect("a link");
    place
}

/// A connection with both tokens, a token that waits for its revocation, a grant in escrow, one in an onboarding
/// link, a client, and the secrets of two webhook endpoints, one of a tenant and one of all, everything under `k1`, and
/// many more connections, so that there are several batches.
async fn furnish(installation: &mut Installation) -> Stored {
    use base64::Engine as _;
    installation
        .execute(
            "insert into tenant (tenant_id, name, slug, created_at) values ('01930000-0000-7000-8000-000000000001', 'Acme', 'acme', '2026-01-01Z')",
        )
        .await;
    let connections: Vec<Uuid> = (0..250).map(|_| Uuid::now_v7()).collect();
    let refresh_place = |connection: &Uuid| format!("lwz1|connection.refresh_token_sealed|{TENANT}|{connection}");
    for (number, connection) in connections.iter().enumerate() {
        let access_place = format!("lwz1|connection.access_token_sealed|{TENANT}|{connection}");
        sqlx::query(
            "insert into connection (tenant_id, connection_id, product, data_centre, status, scopes_requested, scopes_granted, client_id,
                 refresh_token_sealed, access_token_sealed, token_version, health, connected_at, consented_at)
             values ($1::uuid, $2, 'p' || $5, 'eu', 'choosing', '{}', '{}', 'client', $3, $4, 1, 'ok', '2026-01-01Z', '2026-01-01Z')",
        )
        .bind(TENANT.parse::<Uuid>().expect("an id"))
        .bind(connection)
        .bind(seal("k1", key(1), &refresh_place(connection), &format!("1000.refresh.{connection}")))
        .bind(seal("k1", key(1), &access_place, "1000.access"))
        .bind(number.to_string())
        .execute(&mut installation.admin)
        .await
        .expect("a connection");
    }
    // A superseded token keeps the place of the connection it came from.
    let revocation_place = refresh_place(&connections[0]);
    sqlx::query(
        "insert into revocation (revocation_id, tenant_id, client_id, data_centre, reason, token_sealed, sealed_as, created_at, granted_at, due_at, tries)
         values ($1, $2::uuid, 'client', 'eu', 'superseded', $3, $4, '2026-01-01Z', '2026-01-01Z', '2099-01-01Z', 0)",
    )
    .bind(Uuid::now_v7())
    .bind(TENANT.parse::<Uuid>().expect("an id"))
    .bind(seal("k1", key(1), &revocation_place, "1000.superseded"))
    .bind(&revocation_place)
    .execute(&mut installation.admin)
    .await
    .expect("a revocation");
    let state = [7_u8; 32];
    let escrow_place =
        format!("lwz1|token_escrow.grant_sealed|-|{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(state));
    sqlx::query(
        "with attempt as (
           insert into login_attempt (state_digest, owner, stage, purpose, offline, data_centre, scopes_requested, return_path, request_id, peer, taken_at)
           values ($1, $2, 'kept', 'sign_in', true, 'eu', '{}', '/', $2, '127.0.0.1', '2026-01-01Z'))
         insert into token_escrow values ($1, $3, '2026-01-01Z', '2099-01-01Z', 1)",
    )
    .bind(&state[..])
    .bind(Uuid::now_v7())
    .bind(seal("k1", key(1), &escrow_place, "{\"grant\":1}"))
    .execute(&mut installation.admin)
    .await
    .expect("an escrow");
    let client = Uuid::now_v7();
    let client_place = format!("lwz1|zoho_client.client_secret_sealed|{TENANT}|{client}");
    sqlx::query("insert into zoho_client values ($1::uuid, $2, 'eu', '1000.SELF', $3, '2026-01-01Z')")
        .bind(TENANT.parse::<Uuid>().expect("an id"))
        .bind(client)
        .bind(seal("k1", key(1), &client_place, "secret of a self client"))
        .execute(&mut installation.admin)
        .await
        .expect("a client");
    let endpoints = [TENANT, "-"].map(|tenant| (tenant, Uuid::now_v7()));
    let webhook_place =
        |tenant: &str, endpoint: &Uuid| format!("lwz1|webhook_endpoint.secrets_sealed|{tenant}|{endpoint}");
    for (tenant, endpoint) in endpoints {
        sqlx::query(
            "insert into webhook_endpoint (webhook_endpoint_id, tenant_id, url, event_types, secrets_sealed, created_by, created_at)
             values ($1, $2::uuid, 'https://hooks.example.com/', '{webhook.test}', $3, 'test', '2026-01-01Z')",
        )
        .bind(endpoint)
        .bind(tenant.parse::<Uuid>().ok())
        .bind(seal("k1", key(1), &webhook_place(tenant, &endpoint), &format!("whsec_{tenant}")))
        .execute(&mut installation.admin)
        .await
        .expect("an endpoint");
    }
    Stored {
        link_place: rest_in_a_link(installation).await,
        webhook_place: webhook_place("-", &endpoints[1].1),
        client_place,
        connection: connections[0],
        refresh_place: refresh_place(&connections[0]),
        revocation_place,
        escrow_place,
    }
}

const VALUES: u64 = 250 * 2 + 6;

#[tokio::test]
async fn r23_everything_is_sealed_anew_while_the_site_serves_and_the_old_key_can_go() {
    let mut installation = Installation::new().await;
    let stored = furnish(&mut installation).await;
    installation.set("ENCRYPTION_KEYS", format!("{},{}", key_text("k2", key(50)), key_text("k1", key(1))));
    let site = installation.serve();
    let rewrap = ["keys", "rewrap", "--json"];
    assert_eq!(
        installation.json(&rewrap),
        json!({ "key": "k2", "resealed": VALUES, "already_current": 0, "unreadable": 0, "other_keys_in_use": [] })
    );
    assert_eq!(
        installation.json(&rewrap),
        json!({ "key": "k2", "resealed": 0, "already_current": VALUES, "unreadable": 0, "other_keys_in_use": [] })
    );
    drop(site);
    let sealed: Vec<Vec<u8>> = sqlx::query_scalar(
        "select array[refresh_token_sealed, (select token_sealed from revocation), (select grant_sealed from token_escrow),
             (select client_secret_sealed from zoho_client), (select grant_sealed from onboarding_link)]
         from connection where connection_id = $1",
    )
    .bind(stored.connection)
    .fetch_one(&mut installation.admin)
    .await
    .expect("the rows");
    let secrets = "select secrets_sealed from webhook_endpoint where tenant_id is null";
    let secrets: Vec<u8> = sqlx::query_scalar(secrets).fetch_one(&mut installation.admin).await.expect("the endpoint");
    let new_alone = [("k2", key(50))];
    let plain = format!("1000.refresh.{}", stored.connection);
    assert_eq!(open(&new_alone, &stored.refresh_place, &sealed[0]), ("k2".to_owned(), plain));
    assert_eq!(open(&new_alone, &stored.revocation_place, &sealed[1]).1, "1000.superseded");
    assert_eq!(open(&new_alone, &stored.escrow_place, &sealed[2]).1, "{\"grant\":1}");
    assert_eq!(open(&new_alone, &stored.client_place, &sealed[3]).1, "secret of a self client");
    assert_eq!(open(&new_alone, &stored.link_place, &sealed[4]).1, "{\"grant\":2}");
    assert_eq!(open(&new_alone, &stored.webhook_place, &secrets).1, "whsec_-");
    assert_eq!(installation.audited().await, [format!("command keys_rewrapped done {VALUES} values under key k2")]);

    installation.set("ENCRYPTION_KEYS", key_text("k2", key(50)));
    assert_eq!(installation.json(&rewrap)["already_current"], VALUES);
}

#[tokio::test]
async fn r23_a_key_still_in_use_is_not_dropped_unnoticed() {
    let mut installation = Installation::new().await;
    furnish(&mut installation).await;
    installation.set("ENCRYPTION_KEYS", key_text("k2", key(50)));

    let output = installation.run(&["keys", "rewrap", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the result, all the same");
    assert_eq!((&told["resealed"], &told["unreadable"]), (&json!(0), &json!(VALUES)));
    assert_eq!(told["other_keys_in_use"], json!([{ "id": "k1", "values": VALUES }]));
    let said = text(&output.stderr);
    assert!(said.contains("ENCRYPTION_KEYS") && said.contains("connection.refresh_token_sealed of "), "{said}");

    let doctor = installation.run(&["doctor", "--json"]);
    assert_eq!(doctor.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&doctor.stdout).expect("JSON");
    let of_keys = report["findings"].as_array().expect("findings").iter().filter(|finding| finding["area"] == "keys");
    let wrong: Vec<_> = of_keys.filter(|finding| finding["verdict"] == "wrong").collect();
    assert_eq!(wrong.len(), 1, "{report}");
    assert!(wrong[0]["found"].as_str().expect("text").contains("`k1`"));

    let log = installation.serve().terminate();
    assert!(log.contains("ERROR") && log.contains("\"key.id\":\"k1\""), "{log}");

    installation.set("ENCRYPTION_KEYS", format!("{},{}", key_text("k2", key(50)), key_text("k1", key(1))));
    assert_eq!(
        installation.json(&["keys", "rewrap", "--json"])["resealed"],
        VALUES,
        "the key's return heals everything"
    );
}

#[tokio::test]
async fn s47_what_does_not_open_is_told_and_left_as_it_is() {
    let mut installation = Installation::new().await;
    furnish(&mut installation).await;
    // Two rows exchange their tokens: under the right key, in the wrong place.
    installation
        .execute(
            "update connection c set refresh_token_sealed = o.refresh_token_sealed from connection o
             where (c.product, o.product) in (('p3', 'p4'), ('p4', 'p3'))",
        )
        .await;
    installation.set("ENCRYPTION_KEYS", format!("{},{}", key_text("k2", key(50)), key_text("k1", key(1))));
    let output = installation.run(&["keys", "rewrap", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the result");
    assert_eq!((&told["resealed"], &told["unreadable"]), (&json!(VALUES - 2), &json!(2)));
    assert!(text(&output.stderr).contains("altered, or moved"), "{}", text(&output.stderr));
    assert_eq!(told["other_keys_in_use"], json!([{ "id": "k1", "values": 2 }]));
}
