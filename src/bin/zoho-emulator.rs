//! Zoho in miniature, alone: a few flags, start, wait.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use login_with_zoho::emulator::{ClientOptions, Emulator, Options, SamplePerson, sample_client};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// Zoho in miniature: the accounts servers and product APIs of all eleven data centres, on this machine.
///
/// Everything that can be changed while it runs is at the control port; open it in a browser.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// Control port; accounts servers follow from the next port, API and product hosts from 101 ports on. 0 picks free ports
    #[arg(long, default_value_t = 9100, env = "EMULATOR_BASE_PORT")]
    base_port: u16,
    /// Consent without a page, as the current person of the settings
    #[arg(long)]
    auto_approve: bool,
    /// Where everything issued survives a restart
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// A redirect URI of the client, compared exactly; may be repeated
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// The client's id, instead of the sample client's
    #[arg(long, value_name = "ID", env = "EMULATOR_CLIENT_ID")]
    client_id: Option<String>,
    /// The client's secret, in every data centre or in one (`eu=…`); may be repeated. Separated by commas in the environment
    #[arg(
        long,
        value_name = "[DC=]SECRET",
        env = "EMULATOR_CLIENT_SECRET",
        hide_env_values = true,
        value_delimiter = ','
    )]
    client_secret: Vec<String>,
    /// Data centres the client is switched on in, separated by commas; all, if left out
    #[arg(long, value_name = "DC,…", value_delimiter = ',')]
    data_centres: Vec<String>,
    /// Writes the hosts as TOML, in the form `ZOHO_SERVERS` takes
    #[arg(long, value_name = "PATH")]
    servers_file: Option<PathBuf>,
    /// The first line of output is a JSON object with all there is to know
    #[arg(long)]
    json: bool,
}

impl Flags {
    fn client(&self) -> Result<ClientOptions, String> {
        let mut client = sample_client();
        client.redirect_uris.clone_from(&self.redirect_uri);
        if let Some(id) = &self.client_id {
            client.client_id.clone_from(id);
        }
        let known = client.data_centres.clone();
        if !self.client_secret.is_empty() {
            client.secrets.clear();
        }
        for text in &self.client_secret {
            let (data_centre, secret) = text.split_once('=').unwrap_or(("", text));
            if !data_centre.is_empty() && !known.contains(data_centre) {
                return Err(format!(
                    "--client-secret: Zoho has no data centre of that name; use one of {}",
                    list(&known)
                ));
            }
            client.secrets.insert(data_centre.to_owned(), secret.to_owned());
        }
        if !self.data_centres.is_empty() {
            client.data_centres = self.data_centres.iter().cloned().collect();
            if let Some(unknown) = client.data_centres.difference(&known).next() {
                return Err(format!("--data-centres: Zoho has no {unknown:?}; use some of {}", list(&known)));
            }
        }
        Ok(client)
    }
}

fn list(keys: &BTreeSet<String>) -> String {
    keys.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[tokio::main]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    let client = match flags.client() {
        Ok(client) => client,
        Err(error) => return failed(2, &error),
    };
    match run(&flags, client).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(1, &error.to_string()),
    }
}

fn failed(code: u8, error: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "zoho-emulator: {error}");
    ExitCode::from(code)
}

async fn run(flags: &Flags, client: ClientOptions) -> std::io::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let client_id = client.client_id.clone();
    let options = Options {
        base_port: (flags.base_port != 0).then_some(flags.base_port),
        auto_approve: flags.auto_approve,
        state_file: flags.state.clone(),
        clients: vec![client],
    };
    let emulator = Emulator::start(options).await?;
    if let Some(path) = &flags.servers_file {
        std::fs::write(path, emulator.servers_toml())?;
    }
    if flags.json {
        print_json(&emulator, &client_id)?;
    } else {
        print_words(&emulator, &client_id)?;
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    emulator.stop().await;
    Ok(())
}

fn print_json(emulator: &Emulator, client_id: &str) -> std::io::Result<()> {
    let person = |person: SamplePerson| {
        json!({
            "email": person.email, "data_centre": person.data_centre, "zuid": person.zuid,
            "display_name": person.display_name, "organizations": person.organizations,
        })
    };
    let people: Vec<_> = emulator.people().into_iter().map(person).collect();
    let line = json!({"control": emulator.control_url(), "servers_toml": emulator.servers_toml(), "client_id": client_id, "people": people});
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()
}

fn print_words(emulator: &Emulator, client_id: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(
        out,
        "Zoho, emulated on this machine. Overview, API console and control routes: {}",
        emulator.control_url()
    )?;
    writeln!(
        out,
        "\nClient {client_id}; its secrets are in the API console: {}/console\n\nAccounts servers",
        emulator.control_url()
    )?;
    for key in ["us", "eu", "in", "au", "jp", "ca", "sa", "uk", "cn", "ae", "sg"] {
        writeln!(out, "  {key}  {}  API and products {}", emulator.accounts_url(key), emulator.api_url(key))?;
    }
    writeln!(out, "\nPeople (no passwords)")?;
    for person in emulator.people() {
        let organizations = match person.organizations.len() {
            0 => "no organization".to_owned(),
            1 => "1 organization".to_owned(),
            count => format!("{count} organizations"),
        };
        writeln!(
            out,
            "  {}  {:<20} {}:{:<20} {organizations}",
            person.data_centre, person.email, person.data_centre, person.zuid
        )?;
    }
    writeln!(out, "\nStops on Ctrl-C.")?;
    out.flush()
}
