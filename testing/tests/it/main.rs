//! Tests that need no cluster: the rules of the repository, the files for
//! deployment, and the database server that other tests build on.

mod deployment;
mod policy;
mod postgres;
