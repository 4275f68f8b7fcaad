//! What people configure on the hub: which types are federated, how replicas are shared out, and how the control plane
//! behaves.
//!
//! `KubeFedConfig`, `FederatedTypeConfig` and `ReplicaSchedulingPreference` are KubeFed's own kinds, with its names and
//! defaults; here they are read and judged, as functions of values.

mod config_admission;
mod names;
mod preference;
mod preference_status;
mod settings;
mod structure;
mod type_admission;
mod type_config;

pub use config_admission::{admit_config, default_config};
pub use preference::{PreferenceObject, admit_preference, preferred_clusters};
pub use preference_status::{preference_status, preference_without_target};
pub use settings::{HealthCheck, Settings};
pub use structure::{Structure, keep_list_types, read_structure, short_description, without_list_types};
pub use type_admission::{TYPE_CONFIG_FINALIZER, admit_type_config, built_in_type_config};
pub use type_config::TypeConfig;

/// Group of `KubeFedConfig`, `FederatedTypeConfig` and `KubeFedCluster`.
pub const CORE_GROUP: &str = "core.kubefed.io";

/// Group of `ReplicaSchedulingPreference`.
pub const SCHEDULING_GROUP: &str = "scheduling.kubefed.io";

/// Name of the one `KubeFedConfig` that counts.
pub const CONFIG_NAME: &str = "kubefed";
