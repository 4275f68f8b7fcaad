//! kubectl against one cluster, seeing nothing of the user who runs the tests.

use std::{ffi::OsStr, process::Stdio};

use anyhow::{Context, Result, bail};
use tokio::{io::AsyncWriteExt, process::Command};

use super::Cluster;

impl Cluster {
    /// kubectl with the admin's kubeconfig, ready to be given arguments. Its
    /// home and its discovery cache are in the cluster's folder.
    pub fn kubectl_command(&self) -> Command {
        let mut command = Command::new(self.programs.kubectl());
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .env("KUBECONFIG", self.kubeconfig_path())
            .arg("--cache-dir")
            .arg(self.folder.join("kubectl-cache"))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs kubectl and returns what came out, whatever its exit code.
    pub async fn kubectl<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<std::process::Output> {
        self.kubectl_command()
            .args(arguments)
            .output()
            .await
            .context("cannot run kubectl")
    }

    /// Applies manifests given as text, and fails when kubectl does.
    pub async fn apply(&self, manifests: &str) -> Result<()> {
        let mut child = self
            .kubectl_command()
            .args(["apply", "-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run kubectl")?;
        let mut input = child.stdin.take().context("kubectl has no input")?;
        input.write_all(manifests.as_bytes()).await?;
        drop(input);
        let output = child.wait_with_output().await?;
        if !output.status.success() {
            bail!("kubectl apply: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }
}
