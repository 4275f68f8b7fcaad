//! Objects in memory, with revisions, a history for watches, and its compaction.
//!
//! One counter gives every commit its revision. Each resource has its own objects, history and wake-up, so that busy
//! resources neither wake the watchers of quiet ones nor push their history out.

mod backend;
mod changes;
mod following;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::watch;

pub use backend::{Admit, MemoryBackend};
pub use changes::{Changed, Changes};

use following::Following;

use crate::backend::{Change, Commit, Listing, WatchEvent, WatchStream};
use crate::object::revision_of;
use crate::resource::Resource;
use crate::status::Status;

/// Changes of one resource that are kept for watches, unless said otherwise.
const HISTORY: usize = 4096;

/// Group and plural of a resource.
type Kind = (String, String);
/// Namespace and name of an object.
type Key = (String, String);

/// A recorded change.
struct Recorded {
    namespace: String,
    event: WatchEvent,
}

impl Recorded {
    fn revision(&self) -> u64 {
        match &self.event {
            WatchEvent::Added { revision, .. }
            | WatchEvent::Modified { revision, .. }
            | WatchEvent::Deleted { revision, .. }
            | WatchEvent::Bookmark { revision } => *revision,
        }
    }
}

/// Objects of one resource.
#[derive(Default)]
struct Shelf {
    objects: BTreeMap<Key, Arc<Value>>,
    history: VecDeque<Recorded>,
    /// Watches that start from before this revision have lost their history.
    compacted: u64,
    /// The last change that is no longer kept: running watches that have not read it have lost it.
    dropped: u64,
    /// Tells watchers that there is more.
    wake: watch::Sender<u64>,
}

impl Shelf {
    /// Forgets the changes up to this revision.
    fn forget(&mut self, revision: u64) {
        while let Some(oldest) = self.history.front().map(Recorded::revision)
            && oldest <= revision
        {
            self.history.pop_front();
            self.dropped = oldest;
        }
    }
}

struct State {
    revision: u64,
    shelves: BTreeMap<Kind, Shelf>,
    /// Tells those who follow all resources that there is more.
    wake: watch::Sender<u64>,
}

/// Objects in memory. Clones share them.
#[derive(Clone)]
pub struct Memory {
    state: Arc<Mutex<State>>,
    history: usize,
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(HISTORY)
    }
}

fn kind(resource: &Resource) -> Kind {
    (resource.group.clone(), resource.plural.clone())
}

impl Memory {
    /// An empty memory that keeps this many changes of each resource.
    pub fn new(history: usize) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                revision: 1,
                shelves: BTreeMap::new(),
                wake: watch::Sender::default(),
            })),
            history: history.max(1),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The revision of the last commit.
    pub fn revision(&self) -> u64 {
        self.state().revision
    }

    /// One object.
    pub fn get(&self, resource: &Resource, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.state()
            .shelves
            .get(&kind(resource))?
            .objects
            .get(&(namespace.to_owned(), name.to_owned()))
            .cloned()
    }

    /// Objects of one namespace, or of all.
    pub fn list(&self, resource: &Resource, namespace: Option<&str>) -> Listing {
        let state = self.state();
        let Some(shelf) = state.shelves.get(&kind(resource)) else {
            return Listing {
                items: Vec::new(),
                revision: state.revision,
            };
        };
        let items = match namespace {
            None => shelf.objects.values().cloned().collect(),
            Some(namespace) => {
                let from = (namespace.to_owned(), String::new());
                let range = shelf.objects.range((Bound::Included(from), Bound::Unbounded));
                range
                    .take_while(|((found, _), _)| found == namespace)
                    .map(|(_, object)| object.clone())
                    .collect()
            }
        };
        Listing {
            items,
            revision: state.revision,
        }
    }

    /// Commits one change. An update that changes nothing is no commit: it answers with the object as it is.
    ///
    /// # Errors
    /// As [`crate::Backend::commit`].
    pub fn commit(&self, commit: Commit<'_>) -> Result<Arc<Value>, Status> {
        let Commit {
            resource,
            namespace,
            name,
            change,
        } = commit;
        let mut state = self.state();
        let revision = state.revision + 1;
        let shelf = state.shelves.entry(kind(resource)).or_default();
        let key = (namespace.to_owned(), name.to_owned());
        let before = shelf.objects.get(&key).cloned();
        let stamped = |mut object: Value| {
            object["metadata"]["resourceVersion"] = json!(revision.to_string());
            Arc::new(object)
        };
        let (event, answer) = match (change, before) {
            (Change::Create(_), Some(_)) => return Err(resource.already_exists(name)),
            (Change::Create(value), None) => {
                let object = stamped(value);
                shelf.objects.insert(key, object.clone());
                (
                    WatchEvent::Added {
                        revision,
                        object: object.clone(),
                    },
                    object,
                )
            }
            (Change::Update { .. } | Change::Delete { .. }, None) => return Err(resource.not_found(name)),
            (Change::Update { expected, .. } | Change::Delete { expected }, Some(before))
                if revision_of(&before) != expected =>
            {
                return Err(resource.conflict(name));
            }
            (Change::Update { value, .. }, Some(previous)) => {
                if value == *previous {
                    return Ok(previous);
                }
                let object = stamped(value);
                shelf.objects.insert(key, object.clone());
                (
                    WatchEvent::Modified {
                        revision,
                        object: object.clone(),
                        previous,
                    },
                    object,
                )
            }
            (Change::Delete { .. }, Some(object)) => {
                shelf.objects.remove(&key);
                (
                    WatchEvent::Deleted {
                        revision,
                        object: object.clone(),
                    },
                    stamped((*object).clone()),
                )
            }
        };
        shelf.history.push_back(Recorded {
            namespace: namespace.to_owned(),
            event,
        });
        if shelf.history.len() > self.history
            && let Some(oldest) = shelf.history.pop_front()
        {
            shelf.compacted = oldest.revision();
            shelf.dropped = shelf.compacted;
        }
        shelf.wake.send_replace(revision);
        state.revision = revision;
        state.wake.send_replace(revision);
        Ok(answer)
    }

    /// Reads, changes and commits one object, however often it takes; for controllers, whose changes are none of an
    /// API request. `None` when there is no such object; unchanged objects are not committed.
    ///
    /// # Errors
    /// What the commit answers, except `Conflict` and `NotFound`.
    pub fn modify(
        &self,
        resource: &Resource,
        namespace: &str,
        name: &str,
        change: impl Fn(&mut Value),
    ) -> Result<Option<Arc<Value>>, Status> {
        while let Some(before) = self.get(resource, namespace, name) {
            let mut value = (*before).clone();
            change(&mut value);
            let change = Change::Update {
                value,
                expected: revision_of(&before),
            };
            match self.commit(Commit {
                resource,
                namespace,
                name,
                change,
            }) {
                Err(status) if status.is("Conflict") || status.is("NotFound") => {}
                outcome => return outcome.map(Some),
            }
        }
        Ok(None)
    }

    /// Forgets all history: watches that start from before now get `Expired`, as after a long absence. Running watches
    /// that have read all there was go on.
    pub fn compact(&self) {
        self.compact_to(u64::MAX);
    }

    /// Forgets the history up to this revision, as API servers do with what is minutes old.
    pub fn compact_to(&self, revision: u64) {
        let mut state = self.state();
        let revision = revision.min(state.revision);
        for shelf in state.shelves.values_mut() {
            shelf.forget(revision);
            shelf.compacted = shelf.compacted.max(revision);
            shelf.wake.send_replace(revision);
        }
        state.wake.send_replace(revision);
    }

    /// Changes after revision `from`, until the receiver drops the stream.
    ///
    /// # Errors
    /// `Expired` when history after `from` is gone, or when `from` is none of this memory's revisions.
    pub fn watch(&self, resource: &Resource, namespace: Option<&str>, from: u64) -> Result<WatchStream, Status> {
        let mut state = self.state();
        if from > state.revision {
            return Err(Status::expired(state.revision));
        }
        let shelf = state.shelves.entry(kind(resource)).or_default();
        if from < shelf.compacted {
            return Err(Status::expired(shelf.compacted));
        }
        let wake = shelf.wake.subscribe();
        let following = Following::new(self.clone(), kind(resource), namespace, from, wake);
        drop(state);
        Ok(stream::unfold(Some(following), |following| async move {
            let mut following = following?;
            Some(match following.next().await {
                Ok(events) => (
                    stream::iter(events.into_iter().map(Ok).collect::<Vec<_>>()),
                    Some(following),
                ),
                Err(status) => (stream::iter(vec![Err(status)]), None),
            })
        })
        .flatten()
        .boxed())
    }
}
