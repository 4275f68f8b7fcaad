//! The Atoll binary: console API, hub API, forwarding, sign-in and console files.
//!
//! * [`router`] lists every path in one place; each prefix has a layer stack of its own.
//! * [`auth`] says who asks, [`authz`] whether they may; nothing is answered without both.
//! * `api` holds one file for each resource of the console API; what takes several steps is a function in [`app`].
//! * [`hub`] serves the hub's own Kubernetes API, [`forward`] the members'.
//! * [`cli`] is what the binary runs: options are read and judged before any port is bound.

pub mod api;
pub mod app;
pub mod auth;
pub mod authz;
pub mod cli;
pub mod config;
pub mod console_files;
pub mod error;
pub mod forward;
pub mod hub;
pub mod listen;
pub mod metrics;
pub mod openapi;
pub mod router;
pub mod state;
pub mod telemetry;

pub use error::{Error, Result};
pub use state::AppState;
