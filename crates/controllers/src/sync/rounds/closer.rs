//! A closer look at objects that somebody changed in members: at what was changed, and by whom.
//!
//! The cache has no room for whole objects, so the member is asked for this one. That happens only where there is drift,
//! and at most once in a run.

use atoll_federation::{ClusterName, Drift, Observed, Plan};
use futures::FutureExt;

use super::super::drifts::Version;
use super::super::observe::look_whole;
use super::{Answer, Round};

impl Round<'_> {
    /// Looks closer where this plan says that something was changed; whether some of it is known already, so that the
    /// plan can tell.
    pub(super) fn look_closer(&mut self, plan: &Plan) -> bool {
        let mut is_known = false;
        for (name, cluster) in &plan.clusters {
            let Some(drifted) = cluster.drifted.as_deref().filter(|drifted| drifted.found.is_none()) else {
                continue;
            };
            let Some(Observed::Present(present)) = self.seen.get(name) else {
                continue;
            };
            if !self.looked_into.insert(name.clone()) {
                continue;
            }
            let version = Version::of(present, drifted);
            if let Some(drift) = self.sync.drifts.known(self.key, name, &version) {
                self.context.note_drift(name, drift);
                is_known = true;
                continue;
            }
            let member = self.sync.hub.clusters.member(name.as_str());
            let Some(member) = member.filter(|_| !self.sync.lanes.is_clogged(name)) else {
                continue;
            };
            self.looking_into.insert(name.clone());
            let (name, key, drifted) = (name.clone(), self.key.clone(), drifted.clone());
            let deadline = self.sync.hub.options.observe_deadline;
            let look = async move {
                let (_, whole) = look_whole(&member, &key, deadline).await;
                let drift = whole.map(|whole| Drift::of(key.kind.row(), &whole, &drifted));
                (name, Answer::Drift(version, drift))
            };
            self.looks.push(look.boxed());
        }
        is_known
    }

    /// What cannot be read is put back, or left as it is, all the same.
    pub(super) fn looked_closer(&mut self, name: &ClusterName, version: Version, drift: Option<Drift>) {
        self.looking_into.remove(name);
        if let Some(drift) = drift {
            self.sync.drifts.learn(self.key, name, version, drift.clone());
            self.context.note_drift(name, drift);
        }
    }
}
