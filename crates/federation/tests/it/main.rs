//! The crate seen from outside: scenario files, worked replica plans, rendered examples.
#![expect(clippy::unwrap_used, reason = "a test that unwraps in vain has failed")]

mod nonsense;
mod overrides;
mod render;
mod replica_plans;
mod scenarios;
