//! Waiting for something to become true by asking often, never by sleeping for
//! a time that was long enough once.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

const INTERVAL: Duration = Duration::from_millis(25);

/// Asks `probe` until it says yes. An error from it ends the wait at once; "not
/// yet" is `Ok(false)`.
pub async fn until<F>(what: &str, limit: Duration, mut probe: F) -> Result<()>
where
    F: AsyncFnMut() -> Result<bool>,
{
    let started = Instant::now();
    while !probe().await? {
        if started.elapsed() > limit {
            bail!("after {} s still waiting for {what}", limit.as_secs());
        }
        sleep(INTERVAL).await;
    }
    Ok(())
}
