//! Programs that a run starts, and that end with it.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::Outcome;

/// A program that said where it listens; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Its first line of output.
    pub(crate) said: String,
}

impl Process {
    /// Starts it, its errors going to `log`, and reads its first line.
    pub(crate) fn start(mut command: Command, log: &Path) -> Outcome<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(log)?).spawn()?;
        let mut said = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut said)?;
        }
        let process = Self { child, said };
        if process.said.is_empty() {
            let told = std::fs::read_to_string(log).unwrap_or_default();
            return Err(format!("a program did not start: {command:?}\n{told}").into());
        }
        Ok(process)
    }

    /// A number of `/proc/<pid>/status` in megabytes: `VmRSS` now, `VmHWM` at the most so far.
    pub(crate) fn megabytes(&self, name: &str) -> Outcome<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()).and_then(|text| text.parse::<f64>().ok());
        Ok(kilobytes.ok_or_else(|| format!("the system does not tell {name}"))? / 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
