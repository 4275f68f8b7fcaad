//! Which crate may depend on which. What a crate cannot name, it cannot grow
//! into.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use super::repository::{built_in, members};

/// The crates that stand on nothing of ours.
const FOUNDATIONS: [&str; 4] = ["atoll-federation", "atoll-kubeapi", "atoll-store", "atoll-clusters"];

#[test]
fn the_federation_engine_does_no_input_or_output() -> Result<()> {
    let below = built_in(&["--package=atoll-federation"], "normal")?;
    for effectful in [
        "tokio",
        "hyper",
        "sqlx",
        "axum",
        "kube",
        "mio",
        "socket2",
        "futures-executor",
    ] {
        assert!(!below.iter().any(|(name, _)| name == effectful), "{effectful}");
    }
    Ok(())
}

#[test]
fn the_foundations_do_not_know_one_another() -> Result<()> {
    let dependencies = direct_dependencies()?;
    for foundation in FOUNDATIONS {
        let of_ours: Vec<_> = dependencies[foundation]
            .iter()
            .filter(|name| name.starts_with("atoll-"))
            .collect();
        assert_eq!(of_ours, Vec::<&String>::new(), "{foundation}");
    }
    Ok(())
}

#[test]
fn each_neighbour_is_known_to_those_it_is_meant_for() -> Result<()> {
    for (dependency, allowed) in [
        ("sqlx", &["atoll-store"][..]),
        ("atoll-kubeapi", &["atoll-server", "atoll-simulator"]),
        ("atoll-controllers", &["atoll-server"]),
        ("atoll-simulator", &["atoll-server", "atoll-testing"]),
        ("atoll-server", &[]),
        ("atoll-testing", &[]),
    ] {
        for (package, dependencies) in direct_dependencies()? {
            let knows = dependencies.contains(dependency);
            assert!(
                !knows || allowed.contains(&package.as_str()),
                "{package} knows {dependency}"
            );
        }
    }
    Ok(())
}

/// What each package of this workspace names in its manifest, tests excepted.
fn direct_dependencies() -> Result<BTreeMap<String, BTreeSet<String>>> {
    members()?
        .iter()
        .map(|package| {
            let name = package["name"].as_str().context("a package without a name")?;
            let all = package["dependencies"].as_array().context("no dependencies")?;
            let names = all
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned));
            Ok((name.to_owned(), names.collect()))
        })
        .collect()
}
