//! How files and things are called, and how long a file may get.

use std::fs;

use anyhow::{Context, Result};

use super::repository::{files, members, relative};

/// Where code is.
const CODE: [&str; 7] = [
    "crates",
    "testing",
    "migrations",
    "scripts",
    "web/src",
    "web/e2e",
    "web/scripts",
];

/// Past this a file is split by noun.
const MOST_LINES: usize = 800;

/// Written by programs for programs.
const GENERATED: [&str; 1] = ["web/src/api/schema.d.ts"];

/// Endings of files that people write and read.
const WRITTEN: [&str; 8] = ["rs", "ts", "tsx", "mjs", "css", "sql", "sh", "toml"];

/// Words that say nothing about what is in a file.
const EMPTY_FILE_NAMES: [&str; 9] = [
    "util", "utils", "helper", "helpers", "common", "manager", "misc", "shared", "stuff",
];

/// Words that say nothing about a thing. `manager` and `common` are missing:
/// Kubernetes' field manager and X.509's common name are called so.
const EMPTY_NAMES: [&str; 5] = ["util", "utils", "helper", "helpers", "misc"];

/// What may stand before the name of a thing, in Rust and in TypeScript.
const DEFINITIONS: [&str; 9] = [
    "mod ",
    "struct ",
    "enum ",
    "trait ",
    "fn ",
    "type ",
    "function ",
    "class ",
    "interface ",
];

/// The integration tests of every crate: without clusters, and the three that
/// `make test` runs once the programs of a cluster are built.
const TEST_BINARIES: [&str; 4] = ["it", "clusters", "federation", "story"];

#[test]
fn no_file_is_too_long_to_read() -> Result<()> {
    for path in files(&CODE)? {
        let written = path
            .extension()
            .is_some_and(|ending| WRITTEN.iter().any(|known| ending == *known));
        if written && !GENERATED.contains(&relative(&path).as_str()) {
            let text = fs::read_to_string(&path).with_context(|| relative(&path))?;
            let lines = text.lines().count();
            assert!(lines <= MOST_LINES, "{} has {lines} lines", relative(&path));
        }
    }
    Ok(())
}

#[test]
fn no_file_is_called_by_an_empty_word() -> Result<()> {
    for path in files(&CODE)? {
        let path = relative(&path);
        let empty = path
            .split(['/', '.', '-', '_'])
            .find(|word| EMPTY_FILE_NAMES.contains(&word.to_lowercase().as_str()));
        assert_eq!(empty, None, "{path}");
    }
    Ok(())
}

#[test]
fn nothing_is_called_by_an_empty_word() -> Result<()> {
    for path in files(&CODE)? {
        if !path
            .extension()
            .is_some_and(|ending| ending == "rs" || ending == "ts" || ending == "tsx")
        {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        for line in text.lines() {
            if let Some(name) = defined_name(line) {
                let empty = words(name)
                    .into_iter()
                    .find(|word| EMPTY_NAMES.contains(&word.as_str()));
                assert_eq!(empty, None, "{}: {line}", relative(&path));
            }
        }
    }
    Ok(())
}

#[test]
fn every_integration_test_is_one_that_make_test_runs() -> Result<()> {
    for package in members()? {
        for target in package["targets"].as_array().context("no targets")? {
            let name = target["name"].as_str().context("no name")?;
            if target["kind"][0] == "test" {
                assert!(TEST_BINARIES.contains(&name), "{}: {name}", package["name"]);
            }
        }
    }
    Ok(())
}

#[test]
fn every_crate_is_under_the_licence_of_the_repository() -> Result<()> {
    for package in members()? {
        assert_eq!(package["license"], "Apache-2.0", "{}", package["name"]);
        assert_eq!(package["publish"], serde_json::json!([]), "{}", package["name"]);
    }
    Ok(())
}

/// The name that a line defines, if it defines one.
fn defined_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    if line.starts_with("//") || line.starts_with('*') {
        return None;
    }
    let rest = DEFINITIONS.iter().find_map(|definition| {
        let (before, rest) = line.split_once(definition)?;
        let begins = before.is_empty() || before.ends_with(' ');
        let plain = before.chars().all(|c| c.is_ascii_lowercase() || "() :".contains(c));
        (begins && plain).then_some(rest)
    })?;
    let end = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    Some(&rest[..end])
}

/// The words of a name in snake or camel case, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for character in name.chars() {
        if character == '_' || character.is_uppercase() {
            words.push(String::new());
        }
        if character != '_'
            && let Some(word) = words.last_mut()
        {
            word.extend(character.to_lowercase());
        }
    }
    words
}

#[test]
fn the_words_of_a_defined_name_are_found() {
    assert_eq!(
        defined_name("    pub(crate) async fn read_pod(x: u8)"),
        Some("read_pod")
    );
    assert_eq!(defined_name("export function PodHelper() {"), Some("PodHelper"));
    assert_eq!(defined_name("// the fn below"), None);
    assert_eq!(defined_name("let text = \"a type of pod\";"), None);
    assert!(words("PodHelper").contains(&"helper".to_owned()));
    assert!(words("read_misc").contains(&"misc".to_owned()));
    assert!(!words("read_miscellany").contains(&"misc".to_owned()));
}
