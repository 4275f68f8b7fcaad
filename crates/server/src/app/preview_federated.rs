//! What would happen with a federated object if it were saved: admission first, then the plan. Nothing is saved.
//!
//! People who make an object in the console have its namespace made with it. Such an object is planned as it would be
//! then, rather than refused because the namespace is not federated yet.

use std::collections::BTreeMap;
use std::time::Duration;

use atoll_clusters::{Collection, Member, OwnRequest};
use atoll_federation::placement::{Placed, place};
use atoll_federation::plan::Input;
use atoll_federation::preview::{Preview, preview};
use atoll_federation::{
    Cluster, ClusterName, FederatedObject, Observed, Present, Reason, Scope, TypeDescriptor, Warning,
};
use atoll_kubeapi::{Cause, RequestContext};
use atoll_store::Store;
use futures::future::join_all;
use http::Method;
use serde_json::Value;

use super::cluster_objects::labels_of;
use super::create_federated::{STRICT, covering, federated_namespaces, find, judge, namespace_of, object_path};
use crate::error::{Error, Result};
use crate::hub;
use crate::state::AppState;

/// How long one member may take to say what it has; one that takes longer is not known.
const LOOK: Duration = Duration::from_secs(5);

/// Tells what would happen with an object. Warnings of admission come beside it.
///
/// # Errors
/// What admission refuses.
pub async fn preview_federated(
    state: &AppState,
    context: &RequestContext,
    kind: &'static TypeDescriptor,
    object: &Value,
) -> Result<(Preview, Vec<String>)> {
    let namespace = namespace_of(kind, object)?;
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let path = object_path(kind, namespace, name)?;
    let exists = find(state, context, &path).await?.is_some();
    let (admitted, warnings) = admit(state, context, kind, object, exists.then_some(path.as_str()), namespace).await?;
    if !exists && let Some(assumed) = assumed_namespace(state, context, kind, &admitted, namespace).await? {
        return Ok((as_if_made(state, kind, &admitted, &assumed).await?, warnings));
    }
    Ok((state.controllers.preview(kind, &admitted).await?, warnings))
}

/// The object as it would be stored; `path` is where it is stored already.
async fn admit(
    state: &AppState,
    context: &RequestContext,
    kind: &'static TypeDescriptor,
    object: &Value,
    path: Option<&str>,
    namespace: &str,
) -> Result<(Value, Vec<String>)> {
    let dry = format!("dryRun=All&{STRICT}");
    let answer = match path {
        Some(path) => {
            // What was changed meanwhile is no reason to refuse a question.
            let mut unversioned = object.clone();
            if let Some(metadata) = unversioned["metadata"].as_object_mut() {
                metadata.remove("resourceVersion");
            }
            hub::call(
                state,
                context.clone(),
                Method::PUT,
                &format!("{path}?{dry}"),
                Some(&unversioned),
            )
            .await
        }
        None => {
            let path = format!("{}?{dry}", hub::collection_path(kind, namespace));
            hub::call(state, context.clone(), Method::POST, &path, Some(object)).await
        }
    };
    match answer {
        Ok(answer) => Ok((answer.value, answer.warnings)),
        // The namespace is made with the object; until then only the object itself can be judged.
        Err(status) if status.is("NotFound") && path.is_none() => judge(kind, object),
        Err(status) => Err(status.into()),
    }
}

/// The FederatedNamespace that would be made or widened with the object; `None` when there is no need.
async fn assumed_namespace(
    state: &AppState,
    context: &RequestContext,
    kind: &TypeDescriptor,
    object: &Value,
    namespace: &str,
) -> Result<Option<FederatedObject>> {
    if !kind.target.namespaced || kind.is_namespace() {
        return Ok(None);
    }
    let row = federated_namespaces()?;
    let existing = find(state, context, &hub::object_path(row, namespace, namespace)).await?;
    let wanted = covering(row, namespace, existing.as_ref(), &object["spec"]["placement"]);
    Ok(wanted.and_then(|wanted| FederatedObject::parse(row, &wanted).ok()))
}

async fn as_if_made(
    state: &AppState,
    kind: &'static TypeDescriptor,
    object: &Value,
    namespace: &FederatedObject,
) -> Result<Preview> {
    let object = FederatedObject::parse(kind, object).map_err(|errors| {
        Error::invalid(
            &kind.federated.kind,
            "",
            errors
                .into_iter()
                .map(|error| Cause::invalid(error.field, error.message))
                .collect(),
        )
    })?;
    let clusters = clusters(state).await?;
    let placed = match place(kind, &object, Some(namespace), Scope::Cluster, &clusters, false) {
        Ok(Placed::Clusters(placed)) => placed,
        Ok(Placed::NamespaceNotFederated) | Err(_) => Default::default(),
    };
    let ready = placed
        .into_iter()
        .filter(|name| clusters.get(name).is_some_and(|cluster| cluster.ready));
    let looks = ready.filter_map(|name| {
        let member = state.clusters.member(name.as_str())?;
        let object = &object;
        Some(async move {
            let seen = look(&member, kind, object).await;
            (name, seen)
        })
    });
    let observed: BTreeMap<ClusterName, Observed> = join_all(looks).await.into_iter().collect();
    let hub_uid = state.hub.uid.to_string();
    let mut told = preview(&Input {
        now: state.now(),
        hub_uid: &hub_uid,
        scope: Scope::Cluster,
        adopt_resources: true,
        kind,
        object: &object,
        namespace: Some(namespace),
        clusters: &clusters,
        observed: &observed,
        records: &BTreeMap::new(),
        preference: None,
        pods: &BTreeMap::new(),
        managed: &BTreeMap::new(),
        contents: &BTreeMap::new(),
        held: None,
        confirmed: false,
    });
    told.warnings.push(Warning(format!(
        "namespace {} is not federated to all of these clusters yet: whoever creates the object here federates it too",
        object.namespace
    )));
    Ok(told)
}

/// The registered clusters, as planning sees them.
async fn clusters(state: &AppState) -> Result<BTreeMap<ClusterName, Cluster>> {
    let key = Store::cluster_key("");
    let listing = state
        .store
        .objects(&key.group, &key.resource, Some(&key.namespace))
        .await?;
    let cluster = |object: &atoll_store::Object| {
        let name = ClusterName::parse(&object.key.name).ok()?;
        let ready = state
            .clusters
            .member(name.as_str())
            .is_some_and(|member| member.is_ready());
        let cluster = Cluster {
            ready,
            keeps_share: ready,
            ..Cluster::ready(name.clone(), labels_of(&object.body))
        };
        Some((name, cluster))
    };
    Ok(listing.objects.iter().filter_map(cluster).collect())
}

/// What a member has under the object's name.
async fn look(member: &Member, kind: &TypeDescriptor, object: &FederatedObject) -> Observed {
    let collection = Collection {
        group: kind.target.group.to_string(),
        version: kind.target.version.to_string(),
        plural: kind.target.plural.to_string(),
        namespace: None,
    };
    let unknown = |message: String| Observed::Unknown {
        reason: Reason::RetrievalFailed,
        message,
    };
    let path = collection.object_path(Some(&object.namespace), &object.name);
    match tokio::time::timeout(LOOK, member.request(OwnRequest::get(path))).await {
        Ok(Ok(found)) => match Present::of(kind, &found) {
            Some(present) => Observed::Present(Box::new(present)),
            None => unknown("the cluster answered with something else than the object".to_owned()),
        },
        Ok(Err(error)) if error.is_not_found_object() => Observed::Absent,
        Ok(Err(error)) => unknown(error.to_string()),
        Err(_) => unknown(format!("no answer within {} s", LOOK.as_secs())),
    }
}
