//! The floor of what needs Postgres: `pgbench` on the same server, with 16 clients.

use std::{path::PathBuf, process::Command, time::Duration};

use crate::Outcome;

#[derive(Debug)]
pub(crate) struct Pgbench {
    program: PathBuf,
    url: String,
    /// As the program connects.
    site_url: String,
}

/// What a transaction is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Script {
    /// One row is read by its primary key.
    SelectOnly,
    /// One row is updated, read, and one inserted.
    SimpleUpdate,
    /// The rows of a sign-in (`figure/sign_in_rows.sql`, which must have been run).
    SignIn,
}

impl Pgbench {
    /// As many rows as there are connections in the figure beside it: 100 000.
    pub(crate) fn prepare(url: String, site_url: String) -> Outcome<Self> {
        let program = std::env::var_os("PGBENCH").map_or_else(|| "pgbench".into(), PathBuf::from);
        let pgbench = Self { program, url, site_url };
        pgbench.run(&pgbench.url, &["-i", "-s", "1", "-q"])?;
        Ok(pgbench)
    }

    /// Transactions per second.
    pub(crate) fn measure(&self, script: Script, duration: Duration) -> Outcome<f64> {
        let seconds = duration.as_secs().max(1).to_string();
        let (url, which): (_, &[&str]) = match script {
            Script::SelectOnly => (&self.url, &["-S", "-M", "prepared"]),
            Script::SimpleUpdate => (&self.url, &["-N"]),
            Script::SignIn => (
                &self.site_url,
                &[
                    "-M",
                    "prepared",
                    "-f",
                    concat!(env!("CARGO_MANIFEST_DIR"), "/benches/figures/figure/sign_in_rows.pgbench"),
                ],
            ),
        };
        let told = self.run(url, &[which, &["-n", "-c", "16", "-j", "2", "-T", &seconds]].concat())?;
        let number = told.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        number.ok_or_else(|| format!("pgbench told no transactions per second:\n{told}").into())
    }

    fn run(&self, url: &str, arguments: &[&str]) -> Outcome<String> {
        // As the program's own work is done (docs/adr/0002).
        let done =
            Command::new(&self.program).args(arguments).arg(url).env("PGOPTIONS", "-c app.actor=engine").output();
        let done = done.map_err(|error| format!("{}: {error}; PGBENCH names another", self.program.display()))?;
        if !done.status.success() {
            return Err(format!("pgbench failed: {}", String::from_utf8_lossy(&done.stderr)).into());
        }
        Ok(String::from_utf8(done.stdout)?)
    }
}
