//! The whole hub in one process: the router over a real SQLite file, with simulated clusters behind it.
#![expect(clippy::unwrap_used, reason = "a test that unwraps in vain has failed")]

mod harness;
mod websocket;

mod binary;
mod browser;
mod clusters;
mod coverage;
mod federated;
mod kubeconfigs;
mod probes;
mod refusals;
mod sessions;
mod stream;
mod tokens;

mod forward_fixture;
mod forward_requests;
mod forward_streams;
mod forward_upgrades;
mod hub_access;
mod hub_clusters;
mod hub_fixture;
mod hub_kubectl;
mod hub_namespaces;
mod hub_objects;
mod hub_secrets;
mod hub_watch;
