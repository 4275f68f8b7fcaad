//! Requests that took longer than a run waits for.
//!
//! A member that hangs while it still counts as ready must not delay the others, so a run waits a moment and then goes
//! on without it. The request stays under way here; its answer is kept for the next run, which it brings about. There
//! is at most one such request per object and cluster, and few per cluster.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoll_federation::{ClusterName, Observed, Reason};
use tokio::time::Instant;

use super::observe::Seen;
use crate::key::Key;

/// Late requests per cluster, beyond which it is not asked more.
const MOST: usize = 4;

/// What arrived longer ago than this tells nothing any more.
const FRESH: Duration = Duration::from_secs(10);

/// What came late.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Arrival {
    /// What a look found.
    Seen(Seen),
    /// A step was carried out and is recorded: look again.
    Done,
    /// A step failed.
    Failed {
        /// The word for the status.
        reason: Reason,
        /// For people.
        message: String,
        /// Whether trying again may help, and when at the earliest.
        retry: Option<Duration>,
    },
}

impl Arrival {
    /// Whether the member has answered at all.
    pub(super) fn is_answer(&self) -> bool {
        match self {
            Self::Seen(seen) => !matches!(seen.observed, Observed::Unknown { .. }),
            Self::Done => true,
            Self::Failed { .. } => false,
        }
    }
}

enum Lane {
    Busy,
    Arrived(Arrival, Instant),
}

#[derive(Default)]
struct Inner {
    lanes: HashMap<(Key, ClusterName), Lane>,
    busy: HashMap<ClusterName, usize>,
}

/// Late requests by object and cluster.
#[derive(Default)]
pub(super) struct Lanes {
    inner: Mutex<Inner>,
}

impl Lanes {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request is late.
    pub(super) fn begin(&self, key: &Key, cluster: &ClusterName) {
        let mut inner = self.inner();
        inner.lanes.insert((key.clone(), cluster.clone()), Lane::Busy);
        *inner.busy.entry(cluster.clone()).or_default() += 1;
    }

    /// It has been answered, or given up.
    pub(super) fn end(&self, key: &Key, cluster: &ClusterName, arrival: Arrival) {
        let mut inner = self.inner();
        // What nobody came for.
        inner
            .lanes
            .retain(|_, lane| !matches!(lane, Lane::Arrived(_, at) if at.elapsed() >= FRESH));
        inner
            .lanes
            .insert((key.clone(), cluster.clone()), Lane::Arrived(arrival, Instant::now()));
        if let Some(count) = inner.busy.get_mut(cluster) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                inner.busy.remove(cluster);
            }
        }
    }

    /// What came late for this object, once.
    pub(super) fn take(&self, key: &Key, cluster: &ClusterName) -> Option<Arrival> {
        let mut inner = self.inner();
        if inner.lanes.is_empty() {
            return None;
        }
        let place = (key.clone(), cluster.clone());
        match inner.lanes.remove(&place)? {
            Lane::Arrived(arrival, at) => (at.elapsed() < FRESH).then_some(arrival),
            Lane::Busy => {
                inner.lanes.insert(place, Lane::Busy);
                None
            }
        }
    }

    /// Nobody will ask for what came late for this object.
    pub(super) fn forget(&self, key: &Key) {
        let is_its = |(other, _): &(Key, ClusterName)| other == key;
        self.inner()
            .lanes
            .retain(|place, lane| matches!(lane, Lane::Busy) || !is_its(place));
    }

    /// Whether a request about this object is still under way.
    pub(super) fn is_busy(&self, key: &Key, cluster: &ClusterName) -> bool {
        let inner = self.inner();
        !inner.lanes.is_empty() && matches!(inner.lanes.get(&(key.clone(), cluster.clone())), Some(Lane::Busy))
    }

    /// Whether so much is late in this cluster that it is better left alone.
    pub(super) fn is_clogged(&self, cluster: &ClusterName) -> bool {
        self.inner().busy.get(cluster).is_some_and(|count| *count >= MOST)
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn key(name: &str) -> Key {
        Key::config_map(name)
    }

    fn seen() -> Arrival {
        Arrival::Seen(Seen {
            observed: Observed::Absent,
            unmanaged: None,
        })
    }

    #[test]
    fn what_arrives_is_given_once() {
        let (lanes, eu) = (Lanes::default(), ClusterName::parse("eu-1").unwrap());
        assert_eq!(lanes.take(&key("a"), &eu), None);
        lanes.begin(&key("a"), &eu);
        assert!(lanes.is_busy(&key("a"), &eu));
        assert_eq!(lanes.take(&key("a"), &eu), None);
        assert!(lanes.is_busy(&key("a"), &eu));
        lanes.end(&key("a"), &eu, seen());
        assert!(!lanes.is_busy(&key("a"), &eu));
        assert_eq!(lanes.take(&key("a"), &eu), Some(seen()));
        assert_eq!(lanes.take(&key("a"), &eu), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_arrived_long_ago_or_for_nobody_is_dropped() {
        let (lanes, eu) = (Lanes::default(), ClusterName::parse("eu-1").unwrap());
        for name in ["a", "b"] {
            lanes.begin(&key(name), &eu);
            lanes.end(&key(name), &eu, seen());
        }
        lanes.forget(&key("a"));
        assert_eq!(lanes.take(&key("a"), &eu), None);
        tokio::time::advance(FRESH).await;
        assert_eq!(lanes.take(&key("b"), &eu), None);
        lanes.begin(&key("c"), &eu);
        lanes.forget(&key("c"));
        assert!(lanes.is_busy(&key("c"), &eu), "its end is still to come");
    }

    #[test]
    fn a_cluster_that_answers_nothing_is_left_alone() {
        let lanes = Lanes::default();
        let (eu, us) = (ClusterName::parse("eu-1").unwrap(), ClusterName::parse("us-1").unwrap());
        for name in ["a", "b", "c", "d"] {
            assert!(!lanes.is_clogged(&eu));
            lanes.begin(&key(name), &eu);
        }
        assert!(lanes.is_clogged(&eu) && !lanes.is_clogged(&us));
        lanes.end(&key("a"), &eu, seen());
        assert!(!lanes.is_clogged(&eu));
    }
}
