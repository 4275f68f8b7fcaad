//! The controllers over a real store and simulated members, reached as real ones are.
#![expect(clippy::unwrap_used, reason = "a test that unwraps in vain has failed")]

mod deletion;
mod failing_members;
mod health;
mod leadership;
mod ownership;
mod placement;
mod repair;
mod restart;
mod unregistering;
mod world;
