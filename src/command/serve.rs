//! `serve` and `migrate`: the program in production.

use std::{io::Write as _, path::Path, time::Duration};

use secrecy::SecretString;

use super::{Failure, process, shutdown};
use crate::{
    app::{self, Application},
    clock::Clock,
    config::{Config, Environment, Settings},
    private_postgres::{Durability, PrivatePostgres},
    telemetry,
};

/// After SIGTERM the site still serves for so long, until load balancers have noticed (security.md
/// 4.9).
const NOTICED: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// Leave the schema as it is; `migrate` has brought it up to date
    #[arg(long)]
    no_migrate: bool,

    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, clap::Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    settings: Settings,
}

impl Serve {
    pub(super) fn run(&self) -> Result<(), Failure> {
        process::forbid_core_dumps()?;
        let mut config = Config::read(&self.settings, &Environment::of_this_process(), false)?;
        telemetry::start(config.log_format);
        let postgres = private_postgres(&mut config)?;
        let served = runtime()?.block_on(async {
            let stop = shutdown::on_signal()?;
            if !self.no_migrate {
                app::migrate(&config).await?;
            }
            let application = Application::build(config, Clock::system()).await?;
            let line = serde_json::json!({
                "listening": format!("http://{}", application.listening()),
                "management": format!("http://{}", application.management()),
            });
            writeln!(std::io::stdout(), "{line}")?;
            application.run_until(stop, NOTICED).await?;
            Ok(())
        });
        stop_postgres(postgres)?;
        served
    }
}

impl Migrate {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let mut config = Config::read(&self.settings, &Environment::of_this_process(), false)?;
        telemetry::start(config.log_format);
        let postgres = private_postgres(&mut config)?;
        let migrated = runtime()?.block_on(app::migrate(&config));
        stop_postgres(postgres)?;
        Ok(migrated?)
    }
}

pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// A Postgres of our own where no `DATABASE_URL` names another.
pub(super) fn private_postgres(config: &mut Config) -> Result<Option<PrivatePostgres>, Failure> {
    if config.database_url.is_some() {
        return Ok(None);
    }
    let (postgres, url) = start_postgres(&config.data_dir)?;
    config.database_url = Some(url);
    Ok(Some(postgres))
}

pub(super) fn start_postgres(data_dir: &Path) -> Result<(PrivatePostgres, SecretString), Failure> {
    let postgres = PrivatePostgres::start(&data_dir.join("postgres"), Durability::Durable)?;
    let url = postgres.url();
    Ok((postgres, url))
}

pub(super) fn stop_postgres(postgres: Option<PrivatePostgres>) -> Result<(), Failure> {
    match postgres {
        Some(postgres) => Ok(postgres.stop()?),
        None => Ok(()),
    }
}
