//! `atoll`: see [`atoll_server::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    atoll_server::cli::run()
}
