//! Where the tasks of connections live: owned by the set of members, and ended with it.

use std::future::Future;

use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Runs tasks until they are done or cut off. This is what hyper spawns on.
#[derive(Clone)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    cut: CancellationToken,
}

impl Tasks {
    pub(crate) fn new(tracker: TaskTracker, cut: CancellationToken) -> Self {
        Self { tracker, cut }
    }

    /// Tasks that end when the guard is dropped.
    pub(crate) fn scoped() -> (Self, DropGuard) {
        let cut = CancellationToken::new();
        let guard = cut.clone().drop_guard();
        (Self::new(TaskTracker::new(), cut), guard)
    }
}

impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, task: F) {
        let cut = self.cut.clone();
        self.tracker.spawn(async move {
            // What a connection ends with was told to whoever used it.
            let _ = cut.run_until_cancelled(task).await;
        });
    }
}
