//! `atoll migrate`: the schema is brought up to date without starting anything, as a step of a roll-out.

use std::process::ExitCode;

use super::Outcome;
use super::database::Place;
use crate::config::Data;

/// Where data is kept.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    data: Data,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let place = Place::of(&arguments.data)?;
    let _lock = place.lock()?;
    place.open().await?.close().await;
    println!("the schema is up to date");
    Ok(ExitCode::SUCCESS)
}
