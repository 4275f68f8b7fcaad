//! The hub as the composition runs it, without the container: the same options
//! from the same environment, with secrets written by the same script.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use atoll_testing::{Postgres, binary, free_port, until};

use super::{
    compose::{SECRETS, composition, environment, write_secrets},
    dockerfile::image,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// Ends a process with the test.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_hub_starts_and_is_healthy() -> Result<()> {
    let postgres = Postgres::start().await?;
    let folder = tempfile::tempdir()?;
    let secrets = folder.path().join("secrets");
    write_secrets(&secrets)?;
    // The only thing that is another: the name of the database server.
    fs::write(secrets.join("database-url"), postgres.create_database().await?)?;

    let environment = on_this_machine(folder.path())?;
    let log = fs::File::create(folder.path().join("log"))?;
    let mut hub = Running(
        Command::new(binary()?)
            .args(&image()?.command()?[1..])
            .env_clear()
            .envs(&environment)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?,
    );

    let check = image()?.health_check()?;
    until("a healthy hub", PATIENCE, async || {
        if let Some(status) = hub.0.try_wait()? {
            let log = fs::read_to_string(folder.path().join("log"))?;
            anyhow::bail!("the hub ended with {status}\n{log}");
        }
        let output = Command::new(binary()?)
            .args(&check[1..])
            .env_clear()
            .envs(&environment)
            .output()?;
        Ok(output.status.success())
    })
    .await?;

    drop(hub);
    let output = Command::new(binary()?)
        .args(&check[1..])
        .env_clear()
        .envs(&environment)
        .output()?;
    ensure!(!output.status.success(), "a hub that is gone counts as healthy");
    ensure!(!output.stderr.is_empty(), "the check does not say what is wrong");
    Ok(())
}

/// The environment of the composition's hub over that of its image, with paths
/// and ports of this machine.
fn on_this_machine(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut all = image()?.environment();
    all.extend(environment(&composition()?["services"]["atoll"])?);
    let data = all["ATOLL_DATA_DIR"].clone();
    for (name, value) in &mut all {
        if let Some(secret) = value.strip_prefix(SECRETS) {
            *value = folder.join("secrets").join(secret).display().to_string();
        } else if *value == data {
            // The composition's hub has no place to write to.
            *value = "/proc/nowhere".to_owned();
        } else if name.ends_with("LISTEN") {
            let (address, _) = value.rsplit_once(':').context("an address without a port")?;
            *value = format!("{address}:{}", free_port()?);
        }
    }
    Ok(all)
}
