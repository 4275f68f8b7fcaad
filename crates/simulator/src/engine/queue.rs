//! Keys to be worked on, each at most once, now or later.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use super::Key;

#[derive(Default)]
pub(super) struct Queue {
    ready: BTreeSet<Key>,
    /// The earliest moment of each key that waits.
    moments: BTreeMap<Key, Instant>,
    order: BTreeSet<(Instant, Key)>,
}

impl Queue {
    pub(super) fn now(&mut self, key: Key) {
        self.ready.insert(key);
    }

    /// An earlier moment of the same key stays: who then still has to wait asks again.
    pub(super) fn later(&mut self, key: Key, at: Instant) {
        if let Some(before) = self.moments.get(&key) {
            if *before <= at {
                return;
            }
            self.order.remove(&(*before, key.clone()));
        }
        self.moments.insert(key.clone(), at);
        self.order.insert((at, key));
    }

    /// The next key that is due.
    pub(super) fn next(&mut self, now: Instant) -> Option<Key> {
        while let Some((at, _)) = self.order.first()
            && *at <= now
            && let Some((_, key)) = self.order.pop_first()
        {
            self.moments.remove(&key);
            self.ready.insert(key);
        }
        self.ready.pop_first()
    }

    /// When the next key is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_key_waits_once_for_its_earliest_moment() {
        let mut queue = Queue::default();
        let key = Key::namespace("a");
        let start = Instant::now();
        queue.later(key.clone(), start + Duration::from_secs(9));
        queue.later(key.clone(), start + Duration::from_secs(1));
        queue.later(key.clone(), start + Duration::from_secs(5));
        assert_eq!(queue.due(), Some(start + Duration::from_secs(1)));
        assert_eq!(queue.next(start), None);
        assert_eq!(queue.next(start + Duration::from_secs(1)), Some(key));
        assert_eq!(queue.due(), None);
    }
}
