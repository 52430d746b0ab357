//! `operator` and `api-key`.

use serde_json::json;

use crate::harness::{Installation, text};

#[tokio::test]
async fn operators_are_named_by_command_and_by_setting() {
    let mut installation = Installation::new().await;
    installation.set("OPERATORS", "us:780000001");
    let grant = ["operator", "grant", "--person", "eu:795000000", "--json"];
    assert_eq!(installation.json(&grant), json!({ "person": "eu:795000000", "changed": true }));
    assert_eq!(installation.json(&grant), json!({ "person": "eu:795000000", "changed": false }));
    let listed = installation.json(&["operator", "list", "--json"]);
    let told: Vec<_> =
        listed["operators"].as_array().expect("a list").iter().map(|row| (&row["person"], &row["source"])).collect();
    assert_eq!(told, [(&json!("us:780000001"), &json!("settings")), (&json!("eu:795000000"), &json!("command"))]);

    let (code, said) = installation.failure(&["operator", "revoke", "--person", "us:780000001"]);
    assert_eq!(code, 1);
    assert!(said.contains("OPERATORS"), "{said}");
    installation.json(&["operator", "revoke", "--person", "eu:795000000", "--json"]);
    let (code, said) = installation.failure(&["operator", "revoke", "--person", "eu:795000000"]);
    assert_eq!(code, 1);
    assert!(said.contains("operator list"), "{said}");
    assert_eq!(
        installation.audited().await,
        ["command operator_granted done eu:795000000", "command operator_revoked done eu:795000000"]
    );
}

#[tokio::test]
async fn a_key_is_shown_once_and_listed_without_itself() {
    let mut installation = Installation::new().await;
    installation
        .execute(
            "insert into tenant (tenant_id, external_id, name, slug, created_at)
             values ('01930000-0000-7000-8000-000000000001', 'acme', 'Acme', 'acme-slug', '2026-01-01T00:00:00Z')",
        )
        .await;
    let create = ["api-key", "create", "--name", "ci", "--grants", "tokens:read,proxy", "--expires-in", "90d"];
    let made = installation.json(&[&create[..], &["--tenant", "acme", "--json"]].concat());
    let (id, key) = (made["id"].as_str().expect("an id"), made["key"].as_str().expect("a key"));
    assert!(key.starts_with(&format!("lwz_{id}_")) && key.len() == 4 + 8 + 1 + 43, "{} characters", key.len());
    assert_eq!(made.as_object().expect("an object").len(), 2);

    let listed = installation.json(&["api-key", "list", "--json"]);
    let row = &listed["api_keys"][0];
    assert_eq!(
        (&row["id"], &row["state"], &row["tenant"]["slug"]),
        (&json!(id), &json!("active"), &json!("acme-slug"))
    );
    assert_eq!(row["grants"], json!(["tokens:read", "proxy"]));
    for listing in [&["api-key", "list"][..], &["api-key", "list", "--json"]] {
        assert!(!text(&installation.run(listing).stdout).contains(&key[13..]));
    }

    assert_eq!(installation.json(&["api-key", "revoke", id, "--json"]), json!({ "id": id, "changed": true }));
    assert_eq!(installation.json(&["api-key", "revoke", id, "--json"]), json!({ "id": id, "changed": false }));
    assert_eq!(installation.json(&["api-key", "list", "--json"])["api_keys"][0]["state"], "revoked");
    assert_eq!(
        installation.audited().await,
        [format!("command api_key_created done {id}"), format!("command api_key_revoked done {id}")]
    );
}

#[tokio::test]
async fn what_is_misused_is_2_and_what_cannot_be_done_is_1() {
    let installation = Installation::new().await;
    for misused in [
        &["api-key", "create", "--name", "x", "--grants", "tokens:write"][..],
        &["api-key", "create", "--name", "x"],
        &["api-key", "create", "--name", " ", "--grants", "proxy"],
        &["api-key", "create", "--name", "x", "--grants", "proxy", "--expires-in", "soon"],
        &["operator", "grant", "--person", "795000000"],
        &["operator"],
        &["keys"],
    ] {
        assert_eq!(installation.failure(misused).0, 2, "{misused:?}");
    }
    let (code, said) = installation.failure(&["api-key", "revoke", "abcdefgh"]);
    assert_eq!(code, 1);
    assert!(said.contains("api-key list"), "{said}");
    let unknown = ["api-key", "create", "--name", "x", "--grants", "proxy", "--tenant", "nobody"];
    let (code, said) = installation.failure(&unknown);
    assert_eq!(code, 1);
    assert!(said.contains("`nobody`"), "{said}");
}

#[tokio::test]
async fn a_database_without_schema_says_so() {
    let installation = Installation::empty().await;
    for arguments in [
        &["operator", "list"][..],
        &["api-key", "list"],
        &["keys", "rewrap"],
        &["operator", "grant", "--person", "eu:1"],
    ] {
        let (code, said) = installation.failure(arguments);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("login-with-zoho migrate"), "{said}");
    }
}

#[tokio::test]
async fn a_command_finds_the_private_postgres_that_a_site_runs() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut installation = Installation::empty().await;
    installation.set("DATABASE_URL", "");
    installation.set("DATA_DIR", directory.path().display().to_string());
    let migrated = installation.run(&["migrate"]);
    assert!(migrated.status.success(), "{}", text(&migrated.stderr));
    installation.json(&["operator", "grant", "--person", "eu:795000000", "--json"]);
    let site = installation.serve();
    let listed = installation.json(&["operator", "list", "--json"]);
    assert_eq!(listed["operators"][0]["person"], "eu:795000000");
    site.terminate();
    login_with_zoho::private_postgres::forget(&directory.path().join("postgres")).expect("nothing left behind");
}
