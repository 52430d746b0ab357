//! What is known of connections: read many at once, and remembered for half a second.
//!
//! - Callers who ask while others are asking are served by one statement together.
//! - A token, with the status that allowed it, stays in memory for half a second counted from before
//!   the read: a disconnect holds everywhere within one (security.md 4.4). Who does not believe it
//!   reads anew. What leads to a refusal is not remembered.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

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
        tx::Connection,
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
/// How long a statement may take that reads by primary key.
const PATIENCE: Duration = Duration::from_secs(2);
/// Statements under way at once. One as a rule, so that those who come meanwhile are read together; another
/// where it takes long, or many wait: Postgres then reads while what it read before is opened.
const READERS: usize = 2;
const MANY: usize = 8;
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

#[derive(Debug, Default)]
pub(crate) struct KnownTokens {
    remembered: Mutex<HashMap<ConnectionId, Arc<Known>>>,
    queue: Mutex<Queue>,
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
        self.readers == 0 || (self.readers < READERS && (is_long || self.waiting.len() > MANY))
    }
}

impl KnownTokens {
    /// What was read within half a second.
    pub(super) fn remembered(&self, connection_id: ConnectionId) -> Option<Arc<Known>> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.get(&connection_id).filter(|known| known.is_fresh()).cloned()
    }

    /// Reads it anew, together with whatever else is asked for.
    pub(super) async fn read(&self, app: &Arc<App>, connection_id: ConnectionId) -> Answer {
        let (answer, told) = oneshot::channel();
        {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.waiting.push((connection_id, answer));
            if queue.wants_a_reader() {
                queue.readers += 1;
                queue.began = Some(Instant::now());
                let app = Arc::clone(app);
                drop(app.clone().spawn(async move { read_until_nobody_waits(&app).await }));
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

    fn remember(&self, known: &Arc<Known>) {
        if known.row.status != Status::Active || known.row.is_suspended || !matches!(known.access_token, Some(Ok(_))) {
            return;
        }
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() < MOST || remembered.contains_key(&known.row.connection_id) {
            remembered.insert(known.row.connection_id, Arc::clone(known));
        }
    }

    /// The next batch, or the reader's leave.
    fn take(&self) -> Option<Vec<(ConnectionId, oneshot::Sender<Answer>)>> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.waiting.is_empty() {
            queue.readers -= 1;
            return None;
        }
        queue.began = Some(Instant::now());
        let size = queue.waiting.len().min(BATCH);
        Some(queue.waiting.drain(..size).collect())
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

async fn read_until_nobody_waits(app: &Arc<App>) {
    let mut held = None;
    while let Some(waiting) = app.tokens.take() {
        let mut ids: Vec<_> = waiting.iter().map(|(connection_id, _)| *connection_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let read_at = Instant::now();
        match read(app, &mut held, &ids).await {
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
async fn read(app: &App, held: &mut Option<Connection>, ids: &[ConnectionId]) -> Result<Vec<VendedRow>, StoreError> {
    match read_once(app, held, ids).await {
        Err(error) if error.lost_its_connection() => read_once(app, held, ids).await,
        answer => answer,
    }
}

/// The connection is kept for the next batch; to give it back is a round trip of its own.
async fn read_once(
    app: &App,
    held: &mut Option<Connection>,
    ids: &[ConnectionId],
) -> Result<Vec<VendedRow>, StoreError> {
    let mut connection = match held.take() {
        Some(connection) => connection,
        None => app.pools.acquire_to_read().await?,
    };
    let rows = list_vended(&mut connection, ids).await?;
    *held = Some(connection);
    Ok(rows)
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
