//! The queue as a value: time and chance come in as arguments.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

use super::lane::Lane;
use super::{Fair, Verdict};

const FIRST_DELAY: Duration = Duration::from_secs(1);
const MOST_DELAY: Duration = Duration::from_secs(60);

/// What is known of one key.
struct Entry {
    state: State,
    failures: u32,
}

enum State {
    /// Its time will come.
    Waiting { due: Instant, serial: u64 },
    /// It stands in its lane.
    Ready,
    /// Somebody works on it; by this time there is a reason to look again.
    Taken { again: Option<Instant> },
}

pub(super) struct Core<K> {
    entries: HashMap<K, Entry>,
    /// Ready keys by lane, and the lanes in the order of their turns.
    lanes: HashMap<String, Lane<K>>,
    turns: VecDeque<String>,
    ready: usize,
    /// Waiting keys by time; the serial number tells equal times apart.
    timers: BTreeMap<(Instant, u64), K>,
    serial: u64,
    limit: usize,
    overflow: bool,
}

impl<K: Fair + Clone + Eq + Hash + Ord> Core<K> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            entries: HashMap::new(),
            lanes: HashMap::new(),
            turns: VecDeque::new(),
            ready: 0,
            timers: BTreeMap::new(),
            serial: 0,
            limit: limit.max(1),
            overflow: false,
        }
    }

    /// There is a reason to look at `key` at `due`; of several reasons the first counts.
    pub(super) fn add(&mut self, key: K, due: Instant, now: Instant) {
        let is_full = self.entries.len() >= self.limit;
        match self.entries.get_mut(&key).map(|entry| &mut entry.state) {
            None if is_full => {
                self.overflow = true;
                return;
            }
            None => {}
            Some(State::Ready) => return,
            Some(State::Taken { again }) => {
                *again = Some(again.map_or(due, |again| again.min(due)));
                return;
            }
            Some(State::Waiting { due: before, .. }) if *before <= due => return,
            Some(State::Waiting { due: before, serial }) => {
                self.timers.remove(&(*before, *serial));
            }
        }
        self.schedule(key, due, now);
    }

    /// There is a reason to look at `key` before others: somebody waits for it.
    pub(super) fn hurry(&mut self, key: K, now: Instant) {
        self.add(key.clone(), now, now);
        if self
            .entries
            .get(&key)
            .is_some_and(|entry| matches!(entry.state, State::Ready))
        {
            self.lane(&key).urgent.push_back(key);
        }
    }

    fn schedule(&mut self, key: K, due: Instant, now: Instant) {
        let state = if due <= now {
            self.line_up(key.clone());
            State::Ready
        } else {
            self.serial += 1;
            self.timers.insert((due, self.serial), key.clone());
            State::Waiting {
                due,
                serial: self.serial,
            }
        };
        self.entries
            .entry(key)
            .or_insert(Entry {
                state: State::Ready,
                failures: 0,
            })
            .state = state;
    }

    fn line_up(&mut self, key: K) {
        self.lane(&key).others.push_back(key);
        self.ready += 1;
    }

    /// The lane of a key that is put there now.
    fn lane(&mut self, key: &K) -> &mut Lane<K> {
        let lane = self.lanes.entry(key.lane().to_owned()).or_default();
        if lane.is_empty() {
            self.turns.push_back(key.lane().to_owned());
        }
        lane
    }

    /// The next key whose time has come; lanes take turns.
    pub(super) fn take(&mut self, now: Instant) -> Option<K> {
        self.wake(now);
        while let Some(name) = self.turns.pop_front() {
            let Some(lane) = self.lanes.get_mut(&name) else {
                continue;
            };
            let mut next = None;
            while next.is_none()
                && let Some(key) = lane.pop()
            {
                // Otherwise it was urgent, and had its turn.
                next = self
                    .entries
                    .get_mut(&key)
                    .filter(|entry| matches!(entry.state, State::Ready))
                    .map(|entry| entry.state = State::Taken { again: None })
                    .map(|()| key);
            }
            if lane.is_empty() {
                self.lanes.remove(&name);
            } else {
                self.turns.push_back(name);
            }
            if next.is_some() {
                self.ready -= 1;
                return next;
            }
        }
        None
    }

    fn wake(&mut self, now: Instant) {
        while let Some(first) = self.timers.first_entry()
            && first.key().0 <= now
        {
            let key = first.remove();
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.state = State::Ready;
            }
            self.line_up(key);
        }
    }

    /// When the next waiting key is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.timers.first_key_value().map(|((due, _), _)| *due)
    }

    /// The work on `key` has ended; `chance` is between 0 and 1.
    pub(super) fn finish(&mut self, key: &K, verdict: Verdict, now: Instant, chance: f64) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let State::Taken { again } = entry.state else { return };
        let own = match verdict {
            Verdict::Settled(delay) => {
                entry.failures = 0;
                delay.map(|delay| now + delay)
            }
            Verdict::Again => Some(now),
            Verdict::Failed(at_least) => {
                entry.failures = entry.failures.saturating_add(1);
                Some(now + back_off(entry.failures, chance).max(at_least))
            }
        };
        match own.into_iter().chain(again).min() {
            Some(due) => self.schedule(key.clone(), due, now),
            None => {
                self.entries.remove(key);
            }
        }
    }

    pub(super) fn failures(&self, key: &K) -> u32 {
        self.entries.get(key).map_or(0, |entry| entry.failures)
    }

    pub(super) fn len(&self) -> usize {
        self.ready
    }

    pub(super) fn take_overflow(&mut self) -> bool {
        std::mem::take(&mut self.overflow)
    }
}

/// Doubles with each failure, with up to a fifth taken off so that what failed together does not come back together.
fn back_off(failures: u32, chance: f64) -> Duration {
    let doubled = FIRST_DELAY.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(MOST_DELAY).mul_f64(1.0 - 0.2 * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
    struct Name(&'static str, &'static str);

    impl Fair for Name {
        fn lane(&self) -> &str {
            self.0
        }
    }

    const A: Name = Name("x", "a");
    const B: Name = Name("x", "b");
    const C: Name = Name("y", "c");

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    fn queue() -> (Core<Name>, Instant) {
        (Core::new(100), Instant::now())
    }

    #[test]
    fn what_somebody_waits_for_goes_first_and_not_for_ever() {
        let (mut queue, now) = queue();
        queue.add(A, now, now);
        queue.add(B, now, now);
        queue.hurry(B, now);
        assert_eq!(queue.len(), 2);
        assert_eq!(queue.take(now), Some(B));
        assert_eq!(queue.take(now), Some(A));
        assert_eq!((queue.take(now), queue.len()), (None, 0));
        // What comes back is not taken twice for having stood in two lines.
        queue.finish(&B, Verdict::Again, now, 0.0);
        assert_eq!((queue.take(now), queue.take(now)), (Some(B), None));

        const MANY: [Name; 6] = [
            Name("x", "1"),
            Name("x", "2"),
            Name("x", "3"),
            Name("x", "4"),
            Name("x", "5"),
            Name("x", "6"),
        ];
        queue.finish(&A, Verdict::Again, now, 0.0);
        for name in MANY {
            queue.hurry(name, now);
        }
        let taken: Vec<Name> = std::iter::from_fn(|| queue.take(now)).collect();
        let turn = taken.iter().position(|name| *name == A).unwrap();
        assert_eq!((taken.len(), turn), (7, 4));
    }

    #[test]
    fn a_key_waits_once_however_many_reasons_there_are() {
        let (mut queue, now) = queue();
        for _ in 0..3 {
            queue.add(A, now, now);
        }
        assert_eq!(queue.take(now), Some(A));
        assert_eq!(queue.take(now), None);
    }

    #[test]
    fn a_key_is_never_worked_on_twice_at_a_time() {
        let (mut queue, now) = queue();
        queue.add(A, now, now);
        assert_eq!(queue.take(now), Some(A));
        queue.add(A, now, now);
        assert_eq!(queue.take(now), None);
        queue.finish(&A, Verdict::Settled(None), now, 0.0);
        assert_eq!(queue.take(now), Some(A), "the reason that came meanwhile is not lost");
        queue.finish(&A, Verdict::Settled(None), now, 0.0);
        assert_eq!(queue.take(now), None);
    }

    #[test]
    fn of_two_times_the_earlier_counts() {
        let (mut queue, now) = queue();
        queue.add(A, after(now, 10), now);
        queue.add(A, after(now, 20), now);
        assert_eq!(queue.next_due(), Some(after(now, 10)));
        queue.add(A, after(now, 5), now);
        assert_eq!(queue.next_due(), Some(after(now, 5)));
        assert_eq!(queue.take(after(now, 4)), None);
        assert_eq!(queue.take(after(now, 5)), Some(A));
        assert_eq!(queue.next_due(), None, "the later time is forgotten");
    }

    #[test]
    fn a_later_time_does_not_delay_what_is_due() {
        let (mut queue, now) = queue();
        queue.add(A, now, now);
        queue.add(A, after(now, 60), now);
        assert_eq!(queue.take(now), Some(A));
    }

    #[test]
    fn lanes_take_turns() {
        let (mut queue, now) = queue();
        for key in [A, B, C] {
            queue.add(key, now, now);
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.take(now)).collect();
        assert_eq!(order, [A, C, B]);
    }

    #[test]
    fn failures_wait_longer_each_time_and_success_forgets_them() {
        let (mut queue, mut now) = queue();
        let mut waits = Vec::new();
        queue.add(A, now, now);
        for _ in 0..8 {
            assert_eq!(queue.take(now), Some(A));
            queue.finish(&A, Verdict::Failed(Duration::ZERO), now, 0.0);
            let due = queue.next_due().unwrap();
            waits.push((due - now).as_secs());
            now = due;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(queue.failures(&A), 8);
        assert_eq!(queue.take(now), Some(A));
        queue.finish(&A, Verdict::Settled(Some(Duration::from_secs(600))), now, 0.0);
        assert_eq!(queue.failures(&A), 0);
        assert_eq!(queue.next_due(), Some(after(now, 600)));
    }

    #[test]
    fn a_failure_waits_as_long_as_the_member_asks() {
        let (mut queue, now) = queue();
        queue.add(A, now, now);
        queue.take(now);
        queue.finish(&A, Verdict::Failed(Duration::from_secs(30)), now, 0.5);
        assert_eq!(queue.next_due(), Some(after(now, 30)));
    }

    #[test]
    fn what_fails_together_does_not_come_back_together() {
        assert_eq!(back_off(1, 0.0), Duration::from_secs(1));
        assert_eq!(back_off(1, 1.0), Duration::from_millis(800));
        assert!(back_off(40, 0.0) == Duration::from_secs(60));
    }

    #[test]
    fn a_reason_is_stronger_than_a_back_off() {
        let (mut queue, now) = queue();
        queue.add(A, now, now);
        queue.take(now);
        queue.finish(&A, Verdict::Failed(Duration::ZERO), now, 0.0);
        queue.add(A, now, now);
        assert_eq!(queue.take(now), Some(A));
        assert_eq!(queue.failures(&A), 1);
    }

    #[test]
    fn a_full_queue_turns_new_keys_away_and_says_so() {
        let now = Instant::now();
        let mut queue = Core::new(2);
        for key in [A, B, C] {
            queue.add(key, now, now);
        }
        assert!(queue.take_overflow());
        assert!(!queue.take_overflow());
        queue.add(A, now, now);
        assert!(!queue.take_overflow(), "what waits already needs no room");
        let order: Vec<_> = std::iter::from_fn(|| queue.take(now)).collect();
        assert_eq!(order, [A, B]);
    }
}
