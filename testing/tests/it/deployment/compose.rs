//! The composition: services, secrets, ports and checks fit together.

use std::{collections::BTreeMap, fs, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{dockerfile::image, program};
use crate::policy::repository::root;

/// Where a container finds its secrets.
pub(super) const SECRETS: &str = "/run/secrets/";

/// Our docker-compose.yml.
pub(super) fn composition() -> Result<Value> {
    let text = fs::read_to_string(root().join("docker-compose.yml"))?;
    serde_saphyr::from_str(&text).context("docker-compose.yml is not YAML")
}

/// What a service's `environment` sets.
pub(super) fn environment(service: &Value) -> Result<BTreeMap<String, String>> {
    serde_json::from_value(service["environment"].clone()).context("an environment that is no map of texts")
}

/// The texts of a list.
fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// Writes the secrets into a folder as `deploy/secrets.sh` does for a user.
pub(super) fn write_secrets(folder: &std::path::Path) -> Result<()> {
    let status = Command::new(root().join("deploy/secrets.sh")).arg(folder).status()?;
    ensure!(status.success(), "deploy/secrets.sh fails");
    Ok(())
}

#[test]
fn every_option_that_is_set_exists() -> Result<()> {
    let known = program::options("serve")?.variables;
    for variable in environment(&composition()?["services"]["atoll"])?.keys() {
        assert!(known.contains(variable), "{variable}");
    }
    Ok(())
}

#[test]
fn every_secret_is_declared_granted_and_written() -> Result<()> {
    let composition = composition()?;
    let folder = tempfile::tempdir()?;
    write_secrets(folder.path())?;
    for (name, secret) in composition["secrets"].as_object().context("no secrets")? {
        let file = secret["file"].as_str().context("a secret without a file")?;
        let written = file
            .strip_prefix("deploy/secrets/")
            .with_context(|| format!("{file} is elsewhere"))?;
        assert!(folder.path().join(written).is_file(), "{name}: {file} is not written");
    }
    for (name, service) in composition["services"].as_object().context("no services")? {
        let granted = texts(&service["secrets"]);
        for secret in &granted {
            assert!(composition["secrets"][*secret].is_object(), "{name}: {secret}");
        }
        for (variable, value) in environment(service)? {
            if let Some(secret) = value.strip_prefix(SECRETS) {
                assert!(granted.contains(&secret), "{name}: {variable}={value}");
            } else {
                let secret = variable.contains("PASSWORD") || value.contains("postgres://");
                assert!(!secret, "{name}: {variable} holds a secret itself");
            }
        }
    }
    Ok(())
}

#[test]
fn secrets_that_are_there_are_kept() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let read = || fs::read_to_string(folder.path().join("key"));
    write_secrets(folder.path())?;
    let key = read()?;
    write_secrets(folder.path())?;
    assert_eq!(read()?, key);
    Ok(())
}

#[test]
fn every_published_port_is_listened_on() -> Result<()> {
    let composition = composition()?;
    let atoll = &composition["services"]["atoll"];
    let environment = environment(atoll)?;
    let listened = environment["ATOLL_LISTEN"].rsplit(':').next().unwrap_or_default();
    let ports = texts(&atoll["ports"]);
    let [port] = ports[..] else {
        anyhow::bail!("not one port: {ports:?}");
    };
    let (published, inside) = port.rsplit_once(':').context("a port without a target")?;
    assert_eq!(inside, listened);
    assert!(environment["ATOLL_PUBLIC_URL"].ends_with(&format!(":{published}")));
    Ok(())
}

#[test]
fn atoll_may_do_nothing_that_it_need_not() -> Result<()> {
    let atoll = composition()?["services"]["atoll"].take();
    assert_eq!(atoll["read_only"], true);
    assert_eq!(texts(&atoll["cap_drop"]), ["ALL"]);
    assert_eq!(texts(&atoll["security_opt"]), ["no-new-privileges:true"]);
    assert!(
        atoll["tmpfs"].is_null() && atoll["volumes"].is_null(),
        "it writes no file"
    );
    Ok(())
}

#[test]
fn services_wait_for_checks_that_exist() -> Result<()> {
    let composition = composition()?;
    let services = composition["services"].as_object().context("no services")?;
    for (name, service) in services {
        let check = texts(&service["healthcheck"]["test"]);
        let [first, program, ..] = check[..] else {
            anyhow::bail!("{name} has no check");
        };
        assert_eq!(first, "CMD", "{name}: the check needs a shell");
        for dependency in service["depends_on"].as_object().into_iter().flatten() {
            assert!(services.contains_key(dependency.0), "{name} waits for {}", dependency.0);
            assert_eq!(dependency.1["condition"], "service_healthy", "{name}");
        }
        if name == "atoll" {
            assert_eq!(check[1..], image()?.health_check()?, "two checks of one hub");
        } else {
            assert_eq!(program, "pg_isready");
        }
    }
    Ok(())
}
