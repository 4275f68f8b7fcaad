//! The kinds that a member deletes with a namespace: those that live in namespaces and can be listed and deleted.

use std::time::Duration;

use atoll_clusters::{Collection, Member, OwnError, OwnRequest};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::{Listed, PARALLEL};
use crate::sync::observe::ask;

/// Versions of groups that are asked. A member that has more is not known.
const VERSIONS: usize = 400;
/// Kinds that are looked at, likewise.
const KINDS: usize = 1_000;

/// What Kubernetes keeps by itself for what others made: nobody misses it.
const BY_ITSELF: [(&str, &str); 5] = [
    ("", "endpoints"),
    ("", "events"),
    ("events.k8s.io", "events"),
    ("discovery.k8s.io", "endpointslices"),
    ("coordination.k8s.io", "leases"),
];

/// Asks for them. A version that cannot be read is an error: not knowing what there is is no permission to delete it.
pub(super) async fn deletable(member: &Member, deadline: Duration) -> Result<Vec<Listed>, OwnError> {
    let groups = ask(member, OwnRequest::get("/apis"), deadline).await?;
    let versions = versions(&groups)?;
    let lists: Vec<_> = versions
        .iter()
        .map(|version| async move {
            match ask(member, OwnRequest::get(path(version)), deadline).await {
                Ok(list) => resources(version, &list),
                // It went away meanwhile.
                Err(error) if error.is_api_missing() => Ok(Vec::new()),
                Err(error) => Err(error),
            }
        })
        .collect();
    // In the order of the versions, so that what is in several of them is asked for in the one that the member prefers.
    let lists: Vec<Vec<Listed>> = stream::iter(lists).buffered(PARALLEL).try_collect().await?;
    let mut kinds: Vec<Listed> = Vec::new();
    for kind in lists.into_iter().flatten() {
        if !kinds.iter().any(|other| other.is_same(&kind)) {
            kinds.push(kind);
        }
    }
    if kinds.len() > KINDS {
        return Err(too_many("kinds", kinds.len()));
    }
    Ok(kinds)
}

fn too_many(of_what: &str, count: usize) -> OwnError {
    OwnError::Broken(format!("it has {count} {of_what}, and they were not all read"))
}

fn path(version: &(String, String)) -> String {
    match version {
        (group, version) if group.is_empty() => format!("/api/{}", encoded(version)),
        (group, version) => format!("/apis/{}/{}", encoded(group), encoded(version)),
    }
}

/// Group and version of all that the member serves; the one that a group prefers comes first.
fn versions(groups: &Value) -> Result<Vec<(String, String)>, OwnError> {
    let groups = groups["groups"]
        .as_array()
        .ok_or_else(|| OwnError::NotKubernetes("a list of API groups without groups".to_owned()))?;
    let mut versions = vec![(String::new(), "v1".to_owned())];
    for group in groups {
        let name = group["name"].as_str().unwrap_or_default();
        let preferred = group["preferredVersion"]["version"].as_str();
        let others = group["versions"].as_array().into_iter().flatten();
        let others = others.filter_map(|version| version["version"].as_str());
        let others = others.filter(|version| Some(*version) != preferred);
        versions.extend(
            preferred
                .into_iter()
                .chain(others)
                .map(|version| (name.to_owned(), version.to_owned())),
        );
    }
    if versions.len() > VERSIONS {
        return Err(too_many("versions of API groups", versions.len()));
    }
    Ok(versions)
}

fn resources((group, version): &(String, String), list: &Value) -> Result<Vec<Listed>, OwnError> {
    let resources = list["resources"]
        .as_array()
        .ok_or_else(|| OwnError::NotKubernetes(format!("resources of {group}/{version} that are no list")))?;
    let can = |resource: &Value, verb: &str| {
        let mut verbs = resource["verbs"].as_array().into_iter().flatten();
        verbs.any(|one| one == verb)
    };
    let is_meant = |resource: &&Value| {
        let plural = resource["name"].as_str().unwrap_or_default();
        let is_object = resource["namespaced"] == true && !plural.is_empty() && !plural.contains('/');
        // What cannot be deleted, as the readings of a metrics server, goes with what it is about.
        let goes_with_its_namespace = can(resource, "list") && can(resource, "delete");
        is_object && goes_with_its_namespace && !BY_ITSELF.contains(&(group.as_str(), plural))
    };
    let listed = |resource: &Value| Listed {
        collection: Collection {
            group: group.clone(),
            version: version.clone(),
            plural: resource["name"].as_str().unwrap_or_default().to_owned(),
            namespace: None,
        },
        kind: resource["kind"].as_str().unwrap_or_default().to_owned(),
    };
    Ok(resources.iter().filter(is_meant).map(listed).collect())
}

/// A segment of a path or a value of a query.
pub(super) fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_version_that_a_group_prefers_is_asked_first() {
        let groups = json!({"groups": [{
            "name": "example.com",
            "preferredVersion": {"version": "v1"},
            "versions": [{"version": "v2alpha1"}, {"version": "v1"}],
        }]});
        let paths: Vec<String> = versions(&groups).unwrap().iter().map(path).collect();
        assert_eq!(paths, ["/api/v1", "/apis/example.com/v1", "/apis/example.com/v2alpha1"]);
        assert!(versions(&json!({"kind": "Status"})).is_err());
        let many: Vec<Value> = (0..=VERSIONS)
            .map(|index| json!({"name": format!("g{index}"), "versions": [{"version": "v1"}]}))
            .collect();
        assert!(versions(&json!({"groups": many})).is_err());
    }

    #[test]
    fn only_what_goes_with_a_namespace_and_would_be_missed_is_looked_at() {
        let all = json!(["create", "delete", "get", "list"]);
        let list = json!({"resources": [
            {"name": "widgets", "kind": "Widget", "namespaced": true, "verbs": all},
            {"name": "widgets/status", "kind": "Widget", "namespaced": true, "verbs": ["get"]},
            {"name": "readings", "kind": "Reading", "namespaced": true, "verbs": ["get", "list"]},
            {"name": "questions", "kind": "Question", "namespaced": true, "verbs": ["create"]},
            {"name": "machines", "kind": "Machine", "namespaced": false, "verbs": all},
            {"name": "events", "kind": "Event", "namespaced": true, "verbs": all},
        ]});
        let plurals = |group: &str| -> Vec<String> {
            let version = (group.to_owned(), "v1".to_owned());
            let listed = resources(&version, &list).unwrap().into_iter();
            listed.map(|kind| kind.collection.plural).collect()
        };
        assert_eq!(plurals("example.com"), ["widgets", "events"]);
        assert_eq!(plurals("events.k8s.io"), ["widgets"]);
        assert!(resources(&(String::new(), "v1".to_owned()), &json!({"kind": "Status"})).is_err());
    }

    #[test]
    fn a_token_of_a_list_is_fit_for_a_query() {
        assert_eq!(encoded("eyJ2Ijoi+/=&"), "eyJ2Ijoi%2B%2F%3D%26");
        assert_eq!(encoded("v1beta1"), "v1beta1");
    }
}
