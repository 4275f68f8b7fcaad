//! Waiting for something to become true by asking often, never by sleeping for
//! a time that was long enough once.

use std::time::Duration;

use anyhow::{Context, Result, bail};
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

/// The same, but an error from `probe` is a "not yet" too: an API server may
/// fail to answer once. The last one is given at the limit.
pub async fn until_despite_errors<F>(what: &str, limit: Duration, mut probe: F) -> Result<()>
where
    F: AsyncFnMut() -> Result<bool>,
{
    let started = Instant::now();
    loop {
        let answer = probe().await;
        if matches!(answer, Ok(true)) {
            return Ok(());
        }
        if started.elapsed() > limit {
            let late = format!("after {} s still waiting for {what}", limit.as_secs());
            answer.with_context(|| late.clone())?;
            bail!(late);
        }
        sleep(INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use anyhow::ensure;

    use super::*;

    #[tokio::test]
    async fn an_error_is_outlived_by_who_waits_despite_errors_only() -> Result<()> {
        let (mut asked, mut asked_again) = (0, 0);
        let refused = until("it", Duration::from_secs(60), async || {
            asked += 1;
            ensure!(asked > 1, "refused once");
            Ok(true)
        });
        assert_eq!(refused.await.unwrap_err().to_string(), "refused once");
        until_despite_errors("it", Duration::from_secs(60), async || {
            asked_again += 1;
            ensure!(asked_again > 1, "refused once");
            Ok(asked_again > 2)
        })
        .await
    }

    #[tokio::test]
    async fn the_last_error_is_given_at_the_limit() {
        let mut asked = 0;
        let late = until_despite_errors("it", Duration::from_millis(60), async || {
            asked += 1;
            bail!("refusal {asked}")
        })
        .await
        .unwrap_err();
        assert_eq!(
            format!("{late:#}"),
            format!("after 0 s still waiting for it: refusal {asked}")
        );
        let late = until_despite_errors("it", Duration::ZERO, async || Ok(false)).await;
        assert_eq!(late.unwrap_err().to_string(), "after 0 s still waiting for it");
    }
}
