//! What every handler may use. Clones share everything.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use atoll_clusters::Clusters;
use atoll_controllers::{Configuration, Controllers};
use atoll_store::Store;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::api::stream::feed::Feeds;
use crate::auth::directory::Directory;
use crate::auth::limiter::Limiter;
use crate::auth::password::Verifier;
use crate::auth::session::Sessions;
use crate::auth::ticket::Tickets;
use crate::hub::Catalogs;
use crate::metrics::Metrics;

/// The state of the running hub.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

/// The parts of [`AppState`].
pub struct Parts {
    /// The hub's data.
    pub store: Store,
    /// The members.
    pub clusters: Clusters,
    /// What keeps members in step.
    pub controllers: Controllers,
    /// Who this hub is.
    pub hub: Hub,
    /// Signs and verifies session tokens.
    pub sessions: Sessions,
    /// Which sessions and tokens are still good.
    pub directory: Directory,
    /// Limits sign-ins.
    pub limiter: Limiter,
    /// Checks passwords.
    pub verifier: Verifier,
    /// One-use tickets for opening a WebSocket.
    pub tickets: Tickets,
    /// Rows that are kept current for pages.
    pub feeds: Feeds,
    /// The kinds that the hub's API serves.
    pub catalogs: Catalogs,
    /// What is counted.
    pub metrics: Metrics,
    /// Work that outlives a request: notes, streams, tunnels.
    pub tasks: TaskTracker,
    /// Cancelled when streams and tunnels must end because the process does.
    pub tunnels: CancellationToken,
    /// The clock.
    pub clock: fn() -> Timestamp,
}

/// Who this hub is, and how it is reached.
#[derive(Debug, Clone)]
pub struct Hub {
    /// Its identity, which member objects carry.
    pub uid: Uuid,
    /// What kubeconfigs and links name; without a slash at its end.
    pub public_url: String,
    /// The names and addresses that a `Host` header may carry, without ports and in lower case.
    pub host_names: BTreeSet<String>,
    /// Whether any address is one of them, because the hub listens on all of this machine's.
    pub any_address: bool,
    /// Certificate authority that signs the hub's certificate, in PEM, for kubeconfigs; `None` when certificates come
    /// from files, whose authority is the client's affair.
    pub authority_certificate: Option<String>,
    /// Hours until a sign-in ends.
    pub session_hours: u16,
    /// Whether this is a demonstration on a folder that will be thrown away.
    pub demo: bool,
}

impl AppState {
    /// A state of these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// What people configured, as this replica has read it.
    pub fn configuration(&self) -> Arc<Configuration> {
        self.controllers.configuration().borrow().clone()
    }

    /// The time now, to the millisecond: as exact as the store keeps it.
    pub fn now(&self) -> Timestamp {
        let now = (self.clock)();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
