//! The structure of a kind that is not Kubernetes' own, as a member tells it: asked for when its `FederatedTypeConfig`
//! is written, and kept beside it, so that the hub knows the kind even when no member is there.

use std::sync::Arc;
use std::time::Duration;

use atoll_clusters::{Member, OwnRequest};
use atoll_federation::ApiType;
use atoll_federation::configuration::{Structure, read_structure};
use atoll_kubeapi::{names, structures};
use futures::StreamExt;
use futures::stream;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::catalog::SHORT_NAMES;
use crate::state::AppState;

/// How long all members together may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// Members that are asked at a time: an answer may have megabytes.
const AT_ONCE: usize = 4;
/// Members that are asked at most.
const MOST: usize = 64;

/// What members say.
#[derive(Debug)]
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
