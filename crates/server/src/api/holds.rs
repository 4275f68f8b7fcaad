//! Changes that would delete too much: what waits, why, and the answer of whoever may give one.

use std::collections::BTreeMap;

use atoll_controllers::{HeldChange, HoldCause};
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
    /// What members hold of the federated object, such as `deployments.apps`; null for a cluster.
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
    /// What the member holds, such as `deployments.apps`; null for a type that is no longer served.
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

fn cause(state: &AppState, held: &HeldChange) -> HoldCauseView {
    let types = &state.configuration().types;
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
            types
                .of_resource(&key.group, &key.resource)
                .map(|served| served.row.name()),
            Some(&key.namespace),
            Some(&key.name),
            None,
        ),
        HoldCause::Namespace(name) => of(CauseKind::Namespace, namespaces(), Some(name), Some(name), None),
        HoldCause::Cluster(name) => of(CauseKind::Cluster, None, None, None, Some(name)),
        HoldCause::Leftover { namespace, cluster } => of(
            CauseKind::Leftover,
            namespaces(),
            Some(namespace),
            Some(namespace),
            Some(cluster),
        ),
    }
}

fn summary(state: &AppState, held: &HeldChange) -> Hold {
    let mut clusters: BTreeMap<&str, usize> = BTreeMap::new();
    for delete in &held.deletes {
        *clusters.entry(&delete.cluster).or_default() += 1;
    }
    Hold {
        id: held.id.clone(),
        token: held.token.clone(),
        message: held.message.clone(),
        cause: cause(state, held),
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

/// Lists the changes that wait for an answer.
#[utoipa::path(
    get, path = "/api/v1/holds", tag = "holds",
    responses((status = 200, description = "The holds", body = List<Hold>)),
)]
pub async fn list_holds(State(state): State<AppState>, caller: Caller) -> Result<Json<List<Hold>>> {
    caller.may(&Action::console(Resource::Holds, Verb::List))?;
    let holds = state.controllers.recent_holds().await?;
    Ok(Json(List {
        total_items: holds.len(),
        items: holds.iter().map(|held| summary(&state, held)).collect(),
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
    let types = &state.configuration().types;
    let objects = held.deletes.iter().map(|delete| HoldObject {
        kind: delete.kind.clone(),
        resource: types
            .of_resource(&delete.key.group, &delete.key.resource)
            .map(|served| served.row.name()),
        namespace: delete.key.namespace.clone(),
        name: delete.key.name.clone(),
        cluster: delete.cluster.clone(),
    });
    let (possible, message) = match app::undo::find(&state, &held).await? {
        Ok(restores) => (true, app::undo::describe(&restores)),
        Err(by_hand) => (false, by_hand),
    };
    Ok(Json(HoldDetail {
        summary: summary(&state, &held),
        objects: objects.collect(),
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
