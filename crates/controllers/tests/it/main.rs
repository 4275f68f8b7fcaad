//! The controllers over a real store and simulated members, reached as real ones are.
#![expect(clippy::unwrap_used, reason = "a test that unwraps in vain has failed")]

mod confirmations;
mod deletion;
mod drift;
mod events;
mod failing_members;
mod health;
mod holds;
mod interruptions;
mod leadership;
mod ownership;
mod placed_by_preference;
mod placement;
mod plain;
mod preferences;
mod repair;
mod restart;
mod settings;
mod strangers;
mod types;
mod unregistering;
mod world;
