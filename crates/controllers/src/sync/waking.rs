//! What one object's fate means for others: a namespace that comes into being in a member lets in what waited for it.

use atoll_federation::plan::Cause;
use atoll_federation::{Outcome, Step};

use super::Sync;
use super::rounds::Finished;
use crate::key::Key;

impl Sync {
    /// A namespace that has come into being lets in what waits for it.
    pub(super) fn tell_namespace(&self, key: &Key, finished: &Finished) {
        if !key.kind.row().is_namespace() {
            return;
        }
        let came = finished.plan.clusters.iter().any(|(name, cluster)| {
            let begins =
                matches!(&cluster.step, Step::Apply(apply) if matches!(apply.cause, Cause::Create | Cause::Adopt));
            begins && matches!(finished.outcomes.get(name), Some(Outcome::Applied(_)))
        });
        if came {
            self.wake_namespace(key);
        }
    }

    /// Looks at everything in a namespace again.
    pub(super) fn wake_namespace(&self, key: &Key) {
        for inside in self.concerns.in_namespace(&key.name) {
            if inside != *key {
                self.queue.add(inside);
            }
        }
    }
}
