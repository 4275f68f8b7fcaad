//! The history of the store, followed from a revision on.

use std::time::Duration;

use atoll_store::{Change, Error, ObjectKey, Revision, Store};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::error::chain;

/// Changes that are read at a time, if they are not large.
const BATCH: usize = 500;
/// The wake-up is a courtesy; the history is looked at this often in any case.
const POLL: Duration = Duration::from_secs(5);
const RETRY: Duration = Duration::from_secs(1);

/// What the history tells.
#[derive(Debug)]
pub(crate) enum News<T> {
    /// These changes, in order.
    Changes(Vec<T>),
    /// History was compacted before it was read: everything has to be looked at.
    Lost,
}

/// A reader of history. It may be dropped while it waits, and goes on from where it was.
pub(crate) struct Feed {
    store: Store,
    from: Revision,
    revisions: watch::Receiver<Revision>,
}

impl Feed {
    /// Everything after `from`.
    pub(crate) fn new(store: &Store, from: Revision) -> Self {
        Self {
            store: store.clone(),
            from,
            revisions: store.revisions(),
        }
    }

    /// Waits until something has happened. A database that does not answer is asked again.
    pub(crate) async fn next(&mut self) -> News<Change> {
        let read = async |store: &Store, from| {
            let read = store.changes(from, BATCH).await?;
            Ok((read.changes, read.through))
        };
        self.wait(read).await
    }

    /// The same for whoever need not know what was changed.
    pub(crate) async fn next_keys(&mut self) -> News<ObjectKey> {
        self.wait(async |store: &Store, from| store.changed(from, BATCH).await)
            .await
    }

    async fn wait<T>(&mut self, read: impl AsyncFn(&Store, Revision) -> Result<(Vec<T>, Revision), Error>) -> News<T> {
        loop {
            self.revisions.mark_unchanged();
            match read(&self.store, self.from).await {
                Ok((changes, through)) => {
                    self.from = through;
                    if !changes.is_empty() {
                        return News::Changes(changes);
                    }
                    if timeout(POLL, self.revisions.changed())
                        .await
                        .is_ok_and(|moved| moved.is_err())
                    {
                        // The store is closing: nothing comes any more.
                        return std::future::pending().await;
                    }
                }
                Err(Error::Expired { .. }) => return News::Lost,
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "the history of the hub's objects cannot be read");
                    sleep(RETRY).await;
                }
            }
        }
    }
}
