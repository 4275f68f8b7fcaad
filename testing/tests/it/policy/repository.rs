//! The repository as the rules see it: its files, and its crates by cargo's
//! account.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Folders that hold nothing of ours.
const FOREIGN: [&str; 4] = ["target", "node_modules", "dist", "output"];

/// The top of the repository.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("the package is a folder of the repository")
}

/// All our files below some folders, hidden ones excepted.
pub(crate) fn files(folders: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = waiting.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || FOREIGN.contains(&name.as_str()) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                waiting.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The path of a file from the top of the repository, as rules name it.
pub(crate) fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// What `cargo metadata` says of all packages of the lock file.
pub(crate) fn packages() -> Result<Vec<Value>> {
    let output = cargo(&["metadata", "--format-version=1"])?;
    let mut metadata: Value = serde_json::from_str(&output)?;
    Ok(serde_json::from_value(metadata["packages"].take())?)
}

/// The packages of this workspace among [`packages`].
pub(crate) fn members() -> Result<Vec<Value>> {
    let mut packages = packages()?;
    packages.retain(|package| package["source"].is_null());
    ensure!(!packages.is_empty(), "cargo names no package of this workspace");
    Ok(packages)
}

/// `name version` of all that is built in for some package (or `--workspace`)
/// on any platform.
pub(crate) fn built_in(selection: &[&str], edges: &str) -> Result<Vec<(String, String)>> {
    let mut arguments = vec![
        "tree",
        "--target=all",
        "--prefix=none",
        "--format={p}",
        "--edges",
        edges,
    ];
    arguments.extend(selection);
    let output = cargo(&arguments)?;
    let mut found: Vec<(String, String)> = output
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once(" v")?;
            let version = rest.split(' ').next()?;
            Some((name.to_owned(), version.to_owned()))
        })
        .collect();
    found.sort();
    found.dedup();
    ensure!(!found.is_empty(), "cargo tree {selection:?} names nothing");
    Ok(found)
}

/// Runs cargo on what is here: no network, no change of the lock file.
fn cargo(arguments: &[&str]) -> Result<String> {
    let program = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let output = Command::new(program)
        .current_dir(root())
        .args(arguments)
        .args(["--offline", "--locked"])
        .output()
        .context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "cargo {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}
