//! When to stop: SIGTERM from whoever runs us, SIGINT from a terminal.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancelled by the first signal; stopping in good order then takes its time (security.md §4.9). A
/// second signal ends the process at once, for somebody who does not want to wait: what is kept
/// must survive that, as it survives a crash.
///
/// Call it before anything is started, or a signal in between ends the process without farewell.
pub(super) fn on_signal() -> io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            }
        };
        let name = next().await;
        tracing::info!(signal = name, "stopping");
        told.cancel();
        let name = next().await;
        tracing::warn!(signal = name, "stopping at once");
        end_at_once();
    });
    Ok(stop)
}

#[expect(
    clippy::disallowed_methods,
    reason = "asked for twice; a private Postgres left behind is found by the next start"
)]
fn end_at_once() -> ! {
    std::process::exit(1)
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    #[expect(unsafe_code, reason = "a signal can only be sent by a system call")]
    async fn a_signal_asks_to_stop() {
        let stop = super::on_signal().expect("signals");
        assert!(!stop.is_cancelled());
        // SAFETY: it touches no memory; the handlers above are in place, so the process lives on.
        assert_eq!(unsafe { libc::raise(libc::SIGTERM) }, 0);
        let patience = std::time::Duration::from_secs(5);
        tokio::time::timeout(patience, stop.cancelled()).await.expect("cancelled soon");
    }
}
