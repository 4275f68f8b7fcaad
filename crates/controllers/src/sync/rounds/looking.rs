//! What is there: from the cache, from the member, or from its pods.

use std::sync::Arc;
use std::time::Duration;

use atoll_clusters::Member;
use atoll_federation::plan::{Pods, RECHECK};
use atoll_federation::{ClusterName, Observed, Reason};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::super::lanes::Arrival;
use super::super::observe::{Seen, look, look_inside};
use super::super::pods::{self, Asked};
use super::{Answer, Round};
use crate::cache::Look;

/// How soon pods are listed again while replicas are not ready for any reason that takes its time.
const PODS_SETTLE: Duration = Duration::from_secs(60);

impl Round<'_> {
    /// Looks at members that there was no room for before; whether some of them need not even be asked.
    pub(super) fn begin_looks(&mut self) -> bool {
        let known = self.seen.len();
        while self.room() > 0
            && let Some(name) = self.unasked.pop_front()
        {
            self.looking.remove(&name);
            self.begin_look(name);
        }
        self.seen.len() != known
    }

    pub(super) fn begin_look(&mut self, name: ClusterName) {
        let lanes = &self.sync.lanes;
        if let Some(arrival) = lanes.take(self.key, &name) {
            match arrival {
                Arrival::Seen(seen) => return self.saw(name, seen),
                Arrival::Failed { reason, message, retry } => {
                    if let Some(at_least) = retry {
                        self.try_again(at_least);
                    }
                    return self.unknown(name, reason, &message);
                }
                Arrival::Done => {}
            }
        }
        if lanes.is_busy(self.key, &name) {
            self.busy.insert(name.clone());
            return self.unknown(
                name,
                Reason::RetrievalFailed,
                "an earlier request has not been answered yet",
            );
        }
        let inside = self.context.needs_contents(&name);
        match self.sync.cache.look(&name, self.key) {
            Look::Present(present) if !inside => return self.note(name, Observed::Present(present)),
            // The list is under way, and will say of many objects at once what a question says of one.
            Look::Unsynced if self.context.is_recorded(&name) && !inside && !self.context.object.orphan => {
                if let Some(member) = self.sync.hub.clusters.member(name.as_str()) {
                    self.asked.insert(name.clone(), member);
                }
                self.looking.insert(name.clone());
                self.looks.push(self.wait_for_list(name));
                return;
            }
            Look::ApiMissing(message) => return self.unknown(name, Reason::ApiMissing, &message),
            Look::Present(_) | Look::Unlisted | Look::Unsynced => {}
        }
        let Some(member) = self.sync.hub.clusters.member(name.as_str()) else {
            self.try_again(Duration::ZERO);
            return self.unknown(name, Reason::ClientRetrievalFailed, "the cluster has just left");
        };
        if lanes.is_clogged(&name) {
            self.sync.miss_clogged(self.key, &name);
            return self.unknown(name, Reason::RetrievalFailed, "the cluster has not answered lately");
        }
        self.looking.insert(name.clone());
        if self.room() == 0 {
            return self.unasked.push_back(name);
        }
        self.asked.insert(name.clone(), member.clone());
        self.looks.push(self.look(name, member, inside));
    }

    fn look(&self, name: ClusterName, member: Arc<Member>, inside: bool) -> BoxFuture<'static, (ClusterName, Answer)> {
        let (key, hub) = (self.key.clone(), self.sync.hub.clone());
        let deadline = hub.options.observe_deadline;
        async move {
            let seen = if inside {
                look_inside(&hub, &member, &key).await
            } else {
                Seen {
                    observed: look(&member, &key, deadline).await,
                    unmanaged: None,
                }
            };
            (name, Answer::Seen(seen))
        }
        .boxed()
    }

    /// A list that does not come soon is a reason to look again when it has come.
    fn wait_for_list(&self, name: ClusterName) -> BoxFuture<'static, (ClusterName, Answer)> {
        let (sync, key) = (self.sync.clone(), self.key.clone());
        async move {
            sync.cache.first_list(&name, &key).await;
            let member = sync.hub.clusters.member(name.as_str());
            let observed = match (sync.cache.look(&name, &key), member) {
                (Look::Present(present), _) => Observed::Present(present),
                (Look::Unlisted, Some(member)) => look(&member, &key, sync.hub.options.observe_deadline).await,
                (Look::ApiMissing(message), _) => Observed::Unknown {
                    reason: Reason::ApiMissing,
                    message,
                },
                (Look::Unsynced | Look::Unlisted, _) => Observed::Unknown {
                    reason: Reason::CachedRetrievalFailed,
                    message: "what the cluster holds has not been read yet".to_owned(),
                },
            };
            let unmanaged = None;
            (name, Answer::Seen(Seen { observed, unmanaged }))
        }
        .boxed()
    }

    pub(super) fn hear(&mut self, name: ClusterName, answer: Answer) {
        match answer {
            Answer::Seen(seen) => self.saw(name, seen),
            Answer::Pods(pods) => {
                self.listing.remove(&name);
                self.sync.readings.arrive(self.key, &name, pods);
                self.read_pods(&name, pods);
            }
            Answer::Drift(version, drift) => self.looked_closer(&name, version, drift),
        }
    }

    fn saw(&mut self, name: ClusterName, seen: Seen) {
        self.looking.remove(&name);
        if !matches!(seen.observed, Observed::Unknown { .. }) {
            self.sync.hear_from(&name);
        }
        if let Observed::Unknown { reason, .. } = &seen.observed
            && *reason != Reason::CachedRetrievalFailed
        {
            self.sync.hub.tally.failed();
            self.sync.hear_nothing(&name);
            self.try_again(Duration::ZERO);
            if *reason == Reason::ClientRetrievalFailed {
                self.sync.probe(&name);
            }
        }
        self.sync.cache.learn(&name, self.key, &seen.observed);
        if let Some(unmanaged) = seen.unmanaged {
            self.context.note_contents(&name, unmanaged);
        }
        self.note(name, seen.observed);
    }

    fn note(&mut self, name: ClusterName, observed: Observed) {
        if let Observed::Present(present) = &observed
            && self.context.needs_pods(&name, present)
        {
            self.begin_pods(&name, present.spec_replicas);
        }
        self.seen.insert(name, observed);
    }

    fn begin_pods(&mut self, name: &ClusterName, wanted: Option<i64>) {
        match self.sync.readings.ask(self.key, name, wanted) {
            Asked::Known(pods) => return self.read_pods(name, pods),
            // Its arrival brings about the next run.
            Asked::UnderWay => return,
            Asked::Begin => {}
        }
        let member = self.sync.hub.clusters.member(name.as_str());
        let Some(member) = member.filter(|_| !self.sync.lanes.is_clogged(name)) else {
            self.sync.readings.arrive(self.key, name, None);
            return self.read_pods(name, None);
        };
        let (name, key) = (name.clone(), self.key.clone());
        let deadline = self.sync.hub.options.observe_deadline;
        self.listing.insert(name.clone());
        let list = async move {
            let pods = pods::read(&member, &key, deadline).await;
            if let Err(error) = &pods {
                tracing::debug!(object = %key, cluster.name = %name, %error, "the pods of {key} could not be listed");
            }
            (name, Answer::Pods(pods.ok()))
        };
        self.looks.push(list.boxed());
    }

    fn read_pods(&mut self, name: &ClusterName, pods: Option<Pods>) {
        let again = match pods {
            Some(pods) => {
                self.context.note_pods(name, pods);
                PODS_SETTLE
            }
            None => RECHECK,
        };
        self.recheck = Some(self.recheck.map_or(again, |before| before.min(again)));
    }
}
