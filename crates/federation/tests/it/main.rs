//! The crate seen from outside: scenario files, worked replica plans, rendered examples.

mod render;
mod replica_plans;
mod scenarios;
