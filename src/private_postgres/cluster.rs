//! Making a cluster, and what is in it when it is new.
//!
//! 1. `initdb` under another name, for the superuser, every connection by password.
//! 2. In single-user mode, so that no client is needed and nobody can connect yet: the site's role and its database.
//! 3. The passwords, also when `postgres.toml` was lost and made anew.
//! 4. The rename that makes it count.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use secrecy::{ExposeSecret as _, SecretString};

use super::files::{Files, tolerate_absence};
use super::locate::Installation;
use super::{ADMINISTRATOR, Durability, PrivatePostgresError, SITE};

/// The version that made the existing cluster.
pub(super) fn major_version(files: &Files) -> Result<Option<(PathBuf, u32)>, PrivatePostgresError> {
    let cluster = files.cluster();
    match fs::read_to_string(cluster.join("PG_VERSION")) {
        Ok(version) => Ok(version.trim().parse().ok().map(|version| (cluster, version))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(PrivatePostgresError::file("reading", &cluster, source)),
    }
}

/// Makes the cluster if there is none, and sees that it knows the passwords that we know.
pub(super) fn prepare(
    files: &mut Files,
    installation: &Installation,
    durability: Durability,
) -> Result<(), PrivatePostgresError> {
    if files.cluster().exists() {
        if files.passwords_are_new {
            single_user(files, installation, &files.cluster(), &passwords(files))?;
        }
    } else {
        let unfinished = files.unfinished_cluster();
        tolerate_absence(fs::remove_dir_all(&unfinished))
            .map_err(|source| PrivatePostgresError::file("removing", &unfinished, source))?;
        initialize(files, installation, durability)?;
        let statements = format!("{}{}", role_and_database(), passwords(files));
        single_user(files, installation, &unfinished, &statements)?;
        // Before the rename: a cluster never stands there with passwords that are written nowhere.
        files.write_state()?;
        fs::rename(&unfinished, files.cluster())
            .map_err(|source| PrivatePostgresError::file("renaming", &unfinished, source))?;
    }
    files.write_state()?;
    files.passwords_are_new = false;
    Ok(())
}

/// Step 1. Sorting by code point, everywhere the same; upper and lower case of all of Unicode where the system knows
/// such a locale.
fn initialize(files: &Files, installation: &Installation, durability: Durability) -> Result<(), PrivatePostgresError> {
    let password_file = PasswordFile::write(files)?;
    let mut outcome = Ok(());
    for character_types in ["C.UTF-8", "en_US.UTF-8", "C"] {
        let program = installation.program("initdb");
        let mut initdb = files.account.command(&program);
        initdb.arg("-D").arg(files.unfinished_cluster()).arg("--pwfile").arg(&password_file.path);
        initdb.args([
            "-U",
            ADMINISTRATOR,
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ]);
        initdb.arg(format!("--lc-ctype={character_types}"));
        if durability == Durability::Volatile {
            initdb.arg("--no-sync");
        }
        outcome = run(initdb, &program, "");
        match &outcome {
            Err(PrivatePostgresError::Command { last_words, .. }) if last_words.contains("locale") => {}
            _ => break,
        }
    }
    outcome
}

/// Step 2. Time limits belong to the role, since poolers drop start-up options.
fn role_and_database() -> String {
    format!(
        "create role {SITE} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;\n\
         alter role {SITE} set statement_timeout = '3s';\n\
         alter role {SITE} set lock_timeout = '1s';\n\
         alter role {SITE} set idle_in_transaction_session_timeout = '5s';\n\
         create database {SITE} owner {SITE};\n\
         revoke all on database {SITE} from public;\n"
    )
}

/// Step 3. They hold nothing that would need quoting (`files::SecretText`).
fn passwords(files: &Files) -> String {
    let statement =
        |role, password: &SecretString| format!("alter role {role} password '{}';\n", password.expose_secret());
    statement(ADMINISTRATOR, &files.state.superuser_password) + &statement(SITE, &files.state.password)
}

/// Runs statements, one a line, in a server without connections.
fn single_user(
    files: &Files,
    installation: &Installation,
    cluster: &Path,
    statements: &str,
) -> Result<(), PrivatePostgresError> {
    let program = installation.program("postgres");
    let mut postgres = files.account.command(&program);
    postgres.arg("--single").arg("-D").arg(cluster);
    // A failed statement ends it, and is not repeated in the message: it may hold a password.
    for setting in [
        "exit_on_error=on",
        "log_min_error_statement=panic",
        "password_encryption=scram-sha-256",
        "log_checkpoints=off",
    ] {
        postgres.args(["-c", setting]);
    }
    postgres.arg(ADMINISTRATOR);
    run(postgres, &program, statements)
}

/// Runs a program to its end; what it said last is the error.
fn run(mut command: Command, program: &Path, input: &str) -> Result<(), PrivatePostgresError> {
    let spawn = |source| PrivatePostgresError::Spawn { program: program.to_owned(), source };
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(spawn)?;
    // The input fits a pipe's buffer, so this cannot block. A program that died without reading says why below.
    let written = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().map_err(spawn)?;
    if output.status.success() && matches!(written, Some(Ok(()))) {
        return Ok(());
    }
    Err(PrivatePostgresError::Command {
        program: program.to_owned(),
        last_words: last_words(&String::from_utf8_lossy(&output.stderr)),
    })
}

/// The end of a log, short enough for an error message.
pub(super) fn last_words(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(6)..].join(" | ")
}

/// `initdb` takes the first password from a file only, and its account must be able to read it.
struct PasswordFile {
    path: PathBuf,
}

impl PasswordFile {
    fn write(files: &Files) -> Result<Self, PrivatePostgresError> {
        let path = files.home().join("password");
        let write = || {
            tolerate_absence(fs::remove_file(&path))?;
            // `create_new` follows no link that the other account may have put there.
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            if let Some((uid, gid)) = files.account.ids() {
                fchown(&file, Some(uid), Some(gid))?;
            }
            file.write_all(files.state.superuser_password.expose_secret().as_bytes())
        };
        write().map_err(|source| PrivatePostgresError::file("writing", &path, source))?;
        Ok(Self { path })
    }
}

impl Drop for PasswordFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, "could not remove the file that told initdb the password");
        }
    }
}
