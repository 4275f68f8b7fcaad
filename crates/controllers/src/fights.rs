//! Fights: somebody in a member changes what the hub states, or deletes what it made, again each time it is put back.
//!
//! Putting it back at once, for ever, settles nothing and keeps both sides busy. So from the third time within a minute
//! on the hub lets that cluster's object be for a while, longer each time, and the status says so.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoll_federation::{ClusterName, Fight};
use jiff::{SignedDuration, Timestamp};

use crate::key::Key;

/// What is put back so often within this time is fought over.
const WINDOW: SignedDuration = SignedDuration::from_mins(1);
/// How long it is let be first, and at most.
const FIRST_REST: SignedDuration = SignedDuration::from_secs(10);
const LONGEST_REST: SignedDuration = SignedDuration::from_mins(5);
/// Objects that are remembered. What finds no room is put back at once.
const MOST: usize = 4096;

/// What was put back lately, by object and cluster.
#[derive(Default)]
pub(crate) struct Fights {
    all: Mutex<HashMap<Key, BTreeMap<ClusterName, Course>>>,
}

/// The course that one fight takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Course {
    times: u32,
    last: Timestamp,
    before_last: Option<Timestamp>,
    rest: SignedDuration,
}

impl Course {
    fn begun(now: Timestamp) -> Self {
        Self {
            times: 1,
            last: now,
            before_last: None,
            rest: SignedDuration::ZERO,
        }
    }

    /// The same was put back again.
    fn again(&mut self, now: Timestamp) {
        if self.is_over(now) {
            *self = Self::begun(now);
            return;
        }
        if !self.rest.is_zero() {
            self.rest = self.rest.saturating_mul(2).min(LONGEST_REST);
        } else if self
            .before_last
            .is_some_and(|before| now.duration_since(before) <= WINDOW)
        {
            self.rest = FIRST_REST;
        }
        self.before_last = Some(self.last);
        self.last = now;
        self.times = self.times.saturating_add(1);
    }

    /// Whether what the hub put back last has stayed.
    fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.last) > self.rest + WINDOW
    }

    fn rests_until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.last.saturating_add(self.rest).unwrap_or(now);
        (until > now).then_some(until)
    }
}

impl Fights {
    fn all(&self) -> MutexGuard<'_, HashMap<Key, BTreeMap<ClusterName, Course>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What somebody changed there was put back.
    pub(crate) fn put_back(&self, key: &Key, cluster: &ClusterName, now: Timestamp) {
        let mut all = self.all();
        if !all.contains_key(key) && all.len() >= MOST {
            all.retain(|_, clusters| clusters.values().any(|course| !course.is_over(now)));
            if all.len() >= MOST {
                return;
            }
        }
        // Statuses carry whole seconds.
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let clusters = all.entry(key.clone()).or_default();
        match clusters.get_mut(cluster) {
            Some(course) => course.again(now),
            None => {
                clusters.insert(cluster.clone(), Course::begun(now));
            }
        }
    }

    /// The fights of an object in which the hub waits.
    pub(crate) fn of(&self, key: &Key, now: Timestamp) -> BTreeMap<ClusterName, Fight> {
        let all = self.all();
        let clusters = all.get(key).into_iter().flatten();
        let resting = clusters.filter_map(|(name, course)| {
            let until = course.rests_until(now)?;
            let times = course.times;
            Some((name.clone(), Fight { times, until }))
        });
        resting.collect()
    }

    /// How long news of an object in a cluster can wait.
    pub(crate) fn wait(&self, key: &Key, cluster: &ClusterName, now: Timestamp) -> Duration {
        let until = self
            .all()
            .get(key)
            .and_then(|clusters| clusters.get(cluster)?.rests_until(now));
        until.map_or(Duration::ZERO, |until| {
            Duration::try_from(until.duration_since(now)).unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn key(name: &str) -> Key {
        Key::config_map(name)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn cluster(name: &str) -> ClusterName {
        ClusterName::parse(name).unwrap()
    }

    #[test]
    fn from_the_third_time_within_a_minute_on_there_is_a_rest_and_each_is_twice_as_long() {
        let (fights, web, eu) = (Fights::default(), key("web"), cluster("eu-1"));
        let mut now = 0;
        let mut rests = Vec::new();
        for _ in 0..10 {
            fights.put_back(&web, &eu, at(now));
            let rest = fights.wait(&web, &eu, at(now)).as_secs();
            rests.push(rest);
            now += i64::try_from(rest).unwrap() + 1;
        }
        assert_eq!(rests, [0, 0, 10, 20, 40, 80, 160, 300, 300, 300]);
        let last = fights.of(&web, at(now - 2));
        assert_eq!(
            last[&eu],
            Fight {
                times: 10,
                until: at(now - 1)
            }
        );
        assert!(fights.of(&web, at(now - 1)).is_empty());
    }

    #[test]
    fn what_is_put_back_now_and_then_is_no_fight() {
        let (fights, web, eu) = (Fights::default(), key("web"), cluster("eu-1"));
        for now in [0, 40, 80, 120, 160, 200] {
            fights.put_back(&web, &eu, at(now));
            assert!(fights.of(&web, at(now)).is_empty(), "at {now}");
        }
    }

    #[test]
    fn a_fight_is_over_when_it_has_been_quiet_and_the_next_one_begins_anew() {
        let (fights, web, eu) = (Fights::default(), key("web"), cluster("eu-1"));
        for now in [0, 1, 2, 13, 34] {
            fights.put_back(&web, &eu, at(now));
        }
        assert_eq!(fights.of(&web, at(34))[&eu].times, 5);
        let later = 34 + 40 + 61;
        fights.put_back(&web, &eu, at(later));
        assert!(fights.of(&web, at(later)).is_empty());
        assert_eq!(fights.all()[&web][&eu], Course::begun(at(later)));
    }

    #[test]
    fn one_cluster_and_one_object_make_nobody_else_wait() {
        let (fights, web, eu) = (Fights::default(), key("web"), cluster("eu-1"));
        for now in 0..3 {
            fights.put_back(&web, &eu, at(now));
        }
        fights.put_back(&web, &cluster("us-1"), at(2));
        assert_eq!(
            fights.of(&web, at(3)).into_keys().collect::<Vec<_>>(),
            std::slice::from_ref(&eu)
        );
        assert_eq!(fights.wait(&web, &cluster("us-1"), at(3)), Duration::ZERO);
        assert_eq!(fights.wait(&key("api"), &eu, at(3)), Duration::ZERO);
    }

    #[test]
    fn not_more_is_remembered_than_there_is_room_for_and_what_is_over_makes_room() {
        let (fights, eu) = (Fights::default(), cluster("eu-1"));
        for index in 0..=MOST {
            fights.put_back(&key(&index.to_string()), &eu, at(0));
        }
        assert_eq!(fights.all().len(), MOST);
        fights.put_back(&key("late"), &eu, at(100));
        assert_eq!(fights.all().len(), 1);
    }
}
