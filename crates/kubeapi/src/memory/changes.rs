//! The changes of all resources in one order: what controllers are driven by.
//!
//! One follower costs as much as one watch, however many resources there are, and it sees commits across resources in
//! the order in which they were made.

use tokio::sync::watch;

use super::{Memory, Recorded};
use crate::backend::WatchEvent;
use crate::status::Status;

/// A change of an object of any resource.
#[derive(Debug, Clone)]
pub struct Changed {
    /// API group of the resource.
    pub group: String,
    /// Plural of the resource.
    pub plural: String,
    /// What happened; never a bookmark.
    pub event: WatchEvent,
}

/// The changes of all resources from a moment on.
pub struct Changes {
    memory: Memory,
    at: u64,
    wake: watch::Receiver<u64>,
}

impl Memory {
    /// The changes of all resources from now on.
    pub fn changes(&self) -> Changes {
        let state = self.state();
        Changes {
            at: state.revision,
            wake: state.wake.subscribe(),
            memory: self.clone(),
        }
    }
}

impl Changes {
    /// What happened since the last time, in the order of commits, once something has. It may be dropped while it
    /// waits: nothing is lost.
    ///
    /// # Errors
    /// `Expired` when changes were forgotten before they were read. Later ones follow; what there is has to be listed.
    pub async fn next(&mut self) -> Result<Vec<Changed>, Status> {
        loop {
            self.wake.borrow_and_update();
            let changed = self.read()?;
            if !changed.is_empty() {
                return Ok(changed);
            }
            if self.wake.changed().await.is_err() {
                return Err(Status::unavailable("the memory behind these changes is gone"));
            }
        }
    }

    fn read(&mut self) -> Result<Vec<Changed>, Status> {
        let state = self.memory.state();
        let at = std::mem::replace(&mut self.at, state.revision);
        let mut changed: Vec<(u64, Changed)> = Vec::new();
        for ((group, plural), shelf) in &state.shelves {
            if at < shelf.dropped {
                return Err(Status::expired(shelf.dropped));
            }
            let first = shelf.history.partition_point(|one| one.revision() <= at);
            changed.extend(shelf.history.range(first..).map(|one: &Recorded| {
                let one_change = Changed {
                    group: group.clone(),
                    plural: plural.clone(),
                    event: one.event.clone(),
                };
                (one.revision(), one_change)
            }));
        }
        drop(state);
        changed.sort_by_key(|(revision, _)| *revision);
        Ok(changed.into_iter().map(|(_, one)| one).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::backend::{Change, Commit};
    use crate::resource::Resource;

    fn create(memory: &Memory, plural: &str, name: &str) {
        let resource = Resource::new("", "v1", "Thing", plural);
        let change = Change::Create(json!({"metadata": {"name": name}}));
        memory
            .commit(Commit {
                resource: &resource,
                namespace: "",
                name,
                change,
            })
            .unwrap();
    }

    fn names(changed: &[Changed]) -> Vec<String> {
        changed
            .iter()
            .map(|one| match &one.event {
                WatchEvent::Added { object, .. } => {
                    format!("{}/{}", one.plural, object["metadata"]["name"].as_str().unwrap())
                }
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[tokio::test]
    async fn changes_of_all_resources_come_in_the_order_of_commits() {
        let memory = Memory::default();
        create(&memory, "things", "before");
        let mut changes = memory.changes();
        create(&memory, "things", "a");
        create(&memory, "others", "b");
        create(&memory, "things", "c");
        assert_eq!(
            names(&changes.next().await.unwrap()),
            ["things/a", "others/b", "things/c"]
        );
        create(&memory, "new", "d");
        assert_eq!(names(&changes.next().await.unwrap()), ["new/d"]);
    }

    #[tokio::test]
    async fn what_was_forgotten_unread_is_expired_and_the_rest_follows() {
        let memory = Memory::default();
        let mut changes = memory.changes();
        create(&memory, "things", "a");
        memory.compact();
        assert!(changes.next().await.unwrap_err().is("Expired"));
        memory.compact();
        create(&memory, "things", "b");
        assert_eq!(names(&changes.next().await.unwrap()), ["things/b"]);
    }
}
