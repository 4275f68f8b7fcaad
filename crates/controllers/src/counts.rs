//! What is counted of the work, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Totals since this process began; the queue is as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Federated objects that wait for their turn.
    pub queued: u64,
    /// Plans that were made.
    pub plans: u64,
    /// Steps that were carried out in members.
    pub writes: u64,
    /// Steps that failed, and reads that gave no answer.
    pub failures: u64,
    /// Events that were not written, because there were too many.
    pub lost_events: u64,
}

/// The counters behind [`Counts`].
#[derive(Debug, Default)]
pub(crate) struct Tally {
    plans: AtomicU64,
    writes: AtomicU64,
    failures: AtomicU64,
    lost_events: AtomicU64,
}

impl Tally {
    pub(crate) fn planned(&self) {
        self.plans.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn wrote(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn lost_events(&self, count: u64) {
        self.lost_events.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self, queued: usize) -> Counts {
        Counts {
            queued: u64::try_from(queued).unwrap_or(u64::MAX),
            plans: self.plans.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            lost_events: self.lost_events.load(Ordering::Relaxed),
        }
    }
}
