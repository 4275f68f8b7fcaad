//! One Kubernetes cluster of real servers, from start to removal.

mod certificates;
mod kubeconfig;
mod kubectl;
mod kwok;
mod nodes;
mod servers;
mod start;

use std::path::PathBuf;

use anyhow::{Result, bail};
use certificates::Authority;
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use tokio::sync::Mutex;

use crate::{
    folder::Folder,
    process::{Process, Program},
    programs::Programs,
    versions::Release,
};

/// What a cluster is made of, where it differs from the usual.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many nodes it has.
    pub nodes: usize,
    /// Its nodes' region; by default the name up to the first dash.
    pub region: Option<String>,
    /// The Kubernetes it runs.
    pub release: Release,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nodes: 3,
            region: None,
            release: Release::Newest,
        }
    }
}

/// A running cluster. Dropping it ends its servers and removes its folder.
///
/// The fields are dropped in order: the folder goes when nothing uses it.
pub struct Cluster {
    name: String,
    endpoint: String,
    api_server: Mutex<Option<Process>>,
    others: Vec<Process>,
    api_server_program: Program,
    authority: Authority,
    admin: String,
    admin_token: String,
    programs: Programs,
    folder: Folder,
}

impl Cluster {
    /// Starts the newest Kubernetes with three nodes.
    pub async fn start(name: &str) -> Result<Self> {
        Self::start_with(name, Options::default()).await
    }

    /// Starts a cluster that differs from the usual.
    ///
    /// When this returns, all nodes are Ready and pods can be created.
    pub async fn start_with(name: &str, options: Options) -> Result<Self> {
        start::start(name, options).await
    }

    /// The name it was started with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of the API server, `https://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The certificate authority that signed the API server's certificate, PEM.
    pub fn authority(&self) -> &str {
        &self.authority.certificate
    }

    /// The admin's kubeconfig, with a client certificate, everything inline.
    pub fn kubeconfig(&self) -> &str {
        &self.admin
    }

    /// A file holding [`Cluster::kubeconfig`].
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.folder.join("admin.yaml")
    }

    /// A bearer token of the admin, in the group `system:masters`.
    pub fn token(&self) -> &str {
        &self.admin_token
    }

    /// The admin's kubeconfig with the token in place of a certificate.
    pub fn token_kubeconfig(&self) -> Result<String> {
        self.kubeconfigs().with_token(start::ADMIN, &self.admin_token)
    }

    /// A kubeconfig for any user, in at most one group besides
    /// `system:authenticated`. Without a binding the user may do nothing.
    pub fn kubeconfig_for(&self, user: &str, group: Option<&str>) -> Result<String> {
        let identity = self.authority.client(user, group)?;
        self.kubeconfigs().with_certificate(user, &identity)
    }

    /// A new client of the admin. Clients belong to the runtime they are made
    /// in, so each test makes its own.
    pub async fn client(&self) -> Result<Client> {
        let kubeconfig = Kubeconfig::from_yaml(self.kubeconfig())?;
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
        Ok(Client::try_from(config)?)
    }

    /// Adds a line to what `kubectl logs` shows for every pod. The time is in
    /// RFC 3339.
    pub fn append_pod_log(&self, time: &str, line: &str) -> Result<()> {
        kwok::append_log(self.folder.path(), time, line)
    }

    /// Ends the API server as a crash would. Its data stays in etcd.
    pub async fn kill_api_server(&self) -> Result<()> {
        match self.api_server.lock().await.take() {
            Some(mut process) => {
                process.end()?;
                Ok(())
            }
            None => bail!("the API server of {} is not running", self.name),
        }
    }

    /// Starts a killed API server again on its old port, and waits for it.
    pub async fn start_api_server(&self) -> Result<()> {
        {
            let mut running = self.api_server.lock().await;
            if running.is_some() {
                bail!("the API server of {} is running", self.name);
            }
            *running = Some(self.api_server_program.start(self.folder.path())?);
        }
        start::wait_until_serving(self, &self.client().await?).await
    }

    /// Makes the API server a black hole: connections stay, nothing answers.
    pub async fn pause_api_server(&self) -> Result<()> {
        match self.api_server.lock().await.as_ref() {
            Some(process) => Ok(process.pause()?),
            None => bail!("the API server of {} is not running", self.name),
        }
    }

    /// Undoes [`Cluster::pause_api_server`].
    pub async fn resume_api_server(&self) -> Result<()> {
        match self.api_server.lock().await.as_ref() {
            Some(process) => Ok(process.resume()?),
            None => bail!("the API server of {} is not running", self.name),
        }
    }

    fn kubeconfigs(&self) -> kubeconfig::Kubeconfig<'_> {
        kubeconfig::Kubeconfig {
            cluster: &self.name,
            endpoint: &self.endpoint,
            authority: &self.authority.certificate,
        }
    }
}
