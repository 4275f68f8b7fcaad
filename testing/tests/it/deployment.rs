//! `Dockerfile` and `docker-compose.yml`, as far as no container engine is
//! needed: everything they name exists, and the hub runs as they would run it.

mod compose;
mod dockerfile;
mod program;
mod run;
