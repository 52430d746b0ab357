//! What lies where, and who holds it.
//!
//! ```text
//! DATA_DIR/lock            held while a program uses this directory
//! DATA_DIR/postgres.toml   where the cluster is, its port, the passwords (0600)
//! DATA_DIR/postgres.log    the server's log
//! DATA_DIR/postgres/       home of the cluster: `lock`, `cluster`, while it is made `cluster.new`
//! ```
//! Where the account that runs Postgres cannot reach `DATA_DIR`, the home is `/var/lib/login-with-zoho/<digest of
//! DATA_DIR's path>`. Directories that we did not make are never changed.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::account::Account;
use super::{PrivatePostgresError, sys};

const ELSEWHERE: &str = "/var/lib/login-with-zoho";
const HOME: &str = "postgres";
/// A log larger than this is set aside at the next start.
const LOG_LIMIT: u64 = 16 << 20;

#[derive(Debug)]
pub(super) struct Files {
    data_dir: PathBuf,
    home: PathBuf,
    pub(super) account: Account,
    pub(super) state: State,
    /// The passwords were made just now, the cluster does not know them yet.
    pub(super) passwords_are_new: bool,
    _locks: [File; 2],
}

#[derive(Debug)]
pub(super) struct State {
    /// 0: none chosen yet.
    pub(super) port: u16,
    pub(super) superuser_password: SecretString,
    pub(super) password: SecretString,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StateFile {
    home: PathBuf,
    port: u16,
    superuser_password: SecretText,
    password: SecretText,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct SecretText(SecretString);

impl TryFrom<String> for SecretText {
    type Error = &'static str;

    /// Passwords go into statements and URLs as they are.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if plain { Ok(Self(text.into())) } else { Err("a password holds something else than A-Z a-z 0-9 - _") }
    }
}

impl Files {
    /// Locks `data_dir`, making it if need be, and decides where the cluster lives and who runs it.
    pub(super) fn open(data_dir: &Path) -> Result<Self, PrivatePostgresError> {
        // Others may pass through, not look: the account that runs Postgres has its own directory in it.
        make_directory(data_dir, if sys::is_root() { 0o711 } else { 0o700 })?;
        let data_dir =
            fs::canonicalize(data_dir).map_err(|source| PrivatePostgresError::file("resolving", data_dir, source))?;
        let is_new = !data_dir.join("lock").exists();
        let data_dir_lock = lock(&data_dir)?;
        let stored = read_state(&data_dir)?;
        let passwords_are_new = stored.is_none();
        let (home, state) = stored.unwrap_or_else(|| (default_home(&data_dir, is_new), State::random()));
        let (home, account) = match existing_owner(&home)? {
            Some(account) => (home, account),
            None => make_home(&data_dir, home)?,
        };
        let home_lock = lock(&home)?;
        Ok(Self { data_dir, home, account, state, passwords_are_new, _locks: [data_dir_lock, home_lock] })
    }

    pub(super) fn cluster(&self) -> PathBuf {
        self.home.join("cluster")
    }

    /// Where a cluster is made before it is one.
    pub(super) fn unfinished_cluster(&self) -> PathBuf {
        self.home.join("cluster.new")
    }

    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    pub(super) fn log(&self) -> PathBuf {
        self.data_dir.join("postgres.log")
    }

    /// The log, to be handed to the server: opened here, since the server's account may not be allowed to.
    pub(super) fn open_log(&self) -> Result<File, PrivatePostgresError> {
        let path = self.log();
        if fs::metadata(&path).is_ok_and(|log| log.len() > LOG_LIMIT) {
            fs::rename(&path, path.with_extension("log.1"))
                .map_err(|source| PrivatePostgresError::file("renaming", &path, source))?;
        }
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(|source| PrivatePostgresError::file("opening", &path, source))
    }

    pub(super) fn remember_port(&mut self, port: u16) -> Result<(), PrivatePostgresError> {
        self.state.port = port;
        self.write_state()
    }

    /// Writes `postgres.toml` whole, or not at all.
    pub(super) fn write_state(&self) -> Result<(), PrivatePostgresError> {
        let path = state_path(&self.data_dir);
        let home = self.home.strip_prefix(&self.data_dir).unwrap_or(&self.home);
        let State { port, superuser_password, password } = &self.state;
        let text = format!(
            "# Written by login-with-zoho: where this directory's private Postgres lives, and the keys to it.\n\
             home = {home}\nport = {port}\nsuperuser_password = \"{}\"\npassword = \"{}\"\n",
            superuser_password.expose_secret(),
            password.expose_secret(),
            home = toml::Value::String(home.to_string_lossy().into_owned()),
        );
        write_private(&path, &text).map_err(|source| PrivatePostgresError::file("writing", &path, source))
    }

    /// Removes everything that this module makes, and nothing else.
    pub(super) fn remove(self) -> Result<(), PrivatePostgresError> {
        for directory in [self.cluster(), self.unfinished_cluster()] {
            tolerate_absence(fs::remove_dir_all(&directory))
                .map_err(|source| PrivatePostgresError::file("removing", &directory, source))?;
        }
        let log = self.log();
        for file in [self.home.join("lock"), log.with_extension("log.1"), log, state_path(&self.data_dir)] {
            tolerate_absence(fs::remove_file(&file))
                .map_err(|source| PrivatePostgresError::file("removing", &file, source))?;
        }
        tolerate_absence(fs::remove_dir(&self.home))
            .map_err(|source| PrivatePostgresError::file("removing", &self.home, source))
    }
}

impl State {
    fn random() -> Self {
        let password = || SecretString::from(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
        Self { port: 0, superuser_password: password(), password: password() }
    }
}

fn state_path(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres.toml")
}

pub(super) fn read_state(data_dir: &Path) -> Result<Option<(PathBuf, State)>, PrivatePostgresError> {
    let path = state_path(data_dir);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(PrivatePostgresError::file("reading", &path, source)),
    };
    let damaged = |detail| PrivatePostgresError::StateFile { path: path.clone(), detail };
    // The parser's message would quote the line, and with it perhaps a password.
    let file: StateFile =
        toml::from_str(&text).map_err(|_| damaged("it does not hold exactly home, port and two passwords"))?;
    // Whoever can write this file must not be able to make us remove or hand out another directory.
    // (The digest may be of another path: directories get moved.)
    let is_elsewhere = file.home.parent() == Some(Path::new(ELSEWHERE)) && file.home.file_name().is_some();
    if file.home != Path::new(HOME) && !is_elsewhere {
        return Err(damaged("its home is no directory that we make"));
    }
    let state = State { port: file.port, superuser_password: file.superuser_password.0, password: file.password.0 };
    Ok(Some((data_dir.join(file.home), state)))
}

/// Where the home is if nothing is written down. A directory that is new never gets the cluster of one that was there
/// before: whoever removed it wanted to be rid of what it held.
fn default_home(data_dir: &Path, is_new: bool) -> PathBuf {
    let elsewhere = elsewhere(data_dir, 0);
    if sys::is_root() && !is_new && elsewhere.exists() { elsewhere } else { data_dir.join(HOME) }
}

fn elsewhere(data_dir: &Path, attempt: u32) -> PathBuf {
    let digest =
        Sha256::new().chain_update(data_dir.as_os_str().as_encoded_bytes()).chain_update(attempt.to_be_bytes());
    Path::new(ELSEWHERE).join(URL_SAFE_NO_PAD.encode(&digest.finalize()[..9]))
}

/// The owner of a home that we have made; none if there is nothing, or an empty directory.
fn existing_owner(home: &Path) -> Result<Option<Account>, PrivatePostgresError> {
    let reading = |source| PrivatePostgresError::file("reading", home, source);
    match fs::read_dir(home) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Account::of_owner(home).map(Some),
        Err(source) => Err(reading(source)),
        Ok(mut entries) => match entries.next() {
            None => Ok(None),
            Some(_) if home.join("lock").exists() => Account::of_owner(home).map(Some),
            Some(_) => Err(reading(io::Error::new(ErrorKind::AlreadyExists, "it holds files, and none of ours"))),
        },
    }
}

/// Makes the home where it is wanted, or, if the account that will run Postgres cannot work there, elsewhere.
fn make_home(data_dir: &Path, wanted: PathBuf) -> Result<(PathBuf, Account), PrivatePostgresError> {
    let account = Account::choose()?;
    let make = |home: &Path| {
        make_directory(home, 0o700)?;
        account.give(home).map_err(|source| PrivatePostgresError::file("giving away", home, source))
    };
    make(&wanted)?;
    if account.reaches(&wanted) || !sys::is_root() {
        return Ok((wanted, account));
    }
    fs::remove_dir(&wanted).map_err(|source| PrivatePostgresError::file("removing", &wanted, source))?;
    make_directory(Path::new(ELSEWHERE), 0o755)?;
    let mut attempt = 0;
    while elsewhere(data_dir, attempt).exists() {
        attempt += 1;
    }
    let home = elsewhere(data_dir, attempt);
    make(&home)?;
    Ok((home, account))
}

fn make_directory(path: &Path, mode: u32) -> Result<(), PrivatePostgresError> {
    let made = DirBuilder::new().recursive(true).mode(mode).create(path);
    made.map_err(|source| PrivatePostgresError::file("creating", path, source))
}

/// Held until the file is closed, also by being killed; it stays in place, since removing it would race.
fn lock(directory: &Path) -> Result<File, PrivatePostgresError> {
    let path = directory.join("lock");
    let file = OpenOptions::new().create(true).append(true).mode(0o600).custom_flags(libc::O_NOFOLLOW).open(&path);
    let file = file.map_err(|source| PrivatePostgresError::file("opening", &path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PrivatePostgresError::InUse { path: directory.to_owned() }),
        Err(TryLockError::Error(source)) => Err(PrivatePostgresError::file("locking", &path, source)),
    }
}

/// Replaces a file by one that only we can read.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    tolerate_absence(fs::remove_file(&new))?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

pub(super) fn tolerate_absence(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{elsewhere, read_state, state_path, write_private};

    fn detail_of(state: &str) -> String {
        let directory = tempfile::tempdir().expect("a directory");
        write_private(&state_path(directory.path()), state).expect("written");
        read_state(directory.path()).expect_err("damaged").to_string()
    }

    #[test]
    fn a_home_that_we_would_not_make_is_refused() {
        for home in
            ["/", "/etc", "..", "postgres/../..", "/var/lib/login-with-zoho/../x", "/var/lib/login-with-zoho/.."]
        {
            let detail =
                detail_of(&format!("home = \"{home}\"\nport = 1\nsuperuser_password = \"a\"\npassword = \"b\"\n"));
            assert!(detail.contains("no directory that we make"), "{home}: {detail}");
        }
    }

    #[test]
    fn a_damaged_file_is_not_quoted() {
        let detail =
            detail_of("home = \"postgres\"\nport = 1\nsuperuser_password = \"hunter'2\"\npassword = hunter3\n");
        assert!(detail.contains("exactly home, port") && !detail.contains("hunter"), "{detail}");
    }

    #[test]
    fn directories_have_homes_of_their_own() {
        assert_ne!(elsewhere("/root/a".as_ref(), 0), elsewhere("/root/b".as_ref(), 0));
    }
}
