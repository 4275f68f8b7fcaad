use serde_json::json;

use crate::fixture::{CONFIGMAPS, DEPLOYMENTS, Server, WIDGETS, catalog, deployment, widget};

#[tokio::test]
async fn a_new_object_gets_its_identity_from_the_server() {
    let server = Server::new();
    let mut object = widget("a", json!({"size": 1}));
    object["metadata"]["uid"] = json!("mine");
    object["metadata"]["generation"] = json!(7);
    object["status"] = json!({"ready": true});
    let answer = server.post(WIDGETS, object).await;
    assert_eq!(answer.code, 201);
    let made = answer.body;
    let metadata = &made["metadata"];
    assert_eq!(
        (
            &metadata["namespace"],
            &metadata["generation"],
            &metadata["resourceVersion"]
        ),
        (&json!("shop"), &json!(1), &json!("2"))
    );
    assert_eq!(metadata["uid"].as_str().unwrap().len(), 36);
    assert!(metadata["creationTimestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!(made["status"], json!(null), "status is written apart");
    assert_eq!(metadata["managedFields"][0]["manager"], "tester");
    assert_eq!(
        metadata["managedFields"][0]["fieldsV1"],
        json!({"f:spec": {"f:size": {}}})
    );
    let status = server
        .post(WIDGETS, widget("a", json!({})))
        .await
        .failed(409, "AlreadyExists");
    assert_eq!(status["message"], "widgets.example.io \"a\" already exists");
    assert_eq!(
        status["details"],
        json!({"name": "a", "group": "example.io", "kind": "widgets"})
    );
}

#[tokio::test]
async fn a_name_is_generated_from_its_prefix() {
    let server = Server::new();
    let made = server
        .post(WIDGETS, json!({"metadata": {"generateName": "job-"}, "spec": {}}))
        .await
        .ok();
    let name = made["metadata"]["name"].as_str().unwrap();
    assert!(name.starts_with("job-") && name.len() == 9, "{name}");
}

#[tokio::test]
async fn what_cannot_be_an_object_is_refused_with_its_fields() {
    let server = Server::new();
    server.post(WIDGETS, json!(["no"])).await.failed(400, "BadRequest");
    server
        .post(WIDGETS, json!({"metadata": "no"}))
        .await
        .failed(400, "BadRequest");
    server
        .post(WIDGETS, json!({"apiVersion": "v1", "kind": "Widget"}))
        .await
        .failed(400, "BadRequest");
    let status = server
        .post(WIDGETS, widget("No Name", json!({"size": "big"})))
        .await
        .failed(422, "Invalid");
    assert_eq!(status["details"]["causes"][0]["field"], "metadata.name");
    let status = server
        .post(WIDGETS, widget("a", json!({"size": -1, "color": 3})))
        .await
        .failed(422, "Invalid");
    let fields: Vec<_> = status["details"]["causes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["spec.color", "spec.size"]);
    let mut elsewhere = widget("a", json!({}));
    elsewhere["metadata"]["namespace"] = json!("other");
    server.post(WIDGETS, elsewhere).await.failed(400, "BadRequest");
    server
        .post("/apis/example.io/v1/widgets", widget("a", json!({})))
        .await
        .failed(405, "MethodNotAllowed");
    let headers = [("content-type", "text/plain")];
    let status = server
        .send("POST", WIDGETS, &headers, "x")
        .await
        .failed(415, "UnsupportedMediaType");
    assert!(status["message"].as_str().unwrap().contains("application/json"));
    let large = format!("{{\"data\": \"{}\"}}", "x".repeat(3 << 20));
    server
        .send("POST", WIDGETS, &[("content-type", "application/json")], large)
        .await
        .failed(413, "RequestEntityTooLarge");
}

#[tokio::test]
async fn a_generation_counts_changes_of_the_spec_alone() {
    let server = Server::new();
    let mut object = server.post(WIDGETS, widget("a", json!({"size": 1}))).await.ok();
    let one = format!("{WIDGETS}/a");
    object["metadata"]["labels"] = json!({"x": "y"});
    object["status"] = json!({"ready": true});
    let mut object = server.put(&one, object).await.ok();
    assert_eq!(
        (&object["metadata"]["generation"], &object["status"]),
        (&json!(1), &json!(null))
    );
    object["spec"]["size"] = json!(2);
    let mut object = server.put(&one, object).await.ok();
    assert_eq!(object["metadata"]["generation"], 2);
    object["status"] = json!({"ready": true});
    object["spec"]["size"] = json!(9);
    let object = server.put(&format!("{one}/status"), object).await.ok();
    assert_eq!(
        (
            &object["metadata"]["generation"],
            &object["spec"]["size"],
            &object["status"]["ready"]
        ),
        (&json!(2), &json!(2), &json!(true))
    );
    assert_eq!(object["metadata"]["managedFields"][1]["subresource"], "status");
}

#[tokio::test]
async fn a_write_that_changes_nothing_has_no_revision() {
    let server = Server::new();
    let made = server.post(WIDGETS, widget("a", json!({"size": 1}))).await.ok();
    let again = server
        .put(&format!("{WIDGETS}/a"), widget("a", json!({"size": 1})))
        .await
        .ok();
    assert_eq!(made, again);
    let again = server
        .patch(&format!("{WIDGETS}/a"), "merge", json!({"spec": {"size": 1}}))
        .await
        .ok();
    assert_eq!(made, again);
    assert_eq!(server.backend.memory().revision(), 2);
}

#[tokio::test]
async fn an_update_from_an_old_version_is_a_conflict() {
    let server = Server::new();
    let old = server.post(WIDGETS, widget("a", json!({"size": 1}))).await.ok();
    let one = format!("{WIDGETS}/a");
    server.put(&one, widget("a", json!({"size": 2}))).await.ok();
    server.put(&one, old.clone()).await.failed(409, "Conflict");
    let mut other = widget("a", json!({"size": 3}));
    other["metadata"]["uid"] = json!("00000000-0000-0000-0000-000000000000");
    server.put(&one, other).await.failed(409, "Conflict");
    server.put(&one, widget("b", json!({}))).await.failed(400, "BadRequest");
    server
        .put(&format!("{WIDGETS}/none"), widget("none", json!({})))
        .await
        .failed(404, "NotFound");
    server
        .patch(&one, "merge", json!({"metadata": {"resourceVersion": "2"}}))
        .await
        .failed(409, "Conflict");
}

#[tokio::test]
async fn a_dry_run_shows_and_keeps_nothing() {
    let server = Server::new();
    let shown = server
        .post(&format!("{WIDGETS}?dryRun=All"), widget("a", json!({"size": 1})))
        .await
        .ok();
    assert_eq!(
        (&shown["spec"]["size"], &shown["metadata"]["resourceVersion"]),
        (&json!(1), &json!(null))
    );
    server.get(&format!("{WIDGETS}/a")).await.failed(404, "NotFound");
    let made = server.post(WIDGETS, widget("a", json!({"size": 1}))).await.ok();
    server
        .post(&format!("{WIDGETS}?dryRun=All"), widget("a", json!({})))
        .await
        .failed(409, "AlreadyExists");
    let one = format!("{WIDGETS}/a");
    let shown = server
        .patch(&format!("{one}?dryRun=All"), "merge", json!({"spec": {"size": 5}}))
        .await
        .ok();
    assert_eq!(
        (&shown["spec"]["size"], &shown["metadata"]["resourceVersion"]),
        (&json!(5), &json!("2"))
    );
    let shown = server
        .apply(
            &format!("{one}?dryRun=All&force=true"),
            "k",
            widget("a", json!({"size": 6})),
        )
        .await
        .ok();
    assert_eq!(shown["spec"]["size"], 6);
    server.delete(&format!("{one}?dryRun=All"), json!({})).await.ok();
    server.delete(&one, json!({"dryRun": ["All"]})).await.ok();
    assert_eq!(server.get(&one).await.ok(), made);
    server
        .delete(&one, json!({"dryRun": ["Some"]}))
        .await
        .failed(400, "BadRequest");
}

#[tokio::test]
async fn unknown_and_repeated_fields_are_refused_warned_of_or_dropped() {
    let server = Server::new();
    let text =
        r#"{"metadata": {"name": "a", "lables": {}}, "spec": {"size": 1, "size": 2, "siez": 3, "free": {"any": 1}}}"#;
    let headers = [("content-type", "application/json")];
    let strict = server
        .send("POST", &format!("{WIDGETS}?fieldValidation=Strict"), &headers, text)
        .await
        .failed(400, "BadRequest");
    assert_eq!(
        strict["message"],
        "strict decoding error: duplicate field \"spec.size\", unknown field \"metadata.lables\", unknown field \"spec.siez\""
    );
    let answer = server.send("POST", WIDGETS, &headers, text).await;
    let warnings: Vec<_> = answer
        .headers
        .get_all("warning")
        .iter()
        .map(|one| one.to_str().unwrap())
        .collect();
    assert_eq!(warnings[2], r#"299 - "unknown field \"spec.siez\"""#);
    assert_eq!(answer.ok()["spec"], json!({"size": 2, "free": {"any": 1}}));
    let answer = server
        .send("PUT", &format!("{WIDGETS}/a?fieldValidation=Ignore"), &headers, text)
        .await;
    assert!(answer.headers.get("warning").is_none());
    let patch = json!({"spec": {"siez": 1}});
    server
        .patch(&format!("{WIDGETS}/a?fieldValidation=Strict"), "merge", patch)
        .await
        .failed(400, "BadRequest");
}

#[tokio::test]
async fn nulls_mean_nothing_in_kinds_that_clients_have_compiled_in() {
    let server = Server::new();
    let mut object = deployment("web");
    object["metadata"]["creationTimestamp"] = json!(null);
    object["spec"]["template"]["metadata"]["creationTimestamp"] = json!(null);
    let made = server
        .post(&format!("{DEPLOYMENTS}?fieldValidation=Strict"), object)
        .await
        .ok();
    assert_eq!(made["spec"]["template"]["metadata"], json!({"labels": {"app": "web"}}));
}

#[tokio::test]
async fn yaml_is_taken_as_well() {
    let server = Server::new();
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  key: |\n    two\n    lines\n";
    let made = server
        .send("POST", CONFIGMAPS, &[("content-type", "application/yaml")], text)
        .await
        .ok();
    assert_eq!(made["data"]["key"], "two\nlines\n");
    assert_eq!(made["metadata"]["generation"], json!(null), "this kind never counted");
}

#[tokio::test]
async fn a_status_that_nobody_wrote_is_nobodys_field() {
    let server = Server::new();
    server.post(WIDGETS, widget("a", json!({"size": 1}))).await.ok();
    let path = format!("{WIDGETS}/a");
    let changed = server.patch(&path, "merge", json!({"spec": {"size": 2}})).await.ok();
    assert_eq!(changed.get("status"), None);
    for entry in changed["metadata"]["managedFields"].as_array().unwrap() {
        assert_eq!(entry["fieldsV1"].get("f:status"), None, "{entry}");
    }
}

#[tokio::test]
async fn a_status_that_others_wrote_refuses_nobodys_change_of_the_rest() {
    let server = Server::new();
    let services = "/api/v1/namespaces/shop/services";
    let service = json!({"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}});
    server.post(services, service).await.ok();
    let path = format!("{services}/web");
    // Conditions of a Service have to have a reason and a message.
    let told = json!([{"type": "Odd", "status": "True", "lastTransitionTime": "2026-01-02T03:04:05Z"}]);
    let resource = catalog().find("", "v1", "services").unwrap().clone();
    let written = server.backend.memory().modify(&resource, "shop", "web", |object| {
        object["status"]["conditions"] = told.clone();
    });
    written.unwrap();
    let label = json!({"metadata": {"labels": {"seen": "yes"}}});
    let changed = server.patch(&path, "merge", label.clone()).await.ok();
    assert_eq!(changed["status"]["conditions"], told);
    let mut whole = changed;
    whole["spec"]["ports"][0]["port"] = 81.into();
    assert_eq!(server.put(&path, whole).await.ok()["status"]["conditions"], told);
    server
        .patch(&path, "merge", json!({"spec": {"ports": [{"port": "x"}]}}))
        .await
        .failed(422, "Invalid");
    server
        .patch(
            &format!("{path}/status"),
            "merge",
            json!({"status": {"conditions": told}}),
        )
        .await
        .failed(422, "Invalid");
}
