//! The whole hub in one process: the router over a real SQLite file, with simulated clusters behind it.
#![expect(clippy::unwrap_used, reason = "a test that unwraps in vain has failed")]

mod custom_member;
mod harness;
mod websocket;

mod binary;
mod browser;
mod clusters;
mod coverage;
mod federated;
mod holds;
mod kubeconfigs;
mod previews;
mod previews_plain;
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
mod hub_configuration;
mod hub_events;
mod hub_explain;
mod hub_fixture;
mod hub_kubectl;
mod hub_namespaces;
mod hub_objects;
mod hub_old_versions;
mod hub_old_yaml;
mod hub_one_source;
mod hub_plain;
mod hub_preferences;
mod hub_secrets;
mod hub_seeding;
mod hub_structures;
mod hub_types;
mod hub_views;
mod hub_watch;
