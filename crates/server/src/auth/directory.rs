//! Whether a session or a token is still good, looked up in memory.
//!
//! A signature says that a session was ours; whether it has ended since is kept here. Whatever was read from the
//! database is good for as long as the counter `access` stands still: it moves with every change of users, sessions
//! and tokens on any replica. A miss reads the database once. When the database has not answered for five seconds,
//! nothing is known to be good any more, and the answer is 503 rather than yesterday's.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use atoll_store::Store;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::error::{Error, Result};

/// How often the database is asked whether it is there.
const POLL: Duration = Duration::from_secs(2);
/// How long what is in memory is believed without an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most sessions and tokens that are remembered; more are read again.
const MAX_ENTRIES: usize = 16_384;
/// Most reads at once, so that made-up tokens cannot take every connection of the database.
const READS: usize = 3;
/// How exact the last use of a token is.
const USE_RESOLUTION: SignedDuration = SignedDuration::from_secs(60);

/// A person who may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Name, unique.
    pub name: String,
    /// Name for people.
    pub display_name: String,
    /// Whether everything is allowed.
    pub admin: bool,
}

/// A session that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSession {
    /// Whose it is.
    pub person: Person,
    /// SHA-256 of the key that pages send beside the cookie.
    pub key_hash: Vec<u8>,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// A token that has not been revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveToken {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub person: Person,
    /// When it ends by itself; `None` for never.
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Session(Uuid),
    Token([u8; 32]),
}

#[derive(Debug, Clone)]
enum Found {
    Session(LiveSession),
    Token(LiveToken),
    Nothing,
}

struct Entry {
    /// The counter before the database was read: what was read is at least as new.
    access: i64,
    found: Found,
}

/// The sessions and tokens of people who were here lately.
pub struct Directory {
    store: Store,
    access: watch::Receiver<i64>,
    entries: Mutex<HashMap<Key, Entry>>,
    uses: Mutex<HashMap<Uuid, Timestamp>>,
    reads: Semaphore,
    began: Instant,
    /// Milliseconds from `began` to the last answer of the database.
    answered: AtomicU64,
}

impl Directory {
    /// A directory over `store`, which has just answered.
    pub fn new(store: Store) -> Self {
        Self {
            access: store.access(),
            store,
            entries: Mutex::default(),
            uses: Mutex::default(),
            reads: Semaphore::new(READS),
            began: Instant::now(),
            answered: AtomicU64::new(0),
        }
    }

    /// Asks the database whether it is there, again and again, until `shutdown`.
    pub async fn follow(&self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(POLL) => {}
            }
            if let Ok(Ok(())) = tokio::time::timeout(PATIENCE, self.store.ping()).await {
                self.note_answer();
            }
        }
    }

    fn note_answer(&self) {
        let milliseconds = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.answered.fetch_max(milliseconds, Ordering::Relaxed);
    }

    /// Whether the database has answered lately.
    pub fn is_current(&self) -> bool {
        let answered = Duration::from_millis(self.answered.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(answered) <= PATIENCE
    }

    /// Moves when a session or token may have ended.
    pub fn changes(&self) -> watch::Receiver<i64> {
        self.access.clone()
    }

    /// The session with this id, unless it has ended.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn session(&self, id: Uuid, now: Timestamp) -> Result<Option<LiveSession>> {
        match self.find(Key::Session(id)).await? {
            Found::Session(session) if session.expires_at > now => Ok(Some(session)),
            Found::Session(_) | Found::Token(_) | Found::Nothing => Ok(None),
        }
    }

    /// The token with this hash, unless it has been revoked or has ended.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn token(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<LiveToken>> {
        match self.find(Key::Token(hash)).await? {
            Found::Token(token) if token.expires_at.is_none_or(|end| end > now) => Ok(Some(token)),
            Found::Session(_) | Found::Token(_) | Found::Nothing => Ok(None),
        }
    }

    /// Whether the use of a token at `now` is to be noted: once a minute is enough.
    pub fn use_is_news(&self, id: Uuid, now: Timestamp) -> bool {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.len() >= MAX_ENTRIES {
            uses.retain(|_, at| now.duration_since(*at) < USE_RESOLUTION);
        }
        let news = uses.get(&id).is_none_or(|at| now.duration_since(*at) >= USE_RESOLUTION);
        if news {
            uses.insert(id, now);
        }
        news
    }

    async fn find(&self, key: Key) -> Result<Found> {
        if !self.is_current() {
            return Err(Error::unavailable(
                "the database does not answer, so nobody's sign-in can be checked",
                5,
            ));
        }
        if let Some(found) = self.remembered(&key) {
            return Ok(found);
        }
        let permit = tokio::time::timeout(PATIENCE, self.reads.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            return Err(Error::unavailable("too many sign-ins are being checked", 1));
        };
        // Somebody else may have read it while this call waited.
        if let Some(found) = self.remembered(&key) {
            return Ok(found);
        }
        let access = *self.access.borrow();
        let found = self.read(&key).await?;
        self.note_answer();
        self.remember(key, access, found.clone());
        Ok(found)
    }

    fn remembered(&self, key: &Key) -> Option<Found> {
        let access = *self.access.borrow();
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(key)?;
        (entry.access == access).then(|| entry.found.clone())
    }

    fn remember(&self, key: Key, access: i64, found: Found) {
        let current = *self.access.borrow();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MAX_ENTRIES {
            // Old news and made-up tokens first; a full table of good ones starts over.
            entries.retain(|_, entry| entry.access == current && !matches!(entry.found, Found::Nothing));
            if entries.len() >= MAX_ENTRIES {
                entries.clear();
            }
        }
        entries.insert(key, Entry { access, found });
    }

    async fn read(&self, key: &Key) -> Result<Found> {
        match key {
            Key::Session(id) => {
                let Some(session) = self.store.session(*id).await? else {
                    return Ok(Found::Nothing);
                };
                let Some(person) = self.person(&session.user_name).await? else {
                    return Ok(Found::Nothing);
                };
                Ok(Found::Session(LiveSession {
                    person,
                    key_hash: session.key_hash,
                    expires_at: session.expires_at,
                }))
            }
            Key::Token(hash) => {
                let Some(token) = self.store.token_by_hash(hash).await? else {
                    return Ok(Found::Nothing);
                };
                let Some(person) = self.person(&token.user_name).await? else {
                    return Ok(Found::Nothing);
                };
                Ok(Found::Token(LiveToken {
                    id: token.id,
                    person,
                    expires_at: token.expires_at,
                }))
            }
        }
    }

    async fn person(&self, name: &str) -> Result<Option<Person>> {
        let user = self.store.user(name).await?.filter(|user| !user.disabled);
        Ok(user.map(|user| Person {
            name: user.name,
            display_name: user.display_name,
            admin: user.admin,
        }))
    }
}
