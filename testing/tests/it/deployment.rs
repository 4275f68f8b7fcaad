//! How people get the hub to run: `Dockerfile`, `docker-compose.yml` and the
//! pages that they read. Everything that these name exists, and the hub runs as
//! they would run it, as far as no container engine is needed for that.

mod compose;
mod dockerfile;
mod documents;
mod program;
mod run;
