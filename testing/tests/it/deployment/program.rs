//! What the binary itself says that it understands.

use std::{collections::BTreeSet, process::Command};

use anyhow::{Context, Result, ensure};
use atoll_testing::binary;

/// What one subcommand takes.
pub(super) struct Options {
    /// `--listen` and the like.
    pub(super) flags: BTreeSet<String>,
    /// `ATOLL_LISTEN` and the like.
    pub(super) variables: BTreeSet<String>,
}

/// Reads what `atoll SUBCOMMAND --help` names.
pub(super) fn options(subcommand: &str) -> Result<Options> {
    let help = help(&[subcommand])?;
    let named = |prefix: &str, separators: &[char]| -> BTreeSet<String> {
        help.split(separators)
            .filter(|word| word.starts_with(prefix) && word.len() > prefix.len())
            .map(str::to_owned)
            .collect()
    };
    let options = Options {
        flags: named("--", &[' ', '\n', ',', '=', '.', '`']),
        variables: named("ATOLL_", &[' ', '\n', '=', ']', '.', ',']),
    };
    ensure!(!options.flags.is_empty(), "atoll {subcommand} has no options:\n{help}");
    Ok(options)
}

/// The subcommands of the binary.
pub(super) fn subcommands() -> Result<BTreeSet<String>> {
    let help = help(&[])?;
    let (_, rest) = help.split_once("Commands:\n").context("no commands in the help")?;
    Ok(rest
        .lines()
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect())
}

fn help(subcommand: &[&str]) -> Result<String> {
    let output = Command::new(binary()?).args(subcommand).arg("--help").output()?;
    ensure!(output.status.success(), "atoll {subcommand:?} --help fails");
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn what_the_help_names_is_found() -> Result<()> {
    let options = options("serve")?;
    for flag in ["--listen", "--data-dir", "--database-file", "--allow-loopback-members"] {
        assert!(options.flags.contains(flag), "{flag} in {:?}", options.flags);
    }
    for variable in ["ATOLL_LISTEN", "ATOLL_ALLOW_LOOPBACK_MEMBERS", "ATOLL_TLS_NAME"] {
        assert!(
            options.variables.contains(variable),
            "{variable} in {:?}",
            options.variables
        );
    }
    let subcommands = subcommands()?;
    for subcommand in ["serve", "demo", "health"] {
        assert!(subcommands.contains(subcommand), "{subcommand} in {subcommands:?}");
    }
    Ok(())
}
