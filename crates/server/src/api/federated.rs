//! Federated objects. Writes take exactly the way of the hub's Kubernetes API: the same admission, the same conflicts.

pub mod events;
pub mod preview;
pub mod types;

mod view;

use atoll_federation::TypeDescriptor;
use atoll_federation::configuration::SCHEDULING_GROUP;
use atoll_kubeapi::Cause;
use atoll_kubeapi::selector::LabelSelector;
use atoll_store::ObjectKey;
use axum::extract::State;
use http::{Extensions, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

pub use view::{Federated, FederatedCluster, FederatedState};

use super::{Json, List, ObjectRef, Paging, Path, Query};
use crate::app::create_federated as app;
use crate::auth::{self, Caller};
use crate::authz::{Action, Resource, Verb};
use crate::error::{Error, Result};
use crate::hub;
use crate::state::AppState;

/// Which objects.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FederatedQuery {
    /// Which page, from 1.
    #[param(minimum = 1)]
    page: Option<u32>,
    /// Items of a page, at most 1000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `name` (the default), `namespace`, `state`, `createdAt` or `desiredReplicas`.
    sort_by: Option<String>,
    /// False for the other way round.
    ascending: Option<bool>,
    /// Part of the name.
    name: Option<String>,
    /// Labels, as in `kubectl get -l`.
    label_selector: Option<String>,
    /// One namespace.
    namespace: Option<String>,
    /// At one glance.
    #[param(inline)]
    state: Option<FederatedState>,
}

/// Plural of preference objects.
const PREFERENCES: &str = "replicaschedulingpreferences";
const SORT_KEYS: [&str; 5] = ["name", "namespace", "state", "createdAt", "desiredReplicas"];

/// An object with its summary.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FederatedDetail {
    /// In one line.
    summary: Federated,
    /// The object itself.
    #[schema(value_type = Object)]
    object: Value,
    /// The `ReplicaSchedulingPreference` that shares its replicas out, if there is one.
    #[schema(value_type = Option<Object>)]
    preference: Option<Value>,
}

/// An object that was made, with its summary.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FederatedCreated {
    /// In one line.
    summary: Federated,
    /// The object itself.
    #[schema(value_type = Object)]
    object: Value,
    /// Everything that was made.
    created: Vec<ObjectRef>,
}

/// A new object.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewFederated {
    /// The object, or its YAML as text.
    #[schema(value_type = Object)]
    #[serde(deserialize_with = "object_or_yaml")]
    object: Value,
    /// Whether its namespace is made where it is missing, and federated to the clusters the object is placed on.
    #[serde(default)]
    create_namespace: bool,
}

/// An object.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FederatedBody {
    /// The object, or its YAML as text.
    #[schema(value_type = Object)]
    #[serde(deserialize_with = "object_or_yaml")]
    object: Value,
}

/// People write YAML; reading it is the server's work.
fn object_or_yaml<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => serde_saphyr::from_str(&text).map_err(|error| {
            let told = error.to_string();
            let first = told.lines().next().unwrap_or_default();
            serde::de::Error::custom(format!("no YAML: {}", first.trim_start_matches("error: ")))
        }),
        object => Ok(object),
    }
}

/// The federated type that a path names.
fn kind_of(state: &AppState, resource: &str) -> Result<&'static TypeDescriptor> {
    let types = &state.configuration().types;
    let found = types.federated().find(|served| served.row.name() == resource);
    found.map(|served| served.row).ok_or_else(|| {
        Error::not_found(format!(
            "{resource:?} is no federated type of this hub; an example is deployments.apps"
        ))
    })
}

/// Refuses an object that is of another kind, or another object, than the path says.
fn refuse_other(kind: &TypeDescriptor, object: &Value, place: Option<(&str, &str)>) -> Result<()> {
    let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
    let (found, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
    let mut causes = Vec::new();
    if found != kind.federated.kind {
        let message = format!("is {found:?}, and must be {}", kind.federated.kind);
        causes.push(Cause::invalid("object.kind", message));
    }
    if let Some((namespace, wanted)) = place {
        let found = text(&object["metadata"]["namespace"]);
        let namespace = if kind.federated.namespaced { namespace } else { "" };
        if name != wanted {
            causes.push(Cause::invalid(
                "object.metadata.name",
                format!("is {name:?}, and the path says {wanted:?}"),
            ));
        }
        if found != namespace {
            let message = format!("is {found:?}, and the path says {namespace:?}");
            causes.push(Cause::invalid("object.metadata.namespace", message));
        }
    }
    if causes.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(&kind.federated.kind, &name, causes))
}

/// An object as the hub's API answered it, with its summary.
fn detail(kind: &TypeDescriptor, object: Value) -> Result<(Federated, Value)> {
    let stored = app::as_stored(kind, &object)?;
    Ok((Federated::new(kind, &stored), object))
}

/// An object as the hub's API answered it, with everything that is shown beside it.
async fn detailed(state: &AppState, kind: &TypeDescriptor, object: Value) -> Result<FederatedDetail> {
    let (summary, object) = detail(kind, object)?;
    let key = ObjectKey::new(SCHEDULING_GROUP, PREFERENCES, &summary.namespace, &summary.name);
    let stored = match kind.replicas_path {
        Some(_) => state.store.object(&key).await?,
        None => None,
    };
    let preference = stored
        .map(|stored| Value::clone(&stored.body))
        .filter(|body| body["spec"]["targetKind"] == *kind.federated.kind);
    Ok(FederatedDetail {
        summary,
        object,
        preference,
    })
}

/// Lists federated objects of a type.
#[utoipa::path(
    get, path = "/api/v1/federated/{resource}", tag = "federated",
    params(("resource" = String, Path, description = "What members hold, such as deployments.apps"), FederatedQuery),
    responses((status = 200, description = "The objects", body = List<Federated>)),
)]
pub async fn list_federated(
    State(state): State<AppState>,
    caller: Caller,
    Path(resource): Path<String>,
    Query(query): Query<FederatedQuery>,
) -> Result<Json<List<Federated>>> {
    caller.may(&Action::console(Resource::Federated, Verb::List))?;
    let kind = kind_of(&state, &resource)?;
    let paging = Paging::new(query.page, query.limit, query.sort_by, query.ascending, &SORT_KEYS)?;
    let selector = LabelSelector::parse(query.label_selector.as_deref().unwrap_or_default())?;
    let namespace = query.namespace.as_deref().filter(|namespace| !namespace.is_empty());
    let (group, plural) = (&kind.federated.group, &kind.federated.plural);
    let listing = state.store.objects(group, plural, namespace).await?;
    let part = query.name.unwrap_or_default();
    let chosen = listing
        .objects
        .iter()
        .filter(|object| object.key.name.contains(&part) && selector.matches(&object.body["metadata"]["labels"]));
    let summaries = chosen.map(|object| Federated::new(kind, object));
    let summaries: Vec<Federated> = summaries
        .filter(|object| query.state.is_none_or(|state| state == object.state))
        .collect();
    Ok(Json(paging.apply(summaries, |object| {
        let number = match paging.sort_by.as_str() {
            "state" => i128::from(object.state as u8),
            "createdAt" => object.created_at.as_nanosecond(),
            "desiredReplicas" => i128::from(object.desired_replicas.unwrap_or(-1)),
            _ => 0,
        };
        let text = match paging.sort_by.as_str() {
            "namespace" => (object.namespace.clone(), object.name.clone()),
            _ => (object.name.clone(), object.namespace.clone()),
        };
        (number, text)
    })))
}

/// Makes a federated object.
#[utoipa::path(
    post, path = "/api/v1/federated/{resource}", tag = "federated", request_body = NewFederated,
    params(("resource" = String, Path, description = "What members hold, such as deployments.apps")),
    responses((status = 201, description = "The object", body = FederatedCreated)),
)]
pub async fn create_federated(
    State(state): State<AppState>,
    caller: Caller,
    extensions: Extensions,
    Path(resource): Path<String>,
    Json(body): Json<NewFederated>,
) -> Result<(StatusCode, Json<FederatedCreated>)> {
    caller.may(&Action::console(Resource::Federated, Verb::Create))?;
    let kind = kind_of(&state, &resource)?;
    refuse_other(kind, &body.object, None)?;
    let context = caller.context(auth::request_id(&extensions));
    let made = app::create_federated(&state, &context, kind, &body.object, body.create_namespace).await?;
    let (summary, object) = detail(kind, made.object)?;
    let created = made
        .created
        .iter()
        .map(|(api_version, kind, name)| ObjectRef::new(api_version, kind, name))
        .collect();
    Ok((
        StatusCode::CREATED,
        Json(FederatedCreated {
            summary,
            object,
            created,
        }),
    ))
}

/// Reads a federated object.
#[utoipa::path(
    get, path = "/api/v1/federated/{resource}/{namespace}/{name}", tag = "federated",
    params(
        ("resource" = String, Path, description = "What members hold, such as deployments.apps"),
        ("namespace" = String, Path, description = "The object's namespace; - for what lives in none"),
        ("name" = String, Path, description = "The object's name"),
    ),
    responses((status = 200, description = "The object", body = FederatedDetail)),
)]
pub async fn get_federated(
    State(state): State<AppState>,
    caller: Caller,
    extensions: Extensions,
    Path((resource, namespace, name)): Path<(String, String, String)>,
) -> Result<Json<FederatedDetail>> {
    caller.may(&Action::named(Resource::Federated, Verb::Get, &name))?;
    let kind = kind_of(&state, &resource)?;
    let path = app::object_path(kind, &namespace, &name)?;
    let context = caller.context(auth::request_id(&extensions));
    let answer = hub::call(&state, context, Method::GET, &path, None).await?;
    detailed(&state, kind, answer.value).await.map(Json)
}

/// Replaces a federated object. With a `metadata.resourceVersion` it must not have changed since.
#[utoipa::path(
    put, path = "/api/v1/federated/{resource}/{namespace}/{name}", tag = "federated", request_body = FederatedBody,
    params(
        ("resource" = String, Path, description = "What members hold, such as deployments.apps"),
        ("namespace" = String, Path, description = "The object's namespace; - for what lives in none"),
        ("name" = String, Path, description = "The object's name"),
    ),
    responses((status = 200, description = "The object", body = FederatedDetail)),
)]
pub async fn replace_federated(
    State(state): State<AppState>,
    caller: Caller,
    extensions: Extensions,
    Path((resource, namespace, name)): Path<(String, String, String)>,
    Json(body): Json<FederatedBody>,
) -> Result<Json<FederatedDetail>> {
    caller.may(&Action::named(Resource::Federated, Verb::Update, &name))?;
    let kind = kind_of(&state, &resource)?;
    refuse_other(kind, &body.object, Some((&namespace, &name)))?;
    let path = format!("{}?{}", app::object_path(kind, &namespace, &name)?, app::STRICT);
    let context = caller.context(auth::request_id(&extensions));
    let answer = hub::call(&state, context, Method::PUT, &path, Some(&body.object)).await?;
    detailed(&state, kind, answer.value).await.map(Json)
}

/// Deletes a federated object, and with it what clusters hold of it.
#[utoipa::path(
    delete, path = "/api/v1/federated/{resource}/{namespace}/{name}", tag = "federated",
    params(
        ("resource" = String, Path, description = "What members hold, such as deployments.apps"),
        ("namespace" = String, Path, description = "The object's namespace; - for what lives in none"),
        ("name" = String, Path, description = "The object's name"),
    ),
    responses((status = 204, description = "It is gone, or on its way out")),
)]
pub async fn delete_federated(
    State(state): State<AppState>,
    caller: Caller,
    extensions: Extensions,
    Path((resource, namespace, name)): Path<(String, String, String)>,
) -> Result<StatusCode> {
    caller.may(&Action::named(Resource::Federated, Verb::Delete, &name))?;
    let kind = kind_of(&state, &resource)?;
    let path = app::object_path(kind, &namespace, &name)?;
    let context = caller.context(auth::request_id(&extensions));
    hub::call(&state, context, Method::DELETE, &path, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
