//! What every controller stands on. Clones share everything.

use std::sync::Arc;

use atoll_clusters::Clusters;
use atoll_store::Store;

use crate::Options;
use crate::counts::Tally;

#[derive(Clone)]
pub(crate) struct Hub {
    pub(crate) store: Store,
    pub(crate) clusters: Clusters,
    pub(crate) options: Arc<Options>,
    pub(crate) tally: Arc<Tally>,
}
