//! Which processes somebody started, and whether they are gone.

use std::{
    fs,
    process::{Child, Command},
    sync::mpsc,
    time::Duration,
};

/// A process by its number and the moment it was started: numbers are used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    id: u32,
    parent: u32,
    name: String,
    started: String,
}

/// Everything that descends from `ancestor`; nothing where there is no `/proc`.
pub(crate) fn descendants(ancestor: u32) -> Vec<Process> {
    let all = all();
    let mut family = vec![ancestor];
    let mut found = Vec::new();
    while let Some(parent) = family.pop() {
        for child in all.iter().filter(|process| process.parent == parent) {
            family.push(child.id);
            found.push(child.clone());
        }
    }
    found
}

pub(crate) fn still_there(processes: &[Process]) -> Vec<Process> {
    let all = all();
    processes
        .iter()
        .filter(|process| all.iter().any(|one| one.id == process.id && one.started == process.started))
        .cloned()
        .collect()
}

fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| parse(&fs::read_to_string(entry.path().join("stat")).ok()?)).collect()
}

/// `1234 (a name) S 1 …`, where the name may hold anything; zombies count as gone.
fn parse(stat: &str) -> Option<Process> {
    let (id, rest) = stat.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    (fields.first() != Some(&"Z")).then_some(())?;
    Some(Process {
        id: id.parse().ok()?,
        parent: fields.get(1)?.parse().ok()?,
        name: name.to_owned(),
        started: (*fields.get(19)?).to_owned(),
    })
}

/// Sends a signal by name to a process, or to a group where `to` is negative.
pub(crate) fn signal(name: &str, to: i64) {
    let sent =
        Command::new("sh").args(["-c", "kill -s \"$1\" -- \"$2\" 2>/dev/null", "sh", name, &to.to_string()]).status();
    assert!(sent.is_ok(), "a shell can be run");
}

/// Waits for the end of a child, and ends it by force after that.
pub(crate) fn await_end(mut child: Child, patience: Duration) -> Result<std::process::ExitStatus, String> {
    let id = child.id();
    let (say, hear) = mpsc::channel();
    std::thread::spawn(move || say.send(child.wait()));
    if let Ok(status) = hear.recv_timeout(patience) {
        return status.map_err(|error| error.to_string());
    }
    signal("KILL", id.into());
    Err(format!("it did not end within {patience:?}"))
}
