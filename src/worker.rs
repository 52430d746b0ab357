//! Work that nobody is waiting for, done by every replica side by side: what is claimed by one is
//! skipped by the others.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use crate::{
    app::App,
    login,
    store::{StoreError, audit_event},
    vault::{api_key, revoke, rewrap},
};

/// How often each queue is looked at when nobody wakes it.
const QUEUES: Duration = Duration::from_secs(1);
const HOUSEKEEPING: Duration = Duration::from_secs(30);
const PARTITIONS: Duration = Duration::from_secs(6 * 3600);
/// When a key was last used is written this often at most, however often it is used.
const KEY_USES: Duration = Duration::from_secs(5);
/// At the start, and once a day: it reads every sealed value.
const KEYS_IN_USE: Duration = Duration::from_secs(24 * 3600);

/// Runs until the program stops.
pub(crate) async fn run(app: Arc<App>) {
    let partitions = every(&app, PARTITIONS, "audit partitions", async |app| {
        let now = app.clock.shared_now();
        audit_event::ensure_month(app.pools.engine(), now).await?;
        audit_event::ensure_month(app.pools.engine(), now + chrono::Months::new(1)).await
    });
    let escrows = every(&app, QUEUES, "escrows", async |app| login::worker::settle_due(app).await.map(drop));
    let lost = every(&app, QUEUES, "lost attempts", async |app| login::worker::report_lost(app).await);
    let sweep = every(&app, HOUSEKEEPING, "sweep", async |app| login::worker::sweep(app).await);
    let key_uses = every(&app, KEY_USES, "use of keys", async |app| api_key::write_uses(app).await);
    let keys_in_use = every(&app, KEYS_IN_USE, "keys in use", async |app| report_missing_keys(app).await);
    tokio::join!(partitions, escrows, lost, sweep, key_uses, keys_in_use, revocations(&app));
}

/// A key still in use is not dropped unnoticed (security.md R-23).
async fn report_missing_keys(app: &App) -> Result<(), StoreError> {
    for key in rewrap::missing_keys(&app.pools, &app.keys).await? {
        tracing::error!(
            key.id,
            key.values,
            "ENCRYPTION_KEYS lacks a key that stored values need: put it back behind the first key, then run `keys rewrap`"
        );
    }
    Ok(())
}

/// Woken by whoever wrote one, so that nothing waits that is due.
async fn revocations(app: &App) {
    loop {
        tokio::select! {
            () = app.wake_revocations.notified() => {}
            () = sleep(QUEUES) => {}
        }
        if app.is_stopping() {
            return;
        }
        loop {
            match revoke::revoke_due(app).await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    log("revocations", &error);
                    break;
                }
            }
        }
    }
}

async fn every<F>(app: &App, pause: Duration, what: &'static str, step: F)
where
    F: AsyncFn(&App) -> Result<(), StoreError>,
{
    while !app.is_stopping() {
        if let Err(error) = step(app).await {
            log(what, &error);
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = app.stopping() => {}
        }
    }
}

fn log(what: &'static str, error: &StoreError) {
    tracing::warn!(error = %error, queue = what, "background work waits for the database");
}
