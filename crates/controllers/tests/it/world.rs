//! A hub with members, and hands that write on the hub and in members.

mod brake;
mod fixtures;
mod hub;
mod member;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};
use atoll_clusters::{AddressPolicy, Clusters, Network, kubeconfig};
use atoll_controllers::{Controllers, Options};
use atoll_simulator::{MemberOptions, Pace, SimulatedMember};
use atoll_store::{Cluster, DatabaseUrl, Keys, Role, Store, Write};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

pub(crate) use self::fixtures::{config, deployment, metadata, path, record_key, stored_key};
pub(crate) use self::hub::{preference_key, type_key};

/// Identity of the hub under test.
pub(crate) const HUB: &str = "hub-1";
/// How long something may take that happens at once when nothing is wrong; machines are busy.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A running hub.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clusters: Clusters,
    pub(crate) controllers: Controllers,
    pub(crate) members: BTreeMap<String, SimulatedMember>,
    policy: AddressPolicy,
    url: DatabaseUrl,
    keys: Keys,
    _folder: TempDir,
}

/// How often members are asked how they are.
#[derive(Clone, Copy)]
pub(crate) enum Probes {
    /// So often that a dead member is known soon.
    Often,
    /// So seldom that a dead member counts as ready for the whole test.
    Once,
}

impl Probes {
    fn period(self) -> Duration {
        match self {
            Self::Often => Duration::from_millis(200),
            Self::Once => Duration::from_secs(3600),
        }
    }
}

pub(crate) fn options(holder: &str) -> Options {
    let mut options = Options::new(HUB, holder);
    options.observe_deadline = Duration::from_secs(3);
    options
}

fn open_clusters(policy: &AddressPolicy, probes: Probes) -> Clusters {
    let mut network = Network::new(policy.clone());
    network.deadlines.probe = Duration::from_millis(1000);
    network.deadlines.retry_first = Duration::from_millis(100);
    network.deadlines.retry_most = Duration::from_secs(1);
    let mut options = atoll_clusters::Options::new(network);
    options.period = probes.period();
    Clusters::new(options)
}

impl World {
    /// A hub with these members, labelled `name=<name>` and `region=<what stands before the dash>`, all of them ready.
    pub(crate) async fn new(members: &[&str]) -> Result<Self> {
        Self::with(members, Probes::Often).await
    }

    pub(crate) async fn with(members: &[&str], probes: Probes) -> Result<Self> {
        Self::open(members, probes, options("one")).await
    }

    pub(crate) async fn open(members: &[&str], probes: Probes, options: Options) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = DatabaseUrl::Sqlite(folder.path().join("atoll.db"));
        let keys = Keys::read_or_create(&folder.path().join("keys"))?;
        let store = Store::open(&url, keys.clone()).await?;
        let policy = AddressPolicy {
            allow_loopback: true,
            ..AddressPolicy::default()
        };
        let clusters = open_clusters(&policy, probes);
        let controllers = Controllers::start(store.clone(), clusters.clone(), options);
        let mut world = Self {
            store,
            clusters,
            controllers,
            members: BTreeMap::new(),
            policy,
            url,
            keys,
            _folder: folder,
        };
        for name in members {
            world.join(name).await?;
        }
        for name in members {
            world.until_ready(name, true).await?;
        }
        Ok(world)
    }

    /// Starts a member and registers it.
    pub(crate) async fn join(&mut self, name: &str) -> Result<()> {
        let member = SimulatedMember::start(MemberOptions {
            name: name.into(),
            region: "north".into(),
            provider: "kind".into(),
            pace: Pace::instant(),
            ..MemberOptions::default()
        })
        .await?;
        self.register(name, &member, json!({"name": name, "region": name.split('-').next()}))
            .await?;
        self.members.insert(name.to_owned(), member);
        Ok(())
    }

    /// What a registration leaves in the store.
    pub(crate) async fn register(&self, name: &str, member: &SimulatedMember, labels: Value) -> Result<()> {
        let connection = kubeconfig::parse(&member.kubeconfig(), None, &self.policy)?.connection;
        let row = Cluster {
            name: name.into(),
            uid: None,
            role: Role::Member,
            alias: String::new(),
            description: String::new(),
            provider: String::new(),
            region: String::new(),
            connection: "direct".into(),
            endpoint: connection.endpoint.to_string(),
            ca: connection.ca.clone().unwrap_or_default(),
            tls_server_name: connection.tls_server_name.clone().unwrap_or_default(),
            credential: self.store.seal_credential(name, &connection.credential.to_stored())?,
            credential_revision: 1,
            credential_expires_at: connection.expires_at,
            admit_admins: false,
            created_at: Timestamp::now(),
            created_by: "admin".into(),
            state: "Pending".into(),
            since: Timestamp::now(),
            conditions: json!([]),
            probe: json!({}),
        };
        let object = json!({
            "apiVersion": "core.kubefed.io/v1beta1",
            "kind": "KubeFedCluster",
            "metadata": metadata("kube-federation-system", name, json!({"labels": labels})),
            "spec": {"apiEndpoint": row.endpoint, "secretRef": {"name": name}},
        });
        let create = Write::Create {
            key: Store::cluster_key(name),
            body: object.into(),
        };
        self.write(vec![create, Write::PutCluster(Box::new(row))]).await
    }

    /// The hub stops and begins again, with fresh connections and nothing in memory.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        self.stop().await;
        self.start().await
    }

    pub(crate) async fn stop(&self) {
        self.controllers.stop().await;
        self.clusters.close().await;
    }

    pub(crate) async fn start(&mut self) -> Result<()> {
        self.store = Store::open(&self.url, self.keys.clone()).await?;
        self.clusters = open_clusters(&self.policy, Probes::Often);
        self.controllers = Controllers::start(self.store.clone(), self.clusters.clone(), options("one"));
        Ok(())
    }

    /// Another replica on the same database.
    pub(crate) async fn replica(&self, options: Options) -> Result<(Controllers, Clusters)> {
        let store = Store::open(&self.url, self.keys.clone()).await?;
        let clusters = open_clusters(&self.policy, Probes::Often);
        Ok((Controllers::start(store, clusters.clone(), options), clusters))
    }
}

/// Waits until there is something.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let end = Instant::now() + SOON;
    loop {
        let found = look().await;
        if let Ok(Some(found)) = found {
            return Ok(found);
        }
        if Instant::now() > end {
            found?;
            bail!("in vain: {what}");
        }
        sleep(Duration::from_millis(20)).await;
    }
}
