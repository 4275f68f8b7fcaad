//! Connections to member clusters: kubeconfig, probes, health, forwarding transport, watch caches.
pub mod connection;
pub mod endpoint;
pub mod health;
mod identity;
pub mod kubeconfig;
mod name;
mod nodes;
pub mod quantity;
