//! What each cluster would get from a set of objects, with nothing but those objects: `atoll render`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::object::{Built, build};
use crate::placement::{Placed, place};
use crate::replicas::{self, AvailableCluster, Preference};
use crate::status::Reason;
use crate::{Cluster, ClusterName, FederatedObject, FieldError, Scope, TypeDescriptor, admission, error, types};

/// Every federated object that was given, in that order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rendered {
    /// The objects.
    pub objects: Vec<RenderedObject>,
    /// What does not stop rendering but may not be meant, objects of other kinds included.
    #[serde(skip)]
    pub warnings: Vec<String>,
}

/// One federated object, as clusters would get it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RenderedObject {
    /// Kind of the federated object.
    pub kind: String,
    /// Its namespace; null for a kind without.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Clusters that it is placed in.
    pub clusters: BTreeMap<ClusterName, RenderedCluster>,
    /// What is wrong with it as a whole.
    pub error: Option<RenderError>,
}

/// What one cluster would get.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RenderedCluster {
    /// This object.
    Object(Value),
    /// None, because of this.
    Error(RenderError),
}

/// Why nothing could be rendered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RenderError {
    /// The word that a status would have.
    pub reason: String,
    /// For people.
    pub message: String,
}

impl Rendered {
    /// Whether every object rendered for every cluster it is placed in.
    pub fn is_complete(&self) -> bool {
        let is_whole = |object: &RenderedObject| {
            object.error.is_none()
                && object
                    .clusters
                    .values()
                    .all(|cluster| matches!(cluster, RenderedCluster::Object(_)))
        };
        self.objects.iter().all(is_whole)
    }
}

/// Renders federated objects for the clusters, under the namespaces and preferences that stand beside them.
///
/// # Errors
/// When something is no object, or a cluster or preference cannot be read.
pub fn render(documents: &[Value], scope: Scope) -> Result<Rendered, Vec<FieldError>> {
    let sources = Sources::read(documents)?;
    let objects = sources
        .federated
        .iter()
        .map(|source| source.render(&sources, scope))
        .collect();
    Ok(Rendered {
        objects,
        warnings: sources.warnings,
    })
}

/// One federated object of the stream.
struct Source {
    kind: &'static TypeDescriptor,
    namespace: String,
    name: String,
    object: Result<FederatedObject, Vec<FieldError>>,
}

#[derive(Default)]
struct Sources {
    clusters: BTreeMap<ClusterName, Cluster>,
    federated: Vec<Source>,
    preferences: BTreeMap<(String, String), Result<Preference, Vec<FieldError>>>,
    warnings: Vec<String>,
}

const DEFAULT_NAMESPACE: &str = "default";

impl Sources {
    fn read(documents: &[Value]) -> Result<Self, Vec<FieldError>> {
        let mut sources = Self::default();
        let mut errors = Vec::new();
        for (index, document) in documents.iter().enumerate() {
            let at = |field: &str| format!("document {}: {field}", index + 1);
            let Some(kind) = document["kind"].as_str().filter(|_| document["apiVersion"].is_string()) else {
                errors.push(FieldError::required(
                    at("kind"),
                    "is no Kubernetes object: apiVersion and kind are missing",
                ));
                continue;
            };
            match kind {
                "List" => errors.push(FieldError::invalid(
                    at("kind"),
                    "write the items of a List as documents of their own",
                )),
                "KubeFedCluster" => match ClusterName::parse(document["metadata"]["name"].as_str().unwrap_or_default())
                {
                    Ok(name) => {
                        let labels = document["metadata"]["labels"].as_object().into_iter().flatten();
                        let labels = labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
                        sources
                            .clusters
                            .insert(name.clone(), Cluster::ready(name, labels.collect()));
                    }
                    Err(error) => errors.push(FieldError::invalid(at("metadata.name"), error.to_string())),
                },
                "ReplicaSchedulingPreference" => sources.read_preference(document),
                _ => sources.read_object(kind, document, index),
            }
        }
        if errors.is_empty() { Ok(sources) } else { Err(errors) }
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

    fn read_object(&mut self, kind: &str, document: &Value, index: usize) {
        let group = document["apiVersion"]
            .as_str()
            .and_then(|text| text.split_once('/'))
            .map_or("", |(group, _)| group);
        let is_federated = matches!(group, types::FEDERATED_GROUP | "types.kubefed.k8s.io");
        let Some(row) = types::find(kind).filter(|row| is_federated && row.federated.kind == kind) else {
            self.warnings.push(format!(
                "document {}: {kind} is no federated object and is left out",
                index + 1
            ));
            return;
        };
        let (mut document, warnings) = admission::normalise(row, document, true);
        self.warnings.extend(
            warnings
                .into_iter()
                .map(|warning| format!("document {}: {warning}", index + 1)),
        );
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

    fn namespace(&self, name: &str) -> Option<&FederatedObject> {
        let is_it = |source: &&Source| source.kind.is_namespace() && source.namespace == name && source.name == name;
        self.federated
            .iter()
            .find(is_it)
            .and_then(|source| source.object.as_ref().ok())
    }
}

fn namespace_of(document: &Value) -> &str {
    document["metadata"]["namespace"]
        .as_str()
        .filter(|namespace| !namespace.is_empty())
        .unwrap_or(DEFAULT_NAMESPACE)
}

impl Source {
    fn render(&self, sources: &Sources, scope: Scope) -> RenderedObject {
        let (clusters, error) = match self.clusters(sources, scope) {
            Ok(clusters) => (clusters, None),
            Err(error) => (BTreeMap::new(), Some(error)),
        };
        RenderedObject {
            kind: self.kind.federated.kind.to_string(),
            namespace: self.kind.federated.namespaced.then(|| self.namespace.clone()),
            name: self.name.clone(),
            clusters,
            error,
        }
    }

    fn clusters(&self, sources: &Sources, scope: Scope) -> Result<BTreeMap<ClusterName, RenderedCluster>, RenderError> {
        let object = self
            .object
            .as_ref()
            .map_err(|errors| RenderError::new(Reason::Invalid, error::join(errors)))?;
        if self.kind.is_namespace() {
            if self.name != self.namespace {
                let message = format!(
                    "a FederatedNamespace is called as its namespace: name it {:?}",
                    self.namespace
                );
                return Err(RenderError::new(Reason::InvalidName, message));
            }
            if types::NEVER_TOUCHED_NAMESPACES.contains(&self.name.as_str()) {
                return Ok(BTreeMap::new());
            }
        }
        let overrides = object
            .overrides
            .as_ref()
            .map_err(|errors| RenderError::new(Reason::InvalidOverrides, error::join(errors)))?;
        let preference = match sources
            .preferences
            .get(&(self.kind.federated.kind.to_string(), object.key()))
        {
            Some(Ok(preference)) if self.kind.replicas_path.is_some() => Some(preference),
            Some(Err(errors)) => {
                return Err(RenderError::new(Reason::InvalidPreference, error::join(errors)));
            }
            Some(Ok(_)) | None => None,
        };
        let namespace = sources.namespace(&self.namespace);
        let placed = match place(
            self.kind,
            object,
            namespace,
            scope,
            &sources.clusters,
            preference.is_some(),
        ) {
            Ok(Placed::Clusters(placed)) => placed,
            Ok(Placed::NamespaceNotFederated) => {
                let message = format!(
                    "there is no FederatedNamespace {} in namespace {}",
                    self.namespace, self.namespace
                );
                return Err(RenderError::new(Reason::NamespaceNotFederated, message));
            }
            Err((reason, message)) => return Err(RenderError::new(reason, message)),
        };
        let candidates: Vec<AvailableCluster> = placed
            .iter()
            .map(|name| AvailableCluster {
                name: name.clone(),
                current: None,
                capacity: None,
            })
            .collect();
        let shares = preference.map(|preference| replicas::plan(&object.key(), preference, &candidates).plan);
        let of_cluster = |name: ClusterName| {
            let marks = Built {
                replicas: shares.as_ref().and_then(|shares| shares.get(&name).copied()),
                ..Built::default()
            };
            let built = match build(self.kind, object, overrides.for_cluster(&name), marks) {
                Ok(built) => RenderedCluster::Object(built),
                Err(error) => RenderedCluster::Error(RenderError::new(Reason::from(&error), error.to_string())),
            };
            (name, built)
        };
        Ok(placed.into_iter().map(of_cluster).collect())
    }
}

impl RenderError {
    fn new(reason: Reason, message: String) -> Self {
        Self {
            reason: reason.to_string(),
            message,
        }
    }
}
