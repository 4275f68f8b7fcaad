//! The hub's objects through its API: made, read, changed, applied, deleted; refused with the field.

use http::Method;
use serde_json::{Value, json};

use super::hub_fixture::{APPLY, CONFIG_MAPS, Change, DEPLOYMENTS, Hub, JSON, MERGE, deployment};

#[tokio::test]
async fn an_object_is_made_read_changed_and_deleted() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let made = hub.post(DEPLOYMENTS, &deployment("web")).await;
    assert_eq!(made.code, 201);
    let made = made.ok();
    assert_eq!(
        (&made["metadata"]["generation"], &made["metadata"]["uid"].is_string()),
        (&json!(1), &true)
    );

    let path = format!("{DEPLOYMENTS}/web");
    assert_eq!(hub.get(&path).await.ok(), made);
    let listed = hub.get(DEPLOYMENTS).await.ok();
    assert_eq!(
        (listed["kind"].as_str(), listed["items"].as_array().unwrap().len()),
        (Some("FederatedDeploymentList"), 1)
    );

    let mut changed = made.clone();
    changed["spec"]["template"]["spec"]["replicas"] = json!(3);
    let changed = hub.put(&path, &changed).await.ok();
    assert_eq!(changed["metadata"]["generation"], 2);
    assert_ne!(
        changed["metadata"]["resourceVersion"],
        made["metadata"]["resourceVersion"]
    );
    // The version that was read first is no longer the one to change.
    hub.put(&path, &made).await.failed(409, "Conflict");

    hub.post(DEPLOYMENTS, &deployment("web"))
        .await
        .failed(409, "AlreadyExists");
    assert_eq!(hub.delete(&path).await.ok()["kind"], "Status");
    hub.get(&path).await.failed(404, "NotFound");
}

#[tokio::test]
async fn patches_of_every_kind_change_what_they_say() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    hub.post(DEPLOYMENTS, &deployment("web")).await.ok();
    let path = format!("{DEPLOYMENTS}/web");

    let merged = hub
        .patch(&path, MERGE, &json!({"metadata": {"labels": {"team": "a"}}}))
        .await
        .ok();
    assert_eq!(
        (&merged["metadata"]["labels"]["team"], &merged["metadata"]["generation"]),
        (&json!("a"), &json!(1))
    );

    let operations = json!([{"op": "replace", "path": "/spec/template/spec/replicas", "value": 5}]);
    let patched = hub.patch(&path, "application/json-patch+json", &operations).await.ok();
    assert_eq!(patched["spec"]["template"]["spec"]["replicas"], 5);

    // Clients have no structs of federated kinds, so a strategic merge patch could not mean what it says.
    let strategic = hub
        .patch(&path, "application/strategic-merge-patch+json", &json!({}))
        .await;
    strategic.failed(415, "UnsupportedMediaType");
    // Of namespaces and the like they have.
    let namespace = json!({"metadata": {"annotations": {"a": "b"}}});
    let patched = hub
        .patch(
            "/api/v1/namespaces/shop",
            "application/strategic-merge-patch+json",
            &namespace,
        )
        .await
        .ok();
    assert_eq!(patched["metadata"]["annotations"]["a"], "b");
}

#[tokio::test]
async fn applying_the_same_again_changes_nothing_and_another_owner_conflicts() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let apply = |manager: &str, force: bool| {
        format!("{DEPLOYMENTS}/web?fieldManager={manager}&force={force}&fieldValidation=Strict")
    };
    let first = hub.patch(&apply("kubectl", false), APPLY, &deployment("web")).await;
    assert_eq!(first.code, 201);
    let first = first.ok();
    let again = hub
        .patch(&apply("kubectl", false), APPLY, &deployment("web"))
        .await
        .ok();
    assert_eq!(
        again["metadata"]["resourceVersion"],
        first["metadata"]["resourceVersion"]
    );

    let mut other = deployment("web");
    other["spec"]["template"]["spec"]["template"]["spec"]["containers"] = json!([{"name": "web", "image": "nginx:2"}]);
    let conflict = hub
        .patch(&apply("argo", false), APPLY, &other)
        .await
        .failed(409, "Conflict");
    let cause = &conflict["details"]["causes"][0];
    assert_eq!(cause["reason"], "FieldManagerConflict");
    // Keyed lists: one container's image conflicts, not the whole template.
    let field = cause["field"].as_str().unwrap();
    assert!(field.contains("containers") && field.ends_with(".image"), "{field}");
    let forced = hub.patch(&apply("argo", true), APPLY, &other).await.ok();
    let container = &forced["spec"]["template"]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(
        (&container["image"], &container["ports"][0]["containerPort"]),
        (&json!("nginx:2"), &json!(80))
    );
}

#[tokio::test]
async fn a_dry_run_answers_and_writes_nothing() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    hub.post(DEPLOYMENTS, &deployment("web")).await.ok();
    let before = hub.state.store.revision().await.unwrap();

    let made = hub
        .post(&format!("{DEPLOYMENTS}?dryRun=All"), &deployment("other"))
        .await;
    assert_eq!(
        (made.code.as_u16(), made.ok()["metadata"]["name"].as_str()),
        (201, Some("other"))
    );
    let change = json!({"spec": {"template": {"spec": {"replicas": 9}}}});
    let changed = hub
        .patch(&format!("{DEPLOYMENTS}/web?dryRun=All"), MERGE, &change)
        .await
        .ok();
    assert_eq!(changed["spec"]["template"]["spec"]["replicas"], 9);
    let apply = format!("{DEPLOYMENTS}/new?dryRun=All&fieldManager=k");
    assert_eq!(hub.patch(&apply, APPLY, &deployment("new")).await.code, 201);
    let options = json!({"dryRun": ["All"]});
    hub.ask(Method::DELETE, &format!("{DEPLOYMENTS}/web"), JSON, Some(&options))
        .await
        .ok();
    hub.delete("/api/v1/namespaces/shop?dryRun=All").await.ok();
    let cluster = json!({"apiVersion": "core.kubefed.io/v1beta1", "kind": "KubeFedCluster", "metadata": {"name": "eu-1"},
        "spec": {"apiEndpoint": "https://api.example", "secretRef": {"name": "eu-1"}}});
    hub.post(&format!("{}?dryRun=All", super::hub_fixture::CLUSTERS), &cluster)
        .await
        .ok();

    assert_eq!(hub.state.store.revision().await.unwrap(), before);
    assert!(hub.state.store.cluster("eu-1").await.unwrap().is_none());
    assert_eq!(
        hub.get(&format!("{DEPLOYMENTS}/web")).await.ok()["spec"]["template"]["spec"]["replicas"],
        2
    );
}

#[tokio::test]
async fn a_refusal_names_each_field() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let with = |change: fn(&mut Value)| {
        let mut object = deployment("web");
        change(&mut object);
        object
    };
    let cases: [(Change, &str); 5] = [
        (
            |object| object["spec"]["template"]["spec"]["selector"] = Value::Null,
            "spec.template.spec.selector",
        ),
        (
            |object| {
                object["spec"]["overrides"] =
                    json!([{"clusterName": "eu-1", "clusterOverrides": [{"op": "remove", "path": "/spec/missing/x"}]}])
            },
            "spec.overrides[0].clusterOverrides[0]",
        ),
        (
            |object| {
                object["spec"]["overrides"] =
                    json!([{"clusterName": "eu-1", "clusterOverrides": [{"path": "/metadata/name", "value": "x"}]}])
            },
            "spec.overrides[0].clusterOverrides[0].path",
        ),
        (
            |object| {
                object["spec"]["placement"] =
                    json!({"clusterSelector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}})
            },
            "spec.placement.clusterSelector.matchExpressions[0].operator",
        ),
        (
            |object| object["spec"]["template"]["spec"]["replicas"] = json!("two"),
            "spec.template.spec.replicas",
        ),
    ];
    for (change, field) in cases {
        let fields = hub.post(DEPLOYMENTS, &with(change)).await.fields();
        assert_eq!(fields, [field]);
    }
    let unknown = with(|object| object["spec"]["placment"] = json!({}));
    let strict = hub
        .post(&format!("{DEPLOYMENTS}?fieldValidation=Strict"), &unknown)
        .await
        .failed(400, "BadRequest");
    assert!(strict["message"].as_str().unwrap().contains("spec.placment"));
    assert_eq!(hub.get(DEPLOYMENTS).await.ok()["items"], json!([]));
}

#[tokio::test]
async fn what_is_accepted_but_not_as_written_is_a_warning() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let exported = json!({"apiVersion": "types.kubefed.io/v1beta1", "kind": "FederatedConfigMap",
        "metadata": {"name": "a", "namespace": "shop", "uid": "old", "resourceVersion": "7", "managedFields": []},
        "spec": {"template": {"data": {"a": "b"}}, "placement": {"clusterNames": ["eu-1"]},
            "overrides": [{"clusterName": "eu-1", "clusterOverrides": [{"path": "data.a", "value": "c"}]}]},
        "status": {"clusters": [{"name": "eu-1"}]}});
    let made = hub.post(CONFIG_MAPS, &exported).await;
    let warnings = made.warnings().join("\n");
    assert!(
        warnings.contains("resourceVersion") && warnings.contains("clusterNames") && warnings.contains("/data/a"),
        "{warnings}"
    );
    let made = made.ok();
    assert_eq!(made["spec"]["placement"], json!({"clusters": [{"name": "eu-1"}]}));
    assert_eq!(made["spec"]["overrides"][0]["clusterOverrides"][0]["path"], "/data/a");
    assert_ne!(made["metadata"]["uid"], "old");
    assert!(made["status"].is_null());
    // As kubectl merges an edited file: the old spelling again, with another cluster.
    let edited = json!({"spec": {"placement": {"clusterNames": ["eu-1", "us-1"]}}});
    let patched = hub.patch(&format!("{CONFIG_MAPS}/a"), MERGE, &edited).await.ok();
    assert_eq!(
        patched["spec"]["placement"],
        json!({"clusters": [{"name": "eu-1"}, {"name": "us-1"}]})
    );
}

#[tokio::test]
async fn names_of_clusters_that_are_not_registered_are_warned_of() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let cluster = json!({"apiVersion": "core.kubefed.io/v1beta1", "kind": "KubeFedCluster", "metadata": {"name": "eu-1"},
        "spec": {"apiEndpoint": "https://api.example", "secretRef": {"name": "eu-1"}}});
    hub.post(super::hub_fixture::CLUSTERS, &cluster).await.ok();
    let mut object = deployment("web");
    object["spec"]["placement"] = json!({"clusters": [{"name": "eu-1"}, {"name": "us-l"}]});
    let made = hub.post(DEPLOYMENTS, &object).await;
    assert_eq!(
        made.warnings(),
        [r#"299 - "spec.placement.clusters: no cluster \"us-l\" is registered""#]
    );
    // What is there already is nobody's news.
    let labelled = hub
        .patch(
            &format!("{DEPLOYMENTS}/web"),
            MERGE,
            &json!({"metadata": {"labels": {"a": "b"}}}),
        )
        .await;
    assert_eq!(labelled.warnings(), Vec::<String>::new());
}

#[tokio::test]
async fn tables_tell_how_an_object_is_doing() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    hub.post(DEPLOYMENTS, &deployment("web")).await.ok();
    let status = json!({"status": {"observedGeneration": 1,
        "conditions": [{"type": "Propagation", "status": "False", "reason": "CheckClusters"}],
        "clusters": [{"name": "eu-1", "desiredReplicas": 2, "readyReplicas": 2}, {"name": "us-1", "status": "ClusterNotReady", "desiredReplicas": 2}]}});
    hub.patch(&format!("{DEPLOYMENTS}/web/status"), MERGE, &status)
        .await
        .ok();
    let table = hub.table(DEPLOYMENTS).await;
    let names: Vec<&str> = table["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "Name",
            "Clusters",
            "Ready",
            "Propagated",
            "Reason",
            "Age",
            "Placed",
            "Message"
        ]
    );
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    assert_eq!(
        cells[..5],
        [
            json!("web"),
            json!("1/2"),
            json!("2/4"),
            json!("False"),
            json!("CheckClusters")
        ]
    );
    assert_eq!(cells[6], "eu-1,us-1");
}

#[tokio::test]
async fn explain_reaches_the_containers_of_a_template() {
    let hub = Hub::start().await;
    let root = hub.get("/openapi/v3").await.ok();
    let url = root["paths"]["apis/types.kubefed.io/v1beta1"]["serverRelativeURL"]
        .as_str()
        .unwrap()
        .to_owned();
    let document = hub.get(url.strip_prefix("/k8s/hub").unwrap()).await.ok();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let schema = schemas
        .values()
        .find(|one| one["x-kubernetes-group-version-kind"][0]["kind"] == "FederatedDeployment")
        .unwrap();
    // What kinds share is written once, and referred to.
    let follow = |schema: &Value| {
        let reference = schema["$ref"].as_str().or(schema["allOf"][0]["$ref"].as_str());
        match reference {
            Some(reference) => document.pointer(&reference[1..]).unwrap().clone(),
            None => schema.clone(),
        }
    };
    let pod = ["spec", "template", "spec", "template", "spec"]
        .iter()
        .fold(schema.clone(), |found, field| follow(&found["properties"][field]));
    let containers = &pod["properties"]["containers"];
    assert_eq!(containers["x-kubernetes-list-map-keys"], json!(["name"]));
    assert_eq!(follow(&containers["items"])["properties"]["image"]["type"], "string");
    assert!(document.to_string().len() < 512 * 1024);
}

#[tokio::test]
async fn every_field_of_metadata_that_identifies_an_object_is_the_servers() {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let made = hub.post(DEPLOYMENTS, &deployment("web")).await.ok();
    let path = format!("{DEPLOYMENTS}/web");
    let renamed = json!({"metadata": {"name": "other"}});
    hub.patch(&path, MERGE, &renamed).await.failed(400, "BadRequest");
    let other_uid = json!({"metadata": {"uid": "other"}});
    hub.patch(&path, MERGE, &other_uid).await.failed(409, "Conflict");
    let again = json!({"metadata": {"creationTimestamp": "2001-01-01T00:00:00Z", "generation": 99}});
    let patched = hub.patch(&path, MERGE, &again).await.ok();
    assert_eq!(
        patched["metadata"]["creationTimestamp"],
        made["metadata"]["creationTimestamp"]
    );
    assert_eq!(patched["metadata"]["generation"], 1);
}
