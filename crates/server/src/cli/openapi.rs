//! `atoll openapi`: the documents that clients are generated from.

use std::process::ExitCode;

use super::Outcome;

/// Which document.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Which document
    #[arg(value_enum, default_value = "console")]
    document: Document,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Document {
    /// The console API, OpenAPI 3.1
    Console,
    /// The hub's Kubernetes API with the types that are there from the start, OpenAPI 3.0
    Hub,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    match arguments.document {
        Document::Console => super::print(&crate::openapi::console_json())?,
        Document::Hub => super::print(&format!("{:#}\n", crate::hub::openapi()))?,
    }
    Ok(ExitCode::SUCCESS)
}
