//! The commands of `atoll`.
//!
//! A value that cannot be used is one clear line on standard error and exit 2, before any port is bound; what goes
//! wrong later is one line and exit 1.
#![expect(
    clippy::doc_markdown,
    reason = "doc comments of options are help texts, which are plain text"
)]

mod database;
mod demo;
mod documents;
mod health;
mod migrate;
mod openapi;
mod plan;
mod render;
mod serve;
mod simulate;
mod token;
mod user;
mod version;

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{Signal, SignalKind, signal};

pub use plan::plan_text;
pub use render::render_text;

/// One hub for many Kubernetes clusters
#[derive(Debug, Parser)]
#[command(name = "atoll", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the hub
    Serve(Box<serve::Arguments>),
    /// Run a hub on a throw-away folder, with simulated clusters and a federated application
    Demo(demo::Arguments),
    /// Run simulated member clusters and write their kubeconfigs
    Simulate(simulate::Arguments),
    /// Share replicas out over clusters, offline
    Plan(plan::Arguments),
    /// Print what each cluster would get from federated objects, offline
    Render(render::Arguments),
    /// Bring the database's schema up to date
    Migrate(migrate::Arguments),
    /// Print an OpenAPI document
    Openapi(openapi::Arguments),
    /// Change users
    #[command(subcommand)]
    User(user::Command),
    /// Make API tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Ask a running hub whether it is ready, for container images without a shell
    Health(health::Arguments),
    /// Print the version
    Version(version::Arguments),
}

/// Why a command ends without having done what it was asked for.
#[derive(Debug)]
pub enum Failure {
    /// What it was given cannot be used: exit 2.
    Usage(String),
    /// It went wrong: exit 1.
    Failed(String),
}

impl Failure {
    /// Something went wrong while `doing`; the whole chain of causes is told.
    fn while_doing(doing: &str, error: &dyn std::error::Error) -> Self {
        Self::Failed(format!("{doing}: {}", crate::error::chain(error)))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Failed(message) => formatter.write_str(message),
        }
    }
}

type Outcome = Result<ExitCode, Failure>;

/// Writes to standard output. A reader that leaves early, as `head` does, has had enough: that is no failure.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::while_doing("cannot write to standard output", &error))
        }
        _ => Ok(()),
    }
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    // The help of clap goes to standard output with exit 0, its complaints to standard error with exit 2.
    let cli = Cli::parse();
    match dispatch(cli.command) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("atoll: {failure}");
            match failure {
                Failure::Usage(_) => ExitCode::from(2),
                Failure::Failed(_) => ExitCode::FAILURE,
            }
        }
    }
}

fn dispatch(command: Command) -> Outcome {
    match command {
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Render(arguments) => render::run(&arguments),
        Command::Openapi(arguments) => openapi::run(&arguments),
        Command::Version(arguments) => version::run(&arguments),
        Command::Serve(arguments) => asynchronously(serve::run(*arguments)),
        Command::Demo(arguments) => asynchronously(demo::run(arguments)),
        Command::Simulate(arguments) => asynchronously(simulate::run(arguments)),
        Command::Migrate(arguments) => asynchronously(migrate::run(arguments)),
        Command::User(command) => asynchronously(user::run(command)),
        Command::Token(command) => asynchronously(token::run(command)),
        Command::Health(arguments) => asynchronously(health::run(arguments)),
    }
}

/// Runs a command on a runtime that is small: threads cost memory, and a hub mostly waits.
fn asynchronously(command: impl Future<Output = Outcome>) -> Outcome {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.clamp(2, 8))
        .max_blocking_threads(32)
        .thread_keep_alive(std::time::Duration::from_secs(5))
        .thread_name("atoll")
        .enable_all()
        .build()
        .map_err(|error| Failure::while_doing("cannot start", &error))?;
    // Whoever installs one first wins; there is no other.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let outcome = runtime.block_on(command);
    // What still runs has been told to end; waiting for a stuck thread would help nobody.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    outcome
}

/// Notices that the process is asked to end, by Ctrl-C or by its supervisor. From its making on a signal no longer ends
/// the process by itself.
struct Ending {
    interrupt: Signal,
    terminate: Signal,
}

impl Ending {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|error| Failure::while_doing("signals cannot be received", &error));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Resolves when it is asked, once for each time.
    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_begins_with_what_the_program_is_for() {
        let about = Cli::command().get_about().map(ToString::to_string);
        assert_eq!(about.as_deref(), Some("One hub for many Kubernetes clusters"));
    }

    #[test]
    fn every_option_of_serve_is_an_environment_variable_too() {
        let command = Cli::command();
        let serve = command.find_subcommand("serve").unwrap();
        for argument in serve.get_arguments().filter(|argument| argument.get_id() != "help") {
            let name = argument.get_env().and_then(|name| name.to_str()).unwrap_or_default();
            assert!(name.starts_with("ATOLL_"), "{:?}", argument.get_id());
        }
    }
}
