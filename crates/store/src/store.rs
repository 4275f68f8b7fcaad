//! The handle that everything else in this crate extends.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::backend::{DatabaseUrl, Pool, Wakeups};
use crate::error::Result;
use crate::queue::{self, Request};
use crate::seal::Keys;
use crate::writer::{self, Transaction, Written};
use crate::{
    Revision, changes, clusters, installation, leases, migrate, objects, propagations, sessions, tokens, users,
};

/// Every statement of this crate but those without parameters; a test prepares them all on both databases.
pub const STATEMENTS: [&[&str]; 9] = [
    &[
        objects::FIND,
        objects::LIST,
        objects::IN_NAMESPACE,
        objects::NAMES_OF_GROUP,
        objects::NAMES_IN_NAMESPACE,
        objects::PAGE,
        objects::SURPLUS,
        changes::SIZES,
        changes::STRETCH,
        changes::NAMES,
        changes::HISTORY,
        changes::HISTORY_SIZES,
        changes::COUNTER,
        changes::OLDEST_KEPT,
        changes::MARK_COMPACTED,
        changes::COMPACT,
    ],
    &writer::STATEMENTS,
    &clusters::STATEMENTS,
    &propagations::STATEMENTS,
    &users::STATEMENTS,
    &sessions::STATEMENTS,
    &tokens::STATEMENTS,
    &leases::STATEMENTS,
    &installation::STATEMENTS,
];

/// The hub's data. Clones share one set of connections.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    queue: mpsc::Sender<Request>,
    revisions: watch::Receiver<Revision>,
    access: watch::Sender<i64>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

pub(crate) struct Inner {
    pub(crate) pool: Pool,
    pub(crate) keys: Keys,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Store")
    }
}

impl Store {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// When the database cannot be reached, or was made by a newer version.
    pub async fn open(url: &DatabaseUrl, keys: Keys) -> Result<Self> {
        let pool = Pool::open(url).await?;
        migrate::run(&mut pool.writer().await?).await?;
        let inner = Arc::new(Inner { pool, keys });
        let (queue, requests) = mpsc::channel(queue::ROOM);
        let (wake, revisions) = watch::channel(Revision::default());
        let store = Self {
            inner: inner.clone(),
            queue,
            revisions,
            access: watch::Sender::new(0),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        wake.send_replace(store.revision().await?);
        store.access.send_replace(store.counter("access").await?);
        let other = OtherReplicas {
            inner: inner.clone(),
            wake: wake.clone(),
            access: store.access.clone(),
        };
        let stop = store.stop.clone();
        store.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = other.follow() => {}
            }
        });
        store.tasks.spawn(writer::run(inner, requests, wake));
        store.tasks.close();
        Ok(store)
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    pub(crate) fn queue(&self) -> &mpsc::Sender<Request> {
        &self.queue
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    /// Writes objects and clusters together or not at all, with one revision; returns once it is on disk.
    ///
    /// # Errors
    /// Conflicts and the like leave everything as it was.
    pub async fn write(&self, transaction: Transaction) -> Result<Written> {
        writer::submit(&self.queue, transaction).await
    }

    /// Moves when something has been committed, here or by another replica. It carries the newest revision known, but
    /// is only a wake-up: read [`Store::changes`] for what happened.
    pub fn revisions(&self) -> watch::Receiver<Revision> {
        self.revisions.clone()
    }

    /// Moves when users, sessions or tokens have changed.
    pub fn access(&self) -> watch::Receiver<i64> {
        self.access.subscribe()
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<()> {
        self.counter("access").await.map(drop)
    }

    pub(crate) fn access_moved(&self) {
        self.access.send_modify(|value| *value += 1);
    }

    /// Ends the store's tasks and closes its connections; writes that wait are finished first.
    pub async fn close(self) {
        let Self {
            inner,
            queue,
            tasks,
            stop,
            ..
        } = self;
        drop(queue);
        stop.cancel();
        // The writer ends when the last clone of the store is gone.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(5), tasks.wait()).await;
        inner.pool.close().await;
    }
}

/// Learns of what other replicas commit.
struct OtherReplicas {
    inner: Arc<Inner>,
    wake: watch::Sender<Revision>,
    access: watch::Sender<i64>,
}

impl OtherReplicas {
    async fn follow(self) {
        let mut wakeups = Wakeups::new(&self.inner.pool);
        let mut access = None;
        loop {
            wakeups.next().await;
            if let Ok(revision) = self.counter("revision").await {
                self.wake.send_if_modified(|seen| {
                    let moved = Revision(revision) > *seen;
                    *seen = Revision(revision).max(*seen);
                    moved
                });
            }
            if let Ok(value) = self.counter("access").await
                && access.replace(value) != Some(value)
            {
                self.access.send_modify(|seen| *seen += 1);
            }
        }
    }

    async fn counter(&self, name: &'static str) -> sqlx::Result<i64> {
        match &self.inner.pool {
            Pool::Sqlite { read, .. } => sqlx::query_scalar(changes::COUNTER).bind(name).fetch_one(read).await,
            Pool::Postgres(pool) => sqlx::query_scalar(changes::COUNTER).bind(name).fetch_one(pool).await,
        }
    }
}
