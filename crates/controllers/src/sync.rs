//! Keeping members in step: a key comes out of the queue, what is there is observed, planned, carried out, recorded.
//!
//! A run takes no hint of what happened. It reads the object, the clusters and the records, looks at the members that
//! matter, and does what the plan says; when all is right it writes nothing. So every reason to look may come twice or
//! late, and a hub that stopped in the middle goes on where it was.

pub(crate) mod contents;
pub(crate) mod context;
mod drifts;
pub(crate) mod execute;
pub(crate) mod failure;
mod lanes;
pub(crate) mod leftovers;
mod missed;
pub(crate) mod observe;
pub(crate) mod plain;
pub(crate) mod pods;
mod record;
mod rounds;
mod slots;
mod triggers;
mod verdict;
mod waking;
mod weigh;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use atoll_federation::plan::Cause;
use atoll_federation::{ClusterName, FailureKind, FinalizerAction, Observed, Outcome, Plan, Reason, Step};
use atoll_store::Object;
use futures::FutureExt;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use self::context::Context;
use self::drifts::Drifts;
use self::lanes::Lanes;
use self::missed::Missed;
use self::plain::{Declared, Read};
use self::pods::Readings;
use self::rounds::{Finished, Round};
use self::slots::{Slot, Slots};
use crate::brake::Brake;
use crate::cache::{Cache, Reasons};
use crate::concerns::Concerns;
use crate::error::{Doing, Result, chain};
use crate::events::{Recorder, Subject};
use crate::fights::Fights;
use crate::fleet::Fleet;
use crate::hub::Hub;
use crate::key::Key;
use crate::leader::Leadership;
use crate::namespaces::Namespaces;
use crate::preferences;
use crate::queue::{Queue, Verdict};
use crate::type_configs::TypeConfigs;

/// Keys that may be known; beyond that they wait for the next listing.
const KEYS: usize = 500_000;
/// A conflict is looked at again at once, but not for ever.
const QUICK_RETRIES: u32 = 2;

/// Without knowing how many replicas go where, nothing is written anywhere.
fn leave_as_it_is(plan: &mut Plan, why: String) {
    plan.clusters.clear();
    plan.records.clear();
    plan.hold = None;
    plan.replicas = None;
    plan.whole = Some((Reason::InvalidPreference, why));
}

/// The controller of federated objects, while this replica leads.
pub(crate) struct Sync {
    hub: Hub,
    leadership: Leadership,
    queue: Queue<Key>,
    concerns: Arc<Concerns>,
    cache: Cache,
    lanes: Lanes,
    missed: Missed,
    readings: Readings,
    drifts: Drifts,
    fights: Arc<Fights>,
    declared: Declared,
    brake: Brake,
    fleet: watch::Sender<Arc<Fleet>>,
    namespaces: Arc<Namespaces>,
    type_configs: Arc<TypeConfigs>,
    recorder: Recorder,
    tracker: TaskTracker,
}

impl Sync {
    pub(crate) fn new(
        hub: Hub,
        leadership: Leadership,
        namespaces: Arc<Namespaces>,
        type_configs: Arc<TypeConfigs>,
        recorder: Recorder,
        tracker: TaskTracker,
    ) -> Arc<Self> {
        let queue = Queue::new(KEYS);
        let concerns = Arc::new(Concerns::default());
        let fights = Arc::new(Fights::default());
        let reasons = Reasons {
            queue: queue.clone(),
            concerns: concerns.clone(),
            fights: fights.clone(),
        };
        let cache = Cache::new(reasons, tracker.clone(), leadership.lost().clone());
        Arc::new(Self {
            hub,
            leadership,
            queue,
            concerns,
            cache,
            lanes: Lanes::default(),
            missed: Missed::default(),
            readings: Readings::default(),
            drifts: Drifts::default(),
            fights,
            declared: Declared::default(),
            brake: Brake::default(),
            fleet: watch::Sender::default(),
            namespaces,
            type_configs,
            recorder,
            tracker,
        })
    }

    /// Objects that wait for their turn.
    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Runs until the leadership ends.
    pub(crate) async fn run(self: Arc<Self>) {
        let lost = self.leadership.lost().clone();
        let work = async {
            tokio::join!(triggers::run(&self), self.dispatch());
        };
        lost.run_until_cancelled(work).await;
    }

    /// What somebody waits for has turns of its own: however much else there is to do, and however long members take to
    /// answer, it begins at once.
    async fn dispatch(self: &Arc<Self>) {
        let slots = || Slots::new(self.hub.options.parallel);
        tokio::join!(
            self.hand_out(slots(), || self.queue.next_hurried()),
            self.hand_out(slots(), || self.queue.next()),
        );
    }

    /// Hands keys to tasks of their own, so that one that panics or hangs is its own trouble.
    async fn hand_out<F: Future<Output = Key>>(self: &Arc<Self>, slots: Slots, next: impl Fn() -> F) {
        while let Some(mut slot) = slots.take().await {
            let key = next().await;
            let sync = self.clone();
            let lost = self.leadership.lost().clone();
            self.tracker.spawn(async move {
                if let Some(verdict) = lost.run_until_cancelled(sync.attend(&key, &mut slot)).await {
                    sync.queue.finish(&key, verdict);
                }
            });
        }
    }

    async fn attend(self: &Arc<Self>, key: &Key, slot: &mut Slot) -> Verdict {
        match AssertUnwindSafe(self.sync(key, slot)).catch_unwind().await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(error)) if error.is_lost_leadership() => {
                self.leadership.lost().cancel();
                Verdict::Settled(None)
            }
            Ok(Err(error)) if error.is_conflict() && self.queue.failures(key) < QUICK_RETRIES => {
                Verdict::Failed(Duration::ZERO)
            }
            Ok(Err(error)) => {
                tracing::warn!(object = %key, error = %chain(&error), "{key} could not be brought into step");
                Verdict::Failed(Duration::ZERO)
            }
            Err(_) => {
                tracing::error!(object = %key, "bringing {key} into step panicked");
                Verdict::Failed(Duration::ZERO)
            }
        }
    }

    /// One run over one object.
    async fn sync(self: &Arc<Self>, key: &Key, slot: &mut Slot) -> Result<Verdict> {
        self.leadership.check()?;
        let configuration = self.hub.configuration();
        if !configuration.serves(key.kind) {
            self.forget(key);
            return Ok(Verdict::Settled(None));
        }
        let stored = self
            .hub
            .store
            .object(&key.stored())
            .await
            .doing("reading a federated object")?;
        let propagates = configuration.propagates(key);
        let Some(mut stored) = stored else {
            if !propagates {
                self.forget(key);
                return Ok(Verdict::Settled(None));
            }
            preferences::tell_without_target(&self.hub, &self.leadership, key).await?;
            return leftovers::remove(self, key, slot).await;
        };
        if plain::is_being_emptied(key, &stored) {
            // Its last finalizer but ours brings the next look.
            return Ok(Verdict::Settled(Some(self.resync())));
        }
        let (mut object, mut plain) = match plain::read(&self.hub, key, &stored.body).await? {
            Read::Federated(object) => (*object, None),
            Read::Plain(plain) => (plain.object.clone(), Some(plain)),
            Read::Resting => {
                self.forget(key);
                return Ok(Verdict::Settled(None));
            }
        };
        if !propagates {
            self.forget(key);
            if !object.is_deleting() {
                return Ok(Verdict::Settled(None));
            }
            // Nobody keeps it in step any more: members keep what they have, and nobody waits for them.
            object.orphan = true;
        }
        let fleet = self.fleet.borrow().clone();
        let mut context = Context::load(&self.hub, &fleet, key, object).await?;
        context.take_plain(plain.take());
        context.note_fights(self.fights.of(key, Timestamp::now()));
        if let Some(verdict) = self.weigh(key, &fleet, &mut context).await? {
            return Ok(verdict);
        }
        self.hub.tally.planned();
        let nothing_seen = BTreeMap::new();
        let mut first = atoll_federation::plan(&context.input(&self.hub, &nothing_seen));
        if let Some(why) = context.refused_preference()
            && !context.object.is_deleting()
        {
            leave_as_it_is(&mut first, why);
        }
        if first.finalizer == Some(FinalizerAction::Add) {
            stored = record::add_finalizer(self, key, &stored).await?;
            match plain::read(&self.hub, key, &stored.body).await? {
                Read::Federated(object) => context.object = *object,
                Read::Plain(plain) => {
                    context.object = plain.object.clone();
                    context.take_plain(Some(plain));
                }
                Read::Resting => return Ok(Verdict::Again),
            }
        }
        if propagates {
            self.follow(key, &context);
        }
        let mut finished = if first.ignored
            || first
                .whole
                .as_ref()
                .is_some_and(|(reason, _)| *reason != Reason::NamespaceNotFederated)
        {
            Finished::without_looking(first)
        } else {
            Round::new(self, key, &mut context, slot).carry_out().await?
        };
        // One that fell silent meanwhile may still carry out what it was asked.
        let under_way = context.records.keys().filter(|name| self.lanes.is_busy(key, name));
        finished.busy.extend(under_way.cloned());
        self.note(&stored, &context, &finished);
        self.note_fights(key, &finished);
        let gone = record::record(self, key, &stored, &context, &finished).await?;
        self.tell_namespace(key, &finished);
        plain::tell_target(self, key, &stored, &context).await?;
        if gone {
            self.forget(key);
            return Ok(Verdict::Again);
        }
        Ok(self.verdict(key, &context, &finished))
    }

    /// Tells what was done, and what is newly wrong.
    fn note(&self, stored: &Object, context: &Context, finished: &Finished) {
        let before = context.object.status.as_ref();
        let notes = atoll_federation::events(context.row, &finished.plan, &finished.outcomes, before);
        if notes.is_empty() {
            return;
        }
        let subject = Subject::of(stored);
        for note in notes {
            self.recorder.tell(&subject, note);
        }
    }

    /// Counts where something was put back, or is being put back.
    fn note_fights(&self, key: &Key, finished: &Finished) {
        for (name, cluster) in &finished.plan.clusters {
            let is_done = matches!(finished.outcomes.get(name), Some(Outcome::Applied(_)));
            let is_put_back =
                matches!(&cluster.step, Step::Apply(apply) if matches!(apply.cause, Cause::Drift | Cause::Restore));
            if is_put_back && (is_done || self.lanes.is_busy(key, name)) {
                self.fights.put_back(key, name, Timestamp::now());
            }
        }
    }

    /// Watches what concerns the object, and what no longer does no more.
    fn follow(&self, key: &Key, context: &Context) {
        for (cluster, kind) in self.concerns.set(key, context.concerned()) {
            self.cache.leave(&cluster, kind);
        }
        let reachable = context.reachable();
        self.miss(key, &context.concerned().difference(&reachable).cloned().collect());
        for cluster in reachable {
            if let Some(member) = self.hub.clusters.member(cluster.as_str()) {
                self.cache.watch(&cluster, key.kind, &member);
                if plain::is_balanced(context) {
                    self.cache.endpoints.watch(&cluster, &member);
                }
            }
        }
    }

    fn forget(&self, key: &Key) {
        self.miss(key, &BTreeSet::new());
        self.lanes.forget(key);
        for (cluster, kind) in self.concerns.set(key, BTreeSet::new()) {
            self.cache.leave(&cluster, kind);
        }
    }

    /// A run waits no longer for this request; its answer brings about the next one, and others that wait for the member
    /// to answer: one when it did not, which finds out whether it does now.
    fn arrive(&self, key: &Key, cluster: &ClusterName, arrival: lanes::Arrival) {
        let most = if arrival.is_answer() { usize::MAX } else { 1 };
        self.lanes.end(key, cluster, arrival);
        self.queue.add(key.clone());
        self.wake_missed(cluster.as_str(), most);
    }

    /// Takes note of what a member said about an object in answer to a step.
    fn learn(&self, key: &Key, cluster: &ClusterName, outcome: &Outcome) {
        self.hub.tally.wrote();
        match outcome {
            Outcome::Failed(_) => self.hear_nothing(cluster),
            Outcome::Applied(_) | Outcome::Deleted { .. } | Outcome::Released => self.hear_from(cluster),
        }
        match outcome {
            Outcome::Applied(present) => self.cache.learn(cluster, key, &Observed::Present(present.clone())),
            Outcome::Deleted { gone: true } | Outcome::Released => self.cache.learn(cluster, key, &Observed::Absent),
            Outcome::Deleted { gone: false } => self.cache.doubt(cluster, key),
            Outcome::Failed(failure) => {
                self.hub.tally.failed();
                self.cache.doubt(cluster, key);
                if failure.kind == FailureKind::NotReady {
                    self.probe(cluster);
                }
            }
        }
    }

    /// A member that cannot be reached is better known to be away soon.
    fn probe(&self, cluster: &ClusterName) {
        if let Some(member) = self.hub.clusters.member(cluster.as_str()) {
            member.probe_now();
        }
    }
}
