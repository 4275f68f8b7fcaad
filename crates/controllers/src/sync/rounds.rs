//! Looking and acting, member by member.
//!
//! Looks go out to all members together. As soon as one has answered, its step begins; nobody waits for the others,
//! except deletes, since whether there are too many shows only when all have been counted. What takes longer than a
//! moment is left behind (see the private module `lanes`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use atoll_clusters::Member;
use atoll_federation::{
    ClusterName, FailureKind, Observed, Outcome, Plan, Reason, Record, Step, failure_reason, intents,
};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::time::{Instant, sleep_until};

use super::Sync;
use super::context::{Context, row};
use super::execute::{Done, carry_out};
use super::lanes::Arrival;
use super::observe::{Seen, look, look_inside};
use crate::cache::Look;
use crate::error::{Doing, Result, chain};
use crate::key::Key;

/// How long a run waits for looks, and then for steps.
const PATIENCE: Duration = Duration::from_secs(1);

type Looks = FuturesUnordered<BoxFuture<'static, (ClusterName, Seen)>>;
type Steps = FuturesUnordered<BoxFuture<'static, (ClusterName, Step, Done)>>;

/// The end of a run.
pub(super) struct Finished {
    pub(super) plan: Plan,
    pub(super) outcomes: BTreeMap<ClusterName, Outcome>,
    /// Clusters with a request under way, about which nothing may be decided.
    pub(super) busy: BTreeSet<ClusterName>,
    /// Whether something should be tried again, and when at the earliest.
    pub(super) retry: Option<Duration>,
}

impl Finished {
    /// The plan depends on no member.
    pub(super) fn without_looking(plan: Plan) -> Self {
        Self {
            plan,
            outcomes: BTreeMap::new(),
            busy: BTreeSet::new(),
            retry: None,
        }
    }
}

pub(super) struct Round<'a> {
    sync: &'a Arc<Sync>,
    key: &'a Key,
    context: &'a mut Context,
    seen: BTreeMap<ClusterName, Observed>,
    looks: Looks,
    looking: BTreeSet<ClusterName>,
    steps: Steps,
    started: BTreeSet<ClusterName>,
    outcomes: BTreeMap<ClusterName, Outcome>,
    busy: BTreeSet<ClusterName>,
    retry: Option<Duration>,
}

impl<'a> Round<'a> {
    pub(super) fn new(sync: &'a Arc<Sync>, key: &'a Key, context: &'a mut Context) -> Self {
        Self {
            sync,
            key,
            context,
            seen: BTreeMap::new(),
            looks: FuturesUnordered::new(),
            looking: BTreeSet::new(),
            steps: FuturesUnordered::new(),
            started: BTreeSet::new(),
            outcomes: BTreeMap::new(),
            busy: BTreeSet::new(),
            retry: None,
        }
    }

    pub(super) async fn carry_out(mut self) -> Result<Finished> {
        for name in self.context.reachable() {
            self.begin_look(name);
        }
        let mut until = Instant::now() + PATIENCE;
        let mut plan = self.plan();
        loop {
            if self.begin_steps(&plan).await? {
                until = Instant::now() + PATIENCE;
            }
            if self.looks.is_empty() && self.steps.is_empty() {
                break;
            }
            tokio::select! {
                Some((name, seen)) = self.looks.next() => {
                    self.saw(name, seen);
                    while let Some(Some((name, seen))) = self.looks.next().now_or_never() {
                        self.saw(name, seen);
                    }
                    plan = self.plan();
                }
                Some((name, _, done)) = self.steps.next() => self.did(name, done),
                () = sleep_until(until) => {
                    if self.looks.is_empty() {
                        self.leave_steps();
                        break;
                    }
                    self.leave_looks();
                    plan = self.plan();
                }
            }
        }
        Ok(Finished {
            plan,
            outcomes: self.outcomes,
            busy: self.busy,
            retry: self.retry,
        })
    }

    fn plan(&self) -> Plan {
        atoll_federation::plan(&self.context.input(&self.sync.hub, &self.seen))
    }

    fn try_again(&mut self, at_least: Duration) {
        self.retry = Some(self.retry.map_or(at_least, |before| before.max(at_least)));
    }

    fn unknown(&mut self, name: ClusterName, reason: Reason, message: &str) {
        let message = message.to_owned();
        self.seen.insert(name, Observed::Unknown { reason, message });
    }

    fn begin_look(&mut self, name: ClusterName) {
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
            Look::Present(present) if !inside => {
                self.seen.insert(name, Observed::Present(present));
                return;
            }
            // The list is under way, and will say of many objects at once what a question says of one.
            Look::Unsynced if self.context.is_recorded(&name) && !inside => {
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
            self.try_again(Duration::ZERO);
            return self.unknown(name, Reason::RetrievalFailed, "the cluster has not answered lately");
        }
        self.looking.insert(name.clone());
        self.looks.push(self.look(name, member, inside));
    }

    fn look(&self, name: ClusterName, member: Arc<Member>, inside: bool) -> BoxFuture<'static, (ClusterName, Seen)> {
        let (key, deadline) = (self.key.clone(), self.sync.hub.options.observe_deadline);
        async move {
            let seen = if inside {
                look_inside(&member, &key, deadline).await
            } else {
                Seen {
                    observed: look(&member, &key, deadline).await,
                    unmanaged: None,
                }
            };
            (name, seen)
        }
        .boxed()
    }

    /// A list that does not come soon is a reason to look again when it has come.
    fn wait_for_list(&self, name: ClusterName) -> BoxFuture<'static, (ClusterName, Seen)> {
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
            (name, Seen { observed, unmanaged })
        }
        .boxed()
    }

    fn saw(&mut self, name: ClusterName, seen: Seen) {
        self.looking.remove(&name);
        if let Observed::Unknown { reason, .. } = &seen.observed
            && *reason != Reason::CachedRetrievalFailed
        {
            self.sync.hub.tally.failed();
            self.try_again(Duration::ZERO);
            if *reason == Reason::ClientRetrievalFailed {
                self.sync.probe(&name);
            }
        }
        self.sync.cache.learn(&name, self.key, &seen.observed);
        if let Some(unmanaged) = seen.unmanaged {
            self.context.note_contents(&name, unmanaged);
        }
        self.seen.insert(name, seen.observed);
    }

    /// Begins what may begin now; whether there was anything.
    async fn begin_steps(&mut self, plan: &Plan) -> Result<bool> {
        let deletes_are_counted = self.looking.is_empty();
        let deletes_freely = self.context.object.is_deleting() && !self.context.row.is_namespace();
        let may_begin = |step: &Step| match step {
            Step::Delete { .. } => deletes_are_counted || deletes_freely,
            Step::Apply(_) | Step::Release { .. } => true,
            Step::UpToDate | Step::Keep(..) | Step::Wait(..) | Step::Fail(..) => false,
        };
        let ready: Vec<(ClusterName, Step)> = plan
            .clusters
            .iter()
            .filter(|(name, cluster)| may_begin(&cluster.step) && !self.started.contains(*name))
            .map(|(name, cluster)| (name.clone(), cluster.step.clone()))
            .collect();
        if ready.is_empty() {
            return Ok(false);
        }
        self.remember_intents(plan, &ready).await?;
        self.sync.leadership.check()?;
        for (name, step) in ready {
            self.started.insert(name.clone());
            match self.sync.hub.clusters.member(name.as_str()) {
                None => self.did(name, Done::failed(FailureKind::NotReady, "the cluster has just left")),
                Some(_) if self.sync.lanes.is_clogged(&name) => {
                    self.did(
                        name,
                        Done::failed(FailureKind::Other, "the cluster has not answered lately"),
                    );
                }
                Some(member) => {
                    let (key, deadline) = (self.key.clone(), self.sync.hub.options.step_deadline);
                    let step = async move {
                        let done = carry_out(&member, &key, &step, deadline).await;
                        (name, step, done)
                    };
                    self.steps.push(step.boxed());
                }
            }
        }
        Ok(true)
    }

    /// A first write that is never seen to end must be found again.
    async fn remember_intents(&mut self, plan: &Plan, ready: &[(ClusterName, Step)]) -> Result<()> {
        let mut begun = intents(plan, &self.context.records);
        begun.retain(|name, _| ready.iter().any(|(other, _)| other == name));
        let rows: Vec<_> = begun
            .iter()
            .map(|(name, record)| row(self.key, name, record.clone()))
            .collect();
        let lease = self.sync.leadership.lease();
        let recorded = self.sync.hub.store.record_propagations(Some(lease), &rows, &[]).await;
        recorded.doing("recording what is about to be written")?;
        self.context.records.extend(begun);
        Ok(())
    }

    fn did(&mut self, name: ClusterName, done: Done) {
        if !done.retry_after.is_zero() {
            self.try_again(done.retry_after);
        }
        self.sync.learn(self.key, &name, &done.outcome);
        self.outcomes.insert(name, done.outcome);
    }

    /// Goes on without the looks that are still under way.
    fn leave_looks(&mut self) {
        let names = std::mem::take(&mut self.looking);
        for name in &names {
            self.sync.lanes.begin(self.key, name);
            self.unknown(
                name.clone(),
                Reason::RetrievalFailed,
                "the cluster has not answered yet",
            );
        }
        self.busy.extend(names);
        let mut looks = std::mem::take(&mut self.looks);
        let (sync, key) = (self.sync.clone(), self.key.clone());
        self.leave(async move {
            while let Some((name, seen)) = looks.next().await {
                sync.arrive(&key, &name, Arrival::Seen(seen));
            }
        });
    }

    /// Goes on without the steps that are still under way.
    fn leave_steps(&mut self) {
        let left = self.started.iter().filter(|name| !self.outcomes.contains_key(*name));
        let names: Vec<ClusterName> = left.cloned().collect();
        for name in &names {
            self.sync.lanes.begin(self.key, name);
        }
        self.busy.extend(names);
        let mut steps = std::mem::take(&mut self.steps);
        let (sync, key) = (self.sync.clone(), self.key.clone());
        self.leave(async move {
            while let Some((name, step, done)) = steps.next().await {
                let arrival = settle_late(&sync, &key, &name, &step, done).await;
                sync.arrive(&key, &name, arrival);
            }
        });
    }

    fn leave(&self, work: impl Future<Output = ()> + Send + 'static) {
        let lost = self.sync.leadership.lost().clone();
        self.sync.tracker.spawn(async move {
            lost.run_until_cancelled(work).await;
        });
    }
}

/// A step that ended after its run: its success is remembered here, its failure is told to the next run.
async fn settle_late(sync: &Sync, key: &Key, name: &ClusterName, step: &Step, done: Done) -> Arrival {
    sync.learn(key, name, &done.outcome);
    match (&done.outcome, step) {
        (Outcome::Failed(failure), _) => Arrival::Failed {
            reason: failure_reason(step, failure),
            message: failure.message.clone(),
            retry: failure.kind.is_transient().then_some(done.retry_after),
        },
        (Outcome::Applied(present), Step::Apply(apply)) => {
            let record = Record {
                uid: Some(present.uid.clone()),
                applied_hash: Some(apply.hash.clone()),
                managed_hash: present.managed_hash.clone(),
                ..Record::begun(jiff::Timestamp::now())
            };
            let put = [row(key, name, record)];
            let recorded = sync
                .hub
                .store
                .record_propagations(Some(sync.leadership.lease()), &put, &[])
                .await;
            if let Err(error) = recorded {
                // The next run finds the object by its marks.
                tracing::warn!(object = %key, cluster.name = %name, error = %chain(&error), "what was written could not be recorded");
            }
            if key.kind.row().is_namespace() {
                sync.wake_namespace(key);
            }
            Arrival::Done
        }
        (Outcome::Applied(_) | Outcome::Deleted { .. } | Outcome::Released, _) => Arrival::Done,
    }
}
