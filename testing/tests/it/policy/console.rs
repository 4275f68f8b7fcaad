//! What the console is built from: its lock files.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use super::{
    licences::{ALLOWED, is_satisfied},
    repository::root,
};

/// The folders that have a lock file of their own.
const PACKAGES: [&str; 2] = ["web", "web/tools/api-types"];

/// Licences that are fine for tools, none of which reaches the console's files.
const ALLOWED_IN_TOOLS: [&str; 2] = ["MPL-2.0", "Python-2.0"];

#[test]
fn every_package_is_pinned_by_its_content() -> Result<()> {
    for folder in PACKAGES {
        for (path, package) in locked(folder)? {
            let integrity = package["integrity"].as_str().unwrap_or_default();
            assert!(integrity.starts_with("sha512-"), "{folder}: {path} has no hash");
            assert!(
                package["hasInstallScript"].is_null(),
                "{folder}: {path} runs a script when installed"
            );
        }
    }
    Ok(())
}

#[test]
fn every_package_has_a_licence_that_is_allowed() -> Result<()> {
    let in_tools: Vec<&str> = ALLOWED.into_iter().chain(ALLOWED_IN_TOOLS).collect();
    for folder in PACKAGES {
        for (path, package) in locked(folder)? {
            let licence = package["license"].as_str().unwrap_or_default();
            let tool = package["dev"] == true || package["devOptional"] == true;
            let allowed: &[&str] = if tool { &in_tools } else { &ALLOWED };
            let satisfied = is_satisfied(licence, allowed).with_context(|| format!("the licence of {path}"))?;
            assert!(satisfied, "{folder}: {path}: {licence:?}");
        }
    }
    Ok(())
}

#[test]
fn every_dependency_is_named_by_its_exact_version() -> Result<()> {
    for folder in PACKAGES {
        let manifest = read(&format!("{folder}/package.json"))?;
        for kind in ["dependencies", "devDependencies"] {
            for (name, version) in manifest[kind].as_object().into_iter().flatten() {
                let version = version.as_str().unwrap_or_default();
                let exact =
                    version.split('.').count() == 3 && version.starts_with(|first: char| first.is_ascii_digit());
                assert!(exact, "{folder}: {name} {version}");
            }
        }
    }
    Ok(())
}

/// The packages of a folder's lock file, by their place in `node_modules`.
fn locked(folder: &str) -> Result<Map<String, Value>> {
    let mut lock = read(&format!("{folder}/package-lock.json"))?;
    let mut packages: Map<String, Value> = serde_json::from_value(lock["packages"].take())?;
    packages
        .remove("")
        .context("the lock file does not name its own package")?;
    assert!(!packages.is_empty(), "{folder} locks nothing");
    Ok(packages)
}

fn read(path: &str) -> Result<Value> {
    let text = fs::read_to_string(root().join(path)).with_context(|| format!("cannot read {path}"))?;
    serde_json::from_str(&text).with_context(|| format!("cannot read {path}"))
}
