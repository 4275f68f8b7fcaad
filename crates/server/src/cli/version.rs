//! `atoll version`.

use std::process::ExitCode;

use super::Outcome;

/// Nothing to say.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

pub(super) fn run(_: &Arguments) -> Outcome {
    println!("atoll {}", env!("CARGO_PKG_VERSION"));
    Ok(ExitCode::SUCCESS)
}
