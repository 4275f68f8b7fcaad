//! What wakes objects besides their own changes: a namespace that comes into being in a member lets in what waited for
//! it, and a member that is back, or answers again, is looked at by those that missed it.

use std::collections::BTreeSet;
use std::sync::Arc;

use atoll_clusters::Member;
use atoll_federation::plan::Cause;
use atoll_federation::{ClusterName, Outcome, Step};
use jiff::Timestamp;

use super::Sync;
use super::rounds::Finished;
use crate::fleet::Fleet;
use crate::key::Key;

impl Sync {
    /// The object could not be looked at in these members, and will be when they are back.
    pub(super) fn miss(&self, key: &Key, away: &BTreeSet<ClusterName>) {
        self.missed.set(&self.concerns.name(key), away);
        // One that came back before it was noted woke nobody.
        if away.iter().any(|name| self.is_back(name)) {
            self.queue.add(key.clone());
        }
    }

    /// The same for one that is there but has not answered lately.
    pub(super) fn miss_clogged(&self, key: &Key, name: &ClusterName) {
        self.missed.add(self.concerns.name(key), name);
        if !self.lanes.is_clogged(name) {
            self.queue.add(key.clone());
        }
    }

    /// A member has answered: what missed it need not wait any longer.
    pub(super) fn hear_from(&self, name: &ClusterName) {
        if !self.lanes.is_clogged(name) {
            self.wake_missed(name.as_str(), usize::MAX);
        }
    }

    /// A request came to nothing: one object that missed the member finds out whether others would, too. A member that
    /// refuses some answers all the same.
    pub(super) fn hear_nothing(&self, name: &ClusterName) {
        if !self.lanes.is_clogged(name) {
            self.wake_missed(name.as_str(), 1);
        }
    }

    /// At most so many objects that missed a member look at it now.
    pub(super) fn wake_missed(&self, name: &str, most: usize) {
        for key in self.missed.take(name, most) {
            self.queue.add(Key::clone(&key));
        }
    }

    /// A cluster that was told to leave is left alone although it is ready.
    pub(super) fn is_back(&self, name: &ClusterName) -> bool {
        let leaves = |fleet: &Fleet| {
            fleet
                .get(name)
                .is_none_or(|cluster| cluster.is_leaving(Timestamp::now()))
        };
        self.is_ready(name) && !leaves(&self.fleet.borrow())
    }

    /// Whether what was asked over this connection is still about the member of that name.
    pub(super) fn is_current(&self, name: &ClusterName, asked: Option<&Arc<Member>>) -> bool {
        let now = self.hub.clusters.member(name.as_str());
        asked.is_none_or(|asked| now.is_some_and(|now| Arc::ptr_eq(asked, &now)))
    }

    /// Whether there is a member of this name that can be talked to.
    pub(super) fn is_ready(&self, name: &ClusterName) -> bool {
        let member = self.hub.clusters.member(name.as_str());
        member.is_some_and(|member| member.is_ready())
    }

    /// A namespace that has come into being lets in what waits for it.
    pub(super) fn tell_namespace(&self, key: &Key, finished: &Finished) {
        if !key.kind.row().is_namespace() {
            return;
        }
        let came = finished.plan.clusters.iter().any(|(name, cluster)| {
            let begins =
                matches!(&cluster.step, Step::Apply(apply) if matches!(apply.cause, Cause::Create | Cause::Restore | Cause::Adopt));
            begins && matches!(finished.outcomes.get(name), Some(Outcome::Applied(_)))
        });
        if came {
            self.wake_namespace(key);
        }
    }

    /// Looks at everything in a namespace again.
    pub(super) fn wake_namespace(&self, key: &Key) {
        for inside in self.concerns.in_namespace(&key.name) {
            if inside != *key {
                self.queue.add(inside);
            }
        }
    }
}
