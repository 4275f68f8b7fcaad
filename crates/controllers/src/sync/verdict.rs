//! When an object is looked at again after a run.

use std::time::Duration;

use atoll_federation::{FailureKind, Outcome};
use rand::Rng;

use super::context::Context;
use super::rounds::Finished;
use super::{QUICK_RETRIES, Sync};
use crate::key::Key;
use crate::queue::Verdict;

impl Sync {
    pub(super) fn verdict(&self, key: &Key, context: &Context, finished: &Finished) -> Verdict {
        let mut retry = finished.retry;
        let mut vanished = false;
        for outcome in finished.outcomes.values() {
            match outcome {
                Outcome::Failed(failure)
                    if failure.kind == FailureKind::Conflict && self.queue.failures(key) < QUICK_RETRIES =>
                {
                    retry = Some(retry.unwrap_or_default());
                }
                Outcome::Failed(failure) if failure.kind.is_transient() => retry = Some(retry.unwrap_or_default()),
                Outcome::Deleted { gone: true } | Outcome::Released => vanished = true,
                Outcome::Failed(_) | Outcome::Applied(_) | Outcome::Deleted { gone: false } => {}
            }
        }
        if vanished && context.object.is_deleting() {
            // What is left to do may be nothing.
            return Verdict::Again;
        }
        if let Some(at_least) = retry {
            return Verdict::Failed(at_least);
        }
        let rechecks = finished.plan.recheck.into_iter().chain(finished.recheck);
        let recheck = rechecks.chain(context.shares_recheck()).min();
        Verdict::Settled(Some(recheck.unwrap_or_else(|| self.resync())))
    }

    /// When an object is looked at again without any reason; spread, so that not all come together.
    pub(super) fn resync(&self) -> Duration {
        self.hub.options.resync.mul_f64(rand::rng().random_range(0.8..1.2))
    }
}
