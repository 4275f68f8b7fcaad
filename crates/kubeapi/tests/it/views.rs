//! Views: the same objects under another group, or in an older form.

use atoll_kubeapi::{Catalog, Conversion, Resource, Schema, Status};
use serde_json::{Value, json};

use super::fixture::{DEPLOYMENTS, Server, WIDGETS, catalog, deployment, widget};

const OLD: &str = "/apis/old.example.io/v1/namespaces/shop/widgets";
const FLAT: &str = "/apis/example.io/v1beta1/namespaces/shop/widgets";
const OLD_DEPLOYMENTS: &str = "/apis/apps/v1beta1/namespaces/shop/deployments";

/// The older form has `width` for `size`, and refuses a negative one.
const CONVERSION: Conversion = Conversion {
    to_stored: |view, mut object| {
        let Some(spec) = object["spec"].as_object_mut() else {
            return Ok(object);
        };
        if let Some(width) = spec.remove("width") {
            if width.as_i64().is_some_and(|width| width < 0) {
                return Err(Status::bad_request(format!("{}: width is negative", view.kind)));
            }
            spec.insert("size".into(), width);
        }
        Ok(object)
    },
    to_view: |_, mut object| {
        if let Some(spec) = object["spec"].as_object_mut()
            && let Some(size) = spec.remove("size")
        {
            spec.insert("width".into(), size);
        }
        object
    },
};

fn server() -> Server {
    let resources: Vec<Resource> = catalog().iter().map(|one| (**one).clone()).collect();
    let find = |plural: &str| resources.iter().find(|one| one.plural == plural).unwrap();
    let views = [
        find("widgets").viewed_as(
            "old.example.io",
            "v1",
            None,
            "old.example.io is the old name of example.io",
        ),
        Resource {
            schema: Schema::unknown(),
            ..find("widgets").viewed_as("example.io", "v1beta1", Some(CONVERSION), "")
        },
        Resource {
            schema: Schema::unknown(),
            ..find("deployments").viewed_as("apps", "v1beta1", None, "")
        },
    ];
    let server = Server::new();
    server
        .backend
        .set_catalog(Catalog::new(resources.iter().cloned().chain(views)));
    server
}

fn old_widget(name: &str, spec: Value) -> Value {
    let mut object = widget(name, spec);
    object["apiVersion"] = json!("old.example.io/v1");
    object
}

fn flat_widget(name: &str, spec: Value) -> Value {
    let mut object = widget(name, spec);
    object["apiVersion"] = json!("example.io/v1beta1");
    object
}

#[tokio::test]
async fn an_object_is_the_same_under_each_of_its_names_and_says_the_one_that_was_asked_for() {
    let server = server();
    let made = server.post(OLD, old_widget("a", json!({"size": 1}))).await.ok();
    assert_eq!(made["apiVersion"], "old.example.io/v1");
    let new = server.get(&format!("{WIDGETS}/a")).await.ok();
    assert_eq!(
        (&new["apiVersion"], &new["spec"]["size"]),
        (&json!("example.io/v1"), &json!(1))
    );
    assert_eq!(new["metadata"]["uid"], made["metadata"]["uid"]);
    let flat = server.get(&format!("{FLAT}/a")).await.ok();
    assert_eq!(flat["spec"], json!({"width": 1}));
    let list = server.get(OLD).await.ok();
    assert_eq!(
        (&list["apiVersion"], &list["kind"]),
        (&json!("old.example.io/v1"), &json!("WidgetList"))
    );
    assert_eq!(list["items"][0]["apiVersion"], "old.example.io/v1");
    server.delete(&format!("{OLD}/a"), json!({})).await.ok();
    server.get(&format!("{WIDGETS}/a")).await.failed(404, "NotFound");
}

#[tokio::test]
async fn an_object_of_another_version_than_the_path_is_refused() {
    let server = server();
    let body = server.post(OLD, widget("a", json!({}))).await.failed(400, "BadRequest");
    assert!(
        body["message"].as_str().unwrap().contains("old.example.io/v1"),
        "{body}"
    );
    server
        .post(FLAT, flat_widget("a", json!({"width": -1})))
        .await
        .failed(400, "BadRequest");
}

#[tokio::test]
async fn every_answer_of_a_view_says_what_to_write_instead() {
    let server = server();
    let warned = |answer: super::fixture::Answer| {
        let text = answer
            .headers
            .get("warning")
            .map(|value| value.to_str().unwrap().to_owned());
        text.unwrap_or_default()
    };
    let expected = "299 - \"old.example.io is the old name of example.io\"";
    assert_eq!(warned(server.post(OLD, old_widget("a", json!({}))).await), expected);
    assert_eq!(warned(server.get(OLD).await), expected);
    assert_eq!(warned(server.get(&format!("{OLD}/missing")).await), expected);
    assert_eq!(warned(server.get(WIDGETS).await), "");
}

#[tokio::test]
async fn a_patch_is_made_of_what_the_client_was_shown() {
    let server = server();
    server
        .post(WIDGETS, widget("a", json!({"size": 1, "color": "red"})))
        .await
        .ok();
    let path = format!("{FLAT}/a");
    let patched = server.patch(&path, "merge", json!({"spec": {"width": 2}})).await.ok();
    assert_eq!(patched["spec"], json!({"width": 2, "color": "red"}));
    let test = json!([{"op": "test", "path": "/spec/width", "value": 2}, {"op": "replace", "path": "/spec/width", "value": 3}]);
    server.patch(&path, "json", test).await.ok();
    let stored = server.get(&format!("{WIDGETS}/a")).await.ok();
    assert_eq!(stored["spec"], json!({"size": 3, "color": "red"}));
    // Nothing changed, so nothing was written.
    let again = server.patch(&path, "merge", json!({"spec": {"width": 3}})).await.ok();
    assert_eq!(
        again["metadata"]["resourceVersion"],
        stored["metadata"]["resourceVersion"]
    );
}

#[tokio::test]
async fn a_strategic_merge_through_an_old_version_merges_containers_by_name() {
    let server = server();
    server.post(DEPLOYMENTS, deployment("web")).await.ok();
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "side:1"}]}}}});
    let patched = server
        .patch(&format!("{OLD_DEPLOYMENTS}/web"), "strategic-merge", patch)
        .await
        .ok();
    assert_eq!(
        patched["spec"]["template"]["spec"]["containers"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn a_field_that_was_applied_through_one_name_is_owned_through_every_other() {
    let server = server();
    server
        .apply(
            &format!("{FLAT}/a"),
            "one",
            flat_widget("a", json!({"width": 1, "color": "red"})),
        )
        .await
        .ok();
    let refused = server
        .apply(&format!("{WIDGETS}/a"), "two", widget("a", json!({"size": 2})))
        .await
        .failed(409, "Conflict");
    assert_eq!(refused["details"]["causes"][0]["field"], ".spec.size");
    // The same manager through another name states less: what it no longer states goes.
    let applied = server
        .apply(&format!("{OLD}/a"), "one", old_widget("a", json!({"size": 1})))
        .await
        .ok();
    assert_eq!(applied["spec"], json!({"size": 1}));
    let managers = applied["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(managers.len(), 1, "{managers:?}");
    assert_eq!(managers[0]["apiVersion"], "example.io/v1");
    let version = applied["metadata"]["resourceVersion"].clone();
    let again = server
        .apply(&format!("{OLD}/a"), "one", old_widget("a", json!({"size": 1})))
        .await
        .ok();
    assert_eq!(again["metadata"]["resourceVersion"], version);
}

#[tokio::test]
async fn unknown_fields_are_told_in_a_view_as_well() {
    let server = server();
    let body = server
        .post(
            &format!("{OLD}?fieldValidation=Strict"),
            old_widget("a", json!({"sise": 1})),
        )
        .await
        .failed(400, "BadRequest");
    assert!(body["message"].as_str().unwrap().contains("spec.sise"), "{body}");
}

#[tokio::test]
async fn a_watch_shows_the_form_that_was_asked_for() {
    let server = server();
    server.post(WIDGETS, widget("a", json!({"size": 1}))).await.ok();
    let mut watch = server.watch(&format!("{FLAT}?watch=true")).await;
    let first = watch.event().await;
    assert_eq!(first["object"]["spec"], json!({"width": 1}));
    server
        .patch(&format!("{WIDGETS}/a"), "merge", json!({"spec": {"size": 2}}))
        .await
        .ok();
    let second = watch.event().await;
    assert_eq!(
        (&second["type"], &second["object"]["apiVersion"]),
        (&json!("MODIFIED"), &json!("example.io/v1beta1"))
    );
    server.delete(&format!("{WIDGETS}/a"), json!({})).await.ok();
    let last = watch.event().await;
    assert_eq!(
        (&last["type"], &last["object"]["spec"]["width"]),
        (&json!("DELETED"), &json!(2))
    );
}

#[tokio::test]
async fn tables_of_a_view_carry_its_form() {
    let server = server();
    server.post(WIDGETS, widget("a", json!({"size": 7}))).await.ok();
    let accept = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
    let path = format!("{FLAT}?includeObject=Object");
    let table = server.send("GET", &path, &accept, "").await.ok();
    assert_eq!(table["rows"][0]["cells"][1], 7);
    assert_eq!(table["rows"][0]["object"]["spec"], json!({"width": 7}));
}

#[tokio::test]
async fn views_have_no_short_names_and_come_after_what_they_show() {
    let server = server();
    let accept = [("accept", atoll_kubeapi::discovery::AGGREGATED)];
    let groups = server.send("GET", "/apis", &accept, "").await.ok();
    let items = groups["items"].as_array().unwrap();
    let place = |group: &str| items.iter().position(|one| one["metadata"]["name"] == group).unwrap();
    assert!(place("example.io") < place("old.example.io"));
    let versions = &items[place("example.io")]["versions"];
    assert_eq!(
        (&versions[0]["version"], &versions[1]["version"]),
        (&json!("v1"), &json!("v1beta1"))
    );
    let view = &items[place("old.example.io")]["versions"][0]["resources"][0];
    assert_eq!((&view["shortNames"], &view["categories"]), (&Value::Null, &Value::Null));
    assert_eq!(view["subresources"][0]["responseKind"]["group"], "old.example.io");
}

#[tokio::test]
async fn a_client_that_takes_a_name_for_one_kind_only_is_told_of_one() {
    let server = server();
    let names = async |user_agent: &str| {
        let headers = [("user-agent", user_agent)];
        let groups = server.send("GET", "/apis", &headers, "").await.ok();
        let names = groups["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].clone());
        let versions = server.send("GET", "/apis/old.example.io/v1", &headers, "").await.code;
        (
            names.collect::<Vec<_>>().contains(&json!("old.example.io")),
            versions.as_u16(),
        )
    };
    assert_eq!(names("kubectl/v1.36.0 (linux/amd64)").await, (true, 200));
    assert_eq!(names("kubefedctl/v0.0.0 (linux/amd64)").await, (false, 404));
    // It is served all the same.
    let headers = [("user-agent", "kubefedctl/v0.0.0 (linux/amd64)")];
    let path = "/apis/old.example.io/v1/namespaces/shop/widgets";
    server.send("GET", path, &headers, "").await.ok();
}
