//! Forgetting what nobody needs any more: old history, ended sessions.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use crate::error::chain;
use crate::hub::Hub;
use crate::leader::Leadership;

/// Time between two rounds.
const PERIOD: Duration = Duration::from_secs(300);
/// Revisions of history that are kept: a watch that was away for longer than that lists anew.
const KEPT: i64 = 5_000;

/// Forgets until the leadership ends.
pub(crate) async fn run(hub: Hub, leadership: Leadership) {
    let work = async {
        loop {
            sleep(PERIOD).await;
            if leadership.check().is_err() {
                return;
            }
            if let Err(error) = hub.store.compact(KEPT).await {
                tracing::warn!(error = %chain(&error), "history could not be compacted");
            }
            if let Err(error) = hub.store.forget_sessions(Timestamp::now()).await {
                tracing::warn!(error = %chain(&error), "ended sessions could not be forgotten");
            }
        }
    };
    leadership.lost().run_until_cancelled(work).await;
}
