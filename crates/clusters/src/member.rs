//! One registered cluster, as the hub reaches it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::connect::Network;
use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::health::{Change, Facts, Health, HealthSnapshot, Outcome, Thresholds, learn, step};
use crate::limits::{CALM, HURRY, Limits, Places};
use crate::members::{HealthCheck, Registration};
use crate::tasks::Tasks;
use crate::transport::Transport;

/// A member: its pools, places, health and end. Another credential makes another `Member`.
pub struct Member {
    name: String,
    generation: i64,
    registered: Result<Connection, String>,
    uid: Mutex<Option<String>>,
    pub(crate) network: Network,
    pub(crate) places: ClassPlaces,
    transport: ArcSwapOption<Transport>,
    /// Cancelled when the member leaves: nothing new begins, watches and tunnels end.
    pub(crate) ended: CancellationToken,
    /// Cancelled some time after that: answers that were under way end too.
    pub(crate) cut: CancellationToken,
    health: Mutex<Health>,
    snapshot: ArcSwap<HealthSnapshot>,
    /// How it is probed.
    pub(crate) check: watch::Receiver<HealthCheck>,
    news: watch::Sender<u64>,
    pub(crate) wake: Notify,
}

/// Places by class of request.
pub(crate) struct ClassPlaces {
    pub(crate) short: Places,
    pub(crate) long: Places,
    pub(crate) upgrade: Places,
    pub(crate) own: Places,
    /// The first of those: who finds none of them goes on without after a moment.
    pub(crate) calm: Places,
    /// Lists that begin a watch: of this member, and of all.
    pub(crate) lists: Places,
    pub(crate) all_lists: Places,
}

/// What all members share.
pub(crate) struct Surroundings<'a> {
    pub(crate) network: &'a Network,
    pub(crate) limits: Limits,
    pub(crate) check: &'a watch::Sender<HealthCheck>,
    pub(crate) news: &'a watch::Sender<u64>,
    pub(crate) all_lists: &'a Places,
    pub(crate) tracker: &'a tokio_util::task::TaskTracker,
    pub(crate) closing: &'a CancellationToken,
}

/// Why a member cannot be asked anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unavailable {
    /// What is registered makes no connection.
    Malformed(String),
    /// It left the set.
    Ended,
}

impl Unavailable {
    pub(crate) const ENDED: &str = "the cluster was removed, or given another credential";
}

impl Member {
    /// Makes a member; `previous` is the one that it replaces.
    pub(crate) fn new(registration: Registration, previous: Option<&Self>, around: &Surroundings<'_>) -> Self {
        let Registration {
            name,
            uid,
            generation,
            connection,
            last,
        } = registration;
        let ended = around.closing.child_token();
        let cut = around.closing.child_token();
        let tasks = Tasks::new(around.tracker.clone(), cut.clone());
        let opened = connection.and_then(|connection| {
            let transport = Transport::new(&connection, around.network, tasks).map_err(|error| error.to_string())?;
            Ok((connection, Arc::new(transport)))
        });
        let (registered, transport) = match opened {
            Ok((connection, transport)) => (Ok(connection), Some(transport)),
            Err(why) => (Err(why), None),
        };
        let expires_at = registered.as_ref().ok().and_then(|connection| connection.expires_at);
        // What was seen of the same cluster holds on: a rotated credential is no reason to plan as if it were away.
        let seen = previous.map(|previous| (previous.uid(), HealthSnapshot::clone(&previous.health())));
        let seen = seen.filter(|(meant, seen)| !differ(meant.as_deref().or(seen.facts.uid.as_deref()), uid.as_deref()));
        let last = seen.map(|(_, seen)| seen).or(last);
        let health = match last {
            Some(last) => Health::resume(last, expires_at),
            None => Health::pending(Timestamp::now(), expires_at),
        };
        let wait = around.network.deadlines.queue;
        let Limits {
            short,
            long,
            upgrade,
            own,
        } = around.limits;
        Self {
            name,
            generation,
            registered,
            uid: Mutex::new(uid),
            network: around.network.clone(),
            places: ClassPlaces {
                short: Places::new(short, wait),
                long: Places::new(long, wait),
                upgrade: Places::new(upgrade, wait),
                own: Places::new(own, wait),
                calm: Places::new(CALM, HURRY),
                lists: Places::new(own.div_ceil(4), around.network.deadlines.own_request),
                all_lists: around.all_lists.clone(),
            },
            transport: ArcSwapOption::new(transport),
            ended,
            cut,
            snapshot: ArcSwap::from_pointee(health.snapshot.clone()),
            health: Mutex::new(health),
            check: around.check.subscribe(),
            news: around.news.clone(),
            wake: Notify::new(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// UID of its namespace `kube-system`, as registered or else as learned.
    pub fn uid(&self) -> Option<String> {
        lock(&self.uid).clone()
    }

    /// Revision of the credential that it was made with.
    pub fn generation(&self) -> i64 {
        self.generation
    }

    /// Where its API server is; `None` when what is registered makes no connection.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.registered.as_ref().ok().map(|connection| &connection.endpoint)
    }

    /// What is known of it. Takes no lock.
    pub fn health(&self) -> Arc<HealthSnapshot> {
        self.snapshot.load_full()
    }

    /// Whether it is planned for and forwarded to.
    pub fn is_ready(&self) -> bool {
        self.snapshot.load().ready
    }

    /// Probes it now rather than at the next turn.
    pub fn probe_now(&self) {
        self.wake.notify_one();
    }

    /// Cancelled when it is replaced or removed: watches and tunnels end with it.
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// Why it can never be reached, when that is so.
    pub(crate) fn malformed(&self) -> Option<&str> {
        self.registered.as_ref().err().map(String::as_str)
    }

    pub(crate) fn transport(&self) -> Result<Arc<Transport>, Unavailable> {
        if let Some(why) = self.malformed() {
            return Err(Unavailable::Malformed(why.to_owned()));
        }
        self.transport.load_full().ok_or(Unavailable::Ended)
    }

    /// Whether this member is what a registration describes.
    pub(crate) fn is(&self, registration: &Registration) -> bool {
        let same = match (&self.registered, &registration.connection) {
            (Ok(mine), Ok(theirs)) => mine.is_same(theirs),
            (Err(mine), Err(theirs)) => mine == theirs,
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
        };
        same && self.generation == registration.generation
            && !differ(self.uid().as_deref(), registration.uid.as_deref())
    }

    /// The cluster behind the address, once it is known; the first to be seen is the one that is meant from then on.
    pub(crate) fn expect_uid(&self, uid: &str) {
        lock(&self.uid).get_or_insert_with(|| uid.to_owned());
    }

    /// Takes the member out of use: nothing new begins, idle connections close.
    pub(crate) fn end(&self) {
        self.ended.cancel();
        self.transport.store(None);
    }

    /// Takes a probe into account.
    pub(crate) fn note(&self, outcome: &Outcome) {
        let now = Timestamp::now();
        self.advance(|health, thresholds| step(health, outcome, now, thresholds));
    }

    /// Takes what the member says about itself into account.
    pub(crate) fn learn(&self, facts: Facts) {
        let now = Timestamp::now();
        self.advance(|health, thresholds| learn(health, facts, now, thresholds));
    }

    fn advance(&self, next: impl FnOnce(&Health, &Thresholds) -> (Health, Option<Change>)) {
        let mut health = lock(&self.health);
        // A member that left says nothing any more, not even about a probe that was under way.
        if self.ended.is_cancelled() {
            return;
        }
        let thresholds = self.check.borrow().thresholds;
        let (after, change) = next(&health, &thresholds);
        self.snapshot.store(Arc::new(after.snapshot.clone()));
        *health = after;
        drop(health);
        let Some(Change { from, to }) = change else { return };
        if from != to {
            let (from, to) = (from.as_str(), to.as_str());
            tracing::info!(
                cluster.name = self.name,
                from,
                to,
                "cluster {} went from {from} to {to}",
                self.name
            );
        }
        self.news.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// Whether two identities are known and different.
fn differ(one: Option<&str>, other: Option<&str>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}

/// What is behind these locks is replaced as a whole: a panic elsewhere leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Member({} generation {})", self.name, self.generation)
    }
}
