//! Clusters as reasons to look: members that come and go, and times at which one counts otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use atoll_clusters::Member;
use jiff::Timestamp;

use crate::sync::Sync;

/// Which members were ready when they were last looked at, and which connection that was.
#[derive(Default)]
pub(super) struct Readiness {
    known: BTreeMap<String, (bool, Arc<Member>)>,
}

impl Readiness {
    /// Wakes what is concerned by members that came, went, became ready or fell silent.
    pub(super) fn tell(&mut self, sync: &Sync) {
        let members = sync.hub.clusters.members();
        let mut flipped = Vec::new();
        self.known.retain(|name, _| {
            let stays = members.contains_key(name);
            if !stays {
                flipped.push(name.clone());
            }
            stays
        });
        for (name, member) in members.iter() {
            let ready = member.is_ready();
            let same = self
                .known
                .get(name)
                .is_some_and(|(before, known)| *before == ready && Arc::ptr_eq(known, member));
            if !same {
                self.known.insert(name.clone(), (ready, member.clone()));
                flipped.push(name.clone());
            }
        }
        for name in flipped {
            for key in sync.concerns.of_cluster(&name) {
                sync.queue.add(key);
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

/// When the next cluster that was to leave is written to again, if there is one.
pub(super) fn next_end_of_leaving(sync: &Sync) -> Option<Duration> {
    let now = Timestamp::now();
    let fleet = sync.fleet.borrow();
    let ends = fleet
        .values()
        .filter_map(|cluster| cluster.leaving_until)
        .filter(|until| *until > now);
    let next = ends.min()?;
    Some(Duration::try_from(next.duration_since(now)).unwrap_or_default() + Duration::from_millis(10))
}

pub(super) fn wake_left(sync: &Sync) {
    let fleet = sync.fleet.borrow().clone();
    for (name, _) in fleet.iter().filter(|(_, cluster)| cluster.leaving_until.is_some()) {
        for key in sync.concerns.of_cluster(name.as_str()) {
            sync.queue.add(key);
        }
    }
}
