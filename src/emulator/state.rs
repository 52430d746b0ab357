//! What all handlers share, and the file it survives a restart in.

use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::accounts::Devices;
use super::clock::{Clock, Millis};
use super::faults::Faults;
use super::journal::Journal;
use super::ledger::{Ledger, Saved};
use super::listener::Addresses;
use super::settings::Settings;
use super::world::{Client, World};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) addresses: Addresses,
    pub(super) clock: Clock,
    pub(super) journal: Journal,
    pub(super) faults: Faults,
    state: Mutex<State>,
    /// Counts changes worth saving.
    changes: AtomicU64,
    file: Option<PathBuf>,
    first: First,
}

/// What `/control/reset` returns to.
#[derive(Debug)]
pub(super) struct First {
    pub(super) world: World,
    pub(super) settings: Settings,
}

/// Held for microseconds, never over an await.
#[derive(Debug)]
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) world: World,
    pub(super) ledger: Ledger,
    pub(super) secrets: Vec<OldSecret>,
    pub(super) devices: Devices,
}

impl State {
    /// Adds or replaces a client; secrets it loses stay in the ledger.
    pub(super) fn put_client(&mut self, client: Client, at: Millis) {
        let old = self.world.client(&client.id).map(|known| known.secrets.clone()).unwrap_or_default();
        let lost = old.into_iter().filter(|(data_centre, value)| client.secrets.get(data_centre) != Some(value));
        let client_id = client.id.clone();
        self.secrets.extend(lost.map(|(data_centre, value)| OldSecret {
            client_id: client_id.clone(),
            data_centre,
            value,
            at,
        }));
        self.world.upsert_client(client);
    }
}

/// A client secret that was replaced: the ledger still knows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct OldSecret {
    pub(super) client_id: String,
    pub(super) data_centre: String,
    pub(super) value: String,
    pub(super) at: Millis,
}

#[derive(Serialize, Deserialize)]
struct File {
    clock_offset_ms: Millis,
    world: World,
    ledger: Saved,
    secrets: Vec<OldSecret>,
}

impl Shared {
    /// Starts from the state file where there is one. Clients given by the options win over saved ones of the same id.
    pub(super) fn open(addresses: Addresses, first: First, file: Option<PathBuf>) -> io::Result<Self> {
        let mut state = State {
            settings: first.settings.clone(),
            world: first.world.clone(),
            ledger: Ledger::default(),
            secrets: Vec::new(),
            devices: Devices::default(),
        };
        let clock = Clock::default();
        if let Some(saved) = file.as_deref().map(read).transpose()?.flatten() {
            clock.set_offset(saved.clock_offset_ms);
            state.world = saved.world;
            state.ledger = Ledger::restore(saved.ledger);
            state.secrets = saved.secrets;
            for client in &first.world.clients {
                state.put_client(client.clone(), clock.now());
            }
        }
        let journal = Journal::default();
        journal.keep(state.settings.journal_limit);
        let (faults, changes) = (Faults::default(), AtomicU64::new(0));
        Ok(Self { addresses, clock, journal, faults, state: Mutex::new(state), changes, file, first })
    }

    /// To look.
    pub(super) fn read(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To change something that is saved.
    pub(super) fn write(&self) -> MutexGuard<'_, State> {
        self.changed();
        self.read()
    }

    /// Says so where the state was taken to look and then changed.
    pub(super) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    pub(super) fn is_saved(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn first(&self) -> &First {
        &self.first
    }

    /// Writes the state file, if there is one: beside it first, then over it, so that a crash leaves the old or the new one.
    pub(super) fn save(&self) -> io::Result<()> {
        let Some(path) = &self.file else { return Ok(()) };
        let file = {
            let state = self.read();
            File {
                clock_offset_ms: self.clock.offset(),
                world: state.world.clone(),
                ledger: state.ledger.save(),
                secrets: state.secrets.clone(),
            }
        };
        let text = serde_json::to_vec(&file)?;
        let mut beside = path.clone().into_os_string();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let _ = std::fs::remove_file(&beside);
        let mut out = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        out.write_all(&text)?;
        out.sync_all()?;
        std::fs::rename(&beside, path)
    }
}

fn read(path: &Path) -> io::Result<Option<File>> {
    match std::fs::read(path) {
        Ok(text) => {
            let broken = |error| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{} is no state file: {error}", path.display()))
            };
            serde_json::from_slice(&text).map(Some).map_err(broken)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
            directory.map(std::fs::create_dir_all).transpose()?;
            Ok(None)
        }
        Err(error) => Err(io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()))),
    }
}
