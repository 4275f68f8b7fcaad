//! The set of members: what is registered is opened, what is no longer is ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::backoff::up_to;
use crate::connect::Network;
use crate::connection::Connection;
use crate::health::{HealthSnapshot, Thresholds};
use crate::limits::{Limits, Places};
use crate::member::{Member, Surroundings};
use crate::probe::attend;

/// Lists that begin a watch, at the same time in all members.
const LISTS: usize = 20;
/// How long such a list waits for its turn, so that members that hang delay the others but do not stop them.
const LIST_TURN: Duration = Duration::from_secs(5);
/// So many members may be opened at once without spreading their first probes.
const AT_ONCE: usize = 10;

/// Members by name.
pub type Members = BTreeMap<String, Arc<Member>>;

/// One registered cluster, as the registry has it.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Its name.
    pub name: String,
    /// UID of its namespace `kube-system`; `None` while it is not known.
    pub uid: Option<String>,
    /// Revision of its credential: another one means a fresh pool.
    pub generation: i64,
    /// How it is reached, or why that cannot be told.
    pub connection: Result<Connection, String>,
    /// What is on record: shown until the first probe.
    pub last: Option<HealthSnapshot>,
}

/// How members are kept.
#[derive(Clone)]
pub struct Options {
    /// The way to the network.
    pub network: Network,
    /// When a probe changes what is reported.
    pub thresholds: Thresholds,
    /// Time between two probes of a member, jittered.
    pub period: Duration,
    /// What may be under way towards one member.
    pub limits: Limits,
}

/// How members are probed. It may change while they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthCheck {
    /// Time between two probes of a member, jittered.
    pub period: Duration,
    /// How long one may take.
    pub timeout: Duration,
    /// When a probe changes what is reported.
    pub thresholds: Thresholds,
}

impl From<&Options> for HealthCheck {
    fn from(options: &Options) -> Self {
        Self {
            period: options.period,
            timeout: options.network.deadlines.probe,
            thresholds: options.thresholds,
        }
    }
}

impl Options {
    /// The conventional numbers.
    pub fn new(network: Network) -> Self {
        Self {
            network,
            thresholds: Thresholds::default(),
            period: Duration::from_secs(10),
            limits: Limits::default(),
        }
    }
}

/// The members, shared by everybody who needs one.
#[derive(Clone)]
pub struct Clusters {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    check: watch::Sender<HealthCheck>,
    members: watch::Sender<Arc<Members>>,
    news: watch::Sender<u64>,
    all_lists: Places,
    tracker: TaskTracker,
    closing: CancellationToken,
    applying: Mutex<()>,
    /// Nobody holds the set any more: its tasks end too.
    _closing: DropGuard,
}

impl Clusters {
    /// No member yet.
    pub fn new(options: Options) -> Self {
        let closing = CancellationToken::new();
        let inner = Inner {
            check: watch::Sender::new(HealthCheck::from(&options)),
            options,
            members: watch::Sender::new(Arc::default()),
            news: watch::Sender::new(0),
            all_lists: Places::new(LISTS, LIST_TURN),
            tracker: TaskTracker::new(),
            applying: Mutex::new(()),
            _closing: closing.clone().drop_guard(),
            closing,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The way to the network.
    pub fn network(&self) -> &Network {
        &self.inner.options.network
    }

    /// How members are probed now.
    pub fn health_check(&self) -> HealthCheck {
        *self.inner.check.borrow()
    }

    /// Probes members in another way from now on, over the connections that they have. Where that is new, all of them are
    /// probed at once.
    pub fn set_health_check(&self, check: HealthCheck) {
        self.inner.check.send_if_modified(|before| {
            let is_new = *before != check;
            *before = check;
            is_new
        });
    }

    /// Opens, replaces and closes members, so that the set is exactly this. Of two registrations with one name the
    /// first counts. Needs a tokio runtime around it.
    pub fn apply(&self, registrations: Vec<Registration>) {
        let _one_at_a_time = self.inner.applying.lock().unwrap_or_else(PoisonError::into_inner);
        if self.inner.closing.is_cancelled() {
            return;
        }
        let before = self.members();
        let mut after = Members::new();
        let mut opened = Vec::new();
        for registration in registrations {
            if after.contains_key(&registration.name) {
                tracing::warn!(
                    cluster.name = registration.name,
                    "cluster {} is registered twice",
                    registration.name
                );
                continue;
            }
            let previous = before.get(&registration.name);
            let name = registration.name.clone();
            let member = match previous.filter(|member| member.is(&registration)) {
                Some(same) => {
                    if let Some(uid) = &registration.uid {
                        same.expect_uid(uid);
                    }
                    same.clone()
                }
                None => {
                    let member = Arc::new(Member::new(
                        registration,
                        previous.map(Arc::as_ref),
                        &self.surroundings(),
                    ));
                    opened.push(member.clone());
                    member
                }
            };
            after.insert(name, member);
        }
        let is_kept = |member: &Arc<Member>| after.get(member.name()).is_some_and(|kept| Arc::ptr_eq(kept, member));
        let ended: Vec<_> = before.values().filter(|member| !is_kept(member)).cloned().collect();
        if opened.is_empty() && ended.is_empty() {
            return;
        }
        self.inner.members.send_replace(Arc::new(after));
        for member in ended {
            member.end();
        }
        self.attend(&opened);
    }

    fn surroundings(&self) -> Surroundings<'_> {
        let Inner {
            options,
            check,
            news,
            all_lists,
            tracker,
            closing,
            ..
        } = &*self.inner;
        Surroundings {
            network: &options.network,
            limits: options.limits,
            check,
            news,
            all_lists,
            tracker,
            closing,
        }
    }

    fn attend(&self, opened: &[Arc<Member>]) {
        let period = self.health_check().period;
        let spread = if opened.len() > AT_ONCE {
            period / 4
        } else {
            Duration::ZERO
        };
        for member in opened {
            let span = tracing::info_span!("member", cluster.name = member.name());
            self.inner
                .tracker
                .spawn(attend(member.clone(), up_to(spread)).instrument(span));
        }
    }

    /// One member.
    pub fn member(&self, name: &str) -> Option<Arc<Member>> {
        self.inner.members.borrow().get(name).cloned()
    }

    /// All members.
    pub fn members(&self) -> Arc<Members> {
        self.inner.members.borrow().clone()
    }

    /// Moves when the set changes.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Members>> {
        self.inner.members.subscribe()
    }

    /// Moves when the health of any member says something new.
    pub fn health(&self) -> watch::Receiver<u64> {
        self.inner.news.subscribe()
    }

    /// Ends all members, cuts what is under way, and waits for the tasks. Nothing is opened any more.
    pub async fn close(&self) {
        self.inner.closing.cancel();
        let members = {
            let _one_at_a_time = self.inner.applying.lock().unwrap_or_else(PoisonError::into_inner);
            self.inner.members.send_replace(Arc::default())
        };
        for member in members.values() {
            member.end();
        }
        drop(members);
        self.inner.tracker.close();
        self.inner.tracker.wait().await;
    }
}

impl std::fmt::Debug for Clusters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.members().values()).finish()
    }
}
