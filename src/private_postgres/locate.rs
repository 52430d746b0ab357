//! Finds an installed Postgres.
//!
//! Order: what PATH names, then where the packages of Debian, Fedora, openSUSE, Alpine and Homebrew put it (newest
//! first), and last what PATH names but is a script: a wrapper may put a process between us and the server.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::{env, fs};

use super::PrivatePostgresError;
use super::account::Account;

/// Stored procedures aside, what we use has been there since 15: `security_invoker` views, a closed `public` schema.
const OLDEST: u32 = 15;

/// Parent directory, what the versioned directories in it begin with, and where the programs are below those.
const PACKAGES: [(&str, &str, &str); 11] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/usr/lib", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ("/usr", "bin", ""),
    ("/usr/local", "bin", ""),
    ("/usr/local", "pgsql", "bin"),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Installation {
    directory: PathBuf,
    pub(super) major: u32,
}

impl Installation {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// The installation to use: of the version that made the cluster if there is one, else the first of [`OLDEST`] or newer.
pub(super) fn find(account: &Account, cluster: Option<(PathBuf, u32)>) -> Result<Installation, PrivatePostgresError> {
    let mut found = Vec::new();
    for directory in candidates() {
        let Some(installation) = examine(*account, directory) else { continue };
        if cluster.as_ref().map_or(installation.major >= OLDEST, |(_, wanted)| installation.major == *wanted) {
            return Ok(installation);
        }
        found.push(installation.major.to_string());
    }
    found.dedup();
    Err(match cluster {
        Some((cluster, wanted)) if !found.is_empty() => {
            PrivatePostgresError::WrongVersion { cluster, wanted, found: found.join(", ") }
        }
        _ => PrivatePostgresError::NotInstalled { install: install_command() },
    })
}

fn candidates() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let (scripts, programs): (Vec<_>, Vec<_>) = env::split_paths(&path)
        .filter_map(|directory| fs::canonicalize(directory.join("initdb")).ok())
        .partition(|initdb| is_script(initdb));
    let parent = |program: PathBuf| program.parent().map(Path::to_owned);
    let packages = PACKAGES.iter().flat_map(|&(place, prefix, below)| {
        let mut versions = versions_in(Path::new(place), prefix);
        versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        versions.into_iter().map(move |(_, directory)| directory.join(below))
    });
    let mut all: Vec<PathBuf> = Vec::new();
    for directory in
        programs.into_iter().filter_map(parent).chain(packages).chain(scripts.into_iter().filter_map(parent))
    {
        if !all.contains(&directory) {
            all.push(directory);
        }
    }
    all
}

/// Directories `<prefix><version>`, where the version may follow an `@` and may be missing.
fn versions_in(place: &Path, prefix: &str) -> Vec<(u32, PathBuf)> {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let version = name.to_str()?.strip_prefix(prefix)?.trim_start_matches('@');
            let version = if version.is_empty() { 0 } else { version.split('.').next()?.parse().ok()? };
            Some((version, entry.path()))
        })
        .collect()
}

fn is_script(program: &Path) -> bool {
    let mut start = [0; 2];
    fs::File::open(program).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut start)).is_ok()
        && start == *b"#!"
}

/// Asks the server for its version, as the account that will run it: what that cannot execute is of no use.
fn examine(account: Account, directory: PathBuf) -> Option<Installation> {
    let server = directory.join("postgres");
    if !directory.join("initdb").exists() || !server.exists() {
        return None;
    }
    let answer = account.command(&server).arg("--version").stderr(Stdio::null()).output().ok()?;
    let major = major_of(std::str::from_utf8(&answer.stdout).ok()?)?;
    Some(Installation { directory, major })
}

/// Reads `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`, `… 18beta1`.
fn major_of(answer: &str) -> Option<u32> {
    let version = answer.split("(PostgreSQL)").nth(1)?.trim_start();
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn install_command() -> String {
    let system = if cfg!(target_os = "macos") {
        "macos".into()
    } else {
        fs::read_to_string("/etc/os-release").unwrap_or_default()
    };
    install_command_for(&system).to_owned()
}

fn install_command_for(system: &str) -> &'static str {
    let named = |names: &[&str]| {
        system
            .lines()
            .filter(|line| line.starts_with("ID=") || line.starts_with("ID_LIKE=") || *line == "macos")
            .any(|line| line.split(['=', ' ', '"']).any(|word| names.contains(&word)))
    };
    match () {
        () if named(&["macos"]) => "brew install postgresql@17",
        () if named(&["debian", "ubuntu"]) => "sudo apt-get install postgresql",
        () if named(&["fedora", "rhel", "centos"]) => "sudo dnf install postgresql-server",
        () if named(&["suse", "opensuse"]) => "sudo zypper install postgresql-server",
        () if named(&["arch"]) => "sudo pacman -S postgresql",
        () if named(&["alpine"]) => "apk add postgresql",
        () => "your system's package manager (the package is called postgresql or postgresql-server)",
    }
}

#[cfg(test)]
mod tests {
    use super::{candidates, install_command_for, major_of, versions_in};

    #[test]
    fn versions_are_read_whatever_the_packager_adds() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_of("postgres: command not found\n"), None);
    }

    #[test]
    fn versioned_directories_are_recognized_with_and_without_a_version() {
        let place = tempfile::tempdir().expect("a directory");
        for name in ["postgresql@17", "postgresql@9.6", "postgresql", "postgresql-client", "other"] {
            std::fs::create_dir(place.path().join(name)).expect("a directory");
        }
        let mut versions: Vec<u32> =
            versions_in(place.path(), "postgresql").into_iter().map(|(version, _)| version).collect();
        versions.sort_unstable();
        assert_eq!(versions, [0, 9, 17]);
    }

    #[test]
    fn the_install_command_fits_the_system() {
        assert_eq!(
            install_command_for("NAME=x\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"),
            "sudo apt-get install postgresql"
        );
        assert_eq!(
            install_command_for("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"),
            "sudo dnf install postgresql-server"
        );
        assert_eq!(install_command_for("macos"), "brew install postgresql@17");
    }

    #[test]
    fn no_place_is_looked_at_twice() {
        let all = candidates();
        assert!(all.iter().enumerate().all(|(index, directory)| !all[..index].contains(directory)));
    }
}
