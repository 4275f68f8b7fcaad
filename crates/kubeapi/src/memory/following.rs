//! A watch of one resource, from a revision on.

use tokio::sync::watch;

use super::{Kind, Memory, Recorded};
use crate::backend::WatchEvent;
use crate::status::Status;

/// A watch under way.
pub(super) struct Following {
    memory: Memory,
    kind: Kind,
    namespace: Option<String>,
    at: u64,
    wake: watch::Receiver<u64>,
}

impl Following {
    pub(super) fn new(
        memory: Memory,
        kind: Kind,
        namespace: Option<&str>,
        from: u64,
        wake: watch::Receiver<u64>,
    ) -> Self {
        Self {
            memory,
            kind,
            namespace: namespace.map(str::to_owned),
            at: from,
            wake,
        }
    }

    /// What happened since the last time, once something has; then a bookmark for what concerned others.
    pub(super) async fn next(&mut self) -> Result<Vec<WatchEvent>, Status> {
        loop {
            // Marked as seen before reading, so that what is committed while reading wakes again.
            self.wake.borrow_and_update();
            let events = self.read()?;
            if !events.is_empty() {
                return Ok(events);
            }
            // The shelf, and with it the sender, lives as long as `memory`.
            if self.wake.changed().await.is_err() {
                return Err(Status::unavailable("the memory behind this watch is gone"));
            }
        }
    }

    fn read(&mut self) -> Result<Vec<WatchEvent>, Status> {
        let state = self.memory.state();
        let revision = state.revision;
        let Some(shelf) = state.shelves.get(&self.kind) else {
            return Ok(Vec::new());
        };
        if self.at < shelf.dropped {
            return Err(Status::expired(shelf.dropped));
        }
        let first = shelf
            .history
            .partition_point(|recorded: &Recorded| recorded.revision() <= self.at);
        let mut events: Vec<WatchEvent> = shelf
            .history
            .range(first..)
            .filter(|one| {
                self.namespace
                    .as_ref()
                    .is_none_or(|namespace| *namespace == one.namespace)
            })
            .map(|one| one.event.clone())
            .collect();
        if events.is_empty() && self.at < revision {
            events.push(WatchEvent::Bookmark { revision });
        }
        self.at = revision;
        Ok(events)
    }
}
