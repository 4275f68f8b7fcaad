//! What stands in a stream of documents: clusters, types, preferences, and the objects to render.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::replicas::Preference;
use crate::types::{self, intern};
use crate::{Cluster, ClusterName, FederatedObject, FieldError, TypeConfig, TypeDescriptor, admission};

const DEFAULT_NAMESPACE: &str = "default";

/// One federated object of the stream.
pub(super) struct Source {
    pub(super) kind: &'static TypeDescriptor,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) object: Result<FederatedObject, Vec<FieldError>>,
}

/// Everything that was given.
#[derive(Default)]
pub(super) struct Sources {
    pub(super) clusters: BTreeMap<ClusterName, Cluster>,
    pub(super) federated: Vec<Source>,
    /// By kind of their target, and `namespace/name`.
    pub(super) preferences: BTreeMap<(String, String), Result<Preference, Vec<FieldError>>>,
    pub(super) warnings: Vec<String>,
    /// Whether the stream is a part alone, such as the output of `kubectl get federateddeployments -o yaml`: without clusters
    /// and without namespaces, so that its absence of a FederatedNamespace says nothing.
    pub(super) is_excerpt: bool,
    /// Types that stand in the stream, by group and kind of what the hub holds.
    types: BTreeMap<(String, String), Served>,
}

struct Served {
    row: &'static TypeDescriptor,
    enabled: bool,
}

impl Sources {
    pub(super) fn read(documents: &[Value]) -> Result<Self, Vec<FieldError>> {
        let mut sources = Self::default();
        let mut errors = Vec::new();
        let mut all = Vec::new();
        for (index, document) in documents.iter().enumerate() {
            flatten(document, format!("document {}", index + 1), &mut all);
        }
        for (document, _) in &all {
            if document["kind"] == "FederatedTypeConfig" {
                sources.read_type(document, &all);
            }
        }
        for (document, place) in &all {
            let Some(kind) = document["kind"].as_str().filter(|_| document["apiVersion"].is_string()) else {
                errors.push(FieldError::required(
                    format!("{place}: kind"),
                    "is no Kubernetes object: apiVersion and kind are missing",
                ));
                continue;
            };
            if !document["metadata"].is_object() {
                errors.push(FieldError::required(
                    format!("{place}: metadata"),
                    "must be an object with the name",
                ));
                continue;
            }
            match kind {
                "FederatedTypeConfig" => {}
                "KubeFedCluster" => match read_cluster(document) {
                    Ok(cluster) => {
                        sources.clusters.insert(cluster.name.clone(), cluster);
                    }
                    Err(error) => errors.push(FieldError::invalid(
                        format!("{place}: metadata.name"),
                        error.to_string(),
                    )),
                },
                "ReplicaSchedulingPreference" => sources.read_preference(document),
                _ => sources.read_object(kind, document, place),
            }
        }
        if sources.clusters.is_empty() && !sources.federated.is_empty() {
            sources.take_named_clusters();
        }
        if errors.is_empty() { Ok(sources) } else { Err(errors) }
    }

    /// A stream without any cluster is about those that it names.
    fn take_named_clusters(&mut self) {
        let objects = self.federated.iter().filter_map(|source| source.object.as_ref().ok());
        let placed = objects.filter_map(|object| object.placement.as_ref().ok()?.clusters.clone());
        let preferred = self
            .preferences
            .values()
            .flatten()
            .flat_map(|preference| preference.clusters.keys().cloned());
        let names = placed.flatten().chain(preferred);
        let clusters: BTreeMap<_, _> = names
            .filter_map(|name| ClusterName::parse(&name).ok())
            .map(|name| (name.clone(), Cluster::ready(name, BTreeMap::new())))
            .collect();
        self.clusters = clusters;
        self.is_excerpt = !self.federated.iter().any(|source| source.kind.is_namespace());
        let mut names = "no cluster is named either".to_owned();
        if !self.clusters.is_empty() {
            names = format!(
                "the named ones count: {}",
                self.clusters
                    .keys()
                    .map(ClusterName::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            );
        }
        self.warnings.push(format!(
            "no KubeFedCluster is in the input, so labels select none; {names}. Add the output of kubectl get kubefedclusters -A -o yaml"
        ));
        if self.is_excerpt {
            self.warnings
                .push("no FederatedNamespace is in the input either: every namespace counts as federated".to_owned());
        }
    }

    /// Offline nobody can ask a member whether objects of a kind have replicas; whoever states some says so.
    fn read_type(&mut self, document: &Value, all: &[(&Value, String)]) {
        let federated = &document["spec"]["federatedType"]["kind"];
        let has_replicas = all.iter().any(|(other, _)| {
            let states_some = other["kind"] == *federated
                && other
                    .pointer("/spec/template/spec/replicas")
                    .is_some_and(Value::is_number);
            states_some || (other["kind"] == "ReplicaSchedulingPreference" && other["spec"]["targetKind"] == *federated)
        });
        let path = has_replicas.then(|| "/spec/replicas".to_owned());
        match TypeConfig::read(document, path) {
            Some(read) => {
                let api = &read.descriptor.federated;
                let key = (api.group.to_string(), api.kind.to_string());
                let enabled = read.enabled && !read.deleting;
                let row = intern(read.descriptor);
                self.types.insert(key, Served { row, enabled });
            }
            None => self.warnings.push(format!(
                "FederatedTypeConfig {} names no types and is left out",
                document["metadata"]["name"].as_str().unwrap_or_default()
            )),
        }
    }

    fn read_preference(&mut self, document: &Value) {
        let target = document["spec"]["targetKind"].as_str().unwrap_or_default();
        let key = format!(
            "{}/{}",
            namespace_of(document),
            document["metadata"]["name"].as_str().unwrap_or_default()
        );
        self.preferences
            .insert((target.to_owned(), key), Preference::parse(&document["spec"], "spec"));
    }

    fn read_object(&mut self, kind: &str, document: &Value, place: &str) {
        let group = document["apiVersion"]
            .as_str()
            .and_then(|text| text.split_once('/'))
            .map_or("", |(group, _)| group);
        // KubeFed's group of before 2019.
        let group = if group == "types.kubefed.k8s.io" {
            types::FEDERATED_GROUP
        } else {
            group
        };
        let row = match self.types.get(&(group.to_owned(), kind.to_owned())) {
            Some(served) if !served.enabled => {
                self.warnings.push(format!(
                    "{place}: propagation of {kind} is not enabled, and it is left out"
                ));
                return;
            }
            Some(served) => Some(served.row),
            None => types::find(kind).filter(|row| group == row.federated.group && row.federated.kind == kind),
        };
        let Some(row) = row else {
            self.warnings
                .push(format!("{place}: {kind} is no federated object and is left out"));
            return;
        };
        let (mut document, warnings) = admission::normalise(row, document, true);
        self.warnings
            .extend(warnings.into_iter().map(|warning| format!("{place}: {warning}")));
        let mut namespace = String::new();
        if row.federated.namespaced {
            namespace = namespace_of(&document).to_owned();
            document["metadata"]["namespace"] = namespace.as_str().into();
        }
        self.federated.push(Source {
            kind: row,
            namespace,
            name: document["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
            object: FederatedObject::parse(row, &document),
        });
    }

    /// The FederatedNamespace of that namespace.
    pub(super) fn namespace(&self, name: &str) -> Option<&FederatedObject> {
        let is_it = |source: &&Source| source.kind.is_namespace() && source.namespace == name && source.name == name;
        self.federated
            .iter()
            .find(is_it)
            .and_then(|source| source.object.as_ref().ok())
    }

    /// A control plane of one namespace propagates nothing that lives in none.
    pub(super) fn leave_cluster_scoped_out(&mut self) {
        for source in &self.federated {
            if !source.kind.target.namespaced {
                self.warnings.push(format!(
                    "{} {}: a namespaced control plane does not propagate what lives in no namespace",
                    source.kind.federated.kind, source.name
                ));
            }
        }
    }
}

/// The documents, and where they stand.
fn flatten<'a>(document: &'a Value, place: String, all: &mut Vec<(&'a Value, String)>) {
    let is_list = document["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    match document["items"].as_array().filter(|_| is_list) {
        Some(items) => {
            for (index, item) in items.iter().enumerate() {
                flatten(item, format!("{place}, item {}", index + 1), all);
            }
        }
        None => all.push((document, place)),
    }
}

fn read_cluster(document: &Value) -> Result<Cluster, crate::Error> {
    let name = ClusterName::parse(document["metadata"]["name"].as_str().unwrap_or_default())?;
    let labels = document["metadata"]["labels"].as_object().into_iter().flatten();
    let labels = labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    Ok(Cluster::ready(name, labels.collect()))
}

fn namespace_of(document: &Value) -> &str {
    document["metadata"]["namespace"]
        .as_str()
        .filter(|namespace| !namespace.is_empty())
        .unwrap_or(DEFAULT_NAMESPACE)
}
