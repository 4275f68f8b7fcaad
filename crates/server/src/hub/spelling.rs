//! Requests as people have them in their repositories, understood before the API reads them.
//!
//! * An exported object (`kubectl get -o yaml`) that is created again brings fields that a server sets; they are dropped
//!   with a warning instead of being refused.
//! * A `KubeFedCluster` without a namespace reaches the API in `default`, because kubectl says so; clusters live in the
//!   system namespace, so that is where it is put, looked for and deleted.

use atoll_federation::types::{FEDERATED_GROUP, SYSTEM_NAMESPACE};
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
use super::catalog::CORE_GROUP;

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
/// Collection of clusters as kubectl names it when nobody names a namespace.
const IN_DEFAULT: &str = "/apis/core.kubefed.io/v1beta1/namespaces/default/kubefedclusters";

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
    let moved = moved_uri(request.uri());
    let created = *request.method() == Method::POST
        && path.name.is_empty()
        && matches!(path.group.as_str(), FEDERATED_GROUP | CORE_GROUP);
    let written = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    let is_read = created || written && moved.is_some();
    if !is_read {
        if let Some(uri) = moved {
            *request.uri_mut() = uri;
        }
        return Ok((request, warnings));
    }
    let is_moved = moved.is_some();
    if let Some(uri) = moved {
        *request.uri_mut() = uri;
        warnings.push(format!(
            "metadata.namespace: clusters live in {SYSTEM_NAMESPACE}; write it so"
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
        "application/json" | "application/merge-patch+json" | "" => body::json(&bytes),
        _ => Err(Status::internal()),
    };
    // What cannot be read here is refused by the API, which says why.
    let rewritten = read.ok().map(|read| read.value).and_then(|mut object| {
        let mut changed = is_moved && move_object(&mut object);
        if created && let Some(warning) = drop_exported(&mut object, path.group == CORE_GROUP) {
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

/// The same request in the system namespace, for clusters in `default`.
fn moved_uri(uri: &Uri) -> Option<Uri> {
    let rest = uri.path().strip_prefix(IN_DEFAULT)?;
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    let path = format!("/apis/core.kubefed.io/v1beta1/namespaces/{SYSTEM_NAMESPACE}/kubefedclusters{rest}");
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    text.parse().ok()
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
    fn clusters_in_default_are_those_of_the_system_namespace() {
        let moved = |text: &str| moved_uri(&text.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(
            moved(&format!("{IN_DEFAULT}/eu-1?dryRun=All")).unwrap(),
            "/apis/core.kubefed.io/v1beta1/namespaces/kube-federation-system/kubefedclusters/eu-1?dryRun=All"
        );
        assert!(moved(IN_DEFAULT).is_some());
        assert_eq!(moved(&format!("{IN_DEFAULT}x")), None);
        assert_eq!(
            moved("/apis/core.kubefed.io/v1beta1/namespaces/shop/kubefedclusters"),
            None
        );
    }
}
