//! What people configure on the hub: which types are federated, and how the control plane behaves.
//!
//! `KubeFedConfig` and `FederatedTypeConfig` are KubeFed's own kinds, with its names and defaults; here they are read
//! and judged, as functions of values.

mod settings;
mod type_config;

pub use settings::{HealthCheck, Settings};
pub use type_config::TypeConfig;

/// Group of `KubeFedConfig`, `FederatedTypeConfig` and `KubeFedCluster`.
pub const CORE_GROUP: &str = "core.kubefed.io";

/// Name of the one `KubeFedConfig` that counts.
pub const CONFIG_NAME: &str = "kubefed";
