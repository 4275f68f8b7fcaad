//! The history of the store, followed from a revision on.

use std::time::Duration;

use atoll_store::{Change, Error, Revision, Store};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::error::chain;

/// Changes that are read at a time.
const BATCH: usize = 500;
/// The wake-up is a courtesy; the history is looked at this often in any case.
const POLL: Duration = Duration::from_secs(5);
const RETRY: Duration = Duration::from_secs(1);

/// What the history tells.
#[derive(Debug)]
pub(crate) enum News {
    /// These changes, in order.
    Changes(Vec<Change>),
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
    pub(crate) async fn next(&mut self) -> News {
        loop {
            self.revisions.mark_unchanged();
            match self.store.changes(self.from, BATCH).await {
                Ok(read) => {
                    self.from = read.through;
                    if !read.changes.is_empty() {
                        return News::Changes(read.changes);
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
