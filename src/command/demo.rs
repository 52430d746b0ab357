//! `demo`: everything on this machine, with no Zoho account and no internet.
//!
//! What is connected survives a restart, at our side and at the emulator's: both keep their state
//! in `DATA_DIR`.

use std::{
    fs, io,
    io::Write as _,
    net::{SocketAddr, TcpListener},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret as _;

use super::{Failure, process, serve, shutdown};
use crate::{
    app::{self, Application},
    clock::Clock,
    config::{Config, Environment, LogFormat, Settings},
    domain::text,
    emulator::{ClientOptions, Emulator, Options, SamplePerson, sample_client},
    private_postgres, telemetry,
};

const LISTEN: &str = "127.0.0.1:8080";
/// The emulator's control port; accounts servers from 9101, API hosts from 9201.
const EMULATOR_PORTS: u16 = 9100;

#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// Forget what earlier demos connected
    #[arg(long)]
    fresh: bool,

    /// Print one JSON object instead of the guide
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    settings: Settings,
}

impl Demo {
    pub(super) fn run(&self) -> Result<(), Failure> {
        process::forbid_core_dumps()?;
        let format = self.settings.log_format.as_deref().and_then(|format| format.parse().ok());
        telemetry::start(format.unwrap_or(LogFormat::Pretty));
        let data_dir = self.data_dir();
        fs::create_dir_all(&data_dir)?;
        if self.fresh {
            forget(&data_dir)?;
        }
        self.say("Starting a private Postgres…");
        let (postgres, database_url) = serve::start_postgres(&data_dir)?;
        let served = serve::runtime()?.block_on(self.serve(&data_dir, database_url.expose_secret()));
        serve::stop_postgres(Some(postgres))?;
        served
    }

    fn data_dir(&self) -> std::path::PathBuf {
        self.settings.data_dir.as_deref().filter(|dir| !dir.is_empty()).unwrap_or("./data".as_ref()).into()
    }

    async fn serve(&self, data_dir: &Path, database_url: &str) -> Result<(), Failure> {
        let stop = shutdown::on_signal()?;
        let listen = listen(self.settings.listen.as_deref())?;
        let public_url =
            self.settings.public_url.clone().unwrap_or_else(|| format!("http://localhost:{}", listen.port()));
        let client = ClientOptions { redirect_uris: vec![format!("{public_url}/oauth/callback")], ..sample_client() };
        let emulator = start_emulator(data_dir, client.clone()).await?;
        let config = self.config(data_dir, database_url, listen, &public_url, &client, &emulator)?;
        app::migrate(&config).await?;
        let application = Application::build(config, Clock::system()).await?;
        let key = application.make_demo_key().await?;
        self.introduce(&public_url, &application, &emulator, key.expose())?;
        application.run_until(stop, Duration::ZERO).await?;
        emulator.stop().await;
        Ok(())
    }

    /// The settings of production, with the emulator as Zoho.
    fn config(
        &self,
        data_dir: &Path,
        database_url: &str,
        listen: SocketAddr,
        public_url: &str,
        client: &ClientOptions,
        emulator: &Emulator,
    ) -> Result<Config, Failure> {
        let servers = data_dir.join("zoho-servers.toml");
        fs::write(&servers, emulator.servers_toml())?;
        let mut settings = self.settings.clone();
        settings.listen = Some(listen.to_string());
        settings.public_url = Some(public_url.to_owned());
        settings.zoho_servers = Some(servers.into_os_string());
        settings.zoho_client_id = Some(client.client_id.clone());
        settings.zoho_client_id_cn = Some(client.client_id.clone());
        settings.log_format.get_or_insert_with(|| "pretty".to_owned());
        let secrets = client.secrets.iter().map(|(data_centre, secret)| {
            (format!("ZOHO_CLIENT_SECRET_{}", data_centre.to_ascii_uppercase()), secret.clone())
        });
        let environment: Environment = secrets
            .chain([
                ("DATABASE_URL".to_owned(), database_url.to_owned()),
                ("ENCRYPTION_KEYS".to_owned(), encryption_key(data_dir)?),
            ])
            .collect();
        Ok(Config::read(&settings, &environment, true)?)
    }

    fn introduce(&self, url: &str, application: &Application, emulator: &Emulator, key: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let (control, people) = (emulator.control_url(), emulator.people());
        let management = format!("http://{}", application.management());
        if self.json {
            let people: Vec<_> = people.iter().map(as_json).collect();
            let line = serde_json::json!({
                "url": url, "management": management, "control": control, "api_key": key, "people": people,
            });
            return writeln!(out, "{line}");
        }
        writeln!(
            out,
            "\nLogin with Zoho is running. Zoho is an emulator here: no account needed, nothing leaves this machine.\n"
        )?;
        writeln!(out, "  The site            {url}")?;
        writeln!(out, "  The emulator        {control}")?;
        writeln!(out, "  Metrics             {management}/metrics")?;
        writeln!(out, "  An API key (a day)  {key}\n")?;
        writeln!(out, "  curl -H 'Authorization: Bearer {key}' {url}/api/v1/connections\n")?;
        writeln!(out, "Sign in as one of these people; no password is asked for:\n")?;
        for person in &people {
            let names: Vec<_> = person.organizations.iter().map(|summary| text::shown(name_of(summary))).collect();
            writeln!(out, "  {:<4}{:<28}{}", person.data_centre, person.email, names.join(", "))?;
        }
        writeln!(out, "\nCtrl-C stops it; the next start finds what was connected. `--fresh` forgets it.")
    }

    fn say(&self, what: &str) {
        if !self.json {
            // A closed terminal is no reason to stop.
            let _ = writeln!(io::stderr(), "{what}");
        }
    }
}

/// An organization's summary begins with its name; the rest is for programs.
fn name_of(summary: &str) -> &str {
    summary.rsplit_once(" (").map_or(summary, |(name, _)| name)
}

fn as_json(person: &SamplePerson) -> serde_json::Value {
    serde_json::json!({
        "email": person.email, "data_centre": person.data_centre, "zuid": person.zuid,
        "display_name": person.display_name, "organizations": person.organizations,
    })
}

/// Port 0 picks one now, because the redirect URI has to name it.
fn listen(setting: Option<&str>) -> io::Result<SocketAddr> {
    let text = setting.filter(|text| !text.is_empty()).unwrap_or(LISTEN);
    let address: SocketAddr = text.parse().map_err(|_| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("LISTEN is `{text}`: write an address and a port, like {LISTEN}"),
        )
    })?;
    if address.port() == 0 { TcpListener::bind(address)?.local_addr() } else { Ok(address) }
}

/// On its usual ports, or on others where those are taken.
async fn start_emulator(data_dir: &Path, client: ClientOptions) -> io::Result<Emulator> {
    let options = |base_port| Options {
        base_port,
        state_file: Some(data_dir.join("emulator.json")),
        clients: vec![client.clone()],
        ..Options::default()
    };
    match Emulator::start(options(Some(EMULATOR_PORTS))).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Emulator::start(options(None)).await,
        started => started,
    }
}

/// Made once: what it sealed must open after a restart.
fn encryption_key(data_dir: &Path) -> io::Result<String> {
    let file = data_dir.join("encryption.key");
    match fs::read_to_string(&file) {
        Ok(key) => Ok(key.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = format!("demo:{}", STANDARD.encode(rand::random::<[u8; 32]>()));
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?.write_all(key.as_bytes())?;
            Ok(key)
        }
        Err(error) => Err(error),
    }
}

fn forget(data_dir: &Path) -> Result<(), Failure> {
    private_postgres::forget(&data_dir.join("postgres"))?;
    for name in ["emulator.json", "encryption.key", "zoho-servers.toml"] {
        match fs::remove_file(data_dir.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
