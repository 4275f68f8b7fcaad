//! Scenario files: an object, clusters, what they hold and what the hub remembers, and behind `---` the plan, the status
//! and the records that must come out. `UPDATE=1` writes what comes out into the files; read it before you keep it.
//!
//! A file states only what matters to its rule. Otherwise: a `FederatedConfigMap shop/web` placed everywhere, clusters
//! `eu-1` and `us-1` that are ready, namespace `shop` federated everywhere, nothing observed, nothing remembered, and
//! every step works.
//!
//! * `observed`: `absent`, `{unknown: Reason}`, `{object: …}` as a server would give it, or `{applied: …}`: what the hub
//!   would apply, as a server would give it back (UID `u-<cluster>`), with these differences.
//! * `records`: `current` (what a hub would remember after applying the object to what is observed), a map over it, or
//!   `begun` (a first write whose end was not seen).
//! * `outcomes`: `applied`, `gone`, `terminating`, `released`, `none`, or `{failed: Kind, message: …}`.
//! * `confirm: true` annotates the object with the token of the hold that it meets; `confirmed: true` says that its cause
//!   was confirmed elsewhere.
//! * `held` is a hold on several objects together, of which this is one; its token is `of-all`.
//! * `<null>` writes a null, which alone would only leave a field out.
//! * `type` is a type that people added: group, version, kind, plural, replicasPath, namespaced.
//!
//! * `plain` is a resource that is federated as it is (`deployments.apps`): then `object` is that object, and `namespace`
//!   the hub's Namespace, labelled as Federation v1's. With `write` there may be `as`, the version it is written in.
//!
//! A file with `write` is about admission instead: the object as somebody writes it, `old` as it is stored.

mod harness;
mod kinds;
mod output;
mod plain;
mod properties;
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/scenarios");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_scenario_comes_out_as_written() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    let files = files();
    assert!(files.len() >= 280, "{} scenarios", files.len());
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let (input, expected) = text.split_once("\n---\n").unwrap_or((text.trim_end(), ""));
        let input: Value = serde_saphyr::from_str(input).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let found = harness::run(&input);
        if update {
            let input = text.split("\n---\n").next().unwrap_or_default().trim_end();
            let output = serde_saphyr::to_string(&found).unwrap();
            fs::write(&path, format!("{input}\n---\n{output}")).unwrap();
            continue;
        }
        let expected: Value = serde_saphyr::from_str(expected).unwrap_or(Value::Null);
        if expected != found {
            let output = serde_saphyr::to_string(&found).unwrap();
            wrong.push(format!("{}\n{output}", path.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "these come out otherwise (UPDATE=1 writes them):\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_plan_that_was_carried_out_is_quiet() {
    for path in files() {
        let text = fs::read_to_string(&path).unwrap();
        let input: Value = serde_saphyr::from_str(text.split("\n---\n").next().unwrap_or_default()).unwrap();
        harness::check_second_run_is_quiet(&input, &path.display().to_string());
    }
}
