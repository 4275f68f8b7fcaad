//! How long to wait before trying again: longer each time, never in step with others.

use std::time::Duration;

use rand::Rng as _;

/// Waiting times that double up to a most.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            failures: 0,
        }
    }

    /// The next waiting time.
    pub(crate) fn next(&mut self) -> Duration {
        let doubled = self
            .first
            .saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1).min(31);
        doubled.min(self.most).mul_f64(rand::rng().random_range(0.5..=1.0))
    }

    /// The longest waiting time.
    pub(crate) fn most(&self) -> Duration {
        self.most
    }

    /// It worked.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// A period, a tenth longer or shorter, so that a thousand timers do not fire as one.
pub(crate) fn jittered(period: Duration) -> Duration {
    period.mul_f64(rand::rng().random_range(0.9..=1.1))
}

/// Some time up to `most`.
pub(crate) fn up_to(most: Duration) -> Duration {
    most.mul_f64(rand::rng().random_range(0.0..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_times_double_up_to_the_most_and_start_again_after_success() {
        let mut backoff = Backoff::new(Duration::from_millis(800), Duration::from_secs(30));
        for full in [800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000] {
            let wait = backoff.next();
            let full = Duration::from_millis(full);
            assert!(wait <= full && wait >= full / 2, "{wait:?} of {full:?}");
        }
        for _ in 0..100 {
            assert!(backoff.next() <= Duration::from_secs(30));
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(800));
    }
}
