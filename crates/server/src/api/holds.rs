//! Changes that would delete too much: what waits, why, and the answer of whoever may give one.

use std::collections::BTreeMap;

use atoll_controllers::{HeldChange, HoldCause};
use atoll_federation::TypeTable;
use atoll_store::ObjectKey;
use axum::extract::State;
use http::Extensions;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Json, List, Path};
use crate::app::answer_hold as app;
use crate::auth::{self, Caller};
use crate::authz::{Action, Resource, Verb};
use crate::error::Result;
use crate::state::AppState;

/// Where the change was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CauseKind {
    /// In a federated object.
    Object,
    /// In a FederatedNamespace, or by deleting it.
    Namespace,
    /// In the labels of a cluster, or in many objects that leave it.
    Cluster,
    /// Nowhere any more: the namespace was to go when the cluster came back.
    Leftover,
}

/// Where the change was made, as far as that can be told from what it does.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoldCauseView {
    /// Where.
    #[serde(rename = "type")]
    place: CauseKind,
    /// What members hold of the federated object, such as `deployments.apps`; null for a cluster, and for a plain object
    /// of Federation v1, which has no page of its own.
    resource: Option<String>,
    /// The namespace; null for a cluster.
    namespace: Option<String>,
    /// Name of the object; null for a cluster.
    name: Option<String>,
    /// The cluster; null for an object.
    cluster: Option<String>,
}

/// How much would go in one cluster.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoldCluster {
    /// The cluster.
    name: String,
    /// Objects that would be deleted there.
    deletes: usize,
}

/// A change whose deletes wait for an answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// Names it for as long as it is about the same deletes.
    id: String,
    /// The token of exactly these deletes; an answer carries it.
    token: String,
    /// For people.
    message: String,
    /// Where the change was made.
    cause: HoldCauseView,
    /// Objects that would be deleted, in all clusters together.
    deletes: usize,
    /// Cluster by cluster.
    clusters: Vec<HoldCluster>,
}

/// One object that would be deleted in one cluster.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoldObject {
    /// Kind of the federated object.
    kind: String,
    /// What the member holds, such as `deployments.apps`; null for a type that is no longer served, and for a plain
    /// object of Federation v1, which has no page of its own.
    resource: Option<String>,
    /// Its namespace.
    namespace: String,
    /// Its name.
    name: String,
    /// The cluster.
    cluster: String,
}

/// Whether the change can be taken back here.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Undo {
    /// Whether it can.
    possible: bool,
    /// What would be restored, or how to take the change back by hand.
    message: String,
}

/// A hold with everything that would go.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoldDetail {
    /// In one line.
    summary: Hold,
    /// What would go.
    objects: Vec<HoldObject>,
    /// Whether the change can be taken back here.
    undo: Undo,
}

/// What is to happen with a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = HoldAnswerKind)]
pub enum Answer {
    /// The change is taken back.
    Undo,
    /// Clusters keep what they have, and the hub lets go of it.
    Orphan,
    /// It is meant: everything that was shown is deleted.
    Delete,
}

/// An answer to a hold.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HoldAnswer {
    /// What is to happen.
    answer: Answer,
    /// The token that was shown; when what would go has changed since, the answer is refused.
    token: String,
}

/// What became of an answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoldAnswered {
    /// What was changed, for people.
    changed: Vec<String>,
    /// What could not be done, and why.
    left: Vec<String>,
}

/// What members hold of a federated object; nothing for what is not found under that name.
fn resource_of(types: &TypeTable, key: &ObjectKey) -> Option<String> {
    let served = types.of_resource(&key.group, &key.resource)?;
    (!served.row.is_plain()).then(|| served.row.name())
}

fn cause(types: &TypeTable, held: &HeldChange) -> HoldCauseView {
    let namespaces = || types.namespaces().map(|served| served.row.name());
    let of = |place, resource: Option<String>, namespace: Option<&str>, name: Option<&str>, cluster: Option<&str>| {
        HoldCauseView {
            place,
            resource,
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
            cluster: cluster.map(str::to_owned),
        }
    };
    match &held.cause {
        HoldCause::Object(key) => of(
            CauseKind::Object,
            resource_of(types, key),
            Some(&key.namespace),
            Some(&key.name),
            None,
        ),
        HoldCause::Namespace(name) => of(CauseKind::Namespace, namespaces(), Some(name), Some(name), None),
        HoldCause::Cluster(name) => of(CauseKind::Cluster, None, None, None, Some(name)),
        HoldCause::Leftover { namespace, cluster } => of(
            CauseKind::Leftover,
            held.deletes.first().and_then(|delete| resource_of(types, &delete.key)),
            Some(namespace),
            Some(namespace),
            Some(cluster),
        ),
    }
}

fn summary(types: &TypeTable, held: &HeldChange) -> Hold {
    let mut clusters: BTreeMap<&str, usize> = BTreeMap::new();
    for delete in &held.deletes {
        *clusters.entry(&delete.cluster).or_default() += 1;
    }
    Hold {
        id: held.id.clone(),
        token: held.token.clone(),
        message: held.message.clone(),
        cause: cause(types, held),
        deletes: held.deletes.len(),
        clusters: clusters
            .into_iter()
            .map(|(name, deletes)| HoldCluster {
                name: name.to_owned(),
                deletes,
            })
            .collect(),
    }
}

fn objects(types: &TypeTable, held: &HeldChange) -> Vec<HoldObject> {
    let shown = held.deletes.iter().map(|delete| HoldObject {
        kind: delete.kind.clone(),
        resource: resource_of(types, &delete.key),
        namespace: delete.key.namespace.clone(),
        name: delete.key.name.clone(),
        cluster: delete.cluster.clone(),
    });
    shown.collect()
}

/// Lists the changes that wait for an answer.
#[utoipa::path(
    get, path = "/api/v1/holds", tag = "holds",
    responses((status = 200, description = "The holds", body = List<Hold>)),
)]
pub async fn list_holds(State(state): State<AppState>, caller: Caller) -> Result<Json<List<Hold>>> {
    caller.may(&Action::console(Resource::Holds, Verb::List))?;
    let holds = state.controllers.recent_holds().await?;
    let types = &state.configuration().types;
    Ok(Json(List {
        total_items: holds.len(),
        items: holds.iter().map(|held| summary(types, held)).collect(),
    }))
}

/// Reads a hold, with everything that would go.
#[utoipa::path(
    get, path = "/api/v1/holds/{id}", tag = "holds",
    params(("id" = String, Path, description = "The hold")),
    responses((status = 200, description = "The hold", body = HoldDetail)),
)]
pub async fn get_hold(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<HoldDetail>> {
    caller.may(&Action::named(Resource::Holds, Verb::Get, &id))?;
    let held = app::find_hold(&state, &id).await?;
    let (possible, message) = match app::undo::find(&state, &held).await? {
        Ok(restores) => (true, app::undo::describe(&restores)),
        Err(by_hand) => (false, by_hand),
    };
    let types = &state.configuration().types;
    Ok(Json(HoldDetail {
        summary: summary(types, &held),
        objects: objects(types, &held),
        undo: Undo { possible, message },
    }))
}

/// Answers a hold.
#[utoipa::path(
    post, path = "/api/v1/holds/{id}", tag = "holds", request_body = HoldAnswer,
    params(("id" = String, Path, description = "The hold")),
    responses((status = 200, description = "What became of it", body = HoldAnswered)),
)]
pub async fn answer_hold(
    State(state): State<AppState>,
    caller: Caller,
    extensions: Extensions,
    Path(id): Path<String>,
    Json(body): Json<HoldAnswer>,
) -> Result<Json<HoldAnswered>> {
    caller.may(&Action::named(Resource::Holds, Verb::Update, &id))?;
    let held = app::find_hold(&state, &id).await?;
    app::require_token(&held, &body.token)?;
    let context = caller.context(auth::request_id(&extensions));
    let done = match body.answer {
        Answer::Undo => app::undo::undo(&state, &caller, &context, &held).await?,
        Answer::Orphan => app::orphan(&state, &context, &held).await?,
        Answer::Delete => app::confirm(&state, &context, &held).await?,
    };
    Ok(Json(HoldAnswered {
        changed: done.changed,
        left: done.left,
    }))
}

#[cfg(test)]
mod tests {
    use atoll_controllers::HeldDelete;
    use serde_json::{Value, json};

    use super::*;

    /// A hold of one object in one cluster.
    fn held(group: &str, resource: &str, cause: impl Fn(ObjectKey) -> HoldCause) -> HeldChange {
        let key = ObjectKey::new(group, resource, "shop", "web");
        HeldChange {
            id: "t".into(),
            cause: cause(key.clone()),
            annotate: key.clone(),
            token: "t".into(),
            deletes: vec![HeldDelete {
                kind: "Deployment".into(),
                key,
                cluster: "eu-1".into(),
                uid: "u".into(),
            }],
            message: String::new(),
        }
    }

    /// The resources that the cause and the object are shown with.
    fn resources(held: &HeldChange) -> [Value; 2] {
        let types = TypeTable::built_in();
        let (cause, objects) = (summary(&types, held).cause, objects(&types, held));
        [json!(cause), json!(objects[0])].map(|shown| shown["resource"].clone())
    }

    #[test]
    fn a_federated_object_is_shown_by_the_name_of_its_type() {
        let held = held("types.kubefed.io", "federateddeployments", HoldCause::Object);
        assert_eq!(resources(&held), [json!("deployments.apps"), json!("deployments.apps")]);
    }

    #[test]
    fn a_plain_object_is_shown_without_a_resource_as_it_has_no_federated_page() {
        let one = held("apps", "deployments", HoldCause::Object);
        assert_eq!(resources(&one), [Value::Null, Value::Null]);
        let shown = json!(summary(&TypeTable::built_in(), &one).cause);
        assert_eq!((&shown["namespace"], &shown["name"]), (&json!("shop"), &json!("web")));
        let leftover = held("", "namespaces", |key| HoldCause::Leftover {
            namespace: key.name,
            cluster: "eu-1".into(),
        });
        assert_eq!(resources(&leftover), [Value::Null, Value::Null]);
    }
}
