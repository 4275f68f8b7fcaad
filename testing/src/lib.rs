//! Real test clusters, a real PostgreSQL, end-to-end tests and benchmarks.
//!
//! A [`Cluster`] is Kubernetes' own etcd, API server, controller manager and
//! scheduler, with kwok standing in for the kubelets, all on loopback: about
//! four seconds and half a gigabyte each. What it answers is what production
//! answers, which no double of ours could promise.
//!
//! Everything started here belongs to the value that started it. Dropping the
//! value ends the processes and removes their folder, and so does the death of
//! the test process, however it dies (see the private module `process`).
//!
//! A [`Hub`] is the binary as it is built, driven from outside: [`Rest`] for the
//! console API, [`Kubectl`] for everything that speaks Kubernetes.
//!
//! The programs come from `make kubernetes`, PostgreSQL from the Debian package
//! `postgresql`. When either is missing the tests fail and say so; they are
//! never skipped.

mod cluster;
mod folder;
mod hub;
mod kubectl;
mod ports;
mod postgres;
mod process;
mod programs;
mod readiness;
mod rest;
mod simulation;
mod versions;

pub use cluster::{Cluster, Options};
pub use hub::{ADMIN, Database, Hub, binary};
pub use kubectl::Kubectl;
pub use ports::free_port;
pub use postgres::Postgres;
pub use programs::Programs;
pub use readiness::{until, until_despite_errors};
pub use rest::{Answer, Rest};
pub use simulation::Simulation;
pub use versions::{NEWEST_KUBERNETES, OLDEST_KUBERNETES, Release};
