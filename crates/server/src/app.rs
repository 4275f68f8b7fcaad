//! What takes several steps: one function each. Handlers extract, authorize, call one of these and convert.

pub mod answer_hold;
pub mod create_federated;
pub mod initialise;
pub mod issue_kubeconfig;
pub mod issue_token;
pub mod list_federated_events;
pub mod preview_federated;
pub mod register_cluster;
pub mod remove_cluster;
pub mod replace_credential;
pub mod update_cluster;

mod cluster_objects;
mod cluster_text;
mod connect;

pub(crate) use cluster_objects::labels_of;
pub use connect::{Checked, Unusable, check_kubeconfig, registered_as};
