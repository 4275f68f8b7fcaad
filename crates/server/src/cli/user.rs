//! `atoll user`: what can be done about users without the console, even while the hub runs.

use std::path::PathBuf;
use std::process::ExitCode;

use secrecy::ExposeSecret;

use super::database::{Place, read_secret};
use super::{Failure, Outcome};
use crate::app::initialise::hash;
use crate::auth::password;
use crate::config::Data;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Set a user's password and end their sign-ins
    SetPassword {
        /// The user
        #[arg(default_value = "admin")]
        name: String,
        /// File with the password; without it one is generated and printed
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        data: Data,
    },
}

pub(super) async fn run(command: Command) -> Outcome {
    let Command::SetPassword {
        name,
        password_file,
        data,
    } = command;
    let given = password_file
        .map(|file| read_secret(&file, "--password-file"))
        .transpose()?;
    let generated = given.is_none();
    let chosen = given.unwrap_or_else(password::generate);
    password::check_new(&chosen).map_err(|error| Failure::Usage(format!("--password-file: {error}")))?;
    let store = Place::of(&data)?.open_existing().await?;
    let known = store
        .user(&name)
        .await
        .map_err(|error| Failure::while_doing("cannot read the user", &error))?;
    if known.is_none() {
        store.close().await;
        return Err(Failure::Usage(format!("there is no user {name:?}")));
    }
    let hashed = hash(chosen.clone())
        .await
        .map_err(|error| Failure::while_doing("cannot hash the password", &error))?;
    let outcome = store.set_password(&name, &hashed).await;
    store.close().await;
    outcome.map_err(|error| Failure::while_doing("cannot set the password", &error))?;
    if generated {
        println!("{}", chosen.expose_secret());
    }
    eprintln!("the password of {name} is set, and their sign-ins have ended");
    Ok(ExitCode::SUCCESS)
}
