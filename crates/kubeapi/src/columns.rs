//! Columns of Kubernetes' own kinds, as its API servers print them: for every program that serves such kinds.

pub mod batch;
pub mod events;
pub mod network;
pub mod workloads;
