//! A queue of keys: each waits at most once, is worked on at most once at a time, and comes back when it fails.
//!
//! A key carries no message. Whoever takes it looks at how things are, so ten reasons to look are one look.

mod core;
mod line;
mod pace;

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use self::core::Core;

/// Keys that share a lane take turns with those of other lanes.
pub(crate) trait Fair {
    /// The lane.
    fn lane(&self) -> &str;
}

impl Fair for String {
    fn lane(&self) -> &str {
        ""
    }
}

/// How the work on a key ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All is done; look again after this time, or only when there is a reason.
    Settled(Option<Duration>),
    /// There is more to do at once.
    Again,
    /// It did not work: again after a while, that grows with each failure, but not before this time.
    Failed(Duration),
}

/// A queue; clones share it.
pub(crate) struct Queue<K> {
    core: Arc<Mutex<Core<K>>>,
    hurried: Arc<Notify>,
    wake: Arc<Notify>,
}

impl<K> Clone for Queue<K> {
    fn clone(&self) -> Self {
        Self {
            core: self.core.clone(),
            hurried: self.hurried.clone(),
            wake: self.wake.clone(),
        }
    }
}

impl<K: Fair + Clone + Eq + Hash + Ord> Queue<K> {
    /// A queue of at most `limit` keys.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            core: Arc::new(Mutex::new(Core::new(limit))),
            hurried: Arc::new(Notify::new()),
            wake: Arc::new(Notify::new()),
        }
    }

    fn core(&self) -> MutexGuard<'_, Core<K>> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is a reason to look at `key` now.
    pub(crate) fn add(&self, key: K) {
        self.add_after(key, Duration::ZERO);
    }

    /// There is one, and somebody waits for it: it is handed out by [`Queue::next_hurried`] too.
    pub(crate) fn hurry(&self, key: K) {
        self.core().hurry(key, Instant::now());
        self.hurried.notify_one();
        self.wake.notify_one();
    }

    /// There will be one after `delay`.
    pub(crate) fn add_after(&self, key: K, delay: Duration) {
        let now = Instant::now();
        self.core().add(key, now + delay, now);
        self.wake.notify_one();
    }

    /// The next key that somebody waits for. It is not handed out again before [`Queue::finish`].
    pub(crate) async fn next_hurried(&self) -> K {
        loop {
            let next = self.core().take_hurried(Instant::now());
            match next {
                Some(key) => return key,
                None => self.hurried.notified().await,
            }
        }
    }

    /// The next key whose time has come, if nobody is in a hurry: otherwise they pass one by one (see the private module
    /// `pace`). It is not handed out again before [`Queue::finish`].
    pub(crate) async fn next(&self) -> K {
        loop {
            let due = {
                let mut core = self.core();
                let now = Instant::now();
                if let Some(key) = core.take(now) {
                    return key;
                }
                core.next_due(now)
            };
            match due {
                Some(due) => {
                    tokio::select! {
                        () = self.wake.notified() => {}
                        () = tokio::time::sleep_until(due) => {}
                    }
                }
                None => self.wake.notified().await,
            }
        }
    }

    /// The work on `key` has ended.
    pub(crate) fn finish(&self, key: &K, verdict: Verdict) {
        self.core().finish(key, verdict, Instant::now(), rand::random());
        self.hurried.notify_one();
        self.wake.notify_one();
    }

    /// How often the work on `key` has failed in a row.
    pub(crate) fn failures(&self, key: &K) -> u32 {
        self.core().failures(key)
    }

    /// Keys whose time has come.
    pub(crate) fn len(&self) -> usize {
        self.core().len()
    }

    /// Whether keys were turned away for want of room since this was last asked.
    pub(crate) fn take_overflow(&self) -> bool {
        self.core().take_overflow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn key(name: &str) -> String {
        name.to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_handed_out_when_its_time_has_come() {
        let queue = Queue::new(10);
        let begun = Instant::now();
        queue.add_after(key("late"), MINUTE);
        queue.add(key("now"));
        assert_eq!(queue.next().await, "now");
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(queue.next().await, "late");
        assert!(begun.elapsed() >= MINUTE && begun.elapsed() < MINUTE * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_is_woken_by_an_earlier_time() {
        let queue = Queue::new(10);
        queue.add_after(key("a"), MINUTE);
        let begun = Instant::now();
        let waits = async {
            assert_eq!(queue.next().await, "a");
            begun.elapsed()
        };
        let hurries = async {
            tokio::time::sleep(MINUTE / 4).await;
            queue.add(key("a"));
        };
        let (waited, ()) = tokio::join!(waits, hurries);
        assert!(waited < MINUTE / 2, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_comes_back_later_each_time() {
        let queue = Queue::new(10);
        queue.add(key("a"));
        let mut waits = Vec::new();
        for _ in 0..4 {
            let begun = Instant::now();
            let taken = queue.next().await;
            waits.push(begun.elapsed());
            queue.finish(&taken, Verdict::Failed(Duration::ZERO));
        }
        assert_eq!(queue.failures(&key("a")), 4);
        assert!(waits.is_sorted() && waits[3] > Duration::from_secs(3), "{waits:?}");
    }
}
