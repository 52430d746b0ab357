//! Who runs Postgres: we ourselves, or, if we are root, an account that is not.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, io};

use super::{PrivatePostgresError, sys};

/// What Postgres and its tools may see of our environment: where to find things, never a secret of ours, and no `PG…`
/// that would change what they do. The preloads let tests bend the server's clock or fill its disk.
const PASSED_ON: [&str; 8] = [
    "PATH",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "DYLD_INSERT_LIBRARIES",
    "DYLD_LIBRARY_PATH",
    "FAKETIME",
    "FAKETIME_TIMESTAMP_FILE",
    "FAKETIME_DONT_FAKE_MONOTONIC",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    /// User and group to change to; none if we stay who we are.
    change_to: Option<(u32, u32)>,
}

impl Account {
    /// For a new cluster.
    pub(super) fn choose() -> Result<Self, PrivatePostgresError> {
        if !sys::is_root() {
            return Ok(Self { change_to: None });
        }
        let known = ["postgres", "nobody"].into_iter().find_map(|name| Some((id("-u", name)?, id("-g", name)?)));
        known.map(|ids| Self { change_to: Some(ids) }).ok_or(PrivatePostgresError::NoAccount)
    }

    /// For an existing directory: the one who owns it.
    pub(super) fn of_owner(path: &Path) -> Result<Self, PrivatePostgresError> {
        let owner = fs::metadata(path).map_err(|source| PrivatePostgresError::file("reading", path, source))?;
        match (sys::is_root(), owner.uid()) {
            (true, 0) => Self::choose(),
            (true, uid) => Ok(Self { change_to: Some((uid, owner.gid())) }),
            (false, uid) if uid == sys::effective_uid() => Ok(Self { change_to: None }),
            (false, uid) => Err(PrivatePostgresError::NotOurs { path: path.to_owned(), owner: uid }),
        }
    }

    /// A command run by this account, with a clean environment and no terminal.
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null());
        for name in PASSED_ON {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        // Messages in English, since we read them; times in the log without a zone to guess.
        command.env("LC_ALL", "C").env("TZ", "UTC").current_dir("/");
        if let Some((uid, gid)) = self.change_to {
            // Changing the user also drops root's supplementary groups.
            command.uid(uid).gid(gid);
        }
        sys::bind_to_this_thread(&mut command);
        command
    }

    /// User and group of what belongs to this account, where that is not us.
    pub(super) fn ids(self) -> Option<(u32, u32)> {
        self.change_to
    }

    /// Hands a directory that we made to this account.
    pub(super) fn give(self, directory: &Path) -> io::Result<()> {
        self.change_to.map_or(Ok(()), |(uid, gid)| std::os::unix::fs::lchown(directory, Some(uid), Some(gid)))
    }

    /// Whether this account really gets there: tried, since modes do not tell of access lists and mount options.
    pub(super) fn reaches(self, directory: &Path) -> bool {
        let mut shell = self.command(Path::new("/bin/sh"));
        shell
            .args(["-c", r#"cd -- "$1" && : > .reached && rm .reached"#, "sh"])
            .arg(directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        shell.status().is_ok_and(|status| status.success())
    }
}

/// Asked of `id`, which knows directories (LDAP, systemd) that `/etc/passwd` does not.
fn id(which: &str, name: &str) -> Option<u32> {
    let answer = Command::new("id").args([which, name]).stderr(Stdio::null()).output().ok()?;
    std::str::from_utf8(&answer.stdout).ok()?.trim().parse().ok().filter(|&id| id != 0)
}
