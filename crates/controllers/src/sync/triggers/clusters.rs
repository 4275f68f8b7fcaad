//! What becomes of members, as a reason to look at objects.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use atoll_clusters::Member;
use atoll_federation::ClusterName;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::sync::Sync;

/// How long a member may be away before that is told of every object in it. Most are back sooner, and telling it of ten
/// thousand objects, twice, is much work for nothing. KubeFed waits for a minute.
const GRACE: Duration = Duration::from_secs(5);

/// Which members were ready when they were last looked at, and which connections these were.
pub(super) struct Readiness<M = Member> {
    known: BTreeMap<String, Known<M>>,
}

struct Known<M> {
    member: Arc<M>,
    standing: Standing,
}

#[derive(Clone, Copy)]
enum Standing {
    Ready,
    /// Away, and since when; whether that was told of all objects.
    Away(Instant, bool),
}

/// Objects of a cluster that are to be looked at.
#[derive(Debug, PartialEq)]
enum News {
    /// All of them.
    All(String),
    /// Those that missed it.
    Back(String),
}

impl<M> Default for Readiness<M> {
    fn default() -> Self {
        Self { known: BTreeMap::new() }
    }
}

impl<M> Readiness<M> {
    /// Compares with how the members are now.
    fn observe<'a>(&mut self, now: Instant, members: impl Iterator<Item = (&'a str, &'a Arc<M>, bool)>) -> Vec<News>
    where
        M: 'a,
    {
        let mut news = Vec::new();
        let mut gone = std::mem::take(&mut self.known);
        for (name, member, ready) in members {
            let before = gone.remove(name).filter(|known| Arc::ptr_eq(&known.member, member));
            let standing = match (ready, before.map(|known| known.standing)) {
                (_, None) => {
                    news.push(News::All(name.to_owned()));
                    if ready {
                        Standing::Ready
                    } else {
                        Standing::Away(now, true)
                    }
                }
                (true, Some(_)) => {
                    news.push(News::Back(name.to_owned()));
                    Standing::Ready
                }
                (false, Some(Standing::Ready)) => Standing::Away(now, false),
                (false, Some(Standing::Away(since, false))) if since + GRACE <= now => {
                    news.push(News::All(name.to_owned()));
                    Standing::Away(since, true)
                }
                (false, Some(away @ Standing::Away(..))) => away,
            };
            let member = member.clone();
            self.known.insert(name.to_owned(), Known { member, standing });
        }
        news.extend(gone.into_keys().map(News::All));
        news
    }

    /// When a member will have been away for too long.
    pub(super) fn due(&self) -> Option<Instant> {
        let ends = self.known.values().filter_map(|known| match known.standing {
            Standing::Away(since, false) => Some(since + GRACE),
            Standing::Away(_, true) | Standing::Ready => None,
        });
        ends.min()
    }
}

impl Readiness {
    /// Wakes what is concerned by members that came, went, are back, or have been away for too long.
    pub(super) fn tell(&mut self, sync: &Sync) {
        let members = sync.hub.clusters.members();
        let now = members
            .iter()
            .map(|(name, member)| (name.as_str(), member, member.is_ready()));
        for news in self.observe(Instant::now(), now) {
            match news {
                News::All(name) => {
                    for key in sync.concerns.of_cluster(&name) {
                        sync.queue.add(key);
                    }
                }
                // One that is told to leave, or does not answer, would be missed again at once.
                News::Back(name) => {
                    let name = ClusterName::parse(&name).ok().filter(|name| sync.is_back(name));
                    if let Some(name) = name {
                        sync.hear_from(&name);
                    }
                }
            }
        }
    }
}

/// Clusters that lost their share of replicas, or got it back, change the shares of all others.
pub(super) fn wake_scaled(sync: &Sync, clusters: &[String]) {
    for name in clusters {
        let keys = sync.concerns.of_cluster(name).into_iter();
        for key in keys.filter(|key| key.kind.row().replicas_path.is_some() || key.kind.row().is_plain()) {
            sync.queue.add(key);
        }
    }
}

/// When the next cluster that was to leave is written to again, if there is one whose end has not been told.
pub(super) fn next_end_of_leaving(sync: &Sync, told: Timestamp) -> Option<Duration> {
    let fleet = sync.fleet.borrow();
    let ends = fleet
        .values()
        .filter_map(|cluster| cluster.leaving_until)
        .filter(|until| *until > told);
    let next = ends.min()?;
    let wait = Duration::try_from(next.duration_since(Timestamp::now())).unwrap_or_default();
    Some(wait + Duration::from_millis(10))
}

pub(super) fn wake_left(sync: &Sync) {
    let fleet = sync.fleet.borrow().clone();
    for (name, _) in fleet.iter().filter(|(_, cluster)| cluster.leaving_until.is_some()) {
        for key in sync.concerns.of_cluster(name.as_str()) {
            sync.queue.add(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn all() -> Vec<News> {
        vec![News::All("eu-1".to_owned())]
    }

    fn back() -> Vec<News> {
        vec![News::Back("eu-1".to_owned())]
    }

    #[test]
    fn a_short_absence_is_told_to_nobody_but_those_who_missed_the_member() {
        let (mut readiness, member, start) = (Readiness::default(), Arc::new(()), Instant::now());
        let mut observe = |seconds: u32, ready| {
            let news = readiness.observe(start + SECOND * seconds, std::iter::once(("eu-1", &member, ready)));
            (news, readiness.due())
        };
        assert_eq!(observe(0, true), (all(), None));
        assert_eq!(observe(1, false), (vec![], Some(start + SECOND + GRACE)));
        assert_eq!(observe(3, false).0, vec![]);
        assert_eq!(observe(4, true), (back(), None));
        assert_eq!(observe(5, false), (vec![], Some(start + 5 * SECOND + GRACE)));
    }

    #[test]
    fn a_long_absence_is_told_to_all_once() {
        let (mut readiness, member, start) = (Readiness::default(), Arc::new(()), Instant::now());
        let mut observe = |seconds: u32, ready| {
            readiness.observe(start + SECOND * seconds, std::iter::once(("eu-1", &member, ready)))
        };
        observe(0, true);
        observe(1, false);
        assert_eq!(observe(6, false), all());
        assert_eq!(observe(60, false), vec![]);
        assert_eq!(observe(61, true), back());
    }

    #[test]
    fn another_connection_and_none_at_all_are_told_to_all() {
        let (mut readiness, now) = (Readiness::default(), Instant::now());
        let (one, other) = (Arc::new(()), Arc::new(()));
        assert_eq!(readiness.observe(now, std::iter::once(("eu-1", &one, false))), all());
        assert_eq!(readiness.due(), None, "all have just been told");
        assert_eq!(readiness.observe(now, std::iter::once(("eu-1", &other, true))), all());
        assert_eq!(readiness.observe(now, std::iter::empty()), all());
        assert_eq!(readiness.observe(now, std::iter::empty()), vec![]);
    }
}
