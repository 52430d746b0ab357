//! The three system calls that the standard library does not offer, and waiting.

#[cfg(target_os = "linux")]
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

/// Whether this process is root (or root of a user namespace, which Postgres refuses just the same).
pub(super) fn is_root() -> bool {
    effective_uid() == 0
}

#[expect(unsafe_code, reason = "the standard library does not tell who we are")]
pub(super) fn effective_uid() -> u32 {
    // SAFETY: takes no argument, cannot fail.
    unsafe { libc::geteuid() }
}

/// Sends a signal; a process that is gone already is no error.
#[expect(unsafe_code, reason = "the standard library only knows SIGKILL, to which Postgres cannot say goodbye")]
pub(super) fn signal(pid: u32, signal: libc::c_int) {
    // 0 and 1 would reach a process group or init: no postmaster, whatever a file may say.
    if let Ok(pid) = libc::pid_t::try_from(pid)
        && pid > 1
    {
        // SAFETY: plain integers; the result only tells that there was nobody to be told.
        unsafe { libc::kill(pid, signal) };
    }
}

/// Puts the child into a process group of its own, out of reach of a terminal's Ctrl-C, and on Linux has the kernel
/// stop it (SIGINT: "fast shutdown") when the *thread* that spawns it ends. So the spawning thread must outlive the
/// child: [`super::postmaster::Keeper`] for the server, for short commands the thread that waits for them.
///
/// Elsewhere an orphan is found and stopped at the next start.
pub(super) fn bind_to_this_thread(command: &mut Command) -> &mut Command {
    command.process_group(0);
    #[cfg(target_os = "linux")]
    die_with_this_thread(command);
    command
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the setting must be made between fork and exec, by the child itself")]
fn die_with_this_thread(command: &mut Command) {
    let parent = std::process::id();
    let set = move || {
        // SAFETY: takes integers only.
        if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGINT) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // The parent may have gone before the line above.
        if std::os::unix::process::parent_id() == parent {
            Ok(())
        } else {
            Err(io::Error::from_raw_os_error(libc::ESRCH))
        }
    };
    // SAFETY: the closure makes async-signal-safe calls only and does not allocate. The standard library runs it after
    // it has changed user and group, which would reset the setting.
    unsafe { command.pre_exec(set) };
}

/// A bound on waiting for another process.
pub(super) struct Patience {
    until: Instant,
}

impl Patience {
    pub(super) fn of_seconds(seconds: u64) -> Self {
        Self { until: Instant::now() + Duration::from_secs(seconds) }
    }

    /// Waits for a moment; false when it has run out.
    #[expect(
        clippy::disallowed_methods,
        reason = "another process's file system traces cannot be awaited, only polled"
    )]
    pub(super) fn wait_a_little(&mut self) -> bool {
        std::thread::sleep(Duration::from_millis(20));
        Instant::now() < self.until
    }
}
