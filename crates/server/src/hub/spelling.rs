//! Requests as people have them in their repositories, understood before the API reads them.
//!
//! * An exported object (`kubectl get -o yaml`) that is created or applied again brings fields that a server sets; they
//!   are dropped with a warning instead of being refused.
//! * What lives in the system namespace (clusters, types, the configuration) reaches the API in `default` when its file
//!   names no namespace, because kubectl says so; it is put, looked for and deleted where it lives.

use atoll_federation::types::SYSTEM_NAMESPACE;
use atoll_kubeapi::request::{ResourcePath, Target, content_type};
use atoll_kubeapi::{Status, body};
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderValue};
use http::{Method, Uri};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;

use super::BODY_LIMIT;
use super::catalog::{CORE_GROUP, plain, views};

/// Metadata that an exported object brings along and a new one cannot have.
const EXPORTED: [&str; 7] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "managedFields",
    "selfLink",
];
/// What lives in the system namespace alone.
const OF_THE_SYSTEM: [(&str, &str); 4] = [
    (CORE_GROUP, "kubefedclusters"),
    (CORE_GROUP, "kubefedconfigs"),
    (CORE_GROUP, "federatedtypeconfigs"),
    ("multiclusterdns.kubefed.io", "domains"),
];

/// What a path is about, whichever name of its group it has.
struct Subject {
    group: String,
    resource: String,
    /// Whether it lives in the system namespace, and `default` was said.
    is_misplaced: bool,
}

impl Subject {
    fn of(path: &ResourcePath) -> Self {
        let group = views::new_group(&path.group).unwrap_or(&path.group).to_owned();
        let is_of_the_system = OF_THE_SYSTEM.contains(&(group.as_str(), path.resource.as_str()));
        Self {
            is_misplaced: is_of_the_system && path.namespace == "default",
            resource: path.resource.clone(),
            group,
        }
    }

    /// Whether people have exported objects of this kind in their files.
    fn is_exported(&self, path: &ResourcePath) -> bool {
        self.group == "kubefed.io"
            || self.group.ends_with(".kubefed.io")
            || plain::is_served_as(&path.group, &path.resource)
    }

    fn is(&self, group: &str, resource: &str) -> bool {
        (self.group.as_str(), self.resource.as_str()) == (group, resource)
    }
}

/// Puts a request into the form that the API reads, and adds what was changed to the answer's warnings.
pub(super) async fn understand(request: Request, next: Next) -> Response {
    let Some(Target::Resource(path)) = Target::parse(request.uri().path()) else {
        return next.run(request).await;
    };
    match rewrite(request, &path).await {
        Ok((request, warnings)) => {
            let mut response = next.run(request).await;
            for warning in warnings {
                if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{warning}\"")) {
                    response.headers_mut().append(header::WARNING, value);
                }
            }
            response
        }
        Err(status) => status.into_response(),
    }
}

async fn rewrite(mut request: Request, path: &ResourcePath) -> Result<(Request, Vec<String>), Status> {
    let mut warnings = Vec::new();
    let subject = Subject::of(path);
    if subject.is_misplaced {
        *request.uri_mut() = moved_uri(request.uri());
    }
    let whole = path.subresource.is_empty();
    let is_created = *request.method() == Method::POST && path.name.is_empty();
    let is_written = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH) && whole;
    let is_patch = *request.method() == Method::PATCH;
    let may_be_exported = (is_created || is_patch) && subject.is_exported(path);
    if !is_written || !(subject.is_misplaced || may_be_exported) {
        return Ok((request, warnings));
    }
    if subject.is_misplaced {
        warnings.push(format!(
            "metadata.namespace: {} live in {SYSTEM_NAMESPACE}; write it so",
            subject.resource
        ));
    }
    let kind = content_type(request.headers()).to_owned();
    let (mut parts, incoming) = request.into_parts();
    let bytes = match Limited::new(incoming, BODY_LIMIT).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => return Err(Status::too_large(BODY_LIMIT)),
        Err(_) => return Err(Status::bad_request("the body of the request ended early")),
    };
    let read = match kind.as_str() {
        "application/yaml" | "application/apply-patch+yaml" => body::yaml(&bytes),
        "application/json" | "application/merge-patch+json" | "application/strategic-merge-patch+json" | "" => {
            body::json(&bytes)
        }
        _ => Err(Status::internal()),
    };
    // What cannot be read here is refused by the API, which says why.
    let rewritten = read.ok().map(|read| read.value).and_then(|mut object| {
        let mut changed = subject.is_misplaced && move_object(&mut object);
        let is_export = is_created || is_patch && is_of_export(&object);
        if may_be_exported
            && is_export
            && let Some(warning) = drop_exported(&mut object, subject.is(CORE_GROUP, "kubefedclusters"))
        {
            warnings.push(warning);
            changed = true;
        }
        changed.then(|| object.to_string())
    });
    let body = match rewritten {
        Some(text) => {
            parts.headers.remove(header::CONTENT_LENGTH);
            Body::from(text)
        }
        None => Body::from(bytes),
    };
    Ok((Request::from_parts(parts, body), warnings))
}

/// The same request in the system namespace, for what was looked for in `default`.
fn moved_uri(uri: &Uri) -> Uri {
    let moved = uri
        .to_string()
        .replacen("/namespaces/default/", &format!("/namespaces/{SYSTEM_NAMESPACE}/"), 1);
    moved.parse().unwrap_or_else(|_| uri.clone())
}

/// Whether a patch comes from a file with an exported object: nobody else states what can never be changed.
fn is_of_export(patch: &Value) -> bool {
    let metadata = &patch["metadata"];
    metadata["creationTimestamp"].is_string()
        && (metadata["uid"].is_string() || metadata["resourceVersion"].is_string())
        || metadata["uid"].is_string() && metadata["resourceVersion"].is_string()
}

/// Takes `default` out of an object; whether it stood there.
fn move_object(object: &mut Value) -> bool {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return false;
    };
    let stands = metadata
        .get("namespace")
        .is_some_and(|namespace| namespace == "default");
    if stands {
        metadata.remove("namespace");
    }
    stands
}

/// Drops what a server had set; the warning says what.
fn drop_exported(object: &mut Value, is_cluster: bool) -> Option<String> {
    let mut dropped = Vec::new();
    let has_status = object["status"].as_object().is_some_and(|status| !status.is_empty());
    if has_status && let Some(fields) = object.as_object_mut() {
        fields.remove("status");
        dropped.push("status".to_owned());
    }
    let metadata = object.get_mut("metadata").and_then(Value::as_object_mut)?;
    for field in EXPORTED {
        if metadata
            .remove(field)
            .is_some_and(|value| !value.is_null() && value != "")
        {
            dropped.push(format!("metadata.{field}"));
        }
    }
    // KubeFed's own finalizer of clusters; nobody here would ever take it off.
    if is_cluster && let Some(finalizers) = metadata.get_mut("finalizers").and_then(Value::as_array_mut) {
        let count = finalizers.len();
        finalizers.retain(|one| !one.as_str().is_some_and(is_kubefed_finalizer));
        if finalizers.len() < count {
            dropped.push("metadata.finalizers".to_owned());
        }
    }
    let list = dropped.join(", ");
    (!dropped.is_empty()).then(|| format!("{list}: set by the server, dropped from what looks like an exported object"))
}

fn is_kubefed_finalizer(finalizer: &str) -> bool {
    let domain = finalizer.split('/').next().unwrap_or_default();
    domain == "kubefed.io" || domain.ends_with(".kubefed.io")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_exported_object_becomes_a_new_one() {
        let mut object = json!({"metadata": {"name": "a", "uid": "1", "resourceVersion": "7", "creationTimestamp": null,
            "managedFields": [], "finalizers": ["core.kubefed.io/kubefedcluster", "example.com/mine"]}, "status": {"x": 1}});
        let warning = drop_exported(&mut object, true).unwrap();
        assert_eq!(
            object,
            json!({"metadata": {"name": "a", "finalizers": ["example.com/mine"]}})
        );
        assert!(
            warning.starts_with("status, metadata.uid, metadata.resourceVersion"),
            "{warning}"
        );
    }

    #[test]
    fn an_object_as_people_write_it_is_left_alone() {
        let mut object = json!({"metadata": {"name": "a", "creationTimestamp": null, "finalizers": ["kubefed.io/sync-controller"]}, "status": {}});
        assert_eq!(drop_exported(&mut object, false), None);
        assert_eq!(object["metadata"]["finalizers"], json!(["kubefed.io/sync-controller"]));
    }

    #[test]
    fn what_lives_in_the_system_namespace_is_found_there_under_each_name_of_its_group() {
        let moved = |text: &str| {
            let uri: Uri = text.parse().unwrap();
            let Some(Target::Resource(path)) = Target::parse(uri.path()) else {
                panic!("{text}")
            };
            Subject::of(&path).is_misplaced.then(|| moved_uri(&uri).to_string())
        };
        for (group, plural) in [
            ("core.kubefed.io", "kubefedclusters"),
            ("core.kubefed.k8s.io", "kubefedclusters"),
            ("core.kubefed.io", "federatedtypeconfigs"),
        ] {
            let path = format!("/apis/{group}/v1beta1/namespaces");
            assert_eq!(
                moved(&format!("{path}/default/{plural}/a?dryRun=All")).unwrap(),
                format!("{path}/kube-federation-system/{plural}/a?dryRun=All")
            );
            assert_eq!(moved(&format!("{path}/shop/{plural}")), None);
        }
        assert_eq!(
            moved("/apis/types.kubefed.io/v1beta1/namespaces/default/federatedconfigmaps"),
            None
        );
    }

    #[test]
    fn only_a_patch_that_states_what_never_changes_is_of_an_export() {
        assert!(is_of_export(
            &json!({"metadata": {"uid": "1", "creationTimestamp": "2020-01-01T00:00:00Z"}})
        ));
        assert!(is_of_export(&json!({"metadata": {"uid": "1", "resourceVersion": "7"}})));
        assert!(!is_of_export(
            &json!({"metadata": {"resourceVersion": "7"}, "spec": {}})
        ));
        assert!(!is_of_export(
            &json!([{"op": "test", "path": "/metadata/uid", "value": "1"}])
        ));
    }
}
