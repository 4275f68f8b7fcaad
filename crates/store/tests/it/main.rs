//! The store on both databases.
//!
//! [`contract`] is one suite of rules; each runs on SQLite and on PostgreSQL. What only makes sense for one database,
//! or for both at once, stands beside it.
#![expect(clippy::unwrap_used, reason = "a test that unwraps in vain has failed")]

mod contract;
mod database;
mod schema;
mod secrecy;
mod statements;
