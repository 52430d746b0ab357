//! `import`: tokens that Zoho granted elsewhere, from files.
//!
//! 1. A thread reads the file row by row (`rows`): it may be larger than memory.
//! 2. A few rows at a time are imported as `POST /connections` does it (`vault::import`). A row that
//!    fails is told with its line and why, and stops nothing.
//! 3. A report ends it (`report`). Running the same file again updates what is there, so that a run
//!    that was stopped, or failed in part, is repeated as it is.

mod json_lines;
mod report;
mod rows;
mod sdk_csv;

use std::{collections::HashMap, io::Write as _, path::PathBuf, sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use tokio::sync::{Mutex, mpsc};

use super::{Failure, database::with_app};
use crate::{
    app::App,
    config::Settings,
    domain::{data_centre::DataCentre, ids::TenantId, product::Product, scope::ScopeSet},
    store::{StoreError, audit_event::Actor, tenant},
    vault::import::{By, Import as Wanted, ImportError, Imported, Token, check, draft::Defaults, import},
};
use report::{Outcome, Report};
use rows::{Row, Source};

/// Rows under way at once: Zoho is asked for a few things in a row for each of them.
const AT_ONCE: usize = 8;

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// The token store of one of Zoho's SDKs: the CSV file of its FileStore, or its table `oauthtoken` exported as CSV
    #[arg(long, value_name = "FILE", required_unless_present = "json_lines", conflicts_with = "json_lines")]
    sdk_csv: Option<PathBuf>,

    /// One JSON object per line, with the members of `POST /api/v1/connections`; `-` is standard input
    #[arg(long, value_name = "FILE")]
    json_lines: Option<PathBuf>,

    /// The tenant of rows that name none, by id, external id or slug
    #[arg(long)]
    tenant: Option<String>,

    /// The product of rows that name none: assist, salesiq, connect, zia_agents, crm, desk or books
    #[arg(long)]
    product: Option<Product>,

    /// The data centre of rows that name none: one of us eu in au jp ca sa uk cn ae sg
    #[arg(long, value_name = "DATA CENTRE")]
    data_centre: Option<DataCentre>,

    /// What the tokens of rows that do not say it were granted for, comma-separated. Default: the usual scopes of the
    /// product, unless Zoho says otherwise
    #[arg(long)]
    scopes: Option<ScopeSet>,

    /// Check every row, and ask Zoho nothing
    #[arg(long)]
    dry_run: bool,

    /// Print the report as one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    settings: Settings,
}

impl Import {
    pub(super) fn run(self) -> Result<(), Failure> {
        with_app(&self.settings, async |app| {
            let report = self.import(app).await?;
            report.print(self.json, self.dry_run)?;
            if report.failed() == 0 { Ok(()) } else { Err(Failure::Said) }
        })
    }

    async fn import(&self, app: &Arc<App>) -> Result<Report, Failure> {
        let defaults = Defaults {
            tenant: self.tenant.clone(),
            product: self.product,
            data_centre: self.data_centre,
            scopes: self.scopes.clone(),
            usual_scopes: Product::ALL.map(|product| (product, app.config.usual_scopes(product))).into(),
        };
        let source = match (&self.sdk_csv, &self.json_lines) {
            (Some(path), _) => Source::SdkCsv(path.clone()),
            (None, Some(path)) => Source::JsonLines(path.clone()),
            (None, None) => return Err(Failure::Refused("say --sdk-csv FILE or --json-lines FILE".to_owned())),
        };
        let (sender, receiver) = mpsc::channel(AT_ONCE);
        let reading = {
            let (source, config) = (source.clone(), app.config.clone());
            tokio::task::spawn_blocking(move || source.read(&config, &defaults, &sender))
        };
        let report = Mutex::new(Report::new(source.count()));
        let tenants = Mutex::new(HashMap::new());
        let each = async |row: Row| {
            let (line, outcome) = (row.line, self.one(app, &tenants, row).await);
            report.lock().await.note(line, outcome);
        };
        stream(receiver).for_each_concurrent(AT_ONCE, each).await;
        let read = reading.await.map_err(|error| Failure::Refused(error.to_string()))?;
        let mut report = report.into_inner();
        if let Err(unreadable) = read {
            let words = format!("the file cannot be read to its end: {unreadable}");
            let _ = writeln!(std::io::stderr(), "{words}");
            report.note_unreadable(words);
        }
        Ok(report)
    }

    async fn one(&self, app: &Arc<App>, tenants: &Mutex<HashMap<String, Option<TenantId>>>, row: Row) -> Outcome {
        let (tenant, wanted) = match row.wanted {
            Ok(wanted) => wanted,
            Err(why) => return Outcome::Failed(why),
        };
        let tenant_id = match find_tenant(app, tenants, &tenant).await {
            Ok(Some(tenant_id)) => tenant_id,
            Ok(None) => return Outcome::Failed("tenant is not known here".to_owned()),
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        if self.dry_run {
            return match check(&app.config, &wanted) {
                Ok(()) => Outcome::Checked,
                Err(objection) => Outcome::Failed(format!("{} {objection}", objection.member())),
            };
        }
        match patiently(app, tenant_id, wanted).await {
            Ok(Imported { is_choosing: true, .. }) => Outcome::Choosing,
            Ok(Imported { existed: true, .. }) => Outcome::Updated,
            Ok(Imported { .. }) => Outcome::Created,
            Err(ImportError::Refused(objection)) => Outcome::Failed(format!("{} {objection}", objection.member())),
            Err(ImportError::Throttled { .. }) => {
                Outcome::Failed("Zoho throttles these requests: wait ten minutes and import this again".to_owned())
            }
            Err(error) => Outcome::Failed(error.to_string()),
        }
    }
}

fn stream<T>(mut receiver: mpsc::Receiver<T>) -> impl futures_util::Stream<Item = T> {
    futures_util::stream::poll_fn(move |context| receiver.poll_recv(context))
}

/// The same few tenants stand in many rows.
async fn find_tenant(
    app: &App,
    tenants: &Mutex<HashMap<String, Option<TenantId>>>,
    name: &str,
) -> Result<Option<TenantId>, StoreError> {
    if let Some(known) = tenants.lock().await.get(name) {
        return Ok(*known);
    }
    let found = tenant::find_by_any_name(app.pools.engine(), name).await?;
    tenants.lock().await.insert(name.to_owned(), found);
    Ok(found)
}

/// Troubles that pass are waited out; a code is spent with the first try.
async fn patiently(app: &Arc<App>, tenant_id: TenantId, wanted: Wanted) -> Result<Imported, ImportError> {
    let by = By { actor: Actor::Command, request_id: None, peer: None };
    let is_code = matches!(wanted.token, Token::SelfClientCode(_));
    let may_pass =
        |error: &ImportError| matches!(error, ImportError::Unavailable | ImportError::Busy | ImportError::Store(_));
    let policy = backon::ExponentialBuilder::default()
        .with_min_delay(Duration::from_secs(1))
        .with_factor(4.0)
        .with_max_times(if is_code { 0 } else { 2 });
    backon::Retryable::retry(|| import(app, tenant_id, wanted.clone(), by.clone()), policy).when(may_pass).await
}
