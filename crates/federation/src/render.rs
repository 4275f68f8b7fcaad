//! What each cluster would get from a set of objects, with nothing but those objects: `atoll render`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::object::{Built, build};
use crate::placement::{Placed, place};
use crate::replicas::{self, AvailableCluster};
use crate::status::Reason;
use crate::{ClusterName, FieldError, Scope, error, types};

mod sources;

use sources::{Source, Sources};

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

/// Renders federated objects for the clusters, under the namespaces, preferences and types that stand beside them. The
/// items of a `List` count as documents of their own.
///
/// # Errors
/// When something is no object, or a cluster or preference cannot be read.
pub fn render(documents: &[Value], scope: Scope) -> Result<Rendered, Vec<FieldError>> {
    let mut sources = Sources::read(documents)?;
    if scope == Scope::Namespaced {
        sources.leave_cluster_scoped_out();
    }
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
        if scope == Scope::Namespaced && !self.kind.target.namespaced {
            return Ok(BTreeMap::new());
        }
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
        // What nobody gave limits nothing.
        let scope = if sources.is_excerpt { Scope::Namespaced } else { scope };
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
