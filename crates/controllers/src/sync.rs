//! Keeping members in step: a key comes out of the queue, what is there is observed, planned, carried out, recorded.
//!
//! A run takes no hint of what happened. It reads the object, the clusters and the records, looks at the members that
//! matter, and does what the plan says; when all is right it writes nothing. So every reason to look may come twice or
//! late, and a hub that stopped in the middle goes on where it was.

pub(crate) mod contents;
pub(crate) mod context;
pub(crate) mod execute;
pub(crate) mod failure;
mod lanes;
mod leftovers;
pub(crate) mod observe;
mod record;
mod rounds;
mod triggers;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use atoll_federation::plan::Cause;
use atoll_federation::{ClusterName, FailureKind, FederatedObject, FinalizerAction, Observed, Outcome, Reason, Step};
use futures::FutureExt;
use rand::Rng;
use serde_json::Value;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;

use self::context::Context;
use self::lanes::Lanes;
use self::rounds::{Finished, Round};
use crate::brake::{Brake, Judgement};
use crate::cache::{Cache, Reasons};
use crate::concerns::Concerns;
use crate::error::{Doing, Error, Result, chain};
use crate::fleet::Fleet;
use crate::hub::Hub;
use crate::key::Key;
use crate::leader::Leadership;
use crate::namespaces::Namespaces;
use crate::queue::{Queue, Verdict};

/// Keys that may be known; beyond that they wait for the next listing.
const KEYS: usize = 500_000;
/// A conflict is looked at again at once, but not for ever.
const QUICK_RETRIES: u32 = 2;

/// The controller of federated objects, while this replica leads.
pub(crate) struct Sync {
    hub: Hub,
    leadership: Leadership,
    queue: Queue<Key>,
    concerns: Arc<Concerns>,
    cache: Cache,
    lanes: Lanes,
    brake: Brake,
    fleet: watch::Sender<Arc<Fleet>>,
    namespaces: Arc<Namespaces>,
    tracker: TaskTracker,
}

impl Sync {
    pub(crate) fn new(
        hub: Hub,
        leadership: Leadership,
        namespaces: Arc<Namespaces>,
        tracker: TaskTracker,
    ) -> Arc<Self> {
        let queue = Queue::new(KEYS);
        let concerns = Arc::new(Concerns::default());
        let reasons = Reasons {
            queue: queue.clone(),
            concerns: concerns.clone(),
        };
        let cache = Cache::new(reasons, tracker.clone(), leadership.lost().clone());
        Arc::new(Self {
            hub,
            leadership,
            queue,
            concerns,
            cache,
            lanes: Lanes::default(),
            brake: Brake::default(),
            fleet: watch::Sender::default(),
            namespaces,
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

    /// Hands keys to tasks of their own, so that one that panics or hangs is its own trouble.
    async fn dispatch(self: &Arc<Self>) {
        let slots = Arc::new(Semaphore::new(self.hub.options.parallel.max(1)));
        loop {
            let Ok(slot) = slots.clone().acquire_owned().await else {
                return;
            };
            let key = self.queue.next().await;
            let sync = self.clone();
            let lost = self.leadership.lost().clone();
            self.tracker.spawn(async move {
                let _slot = slot;
                if let Some(verdict) = lost.run_until_cancelled(sync.attend(&key)).await {
                    sync.queue.finish(&key, verdict);
                }
            });
        }
    }

    async fn attend(self: &Arc<Self>, key: &Key) -> Verdict {
        match AssertUnwindSafe(self.sync(key)).catch_unwind().await {
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
    async fn sync(self: &Arc<Self>, key: &Key) -> Result<Verdict> {
        self.leadership.check()?;
        let stored = self
            .hub
            .store
            .object(&key.stored())
            .await
            .doing("reading a federated object")?;
        let Some(mut stored) = stored else {
            return leftovers::remove(self, key).await;
        };
        let parse = |body: &Value| FederatedObject::parse(key.kind.row(), body).map_err(Error::Object);
        let fleet = self.fleet.borrow().clone();
        let object = parse(&stored.body)?;
        let mut context = Context::load(&self.hub, &fleet, key, object).await?;
        self.weigh(key, &fleet, &mut context).await?;
        self.hub.tally.planned();
        let nothing_seen = std::collections::BTreeMap::new();
        let first = atoll_federation::plan(&context.input(&self.hub, &nothing_seen));
        if first.finalizer == Some(FinalizerAction::Add) {
            stored = record::add_finalizer(self, &stored).await?;
            context.object = parse(&stored.body)?;
        }
        self.follow(key, &context);
        let finished = if first.ignored
            || first
                .whole
                .as_ref()
                .is_some_and(|(reason, _)| *reason != Reason::NamespaceNotFederated)
        {
            Finished::without_looking(first)
        } else {
            Round::new(self, key, &mut context).carry_out().await?
        };
        let gone = record::record(self, key, &stored, &context, &finished).await?;
        self.tell_namespace(key, &finished);
        if gone {
            self.forget(key);
            return Ok(Verdict::Again);
        }
        Ok(self.verdict(key, &context, &finished))
    }

    /// Asks whether what the object is displaced from is part of something larger that waits for a confirmation.
    async fn weigh(&self, key: &Key, fleet: &Fleet, context: &mut Context) -> Result<()> {
        let displaced = context.displaced();
        if displaced.is_empty() {
            return Ok(());
        }
        let of_objects = [Some(&context.object), context.namespace.as_ref()]
            .into_iter()
            .flatten();
        let of_clusters = displaced
            .iter()
            .filter_map(|(name, _)| fleet.get(name)?.confirm_deletes.as_deref());
        let tokens = of_objects
            .filter_map(|object| object.confirm_deletes.as_deref())
            .chain(of_clusters)
            .collect();
        match self.brake.judge(&self.hub, fleet, key, &displaced, &tokens).await? {
            Judgement::Free => {}
            Judgement::Held(hold) => context.hold(hold),
            Judgement::Confirmed(keys) => {
                context.confirm();
                for other in keys {
                    if other != *key {
                        self.queue.add(other);
                    }
                }
            }
        }
        Ok(())
    }

    /// Watches what concerns the object, and what no longer does no more.
    fn follow(&self, key: &Key, context: &Context) {
        for (cluster, kind) in self.concerns.set(key, context.concerned()) {
            self.cache.leave(&cluster, kind);
        }
        for cluster in context.reachable() {
            if let Some(member) = self.hub.clusters.member(cluster.as_str()) {
                self.cache.watch(&cluster, key.kind, &member);
            }
        }
    }

    fn forget(&self, key: &Key) {
        for (cluster, kind) in self.concerns.set(key, std::collections::BTreeSet::new()) {
            self.cache.leave(&cluster, kind);
        }
    }

    /// A namespace that has come into being lets in what waits for it.
    fn tell_namespace(&self, key: &Key, finished: &Finished) {
        if !key.kind.row().is_namespace() {
            return;
        }
        let came = finished.plan.clusters.iter().any(|(name, cluster)| {
            let begins =
                matches!(&cluster.step, Step::Apply(apply) if matches!(apply.cause, Cause::Create | Cause::Adopt));
            begins && matches!(finished.outcomes.get(name), Some(Outcome::Applied(_)))
        });
        if came {
            self.wake_namespace(key);
        }
    }

    fn wake_namespace(&self, key: &Key) {
        for inside in self.concerns.in_namespace(&key.namespace) {
            if inside != *key {
                self.queue.add(inside);
            }
        }
    }

    fn verdict(&self, key: &Key, context: &Context, finished: &Finished) -> Verdict {
        let mut retry = finished.retry;
        let mut vanished = false;
        for outcome in finished.outcomes.values() {
            match outcome {
                Outcome::Failed(failure)
                    if failure.kind == FailureKind::Conflict && self.queue.failures(key) < QUICK_RETRIES =>
                {
                    retry = Some(retry.unwrap_or_default());
                }
                Outcome::Failed(failure) if failure.kind.is_transient() => retry = Some(retry.unwrap_or_default()),
                Outcome::Deleted { gone: true } | Outcome::Released => vanished = true,
                Outcome::Failed(_) | Outcome::Applied(_) | Outcome::Deleted { gone: false } => {}
            }
        }
        if vanished && context.object.is_deleting() {
            // What is left to do may be nothing.
            return Verdict::Again;
        }
        if let Some(at_least) = retry {
            return Verdict::Failed(at_least);
        }
        Verdict::Settled(Some(finished.plan.recheck.unwrap_or_else(|| self.resync())))
    }

    /// When an object is looked at again without any reason; spread, so that not all come together.
    fn resync(&self) -> Duration {
        self.hub.options.resync.mul_f64(rand::rng().random_range(0.8..1.2))
    }

    /// A run waits no longer for this request; its answer brings about the next one.
    fn arrive(&self, key: &Key, cluster: &ClusterName, arrival: lanes::Arrival) {
        self.lanes.end(key, cluster, arrival);
        self.queue.add(key.clone());
    }

    /// Takes note of what a member said about an object in answer to a step.
    fn learn(&self, key: &Key, cluster: &ClusterName, outcome: &Outcome) {
        self.hub.tally.wrote();
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
