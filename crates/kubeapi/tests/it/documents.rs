use serde_json::{Value, json};

use crate::fixture::{PREFIX, Server};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

#[tokio::test]
async fn aggregated_discovery_has_exactly_the_type_that_was_asked_for() {
    let server = Server::new();
    let accept = format!(
        "{AGGREGATED},application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
    );
    let answer = server.send("GET", "/apis", &[("accept", &accept)], "").await;
    assert_eq!(answer.headers["content-type"], AGGREGATED);
    assert_eq!(answer.headers["vary"], "Accept, User-Agent");
    let groups: Vec<&Value> = answer.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["metadata"]["name"])
        .collect();
    assert_eq!(
        groups,
        ["apps", "example.io", "authentication.k8s.io", "authorization.k8s.io"]
    );
    insta::assert_json_snapshot!(answer.body["items"][1]["versions"][0]["resources"][0], @r#"
    {
      "categories": [
        "all"
      ],
      "resource": "widgets",
      "responseKind": {
        "group": "example.io",
        "kind": "Widget",
        "version": "v1"
      },
      "scope": "Namespaced",
      "shortNames": [
        "wd"
      ],
      "singularResource": "widget",
      "subresources": [
        {
          "responseKind": {
            "group": "example.io",
            "kind": "Widget",
            "version": "v1"
          },
          "subresource": "status",
          "verbs": [
            "get",
            "patch",
            "update"
          ]
        }
      ],
      "verbs": [
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "update",
        "watch"
      ]
    }
    "#);
}

#[tokio::test]
async fn legacy_discovery_lists_groups_versions_and_resources() {
    let server = Server::new();
    assert_eq!(server.get("/api").await.ok()["versions"], json!(["v1"]));
    let groups = server.get("/apis").await.ok();
    assert_eq!(
        (
            &groups["kind"],
            &groups["groups"][0]["preferredVersion"]["groupVersion"]
        ),
        (&json!("APIGroupList"), &json!("apps/v1"))
    );
    assert_eq!(server.get("/apis/example.io").await.ok()["name"], "example.io");
    let list = server.get("/apis/example.io/v1").await.ok();
    let names: Vec<&Value> = list["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["widgets", "widgets/status"]);
    assert_eq!(
        server.get("/apis/authorization.k8s.io/v1").await.ok()["resources"][0]["verbs"],
        json!(["create"])
    );
    server.get("/apis/none.io/v1").await.failed(404, "NotFound");
    server.get("/healthz").await.failed(404, "NotFound");
}

#[tokio::test]
async fn openapi_is_found_from_its_root_by_hash() {
    let server = Server::new();
    let root = server.get("/openapi/v3").await.ok();
    let url = root["paths"]["apis/example.io/v1"]["serverRelativeURL"]
        .as_str()
        .unwrap();
    let path = url.strip_prefix(PREFIX).expect("links carry the prefix of the mount");
    let answer = server.get(path).await;
    assert!(answer.headers["cache-control"].to_str().unwrap().contains("immutable"));
    let document = answer.body;
    assert_eq!(document["openapi"], "3.0.0");
    let patch = &document["paths"]["/apis/example.io/v1/namespaces/{namespace}/widgets/{name}"]["patch"];
    assert_eq!(
        patch["x-kubernetes-group-version-kind"],
        json!({"group": "example.io", "version": "v1", "kind": "Widget"})
    );
    assert!(
        patch["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["name"] == "fieldValidation")
    );
    let media: Vec<&String> = patch["requestBody"]["content"].as_object().unwrap().keys().collect();
    assert_eq!(
        media,
        [
            "application/apply-patch+yaml",
            "application/json-patch+json",
            "application/merge-patch+json"
        ]
    );
    let schema = &document["components"]["schemas"]["io.example.v1.Widget"];
    assert_eq!(schema["x-kubernetes-group-version-kind"][0]["kind"], "Widget");
    assert_eq!(schema["description"], "A widget.");
    assert!(
        schema["properties"]["metadata"]["allOf"][0]["$ref"]
            .as_str()
            .unwrap()
            .ends_with("ObjectMeta")
    );
    let apps = server.get("/openapi/v3/apis/apps/v1").await.ok();
    let patch = &apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
    assert!(patch["requestBody"]["content"]["application/strategic-merge-patch+json"].is_object());
    let tag = server.get("/openapi/v3/api/v1").await.headers["etag"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        server
            .send("GET", "/openapi/v3/api/v1", &[("if-none-match", &tag)], "")
            .await
            .code,
        304
    );
}

#[tokio::test]
async fn version_is_what_the_options_say() {
    let version = Server::new().get("/version").await.ok();
    assert_eq!(
        (&version["gitVersion"], &version["major"], &version["minor"]),
        (&json!("v1.36.3"), &json!("1"), &json!("36"))
    );
}

#[tokio::test]
async fn a_changed_catalog_is_served_at_once() {
    let server = Server::new();
    server.get("/apis/more.io/v1/things").await.failed(404, "NotFound");
    let more = atoll_kubeapi::Resource {
        namespaced: false,
        ..atoll_kubeapi::Resource::new("more.io", "v1", "Thing", "things")
    };
    server.backend.set_catalog(atoll_kubeapi::Catalog::new([more]));
    assert_eq!(server.get("/apis/more.io/v1/things").await.ok()["kind"], "ThingList");
    server.get("/apis/example.io/v1").await.failed(404, "NotFound");
}

#[tokio::test]
async fn a_request_without_a_context_is_refused() {
    use tower::ServiceExt;
    let backend = std::sync::Arc::new(atoll_kubeapi::MemoryBackend::new(crate::fixture::catalog()));
    let router = atoll_kubeapi::router(backend, atoll_kubeapi::Options::default());
    let request = http::Request::get("/api/v1/namespaces")
        .body(axum::body::Body::empty())
        .unwrap();
    assert_eq!(router.oneshot(request).await.unwrap().status(), 401);
}
