//! The stage: three clusters, a hub, and who is signed in to it.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use atoll_testing::{Cluster, Database, Hub, Kubectl, Postgres, Rest};
use tokio::sync::{Mutex, MutexGuard};

/// Generous: something that takes seconds on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// One story at a time.
static TURN: Mutex<()> = Mutex::const_new(());

/// Waits until no other story runs.
pub(crate) async fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().await
}

/// What the hub keeps its rows in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Storage {
    Sqlite,
    Postgres,
}

/// Everything that takes part. Fields end in order: the hub before what it
/// talks to.
pub(crate) struct World {
    pub(crate) hub: Hub,
    /// The administrator's session.
    pub(crate) admin: Rest,
    kubectl: Option<Kubectl>,
    pub(crate) host: Cluster,
    pub(crate) eu: Cluster,
    pub(crate) us: Cluster,
    _postgres: Option<Postgres>,
}

impl World {
    /// Three clusters with three nodes each, and a hub that knows none of them.
    pub(crate) async fn start(storage: Storage) -> Result<Self> {
        let postgres = match storage {
            Storage::Sqlite => None,
            Storage::Postgres => Some(Postgres::start().await?),
        };
        let database = match &postgres {
            None => Database::Sqlite,
            Some(postgres) => Database::Postgres(postgres.create_database().await?),
        };
        let (hub, host, eu, us) = tokio::try_join!(
            Hub::start(&database),
            Cluster::start("host"),
            Cluster::start("eu-1"),
            Cluster::start("us-1"),
        )?;
        Ok(Self {
            admin: hub.sign_in().await?,
            hub,
            kubectl: None,
            host,
            eu,
            us,
            _postgres: postgres,
        })
    }

    /// Plays a story. When it fails, what the hub had to say is shown with it.
    pub(crate) async fn tell(&mut self, story: impl AsyncFnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let told = story(self).await;
        if told.is_err() {
            let kept = self.keep_log()?;
            println!("the hub's log: {}", kept.display());
        }
        told
    }

    /// The hub's kubeconfig was downloaded again: kubectl uses that one from
    /// now on.
    pub(crate) async fn download_kubeconfig(&mut self) -> Result<()> {
        self.kubectl = Some(self.hub.kubectl(&self.admin).await?);
        Ok(())
    }

    /// kubectl on a context of the kubeconfig that the hub handed out: `hub`,
    /// or the name of a cluster.
    pub(crate) fn kubectl(&self, context: &str) -> Result<Kubectl> {
        let kubectl = self.kubectl.as_ref().context("no kubeconfig was downloaded")?;
        Ok(kubectl.in_context(context))
    }

    /// The clusters that federated objects are placed on.
    pub(crate) fn members(&self) -> [&Cluster; 2] {
        [&self.eu, &self.us]
    }

    /// Copies the hub's log to where it outlives the test.
    fn keep_log(&self) -> Result<PathBuf> {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let file = folder.join(format!("hub-{}.log", std::process::id()));
        std::fs::write(&file, self.hub.log()?)?;
        Ok(file)
    }
}
