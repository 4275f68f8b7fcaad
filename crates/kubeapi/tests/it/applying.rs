use serde_json::json;

use crate::fixture::{DEPLOYMENTS, Server, WIDGETS, deployment, widget};

#[tokio::test]
async fn apply_creates_then_changes_then_does_nothing() {
    let server = Server::new();
    let one = format!("{WIDGETS}/a");
    let answer = server.apply(&one, "kubectl", widget("a", json!({"size": 1}))).await;
    assert_eq!(answer.code, 201);
    let entry = &answer.body["metadata"]["managedFields"][0];
    assert_eq!(
        (&entry["manager"], &entry["operation"], &entry["fieldsV1"]),
        (&json!("kubectl"), &json!("Apply"), &json!({"f:spec": {"f:size": {}}}))
    );
    let answer = server.apply(&one, "kubectl", widget("a", json!({"size": 2}))).await;
    assert_eq!(
        (answer.code.as_u16(), &answer.body["metadata"]["generation"]),
        (200, &json!(2))
    );
    let again = server
        .apply(&one, "kubectl", widget("a", json!({"size": 2})))
        .await
        .ok();
    assert_eq!(again, answer.body);
    server
        .patch(&one, "apply", widget("a", json!({})))
        .await
        .failed(400, "BadRequest");
    server
        .apply(&format!("{WIDGETS}/b"), "kubectl", widget("a", json!({})))
        .await
        .failed(400, "BadRequest");
}

#[tokio::test]
async fn a_conflict_names_field_and_manager_until_it_is_forced() {
    let server = Server::new();
    server
        .post(WIDGETS, widget("a", json!({"size": 1, "color": "red"})))
        .await
        .ok();
    let one = format!("{WIDGETS}/a");
    let status = server
        .apply(&one, "kubectl", widget("a", json!({"size": 2})))
        .await
        .failed(409, "Conflict");
    assert_eq!(
        status["details"]["causes"],
        json!([{"reason": "FieldManagerConflict", "field": ".spec.size", "message": "conflict with \"tester\" using example.io/v1"}])
    );
    assert_eq!(
        status["message"],
        "Apply failed with 1 conflict: conflict with \"tester\" using example.io/v1: .spec.size"
    );
    let made = server
        .apply(&format!("{one}?force=true"), "kubectl", widget("a", json!({"size": 2})))
        .await
        .ok();
    let fields: Vec<_> = made["metadata"]["managedFields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["fieldsV1"].clone())
        .collect();
    assert_eq!(
        fields,
        [json!({"f:spec": {"f:color": {}}}), json!({"f:spec": {"f:size": {}}})]
    );
}

#[tokio::test]
async fn kubectl_s_change_from_client_side_to_server_side_apply_works() {
    let server = Server::new();
    let one = format!("{WIDGETS}/a");
    server
        .post(
            &format!("{WIDGETS}?fieldManager=kubectl-client-side-apply"),
            widget("a", json!({"size": 1})),
        )
        .await
        .ok();
    let made = server
        .apply(&one, "kubectl", widget("a", json!({"size": 1})))
        .await
        .ok();
    assert_eq!(made["metadata"]["managedFields"].as_array().unwrap().len(), 2);
    let mut managers = made["metadata"]["managedFields"].clone();
    managers
        .as_array_mut()
        .unwrap()
        .retain(|one| one["operation"] == "Apply");
    let patch = json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": managers},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": made["metadata"]["resourceVersion"]},
    ]);
    let made = server.patch(&one, "json", patch).await.ok();
    assert_eq!(made["metadata"]["managedFields"].as_array().unwrap().len(), 1);
    let made = server.apply(&one, "kubectl", widget("a", json!({}))).await.ok();
    assert_eq!(made["spec"], json!({}), "what only kubectl owned goes");
}

#[tokio::test]
async fn sets_and_keyed_lists_are_shared_item_by_item() {
    let server = Server::new();
    let one = format!("{WIDGETS}/a");
    server
        .apply(&one, "x", widget("a", json!({"tags": ["a", "b"]})))
        .await
        .ok();
    server
        .apply(&one, "y", widget("a", json!({"tags": ["b", "c"]})))
        .await
        .ok();
    let made = server.apply(&one, "x", widget("a", json!({"tags": ["a"]}))).await.ok();
    assert_eq!(made["spec"]["tags"], json!(["a", "b", "c"]));
    let made = server.apply(&one, "y", widget("a", json!({"tags": []}))).await.ok();
    assert_eq!(made["spec"]["tags"], json!(["a"]));

    let one = format!("{DEPLOYMENTS}/web");
    server.apply(&one, "x", deployment("web")).await.ok();
    let side = json!({"metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "log", "image": "log:1"}]}}}});
    server.apply(&one, "y", side).await.ok();
    // A port that leaves out its protocol is the TCP port.
    let mut explicit = deployment("web");
    explicit["spec"]["template"]["spec"]["containers"][0]["ports"][0]["protocol"] = json!("TCP");
    let made = server.apply(&one, "x", explicit).await.ok();
    let containers = &made["spec"]["template"]["spec"]["containers"];
    assert_eq!(
        containers[0]["ports"],
        json!([{"containerPort": 80, "protocol": "TCP"}])
    );
    assert_eq!(containers[1]["name"], "log");
}

#[tokio::test]
async fn an_item_given_up_goes_with_what_others_filled_in() {
    let server = Server::new();
    let one = format!("{DEPLOYMENTS}/web");
    let mut two = deployment("web");
    let containers = two["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap();
    containers.push(json!({"name": "log", "image": "log:1"}));
    server.apply(&one, "x", two).await.ok();
    let deployments = server.backend.memory();
    let resource = atoll_kubeapi::Resource::new("apps", "v1", "Deployment", "deployments");
    deployments
        .modify(&resource, "shop", "web", |object| {
            object["spec"]["template"]["spec"]["containers"][1]["imagePullPolicy"] = json!("Always");
        })
        .unwrap();
    let made = server.apply(&one, "x", deployment("web")).await.ok();
    assert_eq!(
        made["spec"]["template"]["spec"]["containers"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn status_is_applied_apart() {
    let server = Server::new();
    let one = format!("{WIDGETS}/a");
    let mut config = widget("a", json!({"size": 1}));
    config["status"] = json!({"ready": true});
    let made = server.apply(&one, "x", config.clone()).await.ok();
    assert_eq!(made["status"], json!(null));
    config["spec"]["size"] = json!(5);
    let made = server.apply(&format!("{one}/status"), "x", config).await.ok();
    assert_eq!(
        (&made["status"]["ready"], &made["spec"]["size"]),
        (&json!(true), &json!(1))
    );
    let entry = &made["metadata"]["managedFields"][1];
    assert_eq!(
        (&entry["subresource"], &entry["fieldsV1"]),
        (&json!("status"), &json!({"f:status": {"f:ready": {}}}))
    );
    server
        .apply(&format!("{WIDGETS}/none/status"), "x", widget("none", json!({})))
        .await
        .failed(404, "NotFound");
}

#[tokio::test]
async fn an_object_that_nobody_owned_is_not_taken_by_accident() {
    let server = Server::new();
    let one = format!("{WIDGETS}/a");
    server.post(WIDGETS, widget("a", json!({"size": 1}))).await.ok();
    server
        .patch(&one, "merge", json!({"metadata": {"managedFields": [{}]}}))
        .await
        .ok();
    let status = server
        .apply(&one, "x", widget("a", json!({"size": 2})))
        .await
        .failed(409, "Conflict");
    assert!(status["message"].as_str().unwrap().contains("before-first-apply"));
}
