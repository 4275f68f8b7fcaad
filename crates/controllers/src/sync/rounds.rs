//! Looking and acting, member by member.
//!
//! Looks go out to all members together. As soon as one has answered, its step begins; nobody waits for the others,
//! except deletes, since whether there are too many shows only when all have been counted. What takes longer than a
//! moment is left behind (see the private module `lanes`).

mod closer;
mod late;
mod looking;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use atoll_clusters::Member;
use atoll_federation::plan::Pods;
use atoll_federation::{ClusterName, Drift, FailureKind, Observed, Outcome, Plan, Reason, Step, intents};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::time::{Instant, sleep_until};

use super::Sync;
use super::context::{Context, row};
use super::drifts::Version;
use super::execute::{Done, carry_out};
use super::observe::Seen;
use super::slots::Slot;
use crate::error::{Doing, Result};
use crate::key::Key;

/// How long a run waits for looks, and then for steps, while none is answered.
const PATIENCE: Duration = Duration::from_secs(1);

/// First looks and steps of one run under way. The thousandth of a thousand would be late before it is read, and all of them together
/// take much memory.
pub(super) const ROOM: usize = 256;

/// No member puts off the next run for longer than this.
pub(super) const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// A run that nobody has answered for so long only waits.
const STALL: Duration = Duration::from_millis(100);

/// Between two plans of a run there is this many times as long as one of them took: a thousand members that answer one
/// by one are not a thousand plans of a thousand members.
const BETWEEN_PLANS: u32 = 4;

type Looks = FuturesUnordered<BoxFuture<'static, (ClusterName, Answer)>>;
type Steps = FuturesUnordered<BoxFuture<'static, (ClusterName, Step, Done)>>;

/// What a member was asked.
enum Answer {
    /// How the object is.
    Seen(Seen),
    /// What its pods tell; `None` when that could not be read.
    Pods(Option<Pods>),
    /// What was changed there; `None` when that could not be read.
    Drift(Version, Option<Drift>),
}

/// The end of a run.
pub(super) struct Finished {
    pub(super) plan: Plan,
    pub(super) outcomes: BTreeMap<ClusterName, Outcome>,
    /// Clusters with a request under way, or that do not answer and were not asked: about them nothing may be decided.
    pub(super) busy: BTreeSet<ClusterName>,
    /// What members held before the steps.
    pub(super) seen: BTreeMap<ClusterName, Observed>,
    /// Whether something should be tried again, and when at the earliest.
    pub(super) retry: Option<Duration>,
    /// When pods are worth another look.
    pub(super) recheck: Option<Duration>,
}

impl Finished {
    /// The plan depends on no member.
    pub(super) fn without_looking(plan: Plan) -> Self {
        Self {
            plan,
            outcomes: BTreeMap::new(),
            busy: BTreeSet::new(),
            seen: BTreeMap::new(),
            retry: None,
            recheck: None,
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
    /// Those of them that are to be asked when there is room.
    unasked: VecDeque<ClusterName>,
    /// Clusters whose pods are being listed.
    listing: BTreeSet<ClusterName>,
    /// Clusters in which what was changed is being looked into, and was in this run.
    looking_into: BTreeSet<ClusterName>,
    looked_into: BTreeSet<ClusterName>,
    steps: Steps,
    started: BTreeSet<ClusterName>,
    /// There are steps that wait for room.
    crowded: bool,
    outcomes: BTreeMap<ClusterName, Outcome>,
    busy: BTreeSet<ClusterName>,
    retry: Option<Duration>,
    recheck: Option<Duration>,
    slot: &'a mut Slot,
    /// The connections over which members were asked: under the name of one that left there may soon be another.
    asked: BTreeMap<ClusterName, Arc<Member>>,
}

impl<'a> Round<'a> {
    pub(super) fn new(sync: &'a Arc<Sync>, key: &'a Key, context: &'a mut Context, slot: &'a mut Slot) -> Self {
        Self {
            sync,
            key,
            context,
            seen: BTreeMap::new(),
            looks: FuturesUnordered::new(),
            looking: BTreeSet::new(),
            unasked: VecDeque::new(),
            listing: BTreeSet::new(),
            looking_into: BTreeSet::new(),
            looked_into: BTreeSet::new(),
            steps: FuturesUnordered::new(),
            started: BTreeSet::new(),
            crowded: false,
            outcomes: BTreeMap::new(),
            busy: BTreeSet::new(),
            retry: None,
            recheck: None,
            slot,
            asked: BTreeMap::new(),
        }
    }

    /// How long looks are waited for. Who is not asked when a Job is new has no part in it for good.
    fn patience(&self) -> Duration {
        if self.context.is_new_job() {
            PATIENCE + self.sync.hub.options.observe_deadline
        } else {
            PATIENCE
        }
    }

    pub(super) async fn carry_out(mut self) -> Result<Finished> {
        let reachable = self.context.reachable();
        self.slot.widen(reachable.len()).await;
        for name in reachable {
            self.begin_look(name);
        }
        let mut until = Instant::now() + self.patience();
        let (mut plan, mut next) = self.plan();
        let (mut is_new, mut is_stale) = (true, false);
        loop {
            is_stale |= self.begin_looks();
            if is_stale && (self.looks.is_empty() || Instant::now() >= next) {
                (plan, next) = self.plan();
                (is_new, is_stale) = (true, false);
            }
            if is_new && self.look_closer(&plan) {
                (plan, next) = self.plan();
            }
            let may_go_on = self.crowded && !is_stale && self.room() >= ROOM / 4;
            if (std::mem::take(&mut is_new) || may_go_on) && self.begin_steps(&plan).await? {
                until = Instant::now() + PATIENCE;
            }
            if self.looks.is_empty() && self.steps.is_empty() {
                if self.crowded || is_stale {
                    continue;
                }
                break;
            }
            let stall = Instant::now() + STALL;
            tokio::select! {
                Some((name, answer)) = self.looks.next() => {
                    self.hear(name, answer);
                    while let Some(Some((name, answer))) = self.looks.next().now_or_never() {
                        self.hear(name, answer);
                    }
                    is_stale = true;
                    until = Instant::now() + self.patience();
                }
                Some((name, _, done)) = self.steps.next() => {
                    self.did(name, done);
                    until = Instant::now() + PATIENCE;
                }
                () = sleep_until(next), if is_stale => {}
                () = sleep_until(stall), if self.slot.has_turn() => self.slot.yield_turn(),
                () = sleep_until(until) => {
                    if !self.looks.is_empty() {
                        self.leave_looks();
                        is_stale = true;
                    } else {
                        self.leave_steps();
                        if !self.crowded {
                            break;
                        }
                    }
                    until = Instant::now() + PATIENCE;
                }
            }
        }
        Ok(Finished {
            plan,
            outcomes: self.outcomes,
            busy: self.busy,
            seen: self.seen,
            retry: self.retry,
            recheck: self.recheck,
        })
    }

    /// The plan, and when the next one may be made while answers still come in.
    fn plan(&mut self) -> (Plan, Instant) {
        let begun = Instant::now();
        self.context.settle(&self.seen);
        let plan = atoll_federation::plan(&self.context.input(&self.sync.hub, &self.seen));
        (plan, Instant::now() + begun.elapsed() * BETWEEN_PLANS)
    }

    /// How many more requests may begin.
    fn room(&self) -> usize {
        ROOM.saturating_sub(self.looks.len() + self.steps.len())
    }

    /// A member may ask to be left alone for an hour, but not on behalf of the others.
    fn try_again(&mut self, at_least: Duration) {
        let at_least = at_least.min(LONGEST_RETRY);
        self.retry = Some(self.retry.map_or(at_least, |before| before.max(at_least)));
    }

    fn unknown(&mut self, name: ClusterName, reason: Reason, message: &str) {
        let message = message.to_owned();
        self.seen.insert(name, Observed::Unknown { reason, message });
    }

    /// Begins what may begin now; whether there was anything.
    async fn begin_steps(&mut self, plan: &Plan) -> Result<bool> {
        let deletes_are_counted = self.looking.is_empty();
        // Who gets how many depends on what runs everywhere.
        let shares_are_known = !self.context.shares_out() || (self.looking.is_empty() && self.listing.is_empty());
        let deletes_freely = self.context.object.is_deleting() && !self.context.row.is_namespace();
        let may_begin = |step: &Step| match step {
            Step::Delete { .. } => deletes_are_counted || deletes_freely,
            Step::Apply(_) => shares_are_known,
            Step::Release { .. } => true,
            Step::UpToDate | Step::Keep(..) | Step::Wait(..) | Step::Fail(..) => false,
        };
        let ready: BTreeMap<&ClusterName, &Step> = plan
            .clusters
            .iter()
            .filter(|(name, cluster)| may_begin(&cluster.step) && !self.started.contains(*name))
            .filter(|(name, _)| !self.looking_into.contains(*name))
            .map(|(name, cluster)| (name, &cluster.step))
            .collect();
        if ready.is_empty() {
            self.crowded = false;
            return Ok(false);
        }
        self.remember_intents(plan, &ready).await?;
        self.sync.leadership.check()?;
        let room = self.room();
        self.crowded = ready.len() > room;
        for (name, step) in ready.into_iter().take(room) {
            let (name, step) = (name.clone(), step.clone());
            self.started.insert(name.clone());
            match self.sync.hub.clusters.member(name.as_str()) {
                None => self.did(name, Done::failed(FailureKind::NotReady, "the cluster has just left")),
                Some(_) if self.sync.lanes.is_clogged(&name) => {
                    self.sync.miss_clogged(self.key, &name);
                    self.busy.insert(name);
                }
                Some(member) => {
                    self.asked.insert(name.clone(), member.clone());
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
    async fn remember_intents(&mut self, plan: &Plan, ready: &BTreeMap<&ClusterName, &Step>) -> Result<()> {
        let mut begun = intents(plan, &self.context.records);
        begun.retain(|name, _| ready.contains_key(name));
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
}
