//! Discovery: which groups, versions and resources there are, in the aggregated form and the one before it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::resource::{Catalog, Resource, Subresource};

/// Content type of aggregated discovery.
pub const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Whether an `Accept` header asks for aggregated discovery.
pub fn wants_aggregated(accept: &str) -> bool {
    accept.split(',').any(|part| {
        part.contains("g=apidiscovery.k8s.io")
            && part.contains("as=APIGroupDiscoveryList")
            && part.contains("v=v2")
            && !part.contains("v=v2beta1")
    })
}

/// Whether the client is KubeFed's own. It looks for a name in all groups, and refuses a kind that is served under a former
/// name as well: it is not told of those.
pub fn is_kubefedctl(user_agent: &str) -> bool {
    user_agent.starts_with("kubefedctl/")
}

/// A resource that is answered, never kept: clients ask what they may do by creating one.
pub struct Review {
    /// API group.
    pub group: &'static str,
    /// API version.
    pub version: &'static str,
    /// Plural.
    pub plural: &'static str,
    /// Kind.
    pub kind: &'static str,
}

/// All reviews. A catalog that has their group itself hides them.
pub const REVIEWS: [Review; 3] = [
    Review {
        group: "authentication.k8s.io",
        version: "v1",
        plural: "selfsubjectreviews",
        kind: "SelfSubjectReview",
    },
    Review {
        group: "authorization.k8s.io",
        version: "v1",
        plural: "selfsubjectaccessreviews",
        kind: "SelfSubjectAccessReview",
    },
    Review {
        group: "authorization.k8s.io",
        version: "v1",
        plural: "selfsubjectrulesreviews",
        kind: "SelfSubjectRulesReview",
    },
];

fn reviews<'a>(group: &'a str, version: &'a str) -> impl Iterator<Item = &'static Review> + 'a {
    REVIEWS
        .iter()
        .filter(move |one| one.group == group && one.version == version)
}

/// Groups with their versions, core (`""`) included, in the order of the catalog.
fn groups(catalog: &Catalog) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for resource in catalog.iter() {
        let index = groups
            .iter()
            .position(|(group, _)| *group == resource.group)
            .unwrap_or_else(|| {
                groups.push((resource.group.clone(), Vec::new()));
                groups.len() - 1
            });
        if !groups[index].1.contains(&resource.version) {
            groups[index].1.push(resource.version.clone());
        }
    }
    for review in &REVIEWS {
        if !groups.iter().any(|(group, _)| group == review.group) {
            groups.push((review.group.to_owned(), vec![review.version.to_owned()]));
        }
    }
    groups
}

/// `/api` or `/apis`, aggregated.
pub fn aggregated(catalog: &Catalog, core: bool) -> Value {
    let items: Vec<Value> = groups(catalog)
        .into_iter()
        .filter(|(group, _)| group.is_empty() == core)
        .map(|(group, versions)| {
            let versions: Vec<Value> = versions
                .into_iter()
                .map(|version| {
                    let mut resources: Vec<Value> =
                        of_version(catalog, &group, &version).map(aggregated_resource).collect();
                    if resources.is_empty() {
                        resources.extend(reviews(&group, &version).map(aggregated_review));
                    }
                    json!({"version": version, "freshness": "Current", "resources": resources})
                })
                .collect();
            let metadata = if group.is_empty() {
                json!({})
            } else {
                json!({"name": group})
            };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

fn of_version<'a>(catalog: &'a Catalog, group: &'a str, version: &'a str) -> impl Iterator<Item = &'a Resource> {
    catalog
        .iter()
        .map(AsRef::as_ref)
        .filter(move |one| one.group == group && one.version == version)
}

fn aggregated_resource(resource: &Resource) -> Value {
    let kind = json!({"group": resource.group, "version": resource.version, "kind": resource.kind});
    let mut value = json!({
        "resource": resource.plural,
        "responseKind": kind,
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular,
        "verbs": resource.verbs,
    });
    if !resource.short_names.is_empty() {
        value["shortNames"] = json!(resource.short_names);
    }
    if !resource.categories.is_empty() {
        value["categories"] = json!(resource.categories);
    }
    let subresources: Vec<Value> = subresources(resource)
        .into_iter()
        .map(|one| {
            let kind = json!({"group": one.group, "version": one.version, "kind": one.kind});
            json!({"subresource": one.name, "responseKind": kind, "verbs": one.verbs})
        })
        .collect();
    if !subresources.is_empty() {
        value["subresources"] = subresources.into();
    }
    value
}

fn aggregated_review(review: &Review) -> Value {
    json!({
        "resource": review.plural,
        "responseKind": {"group": review.group, "version": review.version, "kind": review.kind},
        "scope": "Cluster",
        "singularResource": review.kind.to_ascii_lowercase(),
        "verbs": ["create"],
    })
}

/// Subresources of a resource: those served here, and those of the backend.
fn subresources(resource: &Resource) -> Vec<Subresource> {
    let own = |name: &str, verbs: &[&str]| Subresource {
        name: name.to_owned(),
        group: resource.group.clone(),
        version: resource.version.clone(),
        kind: resource.kind.clone(),
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
    };
    let status = resource.status.then(|| own("status", &["get", "patch", "update"]));
    let finalize = resource.is_namespace().then(|| own("finalize", &["update"]));
    finalize
        .into_iter()
        .chain(status)
        .chain(resource.subresources.iter().cloned())
        .collect()
}

/// `/api` as it was before aggregation.
pub fn versions(catalog: &Catalog) -> Value {
    let versions: Vec<String> = groups(catalog)
        .into_iter()
        .find(|(group, _)| group.is_empty())
        .map(|(_, versions)| versions)
        .unwrap_or_default();
    json!({"kind": "APIVersions", "versions": versions, "serverAddressByClientCIDRs": []})
}

fn legacy_group(group: &str, versions: &[String]) -> Value {
    let versions: Vec<Value> = versions
        .iter()
        .map(|version| json!({"groupVersion": format!("{group}/{version}"), "version": version}))
        .collect();
    json!({"name": group, "versions": versions, "preferredVersion": versions[0]})
}

/// `/apis` as it was before aggregation.
pub fn group_list(catalog: &Catalog) -> Value {
    let groups: Vec<Value> = groups(catalog)
        .iter()
        .filter(|(group, _)| !group.is_empty())
        .map(|(group, versions)| legacy_group(group, versions))
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/{group}`.
pub fn group(catalog: &Catalog, name: &str) -> Option<Value> {
    let (group, versions) = groups(catalog).into_iter().find(|(group, _)| group == name)?;
    let mut value = legacy_group(&group, &versions);
    value["kind"] = json!("APIGroup");
    value["apiVersion"] = json!("v1");
    Some(value)
}

/// `/api/v1` or `/apis/{group}/{version}`.
pub fn resource_list(catalog: &Catalog, group: &str, version: &str) -> Option<Value> {
    let mut resources = Vec::new();
    for resource in of_version(catalog, group, version) {
        let mut value = json!({"name": resource.plural, "singularName": resource.singular, "namespaced": resource.namespaced,
            "kind": resource.kind, "verbs": resource.verbs});
        if !resource.short_names.is_empty() {
            value["shortNames"] = json!(resource.short_names);
        }
        if !resource.categories.is_empty() {
            value["categories"] = json!(resource.categories);
        }
        resources.push(value);
        resources.extend(subresources(resource).into_iter().map(|one| {
            let mut value = json!({"name": format!("{}/{}", resource.plural, one.name), "singularName": "",
                "namespaced": resource.namespaced, "kind": one.kind, "verbs": one.verbs});
            if (one.group.as_str(), one.version.as_str()) != (group, version) {
                value["group"] = json!(one.group);
                value["version"] = json!(one.version);
            }
            value
        }));
    }
    if resources.is_empty() {
        resources.extend(reviews(group, version).map(|one| {
            json!({"name": one.plural, "singularName": one.kind.to_ascii_lowercase(), "namespaced": false, "kind": one.kind, "verbs": ["create"]})
        }));
    }
    if resources.is_empty() {
        return None;
    }
    let group_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    Some(json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": resources}))
}

/// Group versions, each with its path below `/openapi/v3`.
pub fn group_version_paths(catalog: &Catalog) -> BTreeMap<String, (String, String)> {
    groups(catalog)
        .into_iter()
        .flat_map(|(group, versions)| versions.into_iter().map(move |version| (group.clone(), version)))
        .map(|(group, version)| {
            let path = if group.is_empty() {
                format!("api/{version}")
            } else {
                format!("apis/{group}/{version}")
            };
            (path, (group, version))
        })
        .collect()
}
