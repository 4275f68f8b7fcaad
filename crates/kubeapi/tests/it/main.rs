//! The API as clients see it: requests through the router, over objects in memory, mounted below a prefix as the hub
//! mounts it.
#![expect(clippy::unwrap_used, reason = "a test that unwraps in vain has failed")]

mod applying;
mod deleting;
mod documents;
mod fixture;
mod listing;
mod patching;
mod reviews;
mod views;
mod watching;
mod writing;
