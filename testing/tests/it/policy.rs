//! The rules that hold for the whole repository and that no compiler checks:
//! what may be built in, which crate may know which, and how things are called.
//!
//! All of it is read from files and from cargo's own view of the lock file; the
//! network is never asked.

mod console;
mod crates;
mod layout;
mod licences;
pub(crate) mod repository;
mod walls;
