//! Zoho in miniature, without the limits that a load would run into, and what is asked of its control port.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::{
    Outcome,
    http::{Connection, post, split},
    process::Process,
};

/// The same everywhere: who has which secret is measured by tests.
pub(crate) const SECRET: &str = "the secret of a client that exists in this run only";

#[derive(Debug)]
pub(crate) struct Emulator {
    _process: Process,
    control: SocketAddr,
    pub(crate) client_id: String,
    pub(crate) servers_file: PathBuf,
}

/// A grant as Zoho would have it.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) refresh_token: String,
    pub(crate) access_token: String,
}

impl Emulator {
    pub(crate) async fn start(program: &Path, directory: &Path, redirect_uri: &str) -> Outcome<Self> {
        let servers_file = directory.join("servers.toml");
        let mut command = Command::new(program);
        command.args(["--base-port", "0", "--auto-approve", "--json", "--redirect-uri", redirect_uri]);
        command.arg("--servers-file").arg(&servers_file).env("EMULATOR_CLIENT_SECRET", SECRET);
        let process = Process::start(command, &directory.join("emulator.log"))?;
        let said: Value = serde_json::from_str(&process.said)?;
        let control = said["control"].as_str().ok_or("the emulator has no control port")?;
        let (control, _) = split(control)?;
        let client_id = said["client_id"].as_str().ok_or("the emulator has no client")?.to_owned();
        let emulator = Self { _process: process, control, client_id, servers_file };
        // A person with a thousand connections, a connection refreshed without pause: loads, not uses.
        let limits =
            json!({"refresh_tokens_per_person": null, "live_access_tokens": null, "refreshes_per_window": null});
        emulator.change("PATCH", "/control/settings", &json!({"limits": limits, "journal_limit": 0})).await?;
        Ok(emulator)
    }

    pub(crate) async fn change(&self, method: &str, path: &str, body: &Value) -> Outcome<Value> {
        let mut connection = Connection::open(self.control).await?;
        let request = post(path, "application/json", &body.to_string());
        let request = [method.as_bytes(), &request[b"POST".len()..]].concat();
        let answer = connection.ask(&request).await?;
        answer.expect(200)?;
        Ok(serde_json::from_slice(answer.body)?)
    }

    /// Makes people of the data centre `us`, with one organization each that has Assist; returns their names.
    pub(crate) async fn people(&self, count: usize) -> Outcome<Vec<String>> {
        const FIRST: usize = 500_000_000;
        for chunk in (0..count).collect::<Vec<_>>().chunks(1000) {
            let people: Vec<_> = chunk
                .iter()
                .map(|index| {
                    let (id, name) = ((FIRST + index).to_string(), format!("Person {index}"));
                    let organization =
                        json!({"id": id, "name": name, "products": {"assist": [{"id": id, "name": name}]}});
                    json!({
                        "data_centre": "us", "zuid": id, "email": format!("person{index}@example.com"),
                        "first_name": name, "organizations": [organization],
                    })
                })
                .collect();
            self.change("POST", "/control/people", &Value::from(people)).await?;
        }
        Ok((0..count).map(|index| format!("us:{}", FIRST + index)).collect())
    }

    /// Consents without a browser, as often as asked, by one of the sample people; spread over data centres.
    pub(crate) async fn grants(&self, count: usize) -> Outcome<Vec<(&'static str, Granted)>> {
        const PEOPLE: [(&str, &str); 4] =
            [("us", "us:780000001"), ("eu", "eu:795000002"), ("ca", "ca:110000001"), ("jp", "jp:9223372036854775807")];
        let mut control = Connection::open(self.control).await?;
        let mut accounts = Vec::new();
        for _ in PEOPLE {
            accounts.push(None);
        }
        let mut granted = Vec::with_capacity(count);
        for index in 0..count {
            let place = index % PEOPLE.len();
            let (data_centre, person) = PEOPLE[place];
            let asked =
                json!({"person": person, "scope": "ZohoAssist.userapi.READ,AaaServer.profile.READ"}).to_string();
            let answer = control.ask(&post("/control/approve", "application/json", &asked)).await?;
            answer.expect(200)?;
            let approved: Value = serde_json::from_slice(answer.body)?;
            let text = |name: &str| approved[name].as_str().ok_or_else(|| format!("an approval without {name}"));
            let (code, server) = (text("code")?, text("accounts")?);
            let connection = match &mut accounts[place] {
                Some(connection) => connection,
                none => none.insert(Connection::open(split(server)?.0).await?),
            };
            let form = serde_urlencoded::to_string([
                ("grant_type", "authorization_code"),
                ("client_id", &self.client_id),
                ("client_secret", SECRET),
                ("code", code),
            ])?;
            let answer = connection.ask(&post("/oauth/v2/token", "application/x-www-form-urlencoded", &form)).await?;
            let tokens: Value = serde_json::from_slice(answer.body)?;
            let token = |name: &str| tokens[name].as_str().map(str::to_owned).ok_or_else(|| answer.unexpected(name));
            let tokens = Granted { refresh_token: token("refresh_token")?, access_token: token("access_token")? };
            granted.push((data_centre, tokens));
        }
        Ok(granted)
    }
}
