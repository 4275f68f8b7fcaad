//! The pages for people: what they tell a reader to type exists.

use std::{collections::BTreeSet, fs, path::PathBuf};

use anyhow::{Context, Result};

use super::program;
use crate::policy::repository::{files, relative, root};

/// README.md and everything below docs, with their text.
fn pages() -> Result<Vec<(PathBuf, String)>> {
    let mut paths = files(&["docs"])?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
    paths.push(root().join("README.md"));
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path)?;
            Ok((path, text))
        })
        .collect()
}

/// The words that follow a prefix in a text, each as far as its characters go.
fn after<'a>(text: &'a str, prefix: &str, belongs: fn(char) -> bool) -> Vec<&'a str> {
    text.match_indices(prefix)
        .map(|(at, _)| {
            let rest = &text[at + prefix.len()..];
            &rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())]
        })
        .filter(|word| !word.is_empty())
        .collect()
}

fn is_word(character: char) -> bool {
    character.is_ascii_lowercase() || character == '-'
}

/// What a link to a heading ends with, as GitHub makes it.
fn slug(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#').trim().to_lowercase();
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    Some(kept.map(|c| if c == ' ' { '-' } else { c }).collect())
}

#[test]
fn every_link_leads_somewhere() -> Result<()> {
    for (path, text) in pages()? {
        let folder = path.parent().context("no folder")?;
        for target in after(&text, "](", |c| c != ')') {
            if target.contains("://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let page = if file.is_empty() {
                path.clone()
            } else {
                folder.join(file)
            };
            assert!(page.exists(), "{}: {target}", relative(&path));
            if !heading.is_empty() {
                let there = fs::read_to_string(&page)?;
                let found = there.lines().any(|line| slug(line).as_deref() == Some(heading));
                assert!(found, "{}: {target}", relative(&path));
            }
        }
    }
    Ok(())
}

#[test]
fn every_variable_that_is_named_exists() -> Result<()> {
    let known = program::options("serve")?.variables;
    for (path, text) in pages()? {
        for rest in after(&text, "ATOLL_", |c| c.is_ascii_uppercase() || c == '_') {
            let variable = format!("ATOLL_{rest}");
            assert!(known.contains(&variable), "{}: {variable}", relative(&path));
        }
    }
    Ok(())
}

#[test]
fn the_table_of_options_is_complete() -> Result<()> {
    let readme = fs::read_to_string(root().join("README.md"))?;
    let (_, section) = readme.split_once("## Options").context("no section Options")?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let named: BTreeSet<String> = after(section, "`--", is_word)
        .into_iter()
        .map(|word| format!("--{word}"))
        .collect();
    let mut known = program::options("serve")?.flags;
    known.remove("--help");
    assert_eq!(named, known);
    Ok(())
}

#[test]
fn every_subcommand_that_is_named_exists() -> Result<()> {
    let known = program::subcommands()?;
    for (path, text) in pages()? {
        for prefix in ["`atoll ", "\natoll ", "release/atoll ", "--bin atoll -- "] {
            for word in after(&text, prefix, is_word) {
                assert!(known.contains(word), "{}: atoll {word}", relative(&path));
            }
        }
    }
    Ok(())
}

#[test]
fn every_target_that_is_named_exists() -> Result<()> {
    let makefile = fs::read_to_string(root().join("Makefile"))?;
    for (path, text) in pages()? {
        for prefix in ["`make ", "\nmake "] {
            for target in after(&text, prefix, is_word) {
                let defined = makefile.lines().any(|line| line.starts_with(&format!("{target}:")));
                assert!(defined, "{}: make {target}", relative(&path));
            }
        }
    }
    Ok(())
}
