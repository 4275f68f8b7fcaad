//! The queue as a value: time and chance come in as arguments.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

use super::line::Line;
use super::pace::Pace;
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
    /// It stands in a line; in that of the urgent ones too, when somebody waits for it.
    Ready { urgent: bool },
    /// Somebody works on it; by this time there is a reason to look again, and somebody waits for that.
    Taken { again: Option<Instant>, urgent: bool },
}

const TAKEN: State = State::Taken {
    again: None,
    urgent: false,
};

pub(super) struct Core<K> {
    entries: HashMap<K, Entry>,
    /// Ready keys that somebody waits for.
    urgent: Line<K>,
    /// All ready keys, and some that were urgent and have had their turn.
    others: Line<K>,
    pace: Pace,
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
            urgent: Line::default(),
            others: Line::default(),
            pace: Pace::default(),
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
            Some(State::Ready { .. }) => return,
            Some(State::Taken { again, .. }) => {
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
        match self.entries.get_mut(&key).map(|entry| &mut entry.state) {
            Some(State::Ready { urgent }) => {
                if !std::mem::replace(urgent, true) {
                    self.urgent.push(key);
                }
            }
            Some(State::Taken { urgent, .. }) => *urgent = true,
            Some(State::Waiting { .. }) | None => {}
        }
    }

    fn schedule(&mut self, key: K, due: Instant, now: Instant) {
        let state = if due <= now {
            self.others.push(key.clone());
            self.ready += 1;
            State::Ready { urgent: false }
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
                state: TAKEN,
                failures: 0,
            })
            .state = state;
    }

    /// The next key that somebody waits for.
    pub(super) fn take_hurried(&mut self, now: Instant) -> Option<K> {
        while let Some(key) = self.urgent.pop() {
            if self.claim(&key, true) {
                self.pace.hurried(now);
                return Some(key);
            }
        }
        None
    }

    /// The next key whose time has come, unless somebody is in a hurry.
    pub(super) fn take(&mut self, now: Instant) -> Option<K> {
        self.wake(now);
        while self.pace.lets_pass(now)
            && let Some(key) = self.others.pop()
        {
            if self.claim(&key, false) {
                self.pace.passed(now);
                return Some(key);
            }
        }
        None
    }

    /// Takes a key out of a line, unless it stands there for nothing: it had its turn in another one.
    fn claim(&mut self, key: &K, from_urgent: bool) -> bool {
        let Some(entry) = self.entries.get_mut(key) else {
            return false;
        };
        match entry.state {
            State::Ready { urgent } if urgent || !from_urgent => {
                entry.state = TAKEN;
                self.ready -= 1;
                true
            }
            State::Ready { .. } | State::Waiting { .. } | State::Taken { .. } => false,
        }
    }

    fn wake(&mut self, now: Instant) {
        while let Some(first) = self.timers.first_entry()
            && first.key().0 <= now
        {
            let key = first.remove();
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.state = State::Ready { urgent: false };
                self.ready += 1;
                self.others.push(key);
            }
        }
    }

    /// When the next waiting key is due, or may pass.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        let due = self.timers.first_key_value().map(|((due, _), _)| *due);
        let passes = (!self.others.is_empty()).then(|| self.pace.next(now));
        due.into_iter().chain(passes).min()
    }

    /// The work on `key` has ended; `chance` is between 0 and 1.
    pub(super) fn finish(&mut self, key: &K, verdict: Verdict, now: Instant, chance: f64) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let State::Taken { again, urgent } = entry.state else {
            return;
        };
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
        if urgent {
            self.hurry(key.clone(), now);
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
    fn what_somebody_waits_for_need_not_stand_in_line() {
        let (mut queue, now) = queue();
        queue.add(A, now, now);
        queue.add(B, now, now);
        queue.hurry(B, now);
        assert_eq!(queue.len(), 2);
        assert_eq!((queue.take_hurried(now), queue.take_hurried(now)), (Some(B), None));
        let later = after(now, 1);
        assert_eq!(queue.take(later), Some(A));
        assert_eq!((queue.take(later), queue.len()), (None, 0));
        // What comes back is not taken twice for having stood in two lines.
        queue.finish(&B, Verdict::Again, later, 0.0);
        assert_eq!((queue.take(later), queue.take(later)), (Some(B), None));
    }

    #[test]
    fn while_somebody_waits_the_others_pass_one_by_one() {
        const MANY: [Name; 4] = [Name("x", "1"), Name("x", "2"), Name("y", "3"), Name("y", "4")];
        let (mut queue, now) = queue();
        for key in [A, B, C] {
            queue.add(key, now, now);
        }
        for name in MANY {
            queue.hurry(name, now);
        }
        let hurried = std::iter::from_fn(|| queue.take_hurried(now));
        assert!(hurried.eq([MANY[0].clone(), MANY[2].clone(), MANY[1].clone(), MANY[3].clone()]));
        assert_eq!(queue.take(now), None, "nobody passes right after them");
        let mut passed = Vec::new();
        for _ in 0..3 {
            let due = queue.next_due(now).unwrap();
            passed.extend(queue.take(due));
            assert_eq!(queue.take(due), None);
        }
        assert_eq!(passed, [A, C, B]);
        assert_eq!(queue.take(after(now, 1)), None);
        assert_eq!(queue.next_due(now), None);
    }

    #[test]
    fn who_is_in_a_hurry_twice_has_one_turn() {
        let (mut queue, now) = queue();
        queue.hurry(A, now);
        queue.hurry(A, now);
        assert_eq!((queue.len(), queue.take_hurried(now)), (1, Some(A)));
        queue.finish(&A, Verdict::Settled(None), now, 0.0);
        assert_eq!((queue.len(), queue.take_hurried(now)), (0, None));
    }

    #[test]
    fn a_hurry_that_comes_while_somebody_works_is_not_forgotten() {
        let (mut queue, now) = queue();
        queue.add(A, now, now);
        assert_eq!(queue.take(now), Some(A));
        queue.hurry(A, now);
        assert_eq!(queue.take_hurried(now), None);
        queue.finish(&A, Verdict::Failed(Duration::from_secs(30)), now, 0.0);
        assert_eq!(queue.take_hurried(now), Some(A));
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
        assert_eq!(queue.next_due(now), Some(after(now, 10)));
        queue.add(A, after(now, 5), now);
        assert_eq!(queue.next_due(now), Some(after(now, 5)));
        assert_eq!(queue.take(after(now, 4)), None);
        assert_eq!(queue.take(after(now, 5)), Some(A));
        assert_eq!(queue.next_due(now), None, "the later time is forgotten");
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
            let due = queue.next_due(now).unwrap();
            waits.push((due - now).as_secs());
            now = due;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(queue.failures(&A), 8);
        assert_eq!(queue.take(now), Some(A));
        queue.finish(&A, Verdict::Settled(Some(Duration::from_secs(600))), now, 0.0);
        assert_eq!(queue.failures(&A), 0);
        assert_eq!(queue.next_due(now), Some(after(now, 600)));
    }

    #[test]
    fn a_failure_waits_as_long_as_the_member_asks() {
        let (mut queue, now) = queue();
        queue.add(A, now, now);
        queue.take(now);
        queue.finish(&A, Verdict::Failed(Duration::from_secs(30)), now, 0.5);
        assert_eq!(queue.next_due(now), Some(after(now, 30)));
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
