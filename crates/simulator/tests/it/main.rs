//! Simulated members as clients see them: over their socket, with a client library that knows nothing of them.
#![expect(clippy::unwrap_used, reason = "a test that unwraps in vain has failed")]

mod access;
mod applying;
mod control;
mod exec;
mod faults;
mod fixture;
mod garbage;
mod many;
mod namespaces;
mod nodes;
mod printing;
mod services;
mod streams;
mod workloads;
