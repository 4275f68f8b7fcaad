//! Which clusters keep their share of replicas.
//!
//! A cluster that misses a few probes keeps its share: moving replicas for that would move them back a minute later. One
//! that is away for longer than `unavailableDelay` loses it, and gets it back when it has been ready for
//! `availableDelay`. Every replica follows this by its own monotonic clock; a cluster that is ready when a replica
//! begins, or that has just joined, has its share at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use atoll_clusters::HealthSnapshot;
use atoll_federation::Settings;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::hub::Hub;

/// How the members stand at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shares {
    standings: BTreeMap<String, Standing>,
}

/// How long things take.
#[derive(Debug, Clone, Copy)]
struct Delays {
    available: Duration,
    unavailable: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Standing {
    keeps: bool,
    ready: bool,
    /// Since when it is ready, or away.
    since: Instant,
    /// It has never been ready, so it has lost nothing.
    is_new: bool,
}

impl Standing {
    fn first(health: &HealthSnapshot, now: Instant, time: Timestamp) -> Self {
        let was_seen = health.facts.uid.is_some() || health.facts.kubernetes_version.is_some();
        let is_new = !health.ready && !was_seen;
        let away = Duration::try_from(time.duration_since(health.since)).unwrap_or_default();
        Self {
            keeps: !is_new,
            ready: health.ready,
            since: if health.ready {
                now
            } else {
                now.checked_sub(away).unwrap_or(now)
            },
            is_new,
        }
    }

    fn next(self, ready: bool, now: Instant, delays: Delays) -> Self {
        let since = if ready == self.ready { self.since } else { now };
        let lasted = now.duration_since(since);
        let keeps = if ready {
            self.keeps || self.is_new || lasted >= delays.available
        } else {
            self.keeps && lasted < delays.unavailable
        };
        Self {
            keeps,
            ready,
            since,
            is_new: self.is_new && !ready,
        }
    }

    /// When it changes by itself.
    fn due(self, delays: Delays) -> Option<Instant> {
        match (self.ready, self.keeps) {
            (true, false) => Some(self.since + delays.available),
            (false, true) => Some(self.since + delays.unavailable),
            (true, true) | (false, false) => None,
        }
    }
}

impl Shares {
    /// Whether this cluster keeps its share; `None` when it is not known yet.
    pub(crate) fn keeps(&self, name: &str) -> Option<bool> {
        self.standings.get(name).map(|standing| standing.keeps)
    }

    /// Clusters that keep their share in one of both and not in the other.
    pub(crate) fn changed_since(&self, before: &Self) -> Vec<String> {
        let names = self
            .standings
            .keys()
            .filter(|name| self.keeps(name) != before.keeps(name));
        names.cloned().collect()
    }

    fn next(&self, hub: &Hub, delays: Delays) -> Self {
        let (now, time) = (Instant::now(), Timestamp::now());
        let members = hub.clusters.members();
        let standing = |name: &str, health: &HealthSnapshot| {
            let before = self.standings.get(name).copied();
            let before = before.unwrap_or_else(|| Standing::first(health, now, time));
            before.next(health.ready, now, delays)
        };
        let standings = members
            .iter()
            .map(|(name, member)| (name.clone(), standing(name, &member.health())));
        Self {
            standings: standings.collect(),
        }
    }

    fn due(&self, delays: Delays) -> Option<Instant> {
        self.standings
            .values()
            .filter_map(|standing| standing.due(delays))
            .min()
    }
}

impl From<&Settings> for Delays {
    fn from(settings: &Settings) -> Self {
        Self {
            available: settings.available_delay,
            unavailable: settings.unavailable_delay,
        }
    }
}

/// Follows the members until `stop`.
pub(crate) async fn run(hub: Hub, shares: watch::Sender<Arc<Shares>>, stop: CancellationToken) {
    let follow = async {
        let mut health = hub.clusters.health();
        let mut members = hub.clusters.subscribe();
        let mut configured = hub.configured.clone();
        loop {
            health.mark_unchanged();
            members.mark_unchanged();
            let delays = Delays::from(&configured.borrow_and_update().settings);
            let next = shares.borrow().next(&hub, delays);
            let due = next.due(delays);
            shares.send_if_modified(|before| {
                let is_new = **before != next;
                if is_new {
                    *before = Arc::new(next);
                }
                is_new
            });
            let turn = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Ok(()) = health.changed() => {}
                Ok(()) = members.changed() => {}
                Ok(()) = configured.changed() => {}
                () = turn => {}
            }
        }
    };
    stop.run_until_cancelled(follow).await;
}

#[cfg(test)]
mod tests {
    use atoll_clusters::{Facts, State};

    use super::*;

    const DELAYS: Delays = Delays {
        available: Duration::from_secs(20),
        unavailable: Duration::from_secs(60),
    };

    fn health(ready: bool, uid: Option<&str>, since: i64) -> HealthSnapshot {
        HealthSnapshot {
            state: State::Pending,
            ready,
            since: Timestamp::from_second(since).unwrap(),
            conditions: Vec::new(),
            facts: Facts {
                uid: uid.map(str::to_owned),
                ..Facts::default()
            },
            facts_as_of: None,
            latency_ms: None,
            as_of: None,
            credential_expires_at: None,
        }
    }

    fn at(begun: Instant, seconds: u64) -> Instant {
        begun + Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_is_lost_after_one_delay_and_back_after_the_other() {
        let begun = Instant::now();
        let time = Timestamp::from_second(1000).unwrap();
        let ready = Standing::first(&health(true, Some("u"), 0), begun, time).next(true, begun, DELAYS);
        assert!(ready.keeps && ready.due(DELAYS).is_none());
        let away = ready.next(false, at(begun, 10), DELAYS);
        assert!(away.keeps);
        assert_eq!(away.due(DELAYS), Some(at(begun, 70)));
        assert!(away.next(false, at(begun, 69), DELAYS).keeps);
        let lost = away.next(false, at(begun, 70), DELAYS);
        assert!(!lost.keeps && lost.due(DELAYS).is_none());
        let back = lost.next(true, at(begun, 100), DELAYS);
        assert!(!back.keeps);
        assert_eq!(back.due(DELAYS), Some(at(begun, 120)));
        // A flap begins the wait anew.
        let flapped = back
            .next(false, at(begun, 110), DELAYS)
            .next(true, at(begun, 111), DELAYS);
        assert!(!flapped.next(true, at(begun, 130), DELAYS).keeps);
        assert!(flapped.next(true, at(begun, 131), DELAYS).keeps);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cluster_that_lost_nothing_has_its_share_at_once() {
        let begun = Instant::now();
        let time = Timestamp::from_second(1000).unwrap();
        let new = Standing::first(&health(false, None, 990), begun, time).next(false, begun, DELAYS);
        assert!(!new.keeps, "nobody has ever seen it");
        assert!(new.next(true, at(begun, 1), DELAYS).keeps);
        let missed = Standing::first(&health(true, Some("u"), 0), begun, time).next(false, at(begun, 1), DELAYS);
        assert!(missed.next(true, at(begun, 30), DELAYS).keeps);
    }

    #[tokio::test(start_paused = true)]
    async fn a_restart_does_not_begin_the_wait_anew() {
        tokio::time::advance(Duration::from_secs(3600)).await;
        let begun = Instant::now();
        let time = Timestamp::from_second(1000).unwrap();
        let away = |since| Standing::first(&health(false, Some("u"), since), begun, time).next(false, begun, DELAYS);
        assert!(away(950).keeps);
        assert!(!away(930).keeps);
    }
}
