//! `import`: token stores and JSON lines against Zoho in miniature.

use std::io::Write as _;

use login_with_zoho::emulator::{Emulator, Options, sample_client};
use serde_json::{Value, json};

use crate::harness::{Installation, client, text};

const ASSIST: &str = "AaaServer.profile.READ,ZohoAssist.userapi.READ";

/// An installation that talks to an emulator, with the tenant `acme`.
struct Site {
    installation: Installation,
    emulator: Emulator,
    _servers: tempfile::NamedTempFile,
}

fn file(content: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(content.as_bytes()).expect("written");
    file
}

impl Site {
    async fn new() -> Self {
        let mut installation = Installation::new().await;
        let options = Options { clients: vec![sample_client()], ..Options::default() };
        let emulator = Emulator::start(options).await.expect("the emulator starts");
        let servers = file(&emulator.servers_toml());
        installation.set("ZOHO_SERVERS", servers.path().display().to_string());
        let ours = sample_client();
        installation.set("ZOHO_CLIENT_ID", ours.client_id.clone());
        installation.set("ZOHO_CLIENT_SECRET", "wrong-everywhere-else");
        installation.set("ZOHO_CLIENT_SECRET_EU", ours.secrets["eu"].clone());
        installation.set("ZOHO_CLIENT_SECRET_US", ours.secrets["us"].clone());
        installation
            .execute(
                "insert into tenant (tenant_id, external_id, name, slug, created_at)
                 values ('01930000-0000-7000-8000-000000000001', 'acme', 'Acme', 'acme-slug', '2026-01-01Z')",
            )
            .await;
        Self { installation, emulator, _servers: servers }
    }

    async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.emulator.control_url());
        client().post(url).json(&body).send().await.expect("an answer").json().await.expect("JSON")
    }

    async fn code(&self, person: &str, client_id: &str, organization: &str) -> String {
        let asked = json!({"person": person, "scope": ASSIST, "client_id": client_id, "organization": organization});
        let made = self.control("/control/approve", asked).await;
        made["code"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    /// As an SDK would have got it.
    async fn refresh_token(&self, person: &str, organization: &str, (id, secret): (&str, &str)) -> String {
        let code = self.code(person, id, organization).await;
        let form =
            [("grant_type", "authorization_code"), ("client_id", id), ("client_secret", secret), ("code", &code)];
        let url = format!("{}/oauth/v2/token", self.emulator.accounts_url(&person[..2]));
        let answer: Value = client().post(url).form(&form).send().await.expect("an answer").json().await.expect("JSON");
        answer["refresh_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Exit code, report, and what was said on the way.
    fn import(&self, arguments: &[&str]) -> (i32, Value, String) {
        let output = self.installation.run(&[&["import", "--json"], arguments].concat());
        let report = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output.status.code().expect("an exit code"), report, text(&output.stderr))
    }

    async fn rows(&mut self, question: &'static str) -> Vec<String> {
        sqlx::query_scalar(question).fetch_all(&mut self.installation.admin).await.expect("rows")
    }
}

fn counts(report: &Value) -> (u64, u64, u64, u64) {
    let count = |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("{name} in {report}"));
    (count("rows"), count("created"), count("updated"), count("failed"))
}

#[tokio::test]
async fn a_token_store_of_an_sdk_is_imported_and_imported_again() {
    let mut site = Site::new().await;
    let ours = sample_client();
    let (id, eu, us) = (ours.client_id.as_str(), ours.secrets["eu"].as_str(), ours.secrets["us"].as_str());
    let own = json!({"client_id": "1000.SDK", "secrets": {"eu": "a-secret-of-the-sdk"}, "data_centres": ["eu"]});
    site.control("/control/clients", own).await;
    let ann = site.refresh_token("eu:795000000", "77000000", (id, eu)).await;
    let labs = site.refresh_token("eu:795000000", "77000001", ("1000.SDK", "a-secret-of-the-sdk")).await;
    let sam = site.refresh_token("us:780000001", "60000001", (id, us)).await;
    let (api_eu, api_us) = (site.emulator.api_url("eu"), site.emulator.api_url("us"));
    let store = file(&format!(
        "id,user_name,client_id,client_secret,refresh_token,access_token,grant_token,expiry_time,redirect_url,api_domain\r\n\
         python_1,\"Ann,\"\"\r\nof Zylker\",{id},{eu},{ann},1000.old,,1700000000000,https://x/cb,{api_eu}\r\n\
         python_2,ann,1000.SDK,a-secret-of-the-sdk,{labs},,,,,{api_eu}\r\n\
         java_3,sam,{id},,{sam},,,,,{api_us}\r\n\
         java_4,dead,{id},,1000.dead.token,,,,,{api_eu}\r\n\
         java_5,wrong,1000.SDK,another-secret,{labs},,,,,{api_eu}\r\n\
         java_6,none,{id},,,,,,,{api_eu}\r\n\
         java_7,foreign,{id},,{ann},,,,,https://www.zohoapis.evil\r\n"
    ));
    let path = store.path().display().to_string();
    let arguments = ["--sdk-csv", &path, "--tenant", "acme", "--product", "assist", "--scopes", ASSIST];

    let (code, report, _) = site.import(&[&arguments[..], &["--dry-run"]].concat());
    assert_eq!((code, &report["checked"], &report["failed"]), (1, &json!(5), &json!(2)), "{report}");
    assert!(site.rows("select status from connection").await.is_empty(), "a dry run imports nothing");

    let (code, report, said) = site.import(&arguments);
    assert_eq!((code, counts(&report)), (1, (7, 3, 0, 4)), "{report} {said}");
    let failures: Vec<_> = report["failures"].as_array().expect("failures").iter().collect();
    let lines: Vec<_> = failures.iter().map(|failure| failure["line"].as_u64().expect("a line")).collect();
    assert_eq!(lines, [6, 7, 8, 9]);
    let why = |at: usize| failures[at]["why"].as_str().expect("why");
    assert!(why(0).starts_with("refresh_token is revoked"), "{}", why(0));
    assert!(why(1).contains("client"), "{}", why(1));
    assert_eq!(why(2), "refresh_token is missing");
    assert!(why(3).starts_with("api_domain"), "{}", why(3));
    assert!(said.contains("line 6: ") && said.contains("line 9: "), "{said}");
    for secret in [&ann, &labs, &sam, eu, us, "a-secret-of-the-sdk", "another-secret"] {
        assert!(!format!("{report}{said}").contains(secret), "a secret stands in what was said");
    }
    let connected = "select o.zoho_id || ' ' || c.status || ' ' || coalesce(z.client_id, 'ours') from connection c
        join organization o using (tenant_id, organization_id) left join zoho_client z using (tenant_id, zoho_client_id)
        order by 1";
    assert_eq!(
        site.rows(connected).await,
        ["60000001 active ours", "77000000 active ours", "77000001 active 1000.SDK"]
    );

    let (_, again, _) = site.import(&arguments);
    assert_eq!(counts(&again), (7, 0, 3, 4), "{again}");
    assert!(site.rows("select reason from revocation").await.is_empty(), "the same tokens live on");
    let audited = site.installation.audited().await;
    assert_eq!(audited.iter().filter(|event| *event == "command imported done").count(), 6, "{audited:?}");
}

#[tokio::test]
async fn json_lines_are_imported_from_a_file_and_from_standard_input() {
    let site = Site::new().await;
    let ours = sample_client();
    let ann = site.refresh_token("eu:795000000", "77000002", (&ours.client_id, &ours.secrets["eu"])).await;
    let code = site.code("us:780000001", &ours.client_id, "60000001").await;
    let lines = format!(
        "{}\n\n{}\nno json\n{}\n",
        json!({"tenant": "acme", "product": "assist", "data_centre": "eu", "refresh_token": ann}),
        json!({"product": "assist", "data_centre": "us", "self_client_code": code, "organization": {"id": "60000001"}}),
        json!({"tenant": "nobody", "data_centre": "eu", "refresh_token": "x", "status": "active"}),
    );
    let path = file(&lines);
    let name = path.path().display().to_string();
    let (code, report, _) = site.import(&["--json-lines", &name, "--tenant", "acme-slug"]);
    assert_eq!((code, counts(&report)), (1, (4, 2, 0, 2)), "{report}");
    assert_eq!(
        report["failures"],
        json!([
            {"line": 4, "why": "the line is no JSON object"},
            {"line": 5, "why": "product is missing; status is no member of this object"},
        ])
    );

    let mut command = site.installation.command(&["import", "--json-lines", "-", "--tenant", "acme", "--json"]);
    let mut child = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    let line = json!({"product": "assist", "data_centre": "eu", "refresh_token": ann}).to_string();
    child.stdin.take().expect("piped").write_all(line.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!((output.status.code(), counts(&report)), (Some(0), (1, 0, 1, 0)), "{report}");
}

#[tokio::test]
async fn a_file_that_cannot_be_imported_at_all_is_said_at_once() {
    let site = Site::new().await;
    assert_eq!(site.import(&[]).0, 2);
    assert_eq!(site.import(&["--sdk-csv", "a", "--json-lines", "b"]).0, 2);
    assert_eq!(site.import(&["--json-lines", "-", "--product", "mail"]).0, 2);
    let (code, _, said) = site.import(&["--sdk-csv", "/no/such/file", "--tenant", "acme", "--product", "crm"]);
    assert!(code == 1 && said.contains("/no/such/file"), "{said}");
    let store = file("user_mail,client_id,refresh_token\na,b,c\n");
    let path = store.path().display().to_string();
    let (code, _, said) = site.import(&["--sdk-csv", &path, "--tenant", "acme", "--product", "crm"]);
    assert!(code == 1 && said.contains("--data-centre"), "{said}");
}
