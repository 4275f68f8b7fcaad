//! The span of Kubernetes releases that members may run, and how a test names
//! the ends of it.

/// The oldest minor release that a member may run.
pub const OLDEST_KUBERNETES: &str = "1.33";

/// The newest minor release that the tests run against.
pub const NEWEST_KUBERNETES: &str = "1.36";

/// Which end of the supported span a test cluster runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Release {
    /// [`OLDEST_KUBERNETES`].
    Oldest,
    /// [`NEWEST_KUBERNETES`].
    #[default]
    Newest,
}

impl Release {
    /// The minor release, such as `1.36`.
    pub fn minor(self) -> &'static str {
        match self {
            Release::Oldest => OLDEST_KUBERNETES,
            Release::Newest => NEWEST_KUBERNETES,
        }
    }
}
