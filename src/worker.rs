//! Work that nobody is waiting for, done by every replica side by side: what is claimed by one is
//! skipped by the others.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt as _;
use tokio::time::sleep;

use crate::{
    app::App,
    login, onboarding,
    operator::delete,
    store::{
        StoreError,
        audit_event::{self, Actor, AuditEvent},
    },
    telemetry::chain,
    vault::{access_token, api_key, refresh, revoke, rewrap, usage},
    webhooks::deliver,
};

/// How often each queue is looked at when nobody wakes it.
const QUEUES: Duration = Duration::from_secs(1);
/// How often it is told which gates are shut; one that is not told again is open, or its replica has gone.
const GATES: Duration = Duration::from_secs(2);
const HOUSEKEEPING: TimeDelta = TimeDelta::seconds(30);
/// Months of the audit begin and end.
const PARTITIONS: TimeDelta = TimeDelta::hours(6);
/// Of what is done seldom, after a failure: somebody reads what is to be dropped, and holds everybody's lock.
const AGAIN: TimeDelta = TimeDelta::minutes(1);
/// When a key was last used is written this often at most, however often it is used.
const KEY_USES: Duration = Duration::from_secs(5);
/// What is counted of vends is lost for no longer than this when the program is killed.
const USAGE: Duration = Duration::from_millis(500);
/// How often connections to Postgres are looked through that nobody needs.
const UNUSED: Duration = Duration::from_secs(60);
/// At the start, and once a day: it reads every sealed value.
const KEYS_IN_USE: Duration = Duration::from_secs(24 * 3600);

/// Runs until the program stops.
pub(crate) async fn run(app: Arc<App>) {
    let escrows = every(&app, QUEUES, "escrows", async |app| login::worker::settle_due(app).await.map(drop));
    let lost = every(&app, QUEUES, "lost attempts", async |app| login::worker::report_lost(app).await);
    let sweep = by_shared_time(&app, HOUSEKEEPING, "sweep", async |app| login::worker::sweep(app).await);
    let key_uses = every(&app, KEY_USES, "use of keys", async |app| api_key::write_uses(app).await);
    let keys_in_use = every(&app, KEYS_IN_USE, "keys in use", async |app| report_missing_keys(app).await);
    let dead_tokens = every(&app, QUEUES, "dead tokens", async |app| refresh::due::erase_dead(app).await);
    let invitations = every(&app, QUEUES, "onboarding links", async |app| onboarding::end::expire_due(app).await);
    let old_deliveries = by_shared_time(&app, HOUSEKEEPING, "old deliveries", async |app| deliver::sweep(app).await);
    let old_usage = by_shared_time(&app, HOUSEKEEPING, "old usage", async |app| usage::sweep(app).await);
    let fold = every(&app, QUEUES, "usage in batches", async |app| usage::fold(app).await);
    let partitions = by_shared_time(&app, PARTITIONS, "audit partitions", async |app| keep_partitions(app).await);
    let gates = every(&app, GATES, "gates", async |app| refresh::health::tell(app).await);
    let old_health = by_shared_time(&app, HOUSEKEEPING, "old health", async |app| refresh::health::sweep(app).await);
    let unused = every(&app, UNUSED, "unused connections", async |app| {
        app.pools.close_unused().await;
        Ok(())
    });
    tokio::join!(
        unused,
        partitions,
        gates,
        fold,
        old_health,
        old_usage,
        invitations,
        old_deliveries,
        escrows,
        lost,
        sweep,
        key_uses,
        keys_in_use,
        usage_to_the_end(&app),
        dead_tokens,
        forget_tokens(&app),
        refreshes(&app),
        revocations(&app),
        deletions(&app),
        deliveries(&app)
    );
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

async fn keep_partitions(app: &App) -> Result<(), StoreError> {
    ensure_partitions(app).await?;
    drop_old_partitions(app).await
}

/// Whole months that are older than `AUDIT_RETENTION` go, and that they went is on record.
async fn drop_old_partitions(app: &App) -> Result<(), StoreError> {
    let now = app.clock.shared_now();
    let kept = TimeDelta::from_std(app.config.audit_retention).unwrap_or(TimeDelta::MAX);
    let Some(kept_from) = now.checked_sub_signed(kept) else { return Ok(()) };
    let mut tx = app.pools.begin_as_engine().await?;
    for partition in audit_event::drop_before(&mut *tx, kept_from).await? {
        let event = AuditEvent {
            actor: Actor::Engine,
            action: "audit_dropped",
            outcome: "done",
            tenant_id: None,
            connection_id: None,
            peer: None,
            request_id: None,
            detail: Some(partition),
        };
        audit_event::insert(&mut *tx, &event, now).await?;
    }
    tx.commit().await
}

/// This month's partition of the audit, and the next one's.
pub(crate) async fn ensure_partitions(app: &App) -> Result<(), StoreError> {
    let now = app.clock.shared_now();
    audit_event::ensure_month(app.pools.engine(), now).await?;
    audit_event::ensure_month(app.pools.engine(), now + chrono::Months::new(1)).await
}

/// At the start, where the wait for a lock is no reason not to start.
pub(crate) async fn ensure_partitions_or_log(app: &App) {
    if let Err(error) = ensure_partitions(app).await {
        log("audit partitions", &error);
    }
}

/// Woken by whoever wrote one, so that nothing waits that is due.
async fn revocations(app: &Arc<App>) {
    loop {
        tokio::select! {
            () = app.wake_revocations.notified() => {}
            () = sleep(QUEUES) => {}
        }
        if app.is_stopping() {
            return;
        }
        while matches!(
            guarded(app, "revocations", &async |app: &Arc<App>| revoke::revoke_due(app).await).await,
            Some(1..)
        ) {}
    }
}

/// Woken by whoever deletes a tenant.
async fn deletions(app: &Arc<App>) {
    loop {
        tokio::select! {
            () = app.wake_deletions.notified() => {}
            () = app.stopping() => return,
            () = sleep(QUEUES) => {}
        }
        while !app.is_stopping() && matches!(guarded(app, "deletions", &delete::go_on).await, Some(1..)) {}
    }
}

/// Woken by each refresh that has ended, because its place is free again. Where Zoho answers at once, what is due goes no
/// faster than this: it has minutes, and callers want the processor now.
async fn refreshes(app: &Arc<App>) {
    loop {
        tokio::select! {
            () = app.wake_refreshes.notified() => {}
            () = sleep(QUEUES) => {}
        }
        if app.is_stopping() {
            return;
        }
        let begun = guarded(app, "refreshes", &refresh::due::refresh_due).await.unwrap_or_default();
        tokio::select! {
            () = sleep(refresh::due::PACE * u32::try_from(begun).unwrap_or_default()) => {}
            () = app.stopping() => {}
        }
    }
}

/// Goes on while requests are answered, also when the program stops: a kill loses half a second.
async fn usage_to_the_end(app: &Arc<App>) {
    while !app.drained.is_cancelled() {
        guarded(app, "usage", &async |app: &Arc<App>| usage::write(app).await).await;
        guarded(app, "health", &async |app: &Arc<App>| refresh::health::write(app).await).await;
        tokio::select! {
            () = sleep(USAGE) => {}
            () = app.drained.cancelled() => {}
        }
    }
}

/// Woken by each try that has ended, and by whoever wants something sent at once.
async fn deliveries(app: &Arc<App>) {
    loop {
        tokio::select! {
            () = app.wake_webhooks.notified() => {}
            () = sleep(QUEUES) => {}
        }
        if app.is_stopping() {
            return;
        }
        guarded(app, "deliveries", &deliver::deliver_due).await;
    }
}

/// Tokens in memory are old after half a second, and gone after another.
async fn forget_tokens(app: &App) {
    while !app.is_stopping() {
        app.tokens.forget_old();
        sleep(access_token::known::FRESH).await;
    }
}

async fn every<T, F>(app: &Arc<App>, pause: Duration, what: &'static str, step: F)
where
    F: AsyncFn(&Arc<App>) -> Result<T, StoreError>,
{
    while !app.is_stopping() {
        guarded(app, what, &step).await;
        tokio::select! {
            () = sleep(pause) => {}
            () = app.stopping() => {}
        }
    }
}

/// Of what ends by shared time, which may be far ahead where an installation is restored, and may be set back.
async fn by_shared_time<T, F>(app: &Arc<App>, pause: TimeDelta, what: &'static str, step: F)
where
    F: AsyncFn(&Arc<App>) -> Result<T, StoreError>,
{
    let mut due = DateTime::<Utc>::MIN_UTC;
    while !app.is_stopping() {
        let now = app.clock.shared_now();
        if now >= due || due > now + pause {
            let done = guarded(app, what, &step).await;
            due = now + if done.is_some() { pause } else { pause.min(AGAIN) };
        }
        tokio::select! {
            () = sleep(QUEUES) => {}
            () = app.stopping() => {}
        }
    }
}

/// One step, whose failure or panic is logged and ends nothing but the step.
async fn guarded<T, F>(app: &Arc<App>, what: &'static str, step: &F) -> Option<T>
where
    F: AsyncFn(&Arc<App>) -> Result<T, StoreError>,
{
    // Said once, by the probe; trying would only add to what a database has to bear that comes back.
    if !app.readiness.database_answers() {
        return None;
    }
    match AssertUnwindSafe(step(app)).catch_unwind().await {
        Ok(Ok(done)) => Some(done),
        Ok(Err(error)) => {
            log(what, &error);
            None
        }
        Err(_panic) => {
            tracing::error!(queue = what, "background work panicked; it goes on with the next step");
            None
        }
    }
}

fn log(what: &'static str, error: &StoreError) {
    tracing::warn!(error = chain(error), queue = what, "background work waits for the database");
}
