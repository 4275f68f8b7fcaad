//! Member clusters in memory, served over the Kubernetes API.
//!
//! A [`SimulatedMember`] is what kubectl, client libraries and the hub take for a small real cluster: it speaks TLS on a
//! port of its own, knows its administrator by a token, and keeps Kubernetes' own kinds with their defaults, their
//! printed columns and their access control. Controllers make what is written there live: Deployments get pods, pods get
//! nodes, namespaces are emptied before they go. [`Faults`] make it fail in the ways that real members fail.
//!
//! It is for the demo, for tests of faults and for scale: what real API servers are there for, it does not replace.
//!
//! Containers have no processes. Their logs are made up; a container whose image is called, or tagged,
//! `does-not-exist` never starts.

mod access;
mod admission;
mod authority;
mod backend;
mod catalog;
mod control;
mod controllers;
mod counts;
mod engine;
mod error;
mod faults;
mod fields;
mod identity;
mod kubeconfig;
mod listener;
mod member;
mod objects;
mod options;
mod quantity;
mod router;
mod seed;
mod selection;
mod subresource;

pub use control::Control;
pub use counts::Counts;
pub use error::Error;
pub use faults::{Fault, Faults, Requests};
pub use member::SimulatedMember;
pub use options::{MemberOptions, NodeShape, Pace};
