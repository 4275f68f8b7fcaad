//! The structure of a kind that is not Kubernetes' own, as a member tells it: asked for when its `FederatedTypeConfig`
//! is made or aims at another target, and kept beside it, so that the hub knows the kind even when no member is there.
//!
//! Members are asked once in a request: admission asks, and what it was told goes along in the request's context until
//! the commit keeps it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use atoll_clusters::{Member, OwnRequest};
use atoll_controllers::configuration::structure_key;
use atoll_federation::configuration::{Structure, keep_list_types, read_structure, without_list_types};
use atoll_federation::{ApiType, TypeDescriptor};
use atoll_kubeapi::{RequestContext, names, structures};
use atoll_store::{Object, Result, Write};
use futures::StreamExt;
use futures::stream;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::catalog::SHORT_NAMES;
use super::seed::made;
use crate::state::AppState;

/// How long all members together may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// Members that are asked at a time: an answer may have megabytes.
const AT_ONCE: usize = 4;
/// Members that are asked at most.
const MOST: usize = 64;

/// What members say.
#[derive(Debug, Clone)]
pub(super) enum Told {
    /// One serves the kind.
    Known(Structure),
    /// None of those that answered does.
    NotServed,
    /// Nobody could be asked.
    Nobody,
}

/// Whether the hub knows the structure of a kind by itself.
pub(super) fn is_known(target: &ApiType) -> bool {
    // A definition of resources is what its author makes of it; no structure helps with that.
    let is_definition = target.group == "apiextensions.k8s.io";
    is_definition || structures::name_of(&target.group, &target.version, &target.kind).is_some()
}

/// What members said of a target in the course of one request.
#[derive(Debug, Clone, Default)]
struct Heard(Arc<Mutex<Option<(ApiType, Told)>>>);

/// The context of a request in which members are asked once.
pub(super) fn remember(mut context: RequestContext) -> RequestContext {
    context.extensions.insert(Heard::default());
    context
}

/// What was told of this target in the course of the request.
pub(super) fn heard(context: &RequestContext, target: &ApiType) -> Option<Told> {
    let Heard(heard) = context.extensions.get()?;
    let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    let (_, told) = heard.as_ref().filter(|(about, _)| about == target)?;
    Some(told.clone())
}

/// Asks members, unless they were asked in the course of the request.
pub(super) async fn ask_once(state: &AppState, context: &RequestContext, target: &ApiType) -> Told {
    if let Some(told) = heard(context, target) {
        return told;
    }
    let told = ask(state, target).await;
    if let Some(Heard(heard)) = context.extensions.get() {
        *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some((target.clone(), told.clone()));
    }
    told
}

/// Whether the structure that is kept of a type is that of the version it aims at.
pub(super) fn is_current(kept: Option<&Object>, row: &TypeDescriptor) -> bool {
    kept.is_some_and(|kept| kept.body["version"] == *row.target.version)
}

/// The write that keeps the structure of a type.
pub(super) async fn keep(state: &AppState, row: &TypeDescriptor, structure: Structure) -> Result<Write> {
    let key = structure_key(&row.name());
    let kept = state.store.object(&key).await?;
    let federated = &row.federated;
    let (group, plural) = (&federated.group, &federated.plural);
    let stored = state.store.objects_after(group, plural, None, None, 1).await?;
    // Objects that are stored were merged by what was known then: by nothing, each list was one value.
    let schema = match &kept {
        _ if stored.is_empty() => structure.schema,
        Some(kept) => keep_list_types(&kept.body["structure"], structure.schema),
        None => without_list_types(structure.schema),
    };
    let told = json!({
        "version": row.target.version,
        "structure": schema,
        "replicasPath": structure.replicas_path,
    });
    Ok(match kept {
        None => Write::Create {
            key,
            body: made(told, state.now()).into(),
        },
        Some(kept) => {
            let mut body = told;
            body["metadata"] = kept.body["metadata"].clone();
            Write::Update {
                key,
                body: body.into(),
                expected: kept.revision,
            }
        }
    })
}

/// Asks members that are ready, until one tells.
pub(super) async fn ask(state: &AppState, target: &ApiType) -> Told {
    let members: Vec<Arc<Member>> = state
        .clusters
        .members()
        .values()
        .filter(|member| member.is_ready())
        .take(MOST)
        .cloned()
        .collect();
    let mut answers = stream::iter(members)
        .map(|member| ask_one(member, target))
        .buffer_unordered(AT_ONCE);
    let mut told = Told::Nobody;
    let asking = async {
        while let Some(answer) = answers.next().await {
            match answer {
                Told::Known(_) => {
                    told = answer;
                    return;
                }
                Told::NotServed => told = answer,
                Told::Nobody => {}
            }
        }
    };
    // What was told until then counts.
    let _ = timeout(DEADLINE, asking).await;
    told
}

async fn ask_one(member: Arc<Member>, target: &ApiType) -> Told {
    let path = if target.group.is_empty() {
        format!("/openapi/v3/api/{}", target.version)
    } else {
        format!("/openapi/v3/apis/{}/{}", target.group, target.version)
    };
    match member.request(OwnRequest::get(path)).await {
        Ok(document) => match read_structure(&document, &target.group, &target.version, &target.kind) {
            Some(mut structure) => {
                let short_names = short_names(&member, target).await;
                if !short_names.is_empty() {
                    structure.schema[SHORT_NAMES] = json!(short_names);
                }
                Told::Known(structure)
            }
            None => Told::NotServed,
        },
        Err(error) if error.refusal().is_some_and(|refusal| refusal.code == 404) => Told::NotServed,
        Err(error) => {
            tracing::debug!(cluster.name = member.name(), %error, "the cluster did not tell the structure of a kind");
            Told::Nobody
        }
    }
}

/// How people call the kind in short, there.
async fn short_names(member: &Member, target: &ApiType) -> Vec<String> {
    let path = if target.group.is_empty() {
        format!("/api/{}", target.version)
    } else {
        format!("/apis/{}/{}", target.group, target.version)
    };
    let Ok(list) = member.request(OwnRequest::get(path)).await else {
        // The kind is served as well without.
        return Vec::new();
    };
    let mut resources = list["resources"].as_array().into_iter().flatten();
    let meant = resources.find(|one| one["name"] == *target.plural);
    let short = meant.and_then(|one| one["shortNames"].as_array()).into_iter().flatten();
    let short = short.filter_map(Value::as_str).filter(|name| names::is_dns_label(name));
    short.take(4).map(str::to_owned).collect()
}
