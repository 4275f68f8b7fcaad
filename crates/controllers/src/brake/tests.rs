use atoll_clusters::{AddressPolicy, Clusters, Network};
use atoll_federation::types;
use atoll_store::{DatabaseUrl, Keys, ObjectKey, Propagation, Transaction, Write};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::configuration::Configuration;
use crate::fleet::Registered;
use crate::leader::campaign;
use crate::{Options, Timing};

/// A hub without members, on which `shop` is federated everywhere.
struct World {
    hub: Hub,
    leadership: Leadership,
    fleets: Fleets,
    brake: Brake,
    _folder: TempDir,
}

fn name(text: &str) -> ClusterName {
    ClusterName::parse(text).unwrap()
}

fn fleet(eu: &str) -> Arc<Fleet> {
    let registered = |region: &str| Registered {
        labels: BTreeMap::from([("region".to_owned(), region.to_owned())]),
        ..Registered::default()
    };
    let fleet = [(name("eu-1"), registered(eu)), (name("us-1"), registered("us"))];
    Arc::new(fleet.into())
}

fn key(name: &str) -> Key {
    Key::config_map(name)
}

fn displaced(object: &str) -> Displaced {
    [(name("eu-1"), format!("u-{object}-eu-1"))].into()
}

fn placement(regions: &[&str]) -> Value {
    json!({"clusterSelector": {"matchExpressions": [{"key": "region", "operator": "In", "values": regions}]}})
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::read_or_create(&folder.path().join("keys")).unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("atoll.db"));
        let store = Store::open(&url, keys).await.unwrap();
        let leadership = campaign(&store, "one", &Timing::default()).await;
        let clusters = Clusters::new(atoll_clusters::Options::new(Network::new(AddressPolicy::default())));
        let (_, configured) = watch::channel(Arc::new(Configuration::default()));
        let (_, shared) = watch::channel(Arc::default());
        let hub = Hub {
            store,
            clusters,
            options: Arc::new(Options::new("hub-1", "one")),
            tally: Arc::default(),
            configured,
            shared,
        };
        let world = Self {
            hub,
            leadership,
            fleets: watch::Sender::new(fleet("eu")),
            brake: Brake::default(),
            _folder: folder,
        };
        world.create("namespaces", "shop", json!({"clusterSelector": {}})).await;
        world
    }

    async fn create(&self, kind: &str, name: &str, placement: Value) {
        let row = types::find(kind).unwrap();
        let body = json!({
            "apiVersion": row.federated.api_version(),
            "kind": row.federated.kind,
            "metadata": {"name": name, "namespace": "shop", "uid": format!("f-{name}"), "creationTimestamp": "2026-01-02T03:04:05Z"},
            "spec": {"placement": placement},
        });
        let key = ObjectKey::new(&row.federated.group, &row.federated.plural, "shop", name);
        let create = Write::Create { key, body: body.into() };
        let transaction = Transaction {
            writes: vec![create],
            lease: None,
        };
        self.hub.store.write(transaction).await.unwrap();
    }

    /// Makes an object that is there in both clusters.
    async fn place(&self, object: &str, placement: Value) {
        self.create("configmaps", object, placement).await;
        let record = |cluster: &str| Propagation {
            key: key(object).record(),
            cluster: cluster.into(),
            uid: Some(format!("u-{object}-{cluster}")),
            applied_hash: None,
            managed_hash: None,
            status: String::new(),
            message: String::new(),
            at: Timestamp::UNIX_EPOCH,
            leftover: false,
        };
        let records = ["eu-1", "us-1"].map(record);
        self.hub.store.record_propagations(None, &records, &[]).await.unwrap();
    }

    async fn place_many(&self) {
        for index in 0..12 {
            self.place(&format!("o-{index:02}"), placement(&["eu", "us"])).await;
        }
    }

    async fn judge(&self, object: &str, token: &str) -> Judgement {
        let confirmation = Confirmation {
            place: Store::cluster_key("eu-1"),
            token: token.into(),
        };
        let (key, displaced) = (key(object), displaced(object));
        let judged = self.brake.judge(
            &self.hub,
            &self.leadership,
            &self.fleets,
            &key,
            &displaced,
            std::slice::from_ref(&confirmation),
        );
        judged.await.unwrap()
    }

    async fn kept(&self) -> usize {
        approved(&self.hub.store, &self.hub.configuration().types)
            .await
            .unwrap()
            .len()
    }
}

/// The change of the label is known before anybody has said that what was counted counts no more.
#[tokio::test]
async fn a_count_of_before_a_change_lets_nothing_of_it_pass() {
    let world = World::new().await;
    world.place_many().await;
    world.place("small", placement(&["us"])).await;
    assert_eq!(world.judge("small", "").await, Judgement::Free);
    world.fleets.send_replace(fleet("ue"));
    let Judgement::Held(hold, _) = world.judge("o-00", "").await else {
        panic!("all of them leave eu-1 together")
    };
    assert_eq!(hold.deletes.len(), 13);
}

/// Who runs with the clusters of before waits as well: it is counted by those of now.
#[tokio::test]
async fn whoever_asks_is_counted_with_the_clusters_as_they_are() {
    let world = World::new().await;
    world.place_many().await;
    world.place("small", placement(&["us"])).await;
    world.fleets.send_replace(fleet("ue"));
    assert!(matches!(world.judge("small", "").await, Judgement::Held(..)));
    // The label is put back, and some still run with the clusters of before.
    world.fleets.send_replace(fleet("eu"));
    world.brake.changed();
    assert_eq!(world.judge("o-00", "").await, Judgement::Outdated);
    assert_eq!(world.judge("small", "").await, Judgement::Free);
}

#[tokio::test]
async fn a_confirmation_of_what_was_taken_back_is_kept_nowhere() {
    let world = World::new().await;
    world.place_many().await;
    world.fleets.send_replace(fleet("ue"));
    let Judgement::Held(hold, _) = world.judge("o-00", "").await else {
        panic!("twelve are many")
    };
    assert!(matches!(
        world.judge("o-00", &hold.token).await,
        Judgement::Confirmed(_)
    ));
    assert_eq!(world.kept().await, 12);
    // Another leader goes on with it, and finds the label put back.
    let brake = Brake::default();
    for index in 0..12 {
        let key = key(&format!("o-{index:02}"));
        let records = crate::sync::context::records(&world.hub.store, &key).await.unwrap();
        let nothing = Displaced::new();
        let reviewed = brake.review(&world.hub, &world.leadership, &key, &nothing, &records);
        reviewed.await.unwrap();
    }
    assert_eq!(world.kept().await, 0);
    assert!(!brake.may_be_confirmed(&key("o-00")));
    let again = World {
        brake: Brake::default(),
        ..world
    };
    assert!(matches!(again.judge("o-00", "").await, Judgement::Held(same, _) if same.token == hold.token));
}

#[tokio::test]
async fn a_token_on_a_cluster_is_good_for_once() {
    let world = World::new().await;
    world.place_many().await;
    world.fleets.send_replace(fleet("ue"));
    let Judgement::Held(hold, _) = world.judge("o-00", "").await else {
        panic!("twelve are many")
    };
    let place = Store::cluster_key("eu-1");
    let body = json!({"metadata": {
        "name": "eu-1", "namespace": place.namespace, "uid": "c", "creationTimestamp": "2026-01-02T03:04:05Z",
        "annotations": {"atoll.dev/confirm-deletes": hold.token, "mine": "stays"},
    }});
    let create = Write::Create {
        key: place.clone(),
        body: body.into(),
    };
    let transaction = Transaction {
        writes: vec![create],
        lease: None,
    };
    world.hub.store.write(transaction).await.unwrap();
    assert!(matches!(
        world.judge("o-00", &hold.token).await,
        Judgement::Confirmed(_)
    ));
    let cluster = world.hub.store.object(&place).await.unwrap().unwrap();
    assert_eq!(cluster.body["metadata"]["annotations"], json!({"mine": "stays"}));
    assert!(world.brake.may_be_confirmed(&key("o-07")));
    assert!(
        !world
            .brake
            .awaits(&world.hub, &world.fleets, &hold.token)
            .await
            .unwrap()
    );
}
