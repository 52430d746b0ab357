//! The commands of `login-with-zoho`.
//!
//! Exit codes: 0 well, 1 failed (a refused start included), 2 misused (flags that do not exist).
//! What a command is asked for goes to standard output, everything else to standard error.

use std::{ffi::OsString, io::Write as _, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{
    app::StartError,
    config::{ConfigErrors, LogFormat},
    private_postgres::PrivatePostgresError,
    store::StoreError,
    telemetry,
};

mod api_key;
mod database;
mod demo;
mod doctor;
mod import;
mod keys;
mod operator;
mod process;
mod serve;
mod shutdown;

#[derive(Debug, Parser)]
#[command(name = "login-with-zoho", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything on this machine: a private Postgres, an emulator of Zoho and the site
    Demo(demo::Demo),
    /// Serve the site and the API
    Serve(serve::Serve),
    /// Bring the database's schema up to date, and nothing else
    Migrate(serve::Migrate),
    /// Check configuration, database, keys, clock and Zoho's data centres, and say what to change
    Doctor(doctor::Doctor),
    /// Say who runs the installation
    Operator(operator::Operator),
    /// Make, list and revoke keys for back ends
    ApiKey(api_key::ApiKey),
    /// Look after the keys that seal what is stored
    Keys(keys::Keys),
    /// Import tokens that Zoho granted elsewhere: from Zoho's SDKs, or from JSON lines
    Import(import::Import),
}

/// Why a command ended without doing what it was asked for.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot start, because of these settings:\n{0}")]
    Config(#[from] ConfigErrors),
    #[error("cannot start: {0}")]
    Start(#[from] StartError),
    #[error("{0}")]
    Postgres(#[from] PrivatePostgresError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The command cannot do what it was asked for; says what to do instead.
    #[error("{0}")]
    Refused(String),
    #[error("{}", store_words(.0))]
    Store(#[from] StoreError),
    /// The command has said it itself.
    #[error("")]
    Said,
}

fn store_words(error: &StoreError) -> String {
    if error.lacks_schema() {
        return "the database has no schema, or one older than this program: run `login-with-zoho migrate`, then this again"
            .to_owned();
    }
    let cause = std::error::Error::source(error).map(|cause| format!(" ({cause})")).unwrap_or_default();
    format!("{error}{cause}; see that Postgres answers, then run this again: nothing is done twice")
}

/// Runs the program: parses the command line, does what it says, and tells how it went.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are such errors too, with code 0. Nobody is left to tell if even
            // printing fails.
            let _ = error.print();
            return u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    let result = match cli.command {
        Command::Demo(demo) => demo.run(),
        Command::Serve(serve) => serve.run(),
        Command::Migrate(migrate) => migrate.run(),
        Command::Doctor(doctor) => {
            telemetry::start(LogFormat::Pretty);
            doctor.run()
        }
        Command::Operator(operator) => operator.run(),
        Command::ApiKey(api_key) => api_key.run(),
        Command::Keys(keys) => keys.run(),
        Command::Import(import) => import.run(),
    };
    telemetry::write_what_waits();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Said) => ExitCode::FAILURE,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "login-with-zoho: {failure}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn run_with(arguments: &[&str]) -> ExitCode {
        run(["login-with-zoho"].iter().chain(arguments).map(OsString::from))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn misuse_is_2_and_help_is_0() {
        assert_eq!(run_with(&["doctor", "--no-such-flag"]), ExitCode::from(2));
        assert_eq!(run_with(&["no-such-command"]), ExitCode::from(2));
        assert_eq!(run_with(&[]), ExitCode::from(2));
        assert_eq!(run_with(&["doctor", "--help"]), ExitCode::SUCCESS);
    }

    #[test]
    fn s73_a_secret_has_no_flag_and_no_value_in_help() {
        for command in Cli::command().get_subcommands() {
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str().to_ascii_lowercase();
                let is_secret = ["secret", "key", "database_url", "password"].iter().any(|word| id.contains(word));
                assert!(!is_secret || id.ends_with("per_minute"), "{id}");
                assert!(argument.get_env().is_none() || argument.is_hide_env_values_set(), "{id}");
            }
        }
    }
}
