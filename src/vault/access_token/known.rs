//! What is known of connections: read many at once, and remembered for half a second.
//!
//! - Callers who ask while others are asking are served by one statement together. They are read for on the thread that
//!   serves them: to wake another for each of them costs more than the read.
//! - A token, with the status that allowed it, stays in memory for half a second counted from before
//!   the read: a disconnect holds everywhere within one (security.md 4.4). Who does not believe it
//!   reads anew. What leads to a refusal is not remembered.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    app::App,
    domain::{
        connection::{Health, Status},
        ids::{ConnectionId, TenantId},
        secret::AccessToken,
    },
    store::{
        StoreError,
        connection::{
            stored_token::{find_refresh_token, update_readable},
            vended::{VendedRow, list_vended},
        },
    },
    telemetry::chain,
    vault::{
        deposit::{ACCESS_TOKEN, REFRESH_TOKEN},
        seal::{KeyRing, OpenError, Place},
    },
};

/// How long what was read counts.
pub(crate) const FRESH: Duration = Duration::from_millis(500);
/// Connections remembered at once; what is beyond is read each time.
const MOST: usize = 20_000;
/// Connections of which it is known that they were asked for.
const ASKED: u64 = 4096;
/// How long a statement may take that reads by primary key.
const PATIENCE: Duration = Duration::from_secs(2);
/// Queues of callers; each thread has one, and shares it where there are many threads.
const QUEUES: usize = 2;
/// Statements under way at once for a queue. One as a rule, so that those who come meanwhile are read together; another
/// where it takes long.
const READERS: usize = 2;
const LONG: Duration = Duration::from_millis(20);
/// How many connections a statement asks for.
const BATCH: usize = 256;

/// A connection as it was read, its token opened.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) row: VendedRow,
    /// Absent where none is stored.
    pub(crate) access_token: Option<Result<AccessToken, OpenError>>,
    read_at: Instant,
}

/// The database did not answer; it was said in the log.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the database did not answer")]
pub(crate) struct NotRead;

type Answer = Result<Option<Arc<Known>>, NotRead>;

#[derive(Debug)]
pub(crate) struct KnownTokens {
    remembered: Mutex<HashMap<ConnectionId, Arc<Known>>>,
    /// Which were asked for lately, as far as there is room. What is asked for once is not remembered.
    asked: Vec<AtomicU64>,
    queues: [Mutex<Queue>; QUEUES],
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<(ConnectionId, oneshot::Sender<Answer>)>,
    readers: usize,
    /// When the last statement began.
    began: Option<Instant>,
}

impl Queue {
    fn wants_a_reader(&self) -> bool {
        let is_long = self.began.is_some_and(|began| began.elapsed() > LONG);
        self.readers == 0 || (self.readers < READERS && is_long)
    }
}

/// The place in `queues` of the thread's own.
fn queue_of_thread() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static NUMBER: usize = THREADS.fetch_add(1, Ordering::Relaxed));
    NUMBER.with(|number| number % QUEUES)
}

/// Who reads for a queue. Also one that ends early makes room for another.
struct Reader {
    app: Arc<App>,
    place: usize,
    has_left: bool,
}

impl Reader {
    /// The next batch, or the reader's leave.
    fn take(&mut self) -> Option<Vec<(ConnectionId, oneshot::Sender<Answer>)>> {
        let mut queue = self.app.tokens.queue(self.place);
        if queue.waiting.is_empty() {
            queue.readers -= 1;
            drop(queue);
            self.has_left = true;
            return None;
        }
        queue.began = Some(Instant::now());
        let size = queue.waiting.len().min(BATCH);
        Some(queue.waiting.drain(..size).collect())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if !self.has_left {
            self.app.tokens.queue(self.place).readers -= 1;
        }
    }
}

impl Default for KnownTokens {
    fn default() -> Self {
        let asked = (0..ASKED).map(|_| AtomicU64::new(0)).collect();
        Self { remembered: Mutex::default(), asked, queues: Default::default() }
    }
}

impl KnownTokens {
    fn queue(&self, place: usize) -> MutexGuard<'_, Queue> {
        self.queues[place].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was read within half a second.
    pub(super) fn remembered(&self, connection_id: ConnectionId) -> Option<Arc<Known>> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.get(&connection_id).filter(|known| known.is_fresh()).cloned()
    }

    /// Reads it anew, together with whatever else is asked for.
    pub(super) async fn read(&self, app: &Arc<App>, connection_id: ConnectionId) -> Answer {
        let (answer, told) = oneshot::channel();
        let place = queue_of_thread();
        {
            let mut queue = self.queue(place);
            queue.waiting.push((connection_id, answer));
            if queue.wants_a_reader() {
                queue.readers += 1;
                queue.began = Some(Instant::now());
                let reader = Reader { app: Arc::clone(app), place, has_left: false };
                drop(tokio::spawn(read_until_nobody_waits(reader)));
            }
        }
        tokio::time::timeout(PATIENCE * 2, told).await.ok().and_then(Result::ok).unwrap_or(Err(NotRead))
    }

    /// For a connection that was just changed here; the other replicas find out within half a second.
    pub(crate) fn forget(&self, connection_id: ConnectionId) {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).remove(&connection_id);
    }

    /// Drops what is old, and with it the tokens.
    pub(crate) fn forget_old(&self) {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, known| known.is_fresh());
    }

    /// Two that share a place forget each other, and are read once more.
    fn is_asked_again(&self, connection_id: ConnectionId) -> bool {
        // The end of an id is random.
        let (_, end) = Uuid::from(connection_id).as_u64_pair();
        let place = usize::try_from(end % ASKED).unwrap_or_default();
        self.asked[place].swap(end, Ordering::Relaxed) == end
    }

    fn remember(&self, known: &Arc<Known>) {
        if known.row.status != Status::Active || known.row.is_suspended || !matches!(known.access_token, Some(Ok(_))) {
            return;
        }
        if !self.is_asked_again(known.row.connection_id) {
            return;
        }
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() < MOST || remembered.contains_key(&known.row.connection_id) {
            remembered.insert(known.row.connection_id, Arc::clone(known));
        }
    }
}

impl Known {
    fn is_fresh(&self) -> bool {
        self.read_at.elapsed() < FRESH
    }

    fn open(row: VendedRow, keys: &KeyRing, read_at: Instant) -> Self {
        let place = Place::column(ACCESS_TOKEN, row.tenant_id, row.connection_id);
        let access_token = row
            .access_token_sealed
            .as_ref()
            .map(|sealed| keys.open_text(&place, sealed).map(|token| AccessToken::new(token.as_str())));
        Self { row, access_token, read_at }
    }
}

async fn read_until_nobody_waits(mut reader: Reader) {
    let app = &Arc::clone(&reader.app);
    loop {
        // Whoever was just answered may ask again, and is read with those who wait.
        tokio::task::yield_now().await;
        let Some(waiting) = reader.take() else { return };
        let mut ids: Vec<_> = waiting.iter().map(|(connection_id, _)| *connection_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let read_at = Instant::now();
        match read(app, &ids).await {
            Ok(rows) => {
                let opened = rows.into_iter().map(|row| Arc::new(Known::open(row, &app.keys, read_at)));
                let opened: HashMap<_, _> = opened.map(|known| (known.row.connection_id, known)).collect();
                for known in opened.values() {
                    app.tokens.remember(known);
                    note_readable(app, known);
                }
                for (connection_id, answer) in waiting {
                    // Who has left does not mind.
                    let _ = answer.send(Ok(opened.get(&connection_id).cloned()));
                }
            }
            Err(error) => {
                tracing::warn!(error = chain(&error), "tokens cannot be read");
                for (_, answer) in waiting {
                    let _ = answer.send(Err(NotRead));
                }
            }
        }
    }
}

/// A connection of the pool that was closed under us is no reason to fail: reading twice does no harm.
async fn read(app: &App, ids: &[ConnectionId]) -> Result<Vec<VendedRow>, StoreError> {
    match read_once(app, ids).await {
        Err(error) if error.lost_its_connection() => read_once(app, ids).await,
        answer => answer,
    }
}

async fn read_once(app: &App, ids: &[ConnectionId]) -> Result<Vec<VendedRow>, StoreError> {
    list_vended(&mut app.pools.acquire_to_read().await?, ids).await
}

/// A token that does not open is an alarm, and the connection says so until both its tokens open again.
fn note_readable(app: &Arc<App>, known: &Known) {
    let row = &known.row;
    let key = (row.tenant_id, row.connection_id);
    let readable = match &known.access_token {
        Some(Err(_)) if row.status == Status::Active && row.health != Health::Unreadable => false,
        Some(Ok(_)) if row.health == Health::Unreadable => true,
        _ => return,
    };
    if !readable {
        tracing::error!(connection.id = %row.connection_id, "an access token does not open: its key is missing, or its row was altered");
        metrics::counter!("unreadable_tokens_total").increment(1);
    }
    let app = Arc::clone(app);
    drop(app.clone().spawn(async move {
        if let Err(error) = write_readable(&app, key, readable).await {
            tracing::warn!(error = chain(&error), "whether a token opens is not written");
        }
    }));
}

async fn write_readable(app: &App, key: (TenantId, ConnectionId), readable: bool) -> Result<(), StoreError> {
    if readable {
        let sealed = find_refresh_token(app.pools.engine(), key).await?;
        let place = Place::column(REFRESH_TOKEN, key.0, key.1);
        if sealed.is_none_or(|sealed| app.keys.open(&place, &sealed).is_err()) {
            return Ok(());
        }
    }
    update_readable(app.pools.engine(), key, readable).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_once_is_not_remembered() {
        let tokens = KnownTokens::default();
        // Of the same place, which their last bits tell.
        let [one, other] = [1, 2].map(|high| ConnectionId::from(Uuid::from_u64_pair(0, (high << 32) | 5)));
        let asked = [one, one, other, one, one].map(|connection_id| tokens.is_asked_again(connection_id));
        assert_eq!(asked, [false, true, false, false, true]);
    }
}
