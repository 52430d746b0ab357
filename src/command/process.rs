//! What the whole process promises.

/// No core dump: it would hold every secret in memory (security.md S-73).
///
/// Both are needed: Linux hands dumps to a program whatever the size limit, unless the process is
/// marked as not to be dumped. The mark also closes `/proc/<pid>/environ`, where secrets stand, to
/// other programs of the same user.
#[expect(unsafe_code, reason = "two system calls that no safe crate among ours wraps")]
pub(super) fn forbid_core_dumps() -> std::io::Result<()> {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live value of the right type, which is only read.
    if unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    #[cfg(target_os = "linux")]
    // SAFETY: this option takes one number and touches no memory of ours.
    if unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn s73_core_dumps_are_off() {
        super::forbid_core_dumps().expect("allowed for everybody");
        let limits = std::fs::read_to_string("/proc/self/limits").expect("Linux");
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("the limit");
        assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"]);
    }
}
