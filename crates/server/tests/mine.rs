#[path = "it/binary.rs"]
mod binary;
#[path = "it/browser.rs"]
mod browser;
#[path = "it/clusters.rs"]
mod clusters;
#[path = "it/coverage.rs"]
mod coverage;
#[path = "it/harness.rs"]
mod harness;
#[path = "it/probes.rs"]
mod probes;
#[path = "it/refusals.rs"]
mod refusals;
#[path = "it/sessions.rs"]
mod sessions;
#[path = "it/tokens.rs"]
mod tokens;
#[path = "it/federated.rs"]
mod federated;
#[path = "it/stream.rs"]
mod stream;
#[path = "it/websocket.rs"]
mod websocket;
#[path = "it/kubeconfigs.rs"]
mod kubeconfigs;
