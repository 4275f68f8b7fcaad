//! Who leads. One replica plans and executes; the others serve and wait.
//!
//! The lease lasts 15 seconds. A leader that could not renew it for 10 stops by itself, so between two leaders there is
//! time in which nobody acts; whoever wants the lease waits until its row has not moved for 15 seconds. Both measure by
//! their own monotonic clocks and compare no times of day. Correctness does not rest on any of this: each write carries
//! the epoch of the lease, and the store refuses an old one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atoll_store::{Lease, LeaseRow, Store};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result, chain};

/// Name of the lease.
pub(crate) const LEASE: &str = "controllers";

/// How long things take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long a lease lasts that is not renewed.
    pub life: Duration,
    /// How long a leader goes on without a renewal.
    pub renew: Duration,
    /// Time between two attempts.
    pub retry: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            life: Duration::from_secs(15),
            renew: Duration::from_secs(10),
            retry: Duration::from_secs(2),
        }
    }
}

/// The right to act, for as long as it is held. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Leadership {
    lease: Lease,
    until: Arc<Mutex<Instant>>,
    lost: CancellationToken,
}

impl Leadership {
    fn new(lease: Lease, until: Instant, lost: CancellationToken) -> Self {
        Self {
            lease,
            until: Arc::new(Mutex::new(until)),
            lost,
        }
    }

    /// What every write carries.
    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Cancelled when the lease is lost or given up.
    pub(crate) fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    fn until(&self) -> Instant {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn extend(&self, until: Instant) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// To be asked before each act: also a process that was stopped for a while learns here that its time is over.
    pub(crate) fn check(&self) -> Result<()> {
        if self.lost.is_cancelled() || Instant::now() >= self.until() {
            return Err(Error::NotLeading);
        }
        Ok(())
    }
}

/// What a candidate has seen of the lease.
#[derive(Debug, Default)]
struct Sighting {
    last: Option<(LeaseRow, Instant)>,
}

/// As what a candidate may try to take the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// It is free, or its own.
    Free,
    /// It has not moved for its whole life; this is when it ends, by the holder's clock.
    Stale(i64),
    /// Somebody holds it.
    Wait,
}

impl Sighting {
    fn judge(&mut self, row: Option<LeaseRow>, holder: &str, now: Instant, life: Duration) -> Attempt {
        let Some(row) = row else { return Attempt::Free };
        if row.holder == holder || row.expires_at == 0 {
            return Attempt::Free;
        }
        match &self.last {
            Some((seen, since)) if *seen == row => {
                if now.duration_since(*since) >= life {
                    Attempt::Stale(row.expires_at)
                } else {
                    Attempt::Wait
                }
            }
            Some(_) | None => {
                self.last = Some((row, now));
                Attempt::Wait
            }
        }
    }
}

/// What a renewal means for a leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Renewal {
    /// Go on until then.
    Until(Instant),
    /// Nothing is known: go on as long as the last renewal allows.
    Unknown,
    /// It is over.
    Lost,
}

fn judge_renewal(
    answer: &atoll_store::Result<Option<Lease>>,
    held: &Lease,
    asked: Instant,
    timing: &Timing,
) -> Renewal {
    match answer {
        // Counted from the question: the answer may have been under way for long.
        Ok(Some(lease)) if lease == held => Renewal::Until(asked + timing.renew),
        Ok(_) => Renewal::Lost,
        Err(_) => Renewal::Unknown,
    }
}

fn signed(life: Duration) -> SignedDuration {
    SignedDuration::try_from(life).unwrap_or(SignedDuration::MAX)
}

/// Waits until this replica holds the lease. Cancel it by dropping it.
pub(crate) async fn campaign(store: &Store, holder: &str, timing: &Timing) -> Leadership {
    let mut sighting = Sighting::default();
    loop {
        let asked = Instant::now();
        match timeout(timing.renew, attempt(store, holder, timing, &mut sighting)).await {
            Ok(Ok(Some(lease))) => return Leadership::new(lease, asked + timing.renew, CancellationToken::new()),
            Ok(Ok(None)) => {}
            Ok(Err(error)) => tracing::warn!(error = %chain(&error), "the lease could not be asked for"),
            Err(_) => tracing::warn!("the lease could not be asked for in time"),
        }
        sleep(timing.retry).await;
    }
}

async fn attempt(
    store: &Store,
    holder: &str,
    timing: &Timing,
    sighting: &mut Sighting,
) -> atoll_store::Result<Option<Lease>> {
    let row = store.lease(LEASE).await?;
    let now = match sighting.judge(row, holder, Instant::now(), timing.life) {
        Attempt::Wait => return Ok(None),
        Attempt::Free => Timestamp::now(),
        Attempt::Stale(expires_at) => Timestamp::from_millisecond(expires_at).unwrap_or_else(|_| Timestamp::now()),
    };
    store.take_lease(LEASE, holder, now, signed(timing.life)).await
}

/// Renews the lease until it is lost or `stop` is cancelled; then the leadership is lost too.
pub(crate) async fn keep(store: &Store, leadership: &Leadership, timing: &Timing, stop: &CancellationToken) {
    let held = leadership.lease();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = leadership.lost().cancelled() => break,
            () = sleep(timing.retry) => {}
        }
        let asked = Instant::now();
        let renewal = store.take_lease(LEASE, &held.holder, Timestamp::now(), signed(timing.life));
        let left = leadership.until().saturating_duration_since(asked);
        let renewal = match timeout(left, renewal).await {
            Ok(answer) => judge_renewal(&answer, held, asked, timing),
            Err(_) => Renewal::Unknown,
        };
        match renewal {
            Renewal::Until(until) => leadership.extend(until),
            Renewal::Unknown if Instant::now() < leadership.until() => {}
            Renewal::Unknown | Renewal::Lost => {
                tracing::warn!(lease.epoch = held.epoch, "this replica no longer leads");
                break;
            }
        }
    }
    leadership.lost().cancel();
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(15);

    fn row(holder: &str, expires_at: i64) -> Option<LeaseRow> {
        Some(LeaseRow {
            holder: holder.into(),
            epoch: 1,
            expires_at,
        })
    }

    fn lease(epoch: i64) -> Lease {
        Lease {
            name: LEASE.into(),
            holder: "one".into(),
            epoch,
        }
    }

    #[test]
    fn a_lease_that_is_nobodys_or_was_given_back_is_taken_at_once() {
        let now = Instant::now();
        let mut sighting = Sighting::default();
        assert_eq!(sighting.judge(None, "one", now, LIFE), Attempt::Free);
        assert_eq!(sighting.judge(row("other", 0), "one", now, LIFE), Attempt::Free);
        assert_eq!(sighting.judge(row("one", 99), "one", now, LIFE), Attempt::Free);
    }

    #[test]
    fn a_lease_that_moves_is_never_taken_whatever_its_clock_says() {
        let start = Instant::now();
        let mut sighting = Sighting::default();
        for step in 1..100_u64 {
            // Long over by any clock, but it moves.
            let seen = row("other", i64::try_from(step).unwrap());
            let now = start + Duration::from_secs(2 * step);
            assert_eq!(sighting.judge(seen, "one", now, LIFE), Attempt::Wait);
        }
    }

    #[test]
    fn a_lease_that_stands_still_for_its_life_is_taken_as_it_was_seen() {
        let start = Instant::now();
        let mut sighting = Sighting::default();
        // Far in the future by this clock.
        let seen = row("other", i64::MAX);
        for second in [0, 7, 14] {
            let now = start + Duration::from_secs(second);
            assert_eq!(sighting.judge(seen.clone(), "one", now, LIFE), Attempt::Wait);
        }
        let now = start + LIFE;
        assert_eq!(sighting.judge(seen, "one", now, LIFE), Attempt::Stale(i64::MAX));
    }

    #[test]
    fn another_epoch_or_no_lease_ends_a_leadership_and_a_failed_question_does_not() {
        let (asked, timing) = (Instant::now(), Timing::default());
        let judge = |answer| judge_renewal(&answer, &lease(3), asked, &timing);
        assert_eq!(judge(Ok(Some(lease(3)))), Renewal::Until(asked + timing.renew));
        assert_eq!(judge(Ok(Some(lease(4)))), Renewal::Lost);
        assert_eq!(judge(Ok(None)), Renewal::Lost);
        assert_eq!(judge(Err(atoll_store::Error::Closed)), Renewal::Unknown);
    }

    #[tokio::test(start_paused = true)]
    async fn a_leader_that_was_stopped_for_too_long_may_not_act_any_more() {
        let until = Instant::now() + Duration::from_secs(10);
        let leadership = Leadership::new(lease(1), until, CancellationToken::new());
        assert!(leadership.check().is_ok());
        tokio::time::advance(Duration::from_secs(9)).await;
        assert!(leadership.check().is_ok());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(matches!(leadership.check(), Err(Error::NotLeading)));
        leadership.extend(until + Duration::from_secs(10));
        assert!(leadership.check().is_ok());
        leadership.lost().cancel();
        assert!(leadership.check().is_err());
    }
}
