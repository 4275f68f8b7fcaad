//! Rows that are kept current while somebody looks, once for all connections.
//!
//! A feed reads its list once, then follows the store's history and the members' health. It publishes at most every
//! 100 ms, and a row that has not changed stays the same `Arc`: connections compare pointers, not text. A feed that
//! nobody looks at ends after a while.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atoll_federation::{TypeDescriptor, TypeTable};
use atoll_store::{Change, Revision, Store};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::watch;

use crate::api::clusters::{ClusterView, Stored, stored_cluster, stored_clusters};
use crate::api::federated::Federated;
use crate::app::create_federated::as_stored;
use crate::error::{Result, chain};
use crate::state::AppState;

/// Time in which changes are gathered before they are published.
const GATHER: Duration = Duration::from_millis(100);
/// How long a feed that nobody looks at goes on.
const LINGER: Duration = Duration::from_secs(10);
/// Wait after a reading that failed.
const RETRY: Duration = Duration::from_secs(2);
/// Changes that are read at once.
const CHANGES: usize = 500;

/// What a feed is of.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// Registered clusters.
    Clusters,
    /// Federated objects of a type.
    Federated(&'static TypeDescriptor),
}

impl Source {
    /// Reads a topic: `clusters` or `federated/deployments.apps`.
    pub fn parse(types: &TypeTable, topic: &str) -> Option<Self> {
        if topic == "clusters" {
            return Some(Self::Clusters);
        }
        let name = topic.strip_prefix("federated/")?;
        let found = types.federated().find(|served| served.row.name() == name);
        found.map(|served| Self::Federated(served.row))
    }

    fn key(self) -> String {
        match self {
            Self::Clusters => "clusters".to_owned(),
            Self::Federated(kind) => kind.name(),
        }
    }

    /// Whether a change is one of its rows.
    fn concerns(self, change: &Change) -> bool {
        let (group, resource) = (change.key.group.as_str(), change.key.resource.as_str());
        match self {
            Self::Clusters => {
                let key = Store::cluster_key("");
                (group, resource) == (key.group.as_str(), key.resource.as_str())
            }
            Self::Federated(kind) => {
                (group, resource) == (kind.federated.group.as_ref(), kind.federated.plural.as_ref())
            }
        }
    }
}

/// Rows at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// By key; a row that has not changed is the same as in the snapshot before.
    pub rows: BTreeMap<Arc<str>, Arc<RawValue>>,
    /// The hub's revision that the rows are as new as.
    pub revision: i64,
}

/// The newest snapshot; `None` until the first reading.
pub type Published = Option<Arc<Snapshot>>;

type Running = Arc<Mutex<HashMap<String, Arc<watch::Sender<Published>>>>>;

/// The feeds of this process, and who has how many streams open.
#[derive(Default)]
pub struct Feeds {
    running: Running,
    open: Arc<Mutex<HashMap<String, usize>>>,
}

/// A place among a person's open streams; given back when it is dropped.
pub struct Slot {
    open: Arc<Mutex<HashMap<String, usize>>>,
    user: String,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.user);
            }
        }
    }
}

impl Feeds {
    /// A place for one more stream of `user`, unless there are `most` already.
    pub fn open(&self, user: &str, most: usize) -> Option<Slot> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(user.to_owned()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Slot {
            open: Arc::clone(&self.open),
            user: user.to_owned(),
        })
    }

    /// Follows a source; its feed is started if nobody else does.
    pub fn subscribe(&self, state: &AppState, source: Source) -> watch::Receiver<Published> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = running.get(&source.key()) {
            return sender.subscribe();
        }
        let sender = Arc::new(watch::Sender::new(None));
        let receiver = sender.subscribe();
        running.insert(source.key(), Arc::clone(&sender));
        let feed = Feed {
            state: state.clone(),
            source,
            sender,
            clusters: BTreeMap::new(),
            shown: BTreeMap::new(),
            federated: BTreeMap::new(),
            through: None,
        };
        state.tasks.spawn(feed.run(Arc::clone(&self.running)));
        receiver
    }
}

struct Feed {
    state: AppState,
    source: Source,
    sender: Arc<watch::Sender<Published>>,
    clusters: BTreeMap<String, Stored>,
    shown: BTreeMap<Arc<str>, (ClusterView, Arc<RawValue>)>,
    federated: BTreeMap<Arc<str>, Arc<RawValue>>,
    /// The revision up to which history has been read; `None` to read everything anew.
    through: Option<Revision>,
}

impl Feed {
    async fn run(mut self, running: Running) {
        let state = self.state.clone();
        let mut revisions = state.store.revisions();
        let mut health = state.clusters.health();
        loop {
            revisions.mark_unchanged();
            health.mark_unchanged();
            let pause = match self.refresh().await {
                Ok(()) => GATHER,
                Err(error) => {
                    tracing::warn!(feed = self.source.key(), error = %chain(&error), "live rows cannot be read");
                    RETRY
                }
            };
            tokio::select! {
                () = state.tunnels.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            tokio::select! {
                () = state.tunnels.cancelled() => return,
                // Retry without a wake-up when the last reading failed.
                () = std::future::ready(()), if pause == RETRY => {}
                moved = revisions.changed() => if moved.is_err() { return },
                moved = health.changed(), if matches!(self.source, Source::Clusters) => if moved.is_err() { return },
                () = tokio::time::sleep(LINGER) => {}
            }
            if self.end_unless_watched(&running) {
                return;
            }
        }
    }

    /// Whether nobody looks any more; then the feed is taken out of the running ones, so that the next one who comes
    /// starts another.
    fn end_unless_watched(&self, running: &Running) -> bool {
        let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
        let over = self.sender.receiver_count() == 0;
        if over {
            running.remove(&self.source.key());
        }
        over
    }

    async fn refresh(&mut self) -> Result<()> {
        match self.through {
            None => self.read_all().await?,
            Some(from) => self.read_changes(from).await?,
        }
        let rows = match self.source {
            Source::Clusters => self.cluster_rows(),
            Source::Federated(_) => self.federated.clone(),
        };
        let revision = self.through.unwrap_or_default().0;
        self.sender.send_if_modified(|published| {
            let same = published.as_ref().is_some_and(|old| same_rows(&old.rows, &rows));
            if !same {
                *published = Some(Arc::new(Snapshot { rows, revision }));
            }
            !same
        });
        Ok(())
    }

    async fn read_all(&mut self) -> Result<()> {
        let store = &self.state.store;
        // The revision first: what is written in between is read again rather than missed.
        let revision = store.revision().await?;
        match self.source {
            Source::Clusters => {
                let stored = stored_clusters(store).await?;
                self.clusters = stored
                    .into_iter()
                    .map(|stored| (stored.object.key.name.clone(), stored))
                    .collect();
            }
            Source::Federated(kind) => {
                let listing = store
                    .objects(&kind.federated.group, &kind.federated.plural, None)
                    .await?;
                self.federated.clear();
                for object in &listing.objects {
                    let key = format!("{}/{}", object.key.namespace, object.key.name);
                    self.put_federated(&key, &Federated::new(kind, object));
                }
            }
        }
        self.through = Some(revision);
        Ok(())
    }

    async fn read_changes(&mut self, from: Revision) -> Result<()> {
        let mut from = from;
        let newest = *self.state.store.revisions().borrow();
        if from >= newest {
            return Ok(());
        }
        loop {
            let changes = match self.state.store.changes(from, CHANGES).await {
                Ok(changes) => changes,
                Err(atoll_store::Error::Expired { .. }) => return self.read_all().await,
                Err(error) => return Err(error.into()),
            };
            let source = self.source;
            for change in changes.changes.iter().filter(|change| source.concerns(change)) {
                self.apply(change).await?;
            }
            let stuck = changes.through == from;
            from = changes.through;
            self.through = Some(from);
            if stuck || from >= newest {
                return Ok(());
            }
        }
    }

    async fn apply(&mut self, change: &Change) -> Result<()> {
        match self.source {
            Source::Clusters => {
                let name = &change.key.name;
                match stored_cluster(&self.state.store, name).await? {
                    Some(stored) => self.clusters.insert(name.clone(), stored),
                    None => self.clusters.remove(name),
                };
            }
            Source::Federated(kind) => {
                let key = format!("{}/{}", change.key.namespace, change.key.name);
                match &change.after {
                    Some(body) => self.put_federated(&key, &Federated::new(kind, &as_stored(kind, body)?)),
                    None => {
                        self.federated.remove(key.as_str());
                    }
                }
            }
        }
        Ok(())
    }

    fn put_federated(&mut self, key: &str, row: &Federated) {
        let Some(text) = encode(row) else { return };
        let same = self.federated.get(key).is_some_and(|old| old.get() == text.get());
        if !same {
            self.federated.insert(Arc::from(key), Arc::from(text));
        }
    }

    /// Rows of clusters follow the members' health, which no revision counts, so they are looked at each time. When
    /// only the time of the last probe has moved, a row is left as it is for a while: that is no news.
    fn cluster_rows(&mut self) -> BTreeMap<Arc<str>, Arc<RawValue>> {
        let members = self.state.clusters.members();
        let mut shown = BTreeMap::new();
        for (name, stored) in &self.clusters {
            let view = ClusterView::new(stored, members.get(name));
            let old = self.shown.remove(name.as_str());
            let row = match old {
                Some((old, row)) if !old.is_news(&view) => (old, row),
                _ => match encode(&view) {
                    Some(text) => (view, Arc::from(text)),
                    None => continue,
                },
            };
            shown.insert(Arc::from(name.as_str()), row);
        }
        self.shown = shown;
        self.shown
            .iter()
            .map(|(key, (_, row))| (Arc::clone(key), Arc::clone(row)))
            .collect()
    }
}

fn encode(row: &impl Serialize) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(row).ok()
}

fn same_rows(old: &BTreeMap<Arc<str>, Arc<RawValue>>, new: &BTreeMap<Arc<str>, Arc<RawValue>>) -> bool {
    old.len() == new.len()
        && old
            .iter()
            .zip(new)
            .all(|((old_key, old), (new_key, new))| old_key == new_key && Arc::ptr_eq(old, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_name_clusters_or_a_federated_type() {
        assert!(matches!(
            Source::parse(&TypeTable::built_in(), "clusters"),
            Some(Source::Clusters)
        ));
        assert!(matches!(
            Source::parse(&TypeTable::built_in(), "federated/deployments.apps"),
            Some(Source::Federated(_))
        ));
        for unknown in ["", "pods", "federated/", "federated/pods", "clusters/a"] {
            assert!(Source::parse(&TypeTable::built_in(), unknown).is_none(), "{unknown}");
        }
    }

    #[test]
    fn nobody_opens_more_streams_than_there_are_places() {
        let feeds = Feeds::default();
        let one = feeds.open("ada", 1);
        assert!(one.is_some() && feeds.open("ada", 1).is_none());
        assert!(feeds.open("bob", 1).is_some());
        drop(one);
        assert!(feeds.open("ada", 1).is_some());
    }
}
