//! How much may be under way towards one member at a time.
//!
//! Each class has places of its own, so that a hundred open watches leave room for a short question. Who finds no
//! place waits for a moment and is then told to come again: a member that hangs fills its own places and nobody else's.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Places per member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Forwarded requests with an end.
    pub short: usize,
    /// Forwarded watches and followed logs.
    pub long: usize,
    /// Forwarded tunnels.
    pub upgrade: usize,
    /// The hub's own requests.
    pub own: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            short: 100,
            long: 500,
            upgrade: 100,
            own: 16,
        }
    }
}

/// So many of the hub's own requests go to one member at once before it is tried whether fewer connections will do.
pub(crate) const CALM: usize = 4;
/// How long one more waits for one of them to end. A member that answers within that needs no more connections: each
/// costs a handshake and a hundred kilobytes, on both sides.
pub(crate) const HURRY: Duration = Duration::from_millis(20);

/// The places of one kind.
#[derive(Clone)]
pub(crate) struct Places {
    semaphore: Arc<Semaphore>,
    wait: Duration,
}

/// A taken place, given back when it is dropped.
pub(crate) type Place = OwnedSemaphorePermit;

impl Places {
    pub(crate) fn new(count: usize, wait: Duration) -> Self {
        Self {
            semaphore: Arc::new(Semaphore::new(count.clamp(1, Semaphore::MAX_PERMITS))),
            wait,
        }
    }

    /// Takes a place; `None` when none came free in time.
    pub(crate) async fn take(&self) -> Option<Place> {
        timeout(self.wait, self.semaphore.clone().acquire_owned())
            .await
            .ok()?
            .ok()
    }
}
