//! What every controller stands on. Clones share everything.

use std::sync::Arc;

use atoll_clusters::Clusters;
use atoll_store::Store;

use tokio::sync::watch;

use crate::Options;
use crate::configuration::Configuration;
use crate::counts::Tally;
use crate::shares::Shares;

#[derive(Clone)]
pub(crate) struct Hub {
    pub(crate) store: Store,
    pub(crate) clusters: Clusters,
    pub(crate) options: Arc<Options>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) configured: watch::Receiver<Arc<Configuration>>,
    pub(crate) shared: watch::Receiver<Arc<Shares>>,
}

impl Hub {
    /// What people configured, as it is now.
    pub(crate) fn configuration(&self) -> Arc<Configuration> {
        self.configured.borrow().clone()
    }

    /// Which clusters keep their share of replicas now.
    pub(crate) fn shares(&self) -> Arc<Shares> {
        self.shared.borrow().clone()
    }
}
