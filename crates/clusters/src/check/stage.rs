//! The words of the staged check: what is tried, how far it is, how it ended.

use crate::connect::ConnectStage;
use crate::health::Facts;

/// The steps, in order. The first is the reader's of the kubeconfig; [`check`](super::check) begins with the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The kubeconfig is read.
    Kubeconfig,
    /// The name resolves, to addresses that may be dialled.
    Dns,
    /// Somebody listens.
    Tcp,
    /// Its certificate holds.
    Tls,
    /// The credential is taken.
    SignIn,
    /// It is a Kubernetes API server.
    Version,
    /// The credential may do what the hub does.
    Permissions,
    /// Its nodes can be counted.
    Nodes,
    /// It can be told from other clusters.
    Identity,
}

impl Stage {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kubeconfig => "kubeconfig",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::SignIn => "signIn",
            Self::Version => "version",
            Self::Permissions => "permissions",
            Self::Nodes => "nodes",
            Self::Identity => "identity",
        }
    }
}

impl From<ConnectStage> for Stage {
    fn from(stage: ConnectStage) -> Self {
        match stage {
            ConnectStage::Dns => Self::Dns,
            ConnectStage::Tcp => Self::Tcp,
            ConnectStage::Tls => Self::Tls,
        }
    }
}

/// How far a stage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StageState {
    /// Begun.
    Running,
    /// Passed.
    Ok,
    /// Passed, with something to know.
    Warning,
    /// Not passed; the check ends here.
    Failed,
}

impl StageState {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// A stage that started or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageReport {
    /// Which.
    pub stage: Stage,
    /// How far.
    pub state: StageState,
    /// What was found.
    pub message: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// How long it took.
    pub duration_ms: Option<u64>,
}

/// What a check that passed found.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// What the member says about itself: version and UID are known, nodes may not be.
    pub facts: Facts,
    /// How long it took to say its version.
    pub latency_ms: u64,
    /// Who the member takes the hub for.
    pub user: Option<String>,
    /// Whether the hub may do everything there.
    pub full_rights: bool,
    /// Messages of the stages that passed with something to know.
    pub warnings: Vec<String>,
}

/// What kind of failure ended a check, for whoever has to answer with a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The connection's parts do not fit together.
    Malformed,
    /// The address may not be dialled.
    Address,
    /// The name does not resolve.
    Unresolved,
    /// Nobody answers there.
    Unreachable,
    /// The server's certificate does not hold.
    Certificate,
    /// No answer in time.
    TimedOut,
    /// The credential is not taken: 401.
    Unauthorized,
    /// The credential may not do what the hub needs: 403.
    Forbidden,
    /// Something answers that is no Kubernetes API server.
    NotKubernetes,
    /// The API server says no for another reason.
    Refused,
    /// The exchange broke off.
    Broken,
}

/// Why a check ended early. The texts hold neither the credential nor what a stranger's server answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CheckFailure {
    /// At which stage.
    pub stage: Stage,
    /// What kind of failure.
    pub kind: FailureKind,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}
