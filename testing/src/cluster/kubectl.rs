//! kubectl against one cluster, as its admin.

use std::{ffi::OsStr, process::Output};

use anyhow::Result;
use tokio::process::Command;

use super::Cluster;
use crate::kubectl::Kubectl;

impl Cluster {
    /// kubectl with the admin's kubeconfig.
    pub fn admin_kubectl(&self) -> Kubectl {
        Kubectl::new(&self.programs, self.kubeconfig_path(), self.folder.path().to_owned())
    }

    /// kubectl with the admin's kubeconfig, ready to be given arguments.
    pub fn kubectl_command(&self) -> Command {
        self.admin_kubectl().command()
    }

    /// Runs kubectl and returns what came out, whatever its exit code.
    pub async fn kubectl<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Result<Output> {
        self.admin_kubectl().run(arguments).await
    }

    /// Applies manifests given as text, and fails when kubectl does.
    pub async fn apply(&self, manifests: &str) -> Result<()> {
        self.admin_kubectl().apply(manifests).await?;
        Ok(())
    }
}
