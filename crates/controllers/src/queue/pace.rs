//! How what nobody waits for gets on beside what somebody waits for.
//!
//! Both share the processors and the store. A cluster that comes back may wake ten thousand objects, and the person who
//! writes one at that moment shall not notice. So for a moment after a key that was in a hurry the others pass one by
//! one, at a steady pace; when nobody is in a hurry they pass as they come.

use std::time::Duration;

use tokio::time::Instant;

/// How long after one key in a hurry another is expected.
const HURRY: Duration = Duration::from_millis(100);
/// From one of the others to the next meanwhile.
const BETWEEN: Duration = Duration::from_millis(10);

/// Who may go when.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    /// Until then another key in a hurry is expected.
    hurries_until: Option<Instant>,
    /// When the next of the others may pass meanwhile.
    next: Option<Instant>,
}

impl Pace {
    /// A key in a hurry goes now.
    pub(super) fn hurried(&mut self, now: Instant) {
        self.hurries_until = Some(now + HURRY);
        self.next.get_or_insert(now + BETWEEN);
    }

    /// One of the others goes now.
    pub(super) fn passed(&mut self, now: Instant) {
        self.next = self.is_hurrying(now).then(|| now + BETWEEN);
    }

    fn is_hurrying(&self, now: Instant) -> bool {
        self.hurries_until.is_some_and(|until| now < until)
    }

    /// Whether one of the others may go.
    pub(super) fn lets_pass(&self, now: Instant) -> bool {
        !self.is_hurrying(now) || self.next.is_some_and(|next| next <= now)
    }

    /// When one of the others may go: in the past when it may go now.
    pub(super) fn next(&self, now: Instant) -> Instant {
        let turns = self.hurries_until.into_iter().chain(self.next);
        if self.is_hurrying(now) {
            turns.min().unwrap_or(now)
        } else {
            now
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_calm_all_pass_as_they_come() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        for _ in 0..3 {
            assert!(pace.lets_pass(now));
            pace.passed(now);
        }
    }

    #[test]
    fn beside_those_in_a_hurry_others_pass_at_a_steady_pace() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        pace.hurried(now);
        assert!(!pace.lets_pass(now));
        assert_eq!(pace.next(now), now + BETWEEN);
        let next = pace.next(now);
        // More in a hurry do not put it off.
        pace.hurried(now + BETWEEN / 2);
        assert!(pace.lets_pass(next));
        pace.passed(next);
        assert!(!pace.lets_pass(next) && pace.lets_pass(next + BETWEEN));
        assert!(pace.lets_pass(now + 2 * HURRY));
    }
}
