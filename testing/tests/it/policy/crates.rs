//! Where crates come from, which must never be built in, and how old some may
//! be at most.

use std::cmp::Ordering;

use anyhow::Result;

use super::repository::{built_in, packages};

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Crates that must not be built in, and why.
const BANNED: [(&str, &str); 8] = [
    ("rsa", "not constant in time (RUSTSEC-2023-0071); aws-lc-rs has RSA"),
    ("openssl-sys", "one TLS stack is enough: rustls"),
    ("native-tls", "one TLS stack is enough: rustls"),
    ("ring", "one cryptography library is enough: aws-lc-rs"),
    ("serde_yaml", "no longer maintained; serde-saphyr bounds what it reads"),
    ("reqwest", "follows redirects and reads proxies from the environment"),
    ("sqlx-macros", "links both drivers and compiles SQLite a second time"),
    ("sqlx-mysql", "not a database that the store speaks to"),
];

/// The oldest versions without a known hole, and what the hole is.
const FLOORS: [(&str, &str, &str); 8] = [
    (
        "jsonwebtoken",
        "10.3.0",
        "CVE-2026-25537: exp of a wrong type skipped its check",
    ),
    ("rustls-webpki", "0.103.13", "RUSTSEC-2026-0098, -0099 and -0104"),
    (
        "sqlx",
        "0.8.1",
        "RUSTSEC-2024-0363: lengths truncated in the PostgreSQL protocol",
    ),
    (
        "libsqlite3-sys",
        "0.37.0",
        "SQLite before 3.51.3 may corrupt a database in WAL mode",
    ),
    ("tungstenite", "0.20.1", "CVE-2023-43669: slow on long headers"),
    ("h2", "0.4.4", "RUSTSEC-2024-0332: unbounded CONTINUATION frames"),
    ("hyper", "1.0.0", "the 0.14 series is not maintained"),
    ("rustls", "0.23.5", "CVE-2024-32650: an endless loop on a close_notify"),
];

/// What this workspace builds in, its tests included.
const EVERYTHING: &str = "normal,build,dev";

#[test]
fn every_crate_comes_from_one_registry() -> Result<()> {
    let foreign: Vec<_> = packages()?
        .into_iter()
        .filter(|package| !package["source"].is_null() && package["source"] != REGISTRY)
        .map(|package| format!("{} from {}", package["name"], package["source"]))
        .collect();
    assert_eq!(foreign, Vec::<String>::new());
    Ok(())
}

#[test]
fn no_banned_crate_is_built_in() -> Result<()> {
    let built_in = built_in(&["--workspace"], EVERYTHING)?;
    for (banned, reason) in BANNED {
        assert!(!built_in.iter().any(|(name, _)| name == banned), "{banned}: {reason}");
    }
    Ok(())
}

#[test]
fn no_crate_is_older_than_its_last_known_hole() -> Result<()> {
    let built_in = built_in(&["--workspace"], EVERYTHING)?;
    for (floored, oldest, hole) in FLOORS {
        let versions: Vec<_> = built_in.iter().filter(|(name, _)| name == floored).collect();
        assert!(!versions.is_empty(), "{floored} is not built in: drop its line here");
        for (_, version) in versions {
            assert_ne!(compare(version, oldest), Ordering::Less, "{floored} {version}: {hole}");
        }
    }
    Ok(())
}

#[test]
fn versions_compare_by_number() {
    assert_eq!(compare("0.103.17", "0.103.9"), Ordering::Greater);
    assert_eq!(compare("0.37.0+sqlite-3.51.3", "0.37.0"), Ordering::Equal);
    assert_eq!(compare("10.2.9", "10.3.0"), Ordering::Less);
}

/// Compares the three numbers of two versions; nothing here is a prerelease.
fn compare(left: &str, right: &str) -> Ordering {
    let numbers = |version: &str| -> Vec<u64> {
        let version = version.split(['+', '-']).next().unwrap_or_default();
        version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
    };
    numbers(left).cmp(&numbers(right))
}
