//! Watches over the store's history: woken by each commit, here or on another replica, and read from the database, so
//! that nothing is missed and nothing is repeated.

use std::time::Duration;

use atoll_kubeapi::{Resource, Status, WatchEvent, WatchStream};
use atoll_store::{Change, ChangeKind, Revision, Store};
use futures::{StreamExt, stream};
use tokio::sync::watch;

use super::backend::shown;

/// Changes that are read at once.
const PAGE: usize = 500;
/// How often and how long a database that does not answer is waited for before the watch ends.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(20);

/// Changes of a resource after `from`.
///
/// # Errors
/// 410 when that history is gone, or when `from` is no revision of this store.
pub(super) async fn follow(
    store: Store,
    resource: &Resource,
    namespace: Option<&str>,
    from: u64,
) -> Result<WatchStream, Status> {
    let current = store.revision().await.map_err(crate::Error::from)?;
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    if from > current.0 {
        return Err(Status::expired(u64::try_from(current.0).unwrap_or_default()));
    }
    let mut following = Following {
        wake: store.revisions(),
        store,
        group: resource.group.clone(),
        resource: resource.plural.clone(),
        namespace: namespace.map(str::to_owned),
        at: Revision(from),
    };
    // The first reading tells whether the history is still there, while an answer can still be 410.
    let first = following.read().await.map_err(crate::Error::from)?;
    let later = stream::unfold(Some(following), |following| async move {
        let mut following = following?;
        Some(match following.next().await {
            Ok(events) => (events.into_iter().map(Ok).collect::<Vec<_>>(), Some(following)),
            Err(error) => (vec![Err(crate::Error::from(error).into())], None),
        })
    });
    let first = stream::iter(first.into_iter().map(Ok));
    Ok(first.chain(later.flat_map(stream::iter)).boxed())
}

/// A watch under way.
struct Following {
    store: Store,
    wake: watch::Receiver<Revision>,
    group: String,
    resource: String,
    namespace: Option<String>,
    at: Revision,
}

impl Following {
    /// What happened, once something has.
    async fn next(&mut self) -> Result<Vec<WatchEvent>, atoll_store::Error> {
        let mut failures = 0;
        loop {
            // Seen before reading, so that what commits meanwhile wakes again.
            let newest = *self.wake.borrow_and_update();
            if self.at >= newest && self.wake.changed().await.is_err() {
                return Err(atoll_store::Error::Closed);
            }
            match self.read().await {
                Ok(events) if events.is_empty() => {
                    failures = 0;
                    // Woken by a revision that cannot be read yet.
                    tokio::time::sleep(MOMENT).await;
                }
                Err(error) if error.is_transient() && failures < TRIES => {
                    failures += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// The next page of changes, and a bookmark for what concerned others.
    async fn read(&mut self) -> Result<Vec<WatchEvent>, atoll_store::Error> {
        let page = self.store.changes(self.at, PAGE).await?;
        let ours = page.changes.into_iter().filter(|change| {
            change.key.group == self.group
                && change.key.resource == self.resource
                && self
                    .namespace
                    .as_ref()
                    .is_none_or(|namespace| *namespace == change.key.namespace)
        });
        let mut events: Vec<WatchEvent> = ours.filter_map(event).collect();
        if page.through > self.at {
            self.at = page.through;
            let revision = u64::try_from(page.through.0).unwrap_or_default();
            events.push(WatchEvent::Bookmark { revision });
        }
        Ok(events)
    }
}

/// A change as watchers see it.
fn event(change: Change) -> Option<WatchEvent> {
    let Change {
        revision,
        kind,
        key,
        before,
        after,
    } = change;
    let as_shown = |body| shown(&key, body, revision);
    let (before, after) = (before.map(as_shown), after.map(as_shown));
    let revision = u64::try_from(revision.0).unwrap_or_default();
    Some(match kind {
        ChangeKind::Created => WatchEvent::Added {
            revision,
            object: after?,
        },
        ChangeKind::Updated => WatchEvent::Modified {
            revision,
            object: after?,
            previous: before?,
        },
        ChangeKind::Deleted => WatchEvent::Deleted {
            revision,
            object: before?,
        },
    })
}
