//! What can go wrong with a private Postgres; every message says what to do about it.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum PrivatePostgresError {
    #[error(
        "found no PostgreSQL 15 or newer in PATH or in the usual places; install it with `{install}`, or set DATABASE_URL to a server you have"
    )]
    NotInstalled { install: String },
    #[error(
        "{cluster} was made by PostgreSQL {wanted}, which is not installed (found: {found}); install that version, or dump and restore with both, or start afresh with another DATA_DIR"
    )]
    WrongVersion { cluster: PathBuf, wanted: u32, found: String },
    #[error("{path} is in use by another login-with-zoho; stop that one, or set DATA_DIR to another directory")]
    InUse { path: PathBuf },
    #[error("{path} belongs to user id {owner}; run as that user, or set DATA_DIR to a directory of your own")]
    NotOurs { path: PathBuf, owner: u32 },
    #[error(
        "Postgres refuses to run as root and there is neither a user `postgres` nor `nobody`; create one with `useradd --system postgres`, or run as an ordinary user"
    )]
    NoAccount,
    #[error(
        "{doing} {path} failed; check that this user may write there and that the disk is not full, or set DATA_DIR to another directory"
    )]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "{path} is damaged: {detail}; restore it from a backup, or remove it: new passwords are made then, the data stay"
    )]
    StateFile { path: PathBuf, detail: &'static str },
    #[error("{program} failed; its last words: {last_words}")]
    Command { program: PathBuf, last_words: String },
    #[error("could not run {program}; check that it is executable for the user that Postgres runs as")]
    Spawn { program: PathBuf, source: io::Error },
    #[error("port {port} of the private Postgres is taken by another program; end that program, then start again")]
    PortTaken { port: u16 },
    #[error("a killed Postgres still holds {cluster}; wait until its processes have ended, then start again")]
    StillInUse { cluster: PathBuf },
    #[error("Postgres did not start; the whole story is in {log}, its last words: {last_words}")]
    DidNotStart { log: PathBuf, last_words: String },
    #[error(
        "Postgres (process {pid}) did not stop; see what holds it up in its log, then end it with `kill -QUIT {pid}`"
    )]
    DidNotStop { pid: u32 },
}

impl PrivatePostgresError {
    pub(super) fn file(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File { doing, path: path.to_owned(), source }
    }
}
