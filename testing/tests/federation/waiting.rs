//! Waiting for what a look at the world asks for.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{Instant, sleep};

/// Generous: something that takes seconds on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(100);

/// Looks until all is as asked for. When that never happens, the last look says
/// why not.
pub(crate) async fn eventually(what: &str, look: impl AsyncFnMut() -> Result<()>) -> Result<()> {
    within(PATIENCE, what, look).await
}

/// The same with a limit of its own.
pub(crate) async fn within(limit: Duration, what: &str, mut look: impl AsyncFnMut() -> Result<()>) -> Result<()> {
    let started = Instant::now();
    loop {
        let Err(error) = look().await else { return Ok(()) };
        if started.elapsed() > limit {
            return Err(error).with_context(|| format!("after {} s still waiting for {what}", limit.as_secs()));
        }
        sleep(INTERVAL).await;
    }
}

/// Looks again and again for some time: all has to be as asked for each time.
pub(crate) async fn throughout(time: Duration, what: &str, mut look: impl AsyncFnMut() -> Result<()>) -> Result<()> {
    let started = Instant::now();
    while started.elapsed() < time {
        look().await.with_context(|| {
            format!(
                "{what} did not last for {} s, but {:.1} s",
                time.as_secs(),
                started.elapsed().as_secs_f32()
            )
        })?;
        sleep(INTERVAL).await;
    }
    Ok(())
}
