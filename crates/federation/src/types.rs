//! The table of federated types. A type is data: discovery, schemas, controllers and forms read its row, and a type
//! added while the hub runs is one more row of the same shape.

mod builtin;
mod plain;
mod table;

use std::borrow::Cow;

pub use builtin::{TYPES, find};
pub use plain::{PLAIN_TYPES, find_plain, served_plain};
pub use table::{Served, TypeTable, intern};

/// The namespace of the control plane.
pub const SYSTEM_NAMESPACE: &str = "kube-federation-system";

/// Group of the federated kinds.
pub const FEDERATED_GROUP: &str = "types.kubefed.io";

/// Namespaces that every cluster has for itself: they are never created, changed or deleted in a member.
pub const NEVER_TOUCHED_NAMESPACES: [&str; 5] = [
    "default",
    "kube-system",
    "kube-public",
    "kube-node-lease",
    SYSTEM_NAMESPACE,
];

/// How an API type is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiType {
    /// API group, empty for the core group.
    pub group: Cow<'static, str>,
    /// Version.
    pub version: Cow<'static, str>,
    /// Kind.
    pub kind: Cow<'static, str>,
    /// Plural resource name.
    pub plural: Cow<'static, str>,
    /// Short names.
    pub short_names: Cow<'static, [Cow<'static, str>]>,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
}

impl ApiType {
    /// `apps/v1`, or `v1` in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_string()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `deployments.apps`, or `services` in the core group.
    pub fn resource(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_string()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }
}

/// One federated type: what people write on the hub, and what it becomes in members.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeDescriptor {
    /// What members hold.
    pub target: ApiType,
    /// What the hub holds.
    pub federated: ApiType,
    /// Where the number of replicas stands in the target, as a JSON pointer.
    pub replicas_path: Option<Cow<'static, str>>,
    /// In which form the hub holds it.
    pub source: Source,
}

/// In which form the hub holds what it propagates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// As a federated kind with template, placement and overrides.
    Federated,
    /// As the object itself, in the manner of Federation v1: `federated` then equals `target`.
    Plain,
}

impl TypeDescriptor {
    /// The name of the type, `deployments.apps`: also the name of its `FederatedTypeConfig`.
    pub fn name(&self) -> String {
        self.target.resource()
    }

    /// Whether the hub holds the object itself, in the manner of Federation v1.
    pub fn is_plain(&self) -> bool {
        self.source == Source::Plain
    }

    /// Whether this is the type whose members are namespaces: placed like any other, but scope of all others.
    pub fn is_namespace(&self) -> bool {
        self.target.group.is_empty() && self.target.kind == "Namespace"
    }

    /// Whether this is the core type of that kind.
    pub fn is_core(&self, kind: &str) -> bool {
        self.target.group.is_empty() && self.target.kind == kind
    }

    /// Where an object says how many pods it asks for: its replicas, and of a plain Job those that run at a time.
    pub(crate) fn asked_path(&self) -> Option<&str> {
        let is_job = self.is_plain() && self.target.group == "batch" && self.target.kind == "Job";
        self.replicas_path.as_deref().or(is_job.then_some("/spec/parallelism"))
    }

    /// Whether members run pods for it by a template and a selector.
    pub(crate) fn is_workload(&self) -> bool {
        self.target.group == "apps"
            && matches!(
                self.target.kind.as_ref(),
                "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet"
            )
    }
}
