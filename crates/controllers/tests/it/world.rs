//! A hub with members, and hands that write on the hub and in members.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use atoll_clusters::{AddressPolicy, Clusters, Network, OwnError, OwnRequest, kubeconfig};
use atoll_controllers::{Controllers, Options};
use atoll_federation::{FederatedStatus, TypeDescriptor, types};
use atoll_simulator::{MemberOptions, Pace, SimulatedMember};
use atoll_store::{
    Cluster, DatabaseUrl, Keys, Object, ObjectKey, Propagation, PropagationKey, Role, Store, Transaction, Write,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

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
        let folder = tempfile::tempdir()?;
        let url = DatabaseUrl::Sqlite(folder.path().join("atoll.db"));
        let keys = Keys::read_or_create(&folder.path().join("keys"))?;
        let store = Store::open(&url, keys.clone()).await?;
        let policy = AddressPolicy {
            allow_loopback: true,
            ..AddressPolicy::default()
        };
        let clusters = open_clusters(&policy, probes);
        let controllers = Controllers::start(store.clone(), clusters.clone(), options("one"));
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

    // === on the hub ===

    pub(crate) async fn write(&self, writes: Vec<Write>) -> Result<()> {
        self.store.write(Transaction { writes, lease: None }).await?;
        Ok(())
    }

    /// Makes `shop`, federated everywhere.
    pub(crate) async fn federate(&self, namespace: &str) -> Result<()> {
        let key = ObjectKey::new("", "namespaces", "", namespace);
        let body = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": metadata("", namespace, json!({})),
            "spec": {"finalizers": ["kubernetes"]},
        });
        self.write(vec![Write::Create { key, body: body.into() }]).await?;
        self.create(
            "namespaces",
            namespace,
            namespace,
            json!({"placement": {"clusterSelector": {}}}),
        )
        .await
    }

    /// Makes a federated object.
    pub(crate) async fn create(&self, kind: &str, namespace: &str, name: &str, spec: Value) -> Result<()> {
        let row = types::find(kind).unwrap();
        let body = json!({
            "apiVersion": row.federated.api_version(),
            "kind": row.federated.kind,
            "metadata": metadata(namespace, name, json!({})),
            "spec": spec,
        });
        let key = stored_key(row, namespace, name);
        self.write(vec![Write::Create { key, body: body.into() }]).await
    }

    pub(crate) async fn find(&self, kind: &str, namespace: &str, name: &str) -> Result<Option<Object>> {
        let key = stored_key(types::find(kind).unwrap(), namespace, name);
        Ok(self.store.object(&key).await?)
    }

    /// Changes an object of the hub, as often as it takes.
    pub(crate) async fn change(&self, key: &ObjectKey, change: impl Fn(&mut Value)) -> Result<()> {
        for _ in 0..50 {
            let stored = self.store.object(key).await?.context("there is no such object")?;
            let mut body = (*stored.body).clone();
            change(&mut body);
            let update = Write::Update {
                key: key.clone(),
                body: body.into(),
                expected: stored.revision,
            };
            match self
                .store
                .write(Transaction {
                    writes: vec![update],
                    lease: None,
                })
                .await
            {
                Err(atoll_store::Error::Conflict { .. }) => {}
                outcome => return Ok(outcome.map(drop)?),
            }
        }
        bail!("{key} changes all the time")
    }

    /// Changes a federated object as the API would, generation included.
    pub(crate) async fn edit(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        change: impl Fn(&mut Value),
    ) -> Result<()> {
        let key = stored_key(types::find(kind).unwrap(), namespace, name);
        self.change(&key, |body| {
            change(body);
            let generation = body["metadata"]["generation"].as_i64().unwrap_or_default();
            body["metadata"]["generation"] = (generation + 1).into();
        })
        .await
    }

    /// Marks an object for deletion, or removes it when nothing holds it.
    pub(crate) async fn delete(&self, key: &ObjectKey) -> Result<()> {
        let stored = self.store.object(key).await?.context("there is no such object")?;
        let held = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
        if !held(&stored.body["metadata"]["finalizers"]) && !held(&stored.body["spec"]["finalizers"]) {
            let key = key.clone();
            return self.write(vec![Write::Delete { key, expected: None }]).await;
        }
        self.change(key, |body| {
            body["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z".into();
        })
        .await
    }

    pub(crate) async fn delete_federated(&self, kind: &str, namespace: &str, name: &str) -> Result<()> {
        self.delete(&stored_key(types::find(kind).unwrap(), namespace, name))
            .await
    }

    pub(crate) async fn status(&self, kind: &str, namespace: &str, name: &str) -> Result<FederatedStatus> {
        let object = self
            .find(kind, namespace, name)
            .await?
            .context("there is no such object")?;
        Ok(serde_json::from_value(object.body["status"].clone()).unwrap_or_default())
    }

    /// The word for one cluster; empty when all is well, `None` when there is no entry.
    pub(crate) async fn word(&self, kind: &str, namespace: &str, name: &str, cluster: &str) -> Result<Option<String>> {
        let status = self.status(kind, namespace, name).await?;
        let entry = status.clusters.into_iter().find(|entry| entry.name.as_str() == cluster);
        Ok(entry.map(|entry| entry.status))
    }

    pub(crate) async fn records(&self, kind: &str, namespace: &str, name: &str) -> Result<Vec<Propagation>> {
        Ok(self.store.propagations(&record_key(kind, namespace, name)).await?)
    }

    // === in members ===

    pub(crate) async fn ask(&self, cluster: &str, request: OwnRequest) -> Result<Value, OwnError> {
        match self.clusters.member(cluster) {
            Some(member) => member.request(request).await,
            None => Err(OwnError::Busy),
        }
    }

    /// The member's object, if it is there.
    pub(crate) async fn get(&self, cluster: &str, kind: &str, namespace: &str, name: &str) -> Result<Option<Value>> {
        match self.ask(cluster, OwnRequest::get(path(kind, namespace, name))).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_not_found_object() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until the member's object is there, and is so.
    pub(crate) async fn until(
        &self,
        cluster: &str,
        kind: &str,
        namespace: &str,
        name: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        until(&format!("{kind} {namespace}/{name} in {cluster}"), async || {
            Ok(self
                .get(cluster, kind, namespace, name)
                .await?
                .filter(|object| is_so(object)))
        })
        .await
    }

    pub(crate) async fn until_gone(&self, cluster: &str, kind: &str, namespace: &str, name: &str) -> Result<()> {
        until(&format!("no {kind} {namespace}/{name} in {cluster}"), async || {
            Ok(self.get(cluster, kind, namespace, name).await?.is_none().then_some(()))
        })
        .await
    }

    /// Waits until a federated object is everywhere it should be, and says so of the newest generation.
    pub(crate) async fn until_ok(&self, kind: &str, namespace: &str, name: &str) -> Result<FederatedStatus> {
        until(&format!("{kind} {namespace}/{name} is in step"), async || {
            let Some(object) = self.find(kind, namespace, name).await? else {
                return Ok(None);
            };
            let status: FederatedStatus = serde_json::from_value(object.body["status"].clone()).unwrap_or_default();
            let is_ok = status.propagation().is_some_and(|condition| condition.status == "True");
            Ok((is_ok && status.observed_generation == object.generation).then_some(status))
        })
        .await
    }

    pub(crate) async fn until_word(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        cluster: &str,
        word: &str,
    ) -> Result<()> {
        until(
            &format!("{kind} {namespace}/{name} is {word:?} in {cluster}"),
            async || {
                let found = self.word(kind, namespace, name, cluster).await?;
                Ok((found.as_deref() == Some(word)).then_some(()))
            },
        )
        .await
    }

    pub(crate) async fn until_deleted(&self, kind: &str, namespace: &str, name: &str) -> Result<()> {
        until(&format!("{kind} {namespace}/{name} is gone from the hub"), async || {
            Ok(self.find(kind, namespace, name).await?.is_none().then_some(()))
        })
        .await
    }

    pub(crate) async fn until_ready(&self, cluster: &str, ready: bool) -> Result<()> {
        until(&format!("{cluster} is ready: {ready}"), async || {
            let is_ready = self.clusters.member(cluster).is_some_and(|member| member.is_ready());
            Ok((is_ready == ready).then_some(()))
        })
        .await
    }

    /// Waits until the controllers have nothing to do, and have not had for a while.
    pub(crate) async fn until_quiet(&self) -> Result<()> {
        let mut last = (self.controllers.counts(), self.store.revision().await?);
        let mut since = Instant::now();
        until("nothing happens any more", async || {
            let now = (self.controllers.counts(), self.store.revision().await?);
            if now != last || now.0.queued > 0 || !self.controllers.is_leader() {
                (last, since) = (now, Instant::now());
            }
            Ok((since.elapsed() > Duration::from_millis(1200)).then_some(()))
        })
        .await
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

pub(crate) fn metadata(namespace: &str, name: &str, extra: Value) -> Value {
    let mut metadata = json!({
        "name": name,
        "uid": Uuid::new_v4().to_string(),
        "generation": 1,
        "creationTimestamp": "2026-01-02T03:04:05Z",
    });
    if !namespace.is_empty() {
        metadata["namespace"] = namespace.into();
    }
    for (key, value) in extra.as_object().into_iter().flatten() {
        metadata[key] = value.clone();
    }
    metadata
}

pub(crate) fn stored_key(row: &TypeDescriptor, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey::new(&row.federated.group, &row.federated.plural, namespace, name)
}

pub(crate) fn record_key(kind: &str, namespace: &str, name: &str) -> PropagationKey {
    PropagationKey {
        resource: types::find(kind).unwrap().federated.resource(),
        namespace: namespace.into(),
        name: name.into(),
    }
}

/// Path of a member's object.
pub(crate) fn path(kind: &str, namespace: &str, name: &str) -> String {
    let target = &types::find(kind).unwrap().target;
    let root = if target.group.is_empty() { "api" } else { "apis" };
    let inside = if target.namespaced {
        format!("/namespaces/{namespace}")
    } else {
        String::new()
    };
    format!("/{root}/{}{inside}/{}/{name}", target.api_version(), target.plural)
}

/// A Deployment as people federate one.
pub(crate) fn deployment(replicas: i64, image: &str, placement: Value) -> Value {
    json!({
        "template": {
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "web", "image": image}]},
                },
            },
        },
        "placement": placement,
    })
}

/// A ConfigMap that goes everywhere.
pub(crate) fn config(color: &str) -> Value {
    json!({"template": {"data": {"color": color}}, "placement": {"clusterSelector": {}}})
}
