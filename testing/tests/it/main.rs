//! Tests against real servers. Each module tells one story.

mod cluster;
mod postgres;
