//! From a scenario file to the values that a plan takes, and through plan, outcomes, status and records.

use std::collections::BTreeMap;

use atoll_federation::object::{Built, build};
use atoll_federation::overrides::Overrides;
use atoll_federation::plain::Situation;
use atoll_federation::plan::{Contents, Hold, Input, Pods};
use atoll_federation::replicas::Preference;
use atoll_federation::{
    Apply, Cluster, ClusterName, Drift, FederatedObject, Fight, Observed, Present, Reason, Record, RecordChanges,
    Scope, Step, TypeDescriptor, admit, events, fold, plan, settle, types,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::kinds::read_kind;
use super::output;
use super::plain::{self, Plain};
use super::world::served;

const HUB: &str = "hub-1";

/// Everything a scenario states, read.
#[derive(Clone)]
pub(super) struct Scenario {
    now: Timestamp,
    pub(super) kind: &'static TypeDescriptor,
    pub(super) object: FederatedObject,
    pub(super) namespace: Option<FederatedObject>,
    pub(super) clusters: BTreeMap<ClusterName, Cluster>,
    pub(super) observed: BTreeMap<ClusterName, Observed>,
    pub(super) records: BTreeMap<ClusterName, Record>,
    preference: Option<Preference>,
    pods: BTreeMap<ClusterName, Pods>,
    managed: BTreeMap<ClusterName, u64>,
    contents: BTreeMap<ClusterName, Contents>,
    /// The whole objects of members.
    live: BTreeMap<ClusterName, Value>,
    drifts: BTreeMap<ClusterName, Drift>,
    fights: BTreeMap<ClusterName, Fight>,
    scope: Scope,
    adopt_resources: bool,
    confirmed: bool,
    held: Option<Hold>,
    pub(super) plain: Option<Plain>,
}

/// Plan, carry out, fold, settle; all of it as one value.
pub(super) fn run(file: &Value) -> Value {
    if let Some(object) = file.get("write") {
        return write(file, object);
    }
    if plain::rests(file) {
        return json!({"rests": "on the hub"});
    }
    let scenario = Scenario::read(file);
    let plan = plan(&scenario.input());
    let outcomes = scenario.outcomes(&plan, &file["outcomes"]);
    let status = fold(&plan, &outcomes, scenario.object.status.as_ref());
    let records = settle(&plan, &outcomes, &status, &scenario.records);
    let events = events(scenario.kind, &plan, &outcomes, scenario.object.status.as_ref());
    let mut out = output::describe(&plan, &status, scenario.object.status.as_ref(), &records, &events);
    if let Some(plain) = &scenario.plain {
        plain.describe(&scenario, &outcomes, status, &mut out);
    }
    out
}

/// What admission says to whoever writes this.
fn write(file: &Value, object: &Value) -> Value {
    let kind = read_kind(file);
    let whole = |object: &Value| {
        let mut whole = json!({
            "apiVersion": kind.federated.api_version(), "kind": kind.federated.kind,
            "metadata": {"name": "web", "namespace": "shop"},
        });
        merge(&mut whole, object);
        whole
    };
    let old = file.get("old").map(whole);
    let object = whole(object);
    if kind.is_plain() {
        return plain::write(file, kind, object, old.as_ref());
    }
    output::describe_admission(&object, &admit(kind, &object, old.as_ref()))
}

/// When every step works, the next plan writes nothing but what still goes, and the status stays as it is.
pub(super) fn check_second_run_is_quiet(file: &Value, title: &str) {
    if file.get("write").is_some() || plain::rests(file) {
        return;
    }
    let mut scenario = Scenario::read(file);
    for _ in 0..3 {
        let plan = plan(&scenario.input());
        let outcomes = scenario.outcomes(&plan, &Value::Null);
        let status = fold(&plan, &outcomes, scenario.object.status.as_ref());
        let changes = settle(&plan, &outcomes, &status, &scenario.records);
        scenario.carry_out(&plan, &outcomes, status, changes);
        scenario.settle();
    }
    let again = plan(&scenario.input());
    assert!(
        again.is_quiet() || scenario.object.deletion_timestamp.is_some(),
        "{title}: {again:#?}"
    );
    let status = fold(&again, &BTreeMap::new(), scenario.object.status.as_ref());
    assert_eq!(Some(&status), scenario.object.status.as_ref(), "{title}");
    assert_eq!(
        settle(&again, &BTreeMap::new(), &status, &scenario.records),
        RecordChanges::default(),
        "{title}"
    );
}

fn name(text: &str) -> ClusterName {
    ClusterName::parse(text).unwrap()
}

pub(super) fn merge(value: &mut Value, extra: &Value) {
    match (value, extra) {
        (Value::Object(map), Value::Object(extra)) => {
            for (key, extra) in extra {
                if extra.is_null() {
                    map.remove(key);
                } else {
                    merge(map.entry(key).or_insert(Value::Null), extra);
                }
            }
        }
        // What a file does not state changes nothing.
        (_, Value::Null) => {}
        (value, Value::String(word)) if word == "<null>" => *value = Value::Null,
        (value, Value::Object(extra)) => {
            *value = json!({});
            merge(value, &Value::Object(extra.clone()));
        }
        (value, extra) => *value = extra.clone(),
    }
}

fn by_cluster<T>(map: &Value, read: impl Fn(&ClusterName, &Value) -> T) -> BTreeMap<ClusterName, T> {
    let entries = map.as_object().into_iter().flatten();
    entries
        .map(|(key, value)| (name(key), read(&name(key), value)))
        .collect()
}

impl Scenario {
    pub(super) fn read(file: &Value) -> Self {
        let kind = read_kind(file);
        let plain = Plain::read(file, kind);
        let mut object = json!({
            "kind": kind.federated.kind,
            "metadata": {"name": "web", "namespace": "shop", "uid": "f-1", "generation": 2, "finalizers": ["kubefed.io/sync-controller"]},
            "spec": {"template": {"data": {"color": "blue"}}, "placement": {"clusterSelector": {}}},
        });
        if kind.is_namespace() {
            merge(
                &mut object,
                &json!({"metadata": {"name": "shop"}, "spec": {"template": null}}),
            );
        }
        if kind.replicas_path.as_deref() == Some("/spec/replicas") {
            merge(
                &mut object,
                &json!({"spec": {"template": {"data": null, "spec": {"replicas": 2}}}}),
            );
        }
        merge(&mut object, &file["object"]);
        let everywhere = json!({"eu-1": {"labels": {"region": "eu"}}, "us-1": {"labels": {"region": "us"}}});
        let clusters = if file["clusters"].is_null() {
            &everywhere
        } else {
            &file["clusters"]
        };
        let mut scenario = Self {
            now: "2026-01-02T03:04:05Z".parse().unwrap(),
            kind,
            object: match &plain {
                Some(plain) => plain.read.object.clone(),
                None => FederatedObject::parse(kind, &object).unwrap(),
            },
            namespace: if plain.is_some() {
                plain::read_namespace(&file["namespace"])
            } else {
                read_namespace(&file["namespace"])
            },
            clusters: by_cluster(clusters, read_cluster),
            observed: BTreeMap::new(),
            records: BTreeMap::new(),
            preference: file
                .get("preference")
                .map(|spec| Preference::parse(spec, "spec").unwrap()),
            pods: by_cluster(&file["pods"], |_, pods| Pods {
                current: pods["current"].as_i64().unwrap_or_default(),
                unschedulable: pods["unschedulable"].as_i64().unwrap_or_default(),
                young_unschedulable: pods["youngUnschedulable"].as_bool().unwrap_or_default(),
            }),
            managed: by_cluster(&file["managed"], |_, count| count.as_u64().unwrap()),
            contents: by_cluster(&file["contents"], |_, contents| Contents {
                managed: contents["managed"].as_u64().unwrap_or_default(),
                unmanaged: contents["unmanaged"].as_u64().unwrap_or_default(),
            }),
            scope: if file["scope"] == "Namespaced" {
                Scope::Namespaced
            } else {
                Scope::Cluster
            },
            adopt_resources: file["adoptResources"].as_bool().unwrap_or(true),
            confirmed: file["confirmed"].as_bool().unwrap_or_default(),
            held: file["held"].as_str().map(|message| Hold {
                token: "of-all".to_owned(),
                message: message.to_owned(),
                deletes: Vec::new(),
            }),
            live: BTreeMap::new(),
            drifts: BTreeMap::new(),
            fights: by_cluster(&file["fights"], |_, fight| Fight {
                times: fight["times"].as_u64().unwrap().try_into().unwrap(),
                until: fight["until"].as_str().unwrap().parse().unwrap(),
            }),
            plain,
        };
        scenario.observed = by_cluster(&file["observed"], |cluster, observed| {
            scenario.read_observed(cluster, observed)
        });
        scenario.records = by_cluster(&file["records"], |cluster, record| {
            scenario.read_record(cluster, record)
        });
        scenario.live = by_cluster(&file["observed"], |cluster, observed| scenario.whole(cluster, observed));
        scenario.settle();
        scenario.drifts = plan(&scenario.input()).drifts(kind, &scenario.live);
        if file["confirm"] == true {
            let hold = plan(&scenario.input()).hold.expect("there is a hold to confirm");
            scenario.object.confirm_deletes = Some(hold.token);
        }
        scenario
    }

    /// A plain object shares out what its kind shares out by itself, given what was seen.
    pub(super) fn settle(&mut self) {
        let Some(plain) = &self.plain else {
            return;
        };
        let mut read = plain.read.clone();
        (read.object.status, read.object.finalizers) = (self.object.status.clone(), self.object.finalizers.clone());
        if read.released {
            read.let_go(self.now);
        }
        let settled = read.settle(&Situation {
            now: self.now,
            scope: self.scope,
            row: self.kind,
            namespace: self.namespace.as_ref(),
            clusters: &self.clusters,
            observed: &self.observed,
            records: &self.records,
        });
        self.object = settled.object;
        self.preference = settled.preference;
    }

    pub(super) fn input(&self) -> Input<'_> {
        Input {
            now: self.now,
            hub_uid: HUB,
            scope: self.scope,
            adopt_resources: self.adopt_resources,
            kind: self.kind,
            object: &self.object,
            namespace: self.namespace.as_ref(),
            clusters: &self.clusters,
            observed: &self.observed,
            records: &self.records,
            preference: self.preference.as_ref(),
            pods: &self.pods,
            managed: &self.managed,
            contents: &self.contents,
            drifts: &self.drifts,
            fights: &self.fights,
            held: self.held.as_ref(),
            confirmed: self.confirmed,
        }
    }

    /// What the hub would apply to this cluster if it were ready, selected and held only this.
    fn would_apply(&self, cluster: &ClusterName, observed: Observed) -> Apply {
        let mut object = self.object.clone();
        object.deletion_timestamp = None;
        // What is there was written before the overrides could not be read or applied any more.
        let mut overrides = object.overrides.unwrap_or_default();
        object.overrides = Ok(Overrides::default());
        if build(self.kind, &object, overrides.for_cluster(cluster), Built::default()).is_err() {
            overrides = Overrides::default();
        }
        object.overrides = Ok(overrides);
        object.placement = Ok(atoll_federation::placement::Placement {
            clusters: Some(vec![cluster.to_string()]),
            selector: None,
        });
        let ready = BTreeMap::from([(cluster.clone(), Cluster::ready(cluster.clone(), BTreeMap::new()))]);
        let input = Input {
            object: &object,
            namespace: None,
            scope: Scope::Namespaced,
            adopt_resources: true,
            clusters: &ready,
            observed: &BTreeMap::from([(cluster.clone(), observed)]),
            records: &BTreeMap::new(),
            ..self.input()
        };
        let planned = plan(&input);
        match planned.clusters.get(cluster).map(|cluster| &cluster.step) {
            Some(Step::Apply(apply)) => (**apply).clone(),
            other => panic!("nothing would be applied to {cluster}: {other:?}, {:?}", planned.whole),
        }
    }

    fn read_observed(&self, cluster: &ClusterName, observed: &Value) -> Observed {
        if observed == "absent" {
            return Observed::Absent;
        }
        if let Some(word) = observed["unknown"].as_str() {
            return Observed::Unknown {
                reason: Reason::from_word(word).unwrap(),
                message: "as the scenario says".to_owned(),
            };
        }
        let object = self.whole(cluster, observed);
        Observed::Present(Box::new(Present::of(self.kind, &object).unwrap()))
    }

    /// What the member would answer to a question.
    fn whole(&self, cluster: &ClusterName, observed: &Value) -> Value {
        match observed.get("applied") {
            Some(extra) => {
                let mut object = served(self.kind, cluster, &self.would_apply(cluster, Observed::Absent));
                merge(&mut object, extra);
                object
            }
            None => observed["object"].clone(),
        }
    }

    fn read_record(&self, cluster: &ClusterName, record: &Value) -> Record {
        if record == "begun" {
            return Record::begun(self.now);
        }
        let observed = self.observed.get(cluster).cloned().unwrap_or(Observed::Absent);
        let (uid, managed_hash) = match &observed {
            Observed::Present(present) => (present.uid.clone(), present.managed_hash.clone()),
            Observed::Unknown { .. } | Observed::Absent => (format!("u-{cluster}"), Some("before".to_owned())),
        };
        let text = |field: &str| record[field].as_str().map(str::to_owned);
        let applied = if record["adopted"] == true {
            let stranger = Observed::Present(Box::new(Present {
                uid: uid.clone(),
                ..Present::default()
            }));
            self.would_apply(cluster, stranger).hash
        } else {
            self.would_apply(cluster, Observed::Absent).hash
        };
        Record {
            uid: Some(text("uid").unwrap_or(uid)),
            applied_hash: text("appliedHash").or(Some(applied)),
            managed_hash: text("managedHash").or(managed_hash),
            status: text("status").unwrap_or_default(),
            message: text("message").unwrap_or_default(),
            at: "2026-01-01T00:00:00Z".parse().unwrap(),
            leftover: record["leftover"].as_bool().unwrap_or_default(),
        }
    }
}

fn read_namespace(namespace: &Value) -> Option<FederatedObject> {
    let kind = types::find("namespaces").unwrap();
    if namespace == "missing" {
        return None;
    }
    let mut object = json!({
        "kind": "FederatedNamespace",
        "metadata": {"name": "shop", "namespace": "shop"},
        "spec": {"placement": {"clusterSelector": {}}},
    });
    merge(&mut object, namespace);
    Some(FederatedObject::parse(kind, &object).unwrap())
}

fn read_cluster(name: &ClusterName, cluster: &Value) -> Cluster {
    let labels = cluster["labels"].as_object().into_iter().flatten();
    let leaving = cluster["leaving"].as_bool().unwrap_or_default();
    let ready = cluster["ready"].as_bool().unwrap_or(!leaving);
    Cluster {
        name: name.clone(),
        labels: labels
            .map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()))
            .collect(),
        ready,
        keeps_share: cluster["keepsShare"].as_bool().unwrap_or(ready),
        leaving,
    }
}
