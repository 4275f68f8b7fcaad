//! Members over real sockets: what leaves the hub byte for byte, and what is made of whatever comes back.
#![expect(clippy::unwrap_used, reason = "a test that unwraps in vain has failed")]

mod admins;
mod authority;
mod check;
mod connect;
mod fake;
mod forward;
mod health;
mod members;
mod own;
mod places;
mod setup;
mod upgrade;
mod watch;
