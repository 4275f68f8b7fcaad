//! Registered clusters.

mod order;
mod view;

use std::collections::BTreeMap;

use atoll_clusters::StageReport;
use atoll_kubeapi::selector::LabelSelector;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

pub use view::{ClusterView, RoleView, StateView, Stored, all_clusters, stored_cluster, stored_clusters};

use self::order::{SORT_KEYS, sort_key};
use super::connection_checks::StageLine;
use super::{Json, List, ObjectRef, Paging, Path, Query, ndjson};
use crate::app::register_cluster::{self, Registered};
use crate::app::remove_cluster::{self, Managed};
use crate::app::update_cluster::{self, ClusterChange};
use crate::auth::Caller;
use crate::authz::{ADMINS, Action, Resource, Verb};
use crate::error::{Error, Result};
use crate::state::AppState;

/// Which clusters.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ClustersQuery {
    /// Which page, from 1.
    #[param(minimum = 1)]
    page: Option<u32>,
    /// Items of a page, at most 1000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `name` (the default), `alias`, `role`, `state`, `since`, `kubernetesVersion`, `nodeCount`, `provider`,
    /// `region`, `latencyMs` or `createdAt`.
    sort_by: Option<String>,
    /// False for the other way round.
    ascending: Option<bool>,
    /// Part of the name or alias.
    name: Option<String>,
    /// Labels, as in `kubectl get -l`.
    label_selector: Option<String>,
    /// Host or member.
    #[param(inline)]
    role: Option<RoleView>,
    /// At one glance.
    #[param(inline)]
    state: Option<StateView>,
}

/// Lists clusters.
#[utoipa::path(
    get, path = "/api/v1/clusters", tag = "clusters", params(ClustersQuery),
    responses((status = 200, description = "The clusters", body = List<ClusterView>)),
)]
pub async fn list_clusters(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<ClustersQuery>,
) -> Result<Json<List<ClusterView>>> {
    caller.may(&Action::console(Resource::Clusters, Verb::List))?;
    let paging = Paging::new(query.page, query.limit, query.sort_by, query.ascending, &SORT_KEYS)?;
    let selector = LabelSelector::parse(query.label_selector.as_deref().unwrap_or_default())?;
    let part = query.name.unwrap_or_default().to_lowercase();
    let named = |cluster: &ClusterView| {
        let alias = cluster.alias.as_deref().unwrap_or_default().to_lowercase();
        cluster.name.contains(&part) || alias.contains(&part)
    };
    let mut clusters = all_clusters(&state).await?;
    clusters.retain(|cluster| {
        named(cluster)
            && selector.matches(&json!(cluster.labels))
            && query.role.is_none_or(|role| role == cluster.role)
            && query.state.is_none_or(|state| state == cluster.state)
    });
    Ok(Json(
        paging.apply(clusters, |cluster| sort_key(cluster, &paging.sort_by)),
    ))
}

/// Reads one cluster.
#[utoipa::path(
    get, path = "/api/v1/clusters/{name}", tag = "clusters",
    params(("name" = String, Path, description = "The cluster's name")),
    responses((status = 200, description = "The cluster", body = ClusterView)),
)]
pub async fn get_cluster(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<ClusterView>> {
    caller.may(&Action::named(Resource::Clusters, Verb::Get, &name))?;
    read(&state, &name).await.map(Json)
}

pub(super) async fn read(state: &AppState, name: &str) -> Result<ClusterView> {
    let stored = stored_cluster(&state.store, name)
        .await?
        .ok_or_else(|| Error::no_cluster(name))?;
    Ok(ClusterView::new(&stored, state.clusters.member(name).as_ref()))
}

/// A cluster that is to join.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewCluster {
    /// Its name: a DNS label.
    name: String,
    /// Host or member, which is the default.
    role: Option<RoleView>,
    /// A name for people.
    #[serde(default)]
    alias: String,
    /// Free text.
    #[serde(default)]
    description: String,
    /// Who runs it; found out when it is left out.
    #[serde(default)]
    provider: String,
    /// Where it is; found out when it is left out.
    #[serde(default)]
    region: String,
    /// What placement selects by.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// A kubeconfig, as text.
    #[serde(deserialize_with = "super::secret")]
    #[schema(value_type = String, format = Password)]
    kubeconfig: SecretString,
    /// Which context of it; the current one when it is left out.
    context: Option<String>,
    /// Whether the hub's administrators become cluster-admin there; true when it is left out.
    admit_admins: Option<bool>,
}

/// A cluster that has joined.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Joined {
    /// The cluster.
    #[serde(flatten)]
    cluster: ClusterView,
    /// What the hub wrote into it.
    created: Vec<ObjectRef>,
}

/// What the hub writes into a cluster to admit its administrators.
pub(super) fn admins_binding() -> ObjectRef {
    ObjectRef::new("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", ADMINS)
}

/// Registers a cluster. Who asks for `application/x-ndjson` gets each stage as it ends, the outcome last.
#[utoipa::path(
    post, path = "/api/v1/clusters", tag = "clusters", request_body = NewCluster,
    responses((status = 201, description = "The cluster, and what was written into it", body = Joined)),
)]
pub async fn register_cluster(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Json(body): Json<NewCluster>,
) -> Result<Response> {
    caller.may(&Action::console(Resource::Clusters, Verb::Create))?;
    let new = register_cluster::NewCluster {
        name: body.name,
        role: body.role.unwrap_or(RoleView::Member).into(),
        alias: body.alias.trim().to_owned(),
        description: body.description.trim().to_owned(),
        provider: body.provider.trim().to_owned(),
        region: body.region.trim().to_owned(),
        labels: body.labels,
        kubeconfig: body.kubeconfig,
        context: body.context,
        admit_admins: body.admit_admins.unwrap_or(true),
    };
    let user = caller.subject.user;
    if !ndjson::is_wanted(&headers) {
        let registered = register_cluster::register_cluster(&state, &user, new, &mut |_: StageReport| {}).await?;
        return Ok((StatusCode::CREATED, Json(joined(&state, &registered).await?)).into_response());
    }
    Ok(ndjson::answer(|lines| async move {
        let stages = lines.clone();
        let mut report = move |stage: StageReport| stages.offer(&StageLine::from(stage));
        let outcome = match register_cluster::register_cluster(&state, &user, new, &mut report).await {
            Ok(registered) => joined(&state, &registered).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(Joined { cluster, created }) => lines.write(&json!({"cluster": cluster, "created": created})).await,
            Err(error) => {
                lines
                    .write(&json!({"status": error.logged("a cluster was not registered")}))
                    .await
            }
        }
    }))
}

async fn joined(state: &AppState, registered: &Registered) -> Result<Joined> {
    Ok(Joined {
        cluster: read(state, &registered.name).await?,
        created: registered.admitted_admins.then(admins_binding).into_iter().collect(),
    })
}

/// A change of a cluster, as a JSON merge patch: what is left out stays, what is null goes.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterPatch {
    /// A name for people.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    alias: Option<Option<String>>,
    /// Free text.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// Who runs it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    provider: Option<Option<String>>,
    /// Where it is.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    region: Option<Option<String>>,
    /// Host or member.
    role: Option<RoleView>,
    /// Labels; null takes one away.
    #[serde(default)]
    labels: BTreeMap<String, Option<String>>,
}

/// Tells a field that is null from one that is left out.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Edits a cluster.
#[utoipa::path(
    patch, path = "/api/v1/clusters/{name}", tag = "clusters",
    params(("name" = String, Path, description = "The cluster's name")),
    request_body(content = ClusterPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The cluster", body = ClusterView)),
)]
pub async fn update_cluster(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Json(patch): Json<ClusterPatch>,
) -> Result<Json<ClusterView>> {
    caller.may(&Action::named(Resource::Clusters, Verb::Update, &name))?;
    let text = |field: Option<Option<String>>| field.map(|text| text.unwrap_or_default().trim().to_owned());
    let change = ClusterChange {
        alias: text(patch.alias),
        description: text(patch.description),
        provider: text(patch.provider),
        region: text(patch.region),
        role: patch.role.map(Into::into),
        labels: patch.labels,
    };
    update_cluster::update_cluster(&state, &caller.subject.user, &name, &change).await?;
    read(&state, &name).await.map(Json)
}

/// How a cluster is removed.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RemovalQuery {
    /// Whether what the hub wrote into the cluster stays (`orphan`, the default) or is deleted first (`delete`).
    #[param(inline)]
    managed: Option<ManagedView>,
}

/// What happens to objects that the hub wrote.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Managed)]
pub enum ManagedView {
    /// They stay.
    Orphan,
    /// They are deleted first.
    Delete,
}

/// A cluster that was removed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Removed {
    /// Its name.
    name: String,
    /// What was to be deleted in it and is still there.
    left: Vec<LeftView>,
}

/// An object that was to be deleted and is still there.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Left)]
pub struct LeftView {
    /// Its resource, such as `deployments.apps`.
    resource: String,
    /// Its namespace; empty for none.
    namespace: String,
    /// Its name.
    name: String,
    /// Why it is still there.
    message: String,
}

/// Removes a cluster from the hub.
#[utoipa::path(
    delete, path = "/api/v1/clusters/{name}", tag = "clusters",
    params(("name" = String, Path, description = "The cluster's name"), RemovalQuery),
    responses((status = 200, description = "It is removed", body = Removed)),
)]
pub async fn remove_cluster(
    State(state): State<AppState>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<RemovalQuery>,
) -> Result<Json<Removed>> {
    caller.may(&Action::named(Resource::Clusters, Verb::Delete, &name))?;
    let managed = match query.managed {
        None | Some(ManagedView::Orphan) => Managed::Orphan,
        Some(ManagedView::Delete) => Managed::Delete,
    };
    let left = remove_cluster::remove_cluster(&state, &caller.subject.user, &name, managed).await?;
    let left = left.into_iter().map(LeftView::from).collect();
    Ok(Json(Removed { name, left }))
}

impl From<atoll_controllers::Left> for LeftView {
    fn from(left: atoll_controllers::Left) -> Self {
        Self {
            resource: left.resource,
            namespace: left.namespace,
            name: left.name,
            message: left.message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_tells_null_from_left_out() {
        let patch: ClusterPatch =
            serde_json::from_value(json!({"alias": null, "labels": {"a": null, "b": "c"}})).unwrap();
        assert_eq!(patch.alias, Some(None));
        assert_eq!(patch.region, None);
        assert_eq!(patch.labels["a"], None);
        assert!(serde_json::from_value::<ClusterPatch>(json!({"name": "other"})).is_err());
    }
}
