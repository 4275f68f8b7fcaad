//! The same story in a browser.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use atoll_testing::ADMIN;
use tokio::{process::Command, time::timeout};

use crate::world::World;

/// Every page is opened in two languages and two themes.
const LIMIT: Duration = Duration::from_secs(900);

/// Runs what `web/e2e` says, on a hub that knows no cluster yet.
pub(crate) async fn a_browser_tells_the_same_story(world: &World) -> Result<()> {
    let kubeconfigs = world.hub.folder().join("kubeconfigs");
    fs::create_dir(&kubeconfigs)?;
    for cluster in [&world.host, &world.eu, &world.us] {
        let file = kubeconfigs.join(format!("{}.yaml", cluster.name()));
        fs::write(file, cluster.kubeconfig())?;
    }

    let web = web();
    let runner = web.join("node_modules/.bin/playwright");
    ensure!(runner.exists(), "{} is missing: run `make install`", runner.display());
    let page = web.join("dist/index.html");
    ensure!(page.exists(), "{} is missing: run `make console`", page.display());
    let run = Command::new(runner)
        .arg("test")
        .current_dir(&web)
        .env("ATOLL_URL", world.hub.url())
        .env("ATOLL_USERNAME", ADMIN)
        .env("ATOLL_PASSWORD", world.hub.password())
        .env("ATOLL_KUBECONFIGS", &kubeconfigs)
        .env("CI", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cannot run Playwright")?;
    let output = timeout(LIMIT, run.wait_with_output())
        .await
        .context("the browser is not done yet")??;
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}{}", String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "the browser's story fails: {}", output.status);
    Ok(())
}

fn web() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../web")
}
