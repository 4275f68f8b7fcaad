//! Observe, plan, execute, record: what keeps members in step with the hub.
//!
//! Every replica keeps its members open as the store has them (the private module `registry`). One replica leads, by a
//! lease with an epoch (`leader`), and does the rest:
//!
//! * `health` puts what is known of members on record, when it says something new;
//! * `sync` looks at a federated object, asks `atoll_federation` what to do, and does exactly that;
//! * `type_configs` says of each type what runs for it, and lets a type go that nothing is left of;
//! * `events` writes down what happened;
//! * `namespaces` empties hub namespaces that are on their way out;
//! * `compaction` forgets old history and ended sessions.
//!
//! Correctness does not rest on there being one leader: plans are deterministic, applying is idempotent, deletes name a
//! UID, and every write to the store carries the lease's epoch and the revision it was made from.
//!
//! That a member which misbehaves costs nobody else anything rests on a few rules. What somebody has just written has
//! turns of its own, and what nobody waits for passes beside it at a steady pace (`queue`). A run that only waits gives
//! its turn away, and one over very many members asks them a few hundred at a time (`sync::slots`, `sync::rounds`). A
//! member that hangs has a few requests under way and no more (`sync::lanes`); whatever else misses it, or one that is
//! away, wakes when it is back (`sync::missed`). What it says is cut before it is kept, and what nobody asked for is not
//! kept at all (`cache`). What it changes back each time is put back ever more rarely (`fights`).
#![warn(missing_docs)]

mod brake;
mod cache;
mod compaction;
mod concerns;
pub mod configuration;
mod counts;
mod error;
mod events;
mod feed;
mod fights;
mod fleet;
mod health;
mod holds;
mod hub;
mod interned;
mod key;
mod leader;
mod namespaces;
mod preferences;
mod preview;
mod queue;
mod registry;
mod release;
mod shares;
mod sync;
mod type_configs;
mod unregister;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atoll_clusters::Clusters;
use atoll_federation::{Preview, TypeDescriptor};
use atoll_store::{Revision, Store};
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

pub use configuration::Configuration;
pub use counts::Counts;
pub use error::{Error, Result};
pub use holds::{HeldChange, HeldDelete, HoldCause};
pub use leader::Timing;
pub use release::Released;
pub use unregister::Left;

use crate::counts::Tally;
use crate::hub::Hub;
use crate::leader::Leadership;
use crate::namespaces::Namespaces;
use crate::sync::Sync;
use crate::type_configs::TypeConfigs;

/// How the controllers work.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which hub this is; member objects carry it.
    pub hub_uid: String,
    /// Who this replica is in leases. Replicas that share a database must differ. A process that has its database for
    /// itself should keep the name over restarts: then it leads at once, where another would wait for the old lease to
    /// end.
    pub holder: String,
    /// How long leases last.
    pub timing: Timing,
    /// How long one look at one member may take.
    pub observe_deadline: Duration,
    /// How long one request of a step may take.
    pub step_deadline: Duration,
    /// How often an object is looked at although nothing happened.
    pub resync: Duration,
    /// Objects that are worked on at a time. Each waits for the disk several times, so there are more of them than
    /// processors.
    pub parallel: usize,
}

impl Options {
    /// The conventional numbers.
    pub fn new(hub_uid: impl Into<String>, holder: impl Into<String>) -> Self {
        Self {
            hub_uid: hub_uid.into(),
            holder: holder.into(),
            timing: Timing::default(),
            observe_deadline: Duration::from_secs(3),
            step_deadline: Duration::from_secs(10),
            resync: Duration::from_secs(600),
            parallel: 32,
        }
    }
}

/// The running controllers. Clones share them.
#[derive(Clone)]
pub struct Controllers {
    inner: Arc<Inner>,
}

struct Inner {
    hub: Hub,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Whether the members have been opened.
    opened: watch::Receiver<bool>,
    /// What runs while this replica leads.
    leading: Mutex<Option<(Leadership, Arc<Sync>)>>,
    recent_holds: holds::Recent,
}

impl Inner {
    fn set_leading(&self, leading: Option<(Leadership, Arc<Sync>)>) {
        *self.leading.lock().unwrap_or_else(PoisonError::into_inner) = leading;
    }

    fn leading(&self) -> Option<(Leadership, Arc<Sync>)> {
        self.leading.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Leads whenever this replica can, until it stops.
    async fn lead(&self) {
        let options = &self.hub.options;
        let mut opened = self.opened.clone();
        let mut configured = self.hub.configured.clone();
        loop {
            let campaign = async {
                // Before they are open, every member would count as away; and before it has been read what is
                // configured, every type as propagated.
                let _ = opened.wait_for(|opened| *opened).await;
                if configured.borrow_and_update().revision == Revision(0) {
                    let _ = configured.changed().await;
                }
                leader::campaign(&self.hub.store, &options.holder, &options.timing).await
            };
            let Some(leadership) = self.stop.run_until_cancelled(campaign).await else {
                return;
            };
            let epoch = leadership.lease().epoch;
            tracing::info!(lease.epoch = epoch, lease.holder = options.holder, "this replica leads");
            let span = tracing::info_span!("leading", lease.epoch = epoch);
            tokio::join!(
                leader::keep(&self.hub.store, &leadership, &options.timing, &self.stop),
                self.work(&leadership).instrument(span),
            );
            if self.stop.is_cancelled() {
                // Everything that acted under the lease has ended.
                if let Err(error) = self.hub.store.release_lease(leadership.lease()).await {
                    tracing::warn!(error = %error::chain(&error), "the lease could not be given back");
                }
                return;
            }
        }
    }

    /// What a leader does, until its leadership ends; then nothing of it is left.
    async fn work(&self, leadership: &Leadership) {
        let tracker = TaskTracker::new();
        let namespaces = Namespaces::new();
        let type_configs = Arc::new(TypeConfigs::default());
        let (recorder, events) = events::recorder(self.hub.tally.clone());
        let sync = Sync::new(
            self.hub.clone(),
            leadership.clone(),
            namespaces.clone(),
            type_configs.clone(),
            recorder.clone(),
            tracker.clone(),
        );
        self.set_leading(Some((leadership.clone(), sync.clone())));
        tracker.spawn(health::run(self.hub.clone(), leadership.clone(), recorder).in_current_span());
        tracker.spawn(sync.run().in_current_span());
        tracker.spawn(namespaces.run(self.hub.clone(), leadership.clone()).in_current_span());
        tracker.spawn(type_configs.run(self.hub.clone(), leadership.clone()).in_current_span());
        tracker.spawn(events.run(self.hub.clone(), leadership.clone()).in_current_span());
        tracker.spawn(compaction::run(self.hub.clone(), leadership.clone()).in_current_span());
        leadership.lost().cancelled().await;
        self.set_leading(None);
        tracker.close();
        tracker.wait().await;
    }
}

impl Controllers {
    /// Starts them. They end with [`Controllers::stop`].
    pub fn start(store: Store, clusters: Clusters, options: Options) -> Self {
        let stop = CancellationToken::new();
        let (configures, configured) = watch::channel(Arc::default());
        let follow = configuration::run(store.clone(), configures, stop.clone());
        let (shares, shared) = watch::channel(Arc::default());
        let hub = Hub {
            configured,
            shared,
            store,
            clusters,
            options: Arc::new(options),
            tally: Arc::new(Tally::default()),
        };
        let (opens, opened) = watch::channel(false);
        let inner = Arc::new(Inner {
            opened,
            stop,
            tasks: TaskTracker::new(),
            leading: Mutex::new(None),
            recent_holds: holds::Recent::default(),
            hub,
        });
        inner
            .tasks
            .spawn(follow.instrument(tracing::info_span!("configuration")));
        let probing = configuration::follow_health_check(inner.hub.clone(), inner.stop.clone());
        inner.tasks.spawn(probing.instrument(tracing::info_span!("probing")));
        let shares = shares::run(inner.hub.clone(), shares, inner.stop.clone());
        inner.tasks.spawn(shares.instrument(tracing::info_span!("shares")));
        let registry = registry::run(inner.hub.clone(), opens, inner.stop.clone());
        inner.tasks.spawn(registry.instrument(tracing::info_span!("registry")));
        let leader = inner.clone();
        inner.tasks.spawn(async move { leader.lead().await });
        inner.tasks.close();
        Self { inner }
    }

    /// Ends them and gives the lease back. What is under way in members is given up.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        self.inner.tasks.wait().await;
    }

    /// Whether this replica plans and executes.
    pub fn is_leader(&self) -> bool {
        self.inner
            .leading()
            .is_some_and(|(leadership, _)| leadership.check().is_ok())
    }

    /// What people configured: which types are federated, and how the control plane behaves. It moves when that changes.
    pub fn configuration(&self) -> watch::Receiver<Arc<Configuration>> {
        self.inner.hub.configured.clone()
    }

    /// Waits until this replica has read what was configured at this revision of the store.
    pub async fn configured_at(&self, revision: Revision) {
        let mut configured = self.configuration();
        // It ends with an error only when the controllers stop.
        let _ = configured
            .wait_for(|configuration| configuration.revision >= revision)
            .await;
    }

    /// What would happen with this object if it were saved. Members are looked at, and nothing is written. `within` is
    /// a FederatedNamespace that would be saved with it; without it the stored one counts.
    ///
    /// # Errors
    /// When the object cannot be read as one of its kind, or the store fails.
    pub async fn preview(
        &self,
        kind: &'static TypeDescriptor,
        object: &Value,
        within: Option<&Value>,
    ) -> Result<Preview> {
        preview::tell(&self.inner.hub, kind, object, within).await
    }

    /// What would happen with its object if this `ReplicaSchedulingPreference` were saved; `None` when there is no such
    /// object.
    ///
    /// # Errors
    /// When the object cannot be read as one of its kind, or the store fails.
    pub async fn preview_preference(&self, preference: &Value) -> Result<Option<Preview>> {
        preview::tell_preferred(&self.inner.hub, preference).await
    }

    /// Changes whose deletes wait for a confirmation. Any replica can tell. To confirm one, its token goes into the
    /// annotation `atoll.dev/confirm-deletes` of the object [`HeldChange::annotate`]; a token that is not the one of now
    /// confirms nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn holds(&self) -> Result<Vec<HeldChange>> {
        holds::list(&self.inner.hub).await
    }

    /// The same for whoever only looks: counting goes through all records, so what was counted serves all who ask for
    /// ten times as long as that took.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recent_holds(&self) -> Result<Arc<Vec<HeldChange>>> {
        self.inner.recent_holds.get(&self.inner.hub).await
    }

    /// Lets clusters keep these objects, which a held change would delete: the hub's marks and records of them go.
    /// Tells of how many, and where that could not be done and why.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn release(&self, deletes: &[HeldDelete]) -> Result<Released> {
        release::release(&self.inner.hub, deletes).await
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        let queued = self.inner.leading().map_or(0, |(_, sync)| sync.queued());
        self.inner.hub.tally.counts(queued)
    }

    /// Deletes what the hub manages in a cluster that is about to be unregistered, and tells what stayed and why. For
    /// a minute nothing new is written there, at whichever replica leads; the caller unregisters it meanwhile.
    ///
    /// # Errors
    /// When there is no such cluster, or the store fails.
    pub async fn delete_managed(&self, cluster: &str) -> Result<Vec<Left>> {
        unregister::delete_managed(&self.inner.hub, cluster).await
    }
}
