//! `atoll token`: an API token for programs, made on the machine of the hub.

use std::process::ExitCode;

use jiff::{Timestamp, ToSpan};
use secrecy::ExposeSecret;

use super::database::Place;
use super::{Failure, Outcome};
use crate::app::issue_token::issue_token;
use crate::config::Data;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a token and print it
    Create {
        /// Whose token
        #[arg(long, default_value = "admin")]
        user: String,
        /// What to call it
        #[arg(long, default_value = "command line")]
        name: String,
        /// Days until it ends; never when this is left out
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: Option<u16>,
        #[command(flatten)]
        data: Data,
    },
}

pub(super) async fn run(command: Command) -> Outcome {
    let Command::Create { user, name, days, data } = command;
    let store = Place::of(&data)?.open_existing().await?;
    let known = store
        .user(&user)
        .await
        .map_err(|error| Failure::while_doing("cannot read the user", &error))?;
    if known.is_none() {
        store.close().await;
        return Err(Failure::Usage(format!("--user: there is no user {user:?}")));
    }
    let now = Timestamp::now();
    let expires_at = days.and_then(|days| now.checked_add((i64::from(days) * 24).hours()).ok());
    let outcome = issue_token(&store, &user, &name, expires_at, now).await;
    store.close().await;
    let (_, token) = outcome.map_err(|error| Failure::while_doing("cannot make the token", &error))?;
    println!("{}", token.expose_secret());
    Ok(ExitCode::SUCCESS)
}
