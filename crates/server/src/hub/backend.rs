//! The store as `atoll_kubeapi` sees it: objects with their revision as `resourceVersion`, one transaction a commit.

use std::sync::Arc;

use async_trait::async_trait;
use atoll_kubeapi::{
    Admission, Attributes, Backend, Catalog, Change, Commit, Listing, RequestContext, Resource, Status, WatchStream,
};
use atoll_store::{Object, ObjectKey, Revision, Store, Transaction, Write};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::catalog::{Kind, plain};
use super::registry::Registry;
use super::{admission, claims, mask, scale, type_configs, v1, watch};
use crate::auth::Caller;
use crate::authz::{Action, Decision, decide};
use crate::state::AppState;

/// How often a claim is tried against rivals that move.
const TRIES: usize = 8;

/// The hub's objects.
pub(super) struct HubBackend {
    state: AppState,
}

impl HubBackend {
    pub(super) fn new(state: AppState) -> Self {
        Self { state }
    }

    fn store(&self) -> &Store {
        &self.state.store
    }

    /// Writes an object that may be the source of an object of members, as the only one.
    async fn commit_claim(&self, key: &ObjectKey, change: Change) -> Result<Object, Status> {
        let configuration = self.state.configuration();
        let (new, is_new) = match &change {
            Change::Create(new) => (Some(new), true),
            Change::Update { value, .. } => (Some(value), false),
            Change::Delete { .. } => (None, false),
        };
        let write = write_of(key, change.clone());
        for _ in 0..TRIES {
            let mut writes = match new {
                Some(new) => claims::conditions(self.store(), &configuration.types, key, new, is_new).await?,
                None => Vec::new(),
            };
            writes.push(write.clone());
            match self.store().write(Transaction { writes, lease: None }).await {
                // What it rests on has moved since it was read: look again.
                Err(atoll_store::Error::Conflict { key: moved, .. }) if moved != *key => {}
                outcome => return first(outcome.map_err(status)?).map_err(status),
            }
        }
        Err(Status::unavailable(
            "the objects around this one change too fast; try again",
        ))
    }
}

/// The key of an object.
pub(super) fn key_of(resource: &Resource, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey::new(&resource.group, &resource.plural, namespace, name)
}

/// A stored body as the API shows it: with its revision, and without the credentials of clusters.
pub(super) fn shown(key: &ObjectKey, body: Arc<Value>, revision: Revision) -> Arc<Value> {
    let mut body = Arc::unwrap_or_clone(body);
    body["metadata"]["resourceVersion"] = json!(revision.to_string());
    if key.group.is_empty() && key.resource == "secrets" && mask::applies_to(&key.namespace) {
        mask::hide(&mut body);
    }
    Arc::new(body)
}

fn shown_object(object: Object) -> Arc<Value> {
    shown(&object.key, object.body, object.revision)
}

/// A commit as one write of the store.
pub(super) fn write_of(key: &ObjectKey, change: Change) -> Write {
    let key = key.clone();
    match change {
        Change::Create(value) => Write::Create {
            key,
            body: Arc::new(unstamped(value)),
        },
        Change::Update { value, expected } => Write::Update {
            key,
            body: Arc::new(unstamped(value)),
            expected: revision(expected),
        },
        Change::Delete { expected } => Write::Delete {
            key,
            expected: Some(revision(expected)),
        },
    }
}

/// The revision of a body is that of its row.
fn unstamped(mut value: Value) -> Value {
    if let Some(metadata) = value["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
    }
    value
}

fn revision(number: u64) -> Revision {
    Revision(i64::try_from(number).unwrap_or(i64::MAX))
}

/// What the store says, as the API tells it.
pub(super) fn status(error: atoll_store::Error) -> Status {
    crate::Error::from(error).into()
}

/// Who registers a cluster, by the name that the console shows.
fn author(context: &RequestContext) -> &str {
    context
        .extensions
        .get::<Caller>()
        .map_or(&context.user, |caller| &caller.subject.user)
}

/// Kubernetes' words for a no.
fn forbidden(context: &RequestContext, attributes: &Attributes, reason: &str) -> Status {
    let Attributes {
        verb,
        group,
        resource,
        subresource,
        namespace,
        name,
        ..
    } = attributes;
    let qualified = if group.is_empty() {
        resource.clone()
    } else {
        format!("{resource}.{group}")
    };
    let object = if name.is_empty() {
        qualified
    } else {
        format!("{qualified} {name:?}")
    };
    let resource = if subresource.is_empty() {
        resource.clone()
    } else {
        format!("{resource}/{subresource}")
    };
    let scope = if namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace {namespace:?}")
    };
    let user = &context.user;
    Status::forbidden(format!(
        "{object} is forbidden: User {user:?} cannot {verb} resource {resource:?} in API group {group:?} {scope}: {reason}"
    ))
    .about(group, &attributes.resource, name)
}

#[async_trait]
impl Backend for HubBackend {
    fn catalog(&self) -> Arc<Catalog> {
        self.state.catalogs.of(&self.state.configuration())
    }

    async fn authorize(&self, context: &RequestContext, attributes: &Attributes) -> Result<(), Status> {
        let Some(caller) = context.extensions.get::<Caller>() else {
            return Err(Status::unauthorized("Unauthorized"));
        };
        match decide(&caller.subject, &Action::Hub(attributes)) {
            Decision::Allow => Ok(()),
            Decision::Deny { hidden: true, .. } if attributes.name.is_empty() => Err(Status::no_such_path()),
            Decision::Deny { hidden: true, .. } => Err(Status::not_found(
                &attributes.group,
                &attributes.resource,
                &attributes.name,
            )),
            Decision::Deny { reason, hidden: false } => Err(forbidden(context, attributes, reason)),
        }
    }

    async fn get(
        &self,
        _context: &RequestContext,
        resource: &Resource,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Arc<Value>>, Status> {
        let object = self
            .store()
            .object(&key_of(resource, namespace, name))
            .await
            .map_err(status)?;
        Ok(object.map(shown_object))
    }

    async fn list(
        &self,
        _context: &RequestContext,
        resource: &Resource,
        namespace: Option<&str>,
    ) -> Result<Listing, Status> {
        let listing = self
            .store()
            .objects(&resource.group, &resource.plural, namespace)
            .await
            .map_err(status)?;
        Ok(Listing {
            items: listing.objects.into_iter().map(shown_object).collect(),
            revision: u64::try_from(listing.revision.0).unwrap_or_default(),
        })
    }

    async fn admit(
        &self,
        context: &RequestContext,
        resource: &Resource,
        admission: &Admission<'_>,
        new: &mut Value,
    ) -> Result<Vec<String>, Status> {
        admission::admit(self, &self.state, context, resource, admission, new).await
    }

    async fn commit(&self, context: &RequestContext, commit: Commit<'_>) -> Result<Arc<Value>, Status> {
        let key = key_of(commit.resource, commit.namespace, commit.name);
        let registry = Registry::new(self.store(), self.state.now());
        let object = match Kind::of(&self.state.configuration().types, commit.resource) {
            Some(Kind::TypeConfig) => {
                let object = type_configs::commit(&self.state, context, &key, commit.change).await?;
                return Ok(shown_object(object));
            }
            Some(Kind::Config) => {
                let object = write_one(self.store(), write_of(&key, commit.change))
                    .await
                    .map_err(status)?;
                type_configs::follow(&self.state, object.revision).await;
                return Ok(shown_object(object));
            }
            Some(Kind::Federated(row)) if matches!(commit.change, Change::Create(_)) => {
                let object = self.commit_claim(&key, commit.change).await?;
                type_configs::withdraw_if_leaving(&self.state, row, &object).await?;
                return Ok(shown_object(object));
            }
            Some(Kind::Cluster) => registry.commit_cluster(&key, commit.change, author(context)).await,
            Some(Kind::Secret) if mask::applies_to(commit.namespace) => {
                registry.commit_secret(&key, commit.change).await
            }
            Some(
                Kind::Namespace
                | Kind::Secret
                | Kind::ConfigMap
                | Kind::Federated(_)
                | Kind::Plain
                | Kind::Preference
                | Kind::Definition
                | Kind::Note,
            )
            | None => return self.commit_claim(&key, commit.change).await.map(shown_object),
        };
        object.map(shown_object).map_err(status)
    }

    async fn watch(
        &self,
        _context: &RequestContext,
        resource: &Resource,
        namespace: Option<&str>,
        from: u64,
    ) -> Result<WatchStream, Status> {
        watch::follow(self.store().clone(), resource, namespace, from).await
    }

    fn deletion_finalizers(&self, resource: &Resource, object: &Value, options: &Value) -> Vec<String> {
        v1::finalizers_of_deletion(resource, object, options)
    }

    async fn subresource(
        &self,
        context: &RequestContext,
        resource: &Resource,
        attributes: &Attributes,
        request: Request,
    ) -> Option<Response> {
        if attributes.subresource != "scale" || !plain::scales(resource) {
            return None;
        }
        let answer = scale::serve(self, &self.state, context, resource, attributes, request).await;
        Some(answer.unwrap_or_else(IntoResponse::into_response))
    }
}

async fn write_one(store: &Store, write: Write) -> atoll_store::Result<Object> {
    let transaction = Transaction {
        writes: vec![write],
        lease: None,
    };
    first(store.write(transaction).await?)
}

/// The object of a transaction's first write.
pub(super) fn first(written: atoll_store::Written) -> atoll_store::Result<Object> {
    written.objects.into_iter().next().ok_or(atoll_store::Error::Closed)
}
