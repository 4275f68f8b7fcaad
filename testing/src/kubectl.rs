//! kubectl, seeing nothing of the user who runs the tests.

use std::{
    ffi::OsStr,
    path::PathBuf,
    process::{Output, Stdio},
};

use anyhow::{Context, Result, bail};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::programs::Programs;

/// kubectl with a kubeconfig and a home of its own, whose discovery cache is
/// there too.
#[derive(Clone, Debug)]
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    home: PathBuf,
    context: Option<String>,
}

impl Kubectl {
    /// kubectl that reads a kubeconfig and keeps its cache in a folder.
    pub fn new(programs: &Programs, kubeconfig: PathBuf, home: PathBuf) -> Self {
        Self {
            program: programs.kubectl(),
            kubeconfig,
            home,
            context: None,
        }
    }

    /// The same in one context of the kubeconfig.
    #[must_use]
    pub fn in_context(&self, context: &str) -> Self {
        Self {
            context: Some(context.to_owned()),
            ..self.clone()
        }
    }

    /// The command, ready to be given arguments.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &self.home)
            .env("KUBECONFIG", &self.kubeconfig)
            .arg("--cache-dir")
            .arg(self.home.join("kubectl-cache"))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if let Some(context) = &self.context {
            command.args(["--context", context]);
        }
        command
    }

    /// Runs it and returns what came out, whatever its exit code.
    pub async fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Result<Output> {
        self.command()
            .args(arguments)
            .output()
            .await
            .context("cannot run kubectl")
    }

    /// Runs it and returns what it printed; fails when it does.
    pub async fn text<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Result<String> {
        let mut command = self.command();
        command.args(arguments);
        let output = command.output().await.context("cannot run kubectl")?;
        succeeded(&output).with_context(|| format!("{:?}", command.as_std()))?;
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Applies manifests given as text and returns what kubectl said; fails
    /// when it does.
    pub async fn apply(&self, manifests: &str) -> Result<String> {
        self.feed(["apply", "-f", "-"], manifests).await
    }

    /// Runs it with something on its standard input; fails when it does.
    pub async fn feed<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>, input: &str) -> Result<String> {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run kubectl")?;
        let mut pipe = child.stdin.take().context("kubectl has no input")?;
        pipe.write_all(input.as_bytes()).await?;
        drop(pipe);
        let output = child.wait_with_output().await?;
        succeeded(&output)?;
        Ok(String::from_utf8(output.stdout)?)
    }
}

fn succeeded(output: &Output) -> Result<()> {
    if !output.status.success() {
        bail!("kubectl: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
