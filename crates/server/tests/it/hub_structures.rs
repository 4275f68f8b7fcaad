//! Structures of kinds that only members know: asked for when a type is made or aims at another target, and learned later
//! where nobody could tell.

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::custom_member::{CustomMember, widgets};
use super::hub_fixture::{APPLY, Hub, MERGE, eventually};
use super::hub_types::{TYPES, WIDGETS, structure, type_config, widget, with_widgets};

const PATH: &str =
    "/apis/core.kubefed.io/v1beta1/namespaces/kube-federation-system/federatedtypeconfigs/widgets.example.com";

/// Widgets of a second version, which have a colour, and parts as one value.
fn newer_widgets() -> atoll_kubeapi::Resource {
    let mut newer = widgets("v2");
    let mut schema = newer.schema.json().clone();
    let parts = &mut schema["properties"]["spec"]["properties"]["parts"];
    parts["x-kubernetes-list-type"] = json!("atomic");
    parts.as_object_mut().unwrap().remove("x-kubernetes-list-map-keys");
    schema["properties"]["spec"]["properties"]["colour"] = json!({"type": "string"});
    newer.schema = atoll_kubeapi::Schema::new(schema);
    newer
}

fn aim_at(version: &str) -> Value {
    json!({"spec": {"targetType": {"version": version}}})
}

/// Learns until the token is cancelled.
fn learn(hub: &Hub) -> CancellationToken {
    let end = CancellationToken::new();
    let learning = atoll_server::hub::learn(hub.state.clone(), end.clone());
    hub.state.tasks.spawn(learning);
    end
}

#[tokio::test]
async fn the_structure_that_a_member_tells_is_that_of_the_template() {
    let (hub, _member) = with_widgets().await;
    hub.post(TYPES, &type_config()).await.ok();
    let stored = structure(&hub).await.unwrap();
    assert_eq!(stored["replicasPath"], "/spec/replicas");
    assert!(!stored["structure"].to_string().contains("$ref"));

    let wrong = hub.post(WIDGETS, &widget("w", json!({"size": "big"}))).await;
    assert_eq!(wrong.fields(), ["spec.template.spec.size"]);
    // Nothing is required, and what only the member knows is kept.
    let mut free = widget("w", json!({"colour": "red"}));
    free["spec"]["retainReplicas"] = json!(true);
    let made = hub.post(WIDGETS, &free).await.ok();
    assert_eq!(made["spec"]["template"]["spec"]["colour"], "red");
    assert_eq!(made["spec"]["retainReplicas"], true);

    // Items are told apart by their key: two managers own one each.
    for (manager, part) in [("one", "wheel"), ("two", "axle")] {
        let mut applied = widget("p", json!({"parts": [{"name": part, "count": 1}]}));
        applied["spec"].as_object_mut().unwrap().remove("placement");
        let path = format!("{WIDGETS}/p?fieldManager={manager}");
        hub.patch(&path, APPLY, &applied).await.ok();
    }
    let both = hub.get(&format!("{WIDGETS}/p")).await.ok();
    assert_eq!(both["spec"]["template"]["spec"]["parts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn members_are_asked_once_and_only_for_another_target() {
    let (hub, member) = with_widgets().await;
    hub.post(TYPES, &type_config()).await.ok();
    assert_eq!(member.asked_for("/openapi/v3/apis/example.com/v1"), 1);
    let labels = json!({"metadata": {"labels": {"team": "web"}}});
    hub.patch(PATH, MERGE, &labels).await.ok();
    let switch = |word: &str| json!({"spec": {"propagation": word}});
    hub.patch(PATH, MERGE, &switch("Disabled")).await.ok();
    hub.patch(PATH, MERGE, &switch("Enabled")).await.ok();
    assert_eq!(member.asked_for("/openapi/v3/apis/example.com/v1"), 1);

    member.serve(vec![widgets("v1"), newer_widgets()]);
    hub.patch(PATH, MERGE, &aim_at("v2")).await.ok();
    assert_eq!(member.asked_for("/openapi/v3/apis/example.com/v2"), 1);
    assert_eq!(structure(&hub).await.unwrap()["version"], "v2");
}

#[tokio::test]
async fn a_kind_that_no_member_serves_is_accepted_with_a_warning_and_its_template_is_kept_as_it_is() {
    let hub = Hub::live().await;
    hub.namespace("shop").await;
    let answer = hub.post(TYPES, &type_config()).await;
    let warnings = answer.warnings();
    assert!(
        warnings.len() == 1 && warnings[0].contains("no cluster could be asked for Widget of example.com/v1"),
        "{warnings:?}"
    );
    answer.ok();
    assert_eq!(structure(&hub).await, None);
    let made = hub
        .post(WIDGETS, &widget("w", json!({"size": "big", "list": [1]})))
        .await
        .ok();
    assert_eq!(made["spec"]["template"]["spec"], json!({"size": "big", "list": [1]}));
}

#[tokio::test]
async fn a_newer_version_of_the_target_merges_stored_lists_as_before() {
    let (hub, member) = with_widgets().await;
    hub.post(TYPES, &type_config()).await.ok();
    hub.post(WIDGETS, &widget("w", json!({"parts": [{"name": "wheel"}]})))
        .await
        .ok();
    member.serve(vec![widgets("v1"), newer_widgets()]);
    hub.patch(PATH, MERGE, &aim_at("v2")).await.ok();
    let stored = structure(&hub).await.unwrap();
    let spec = &stored["structure"]["properties"]["spec"]["properties"];
    assert_eq!(spec["colour"]["type"], "string");
    assert_eq!(spec["parts"]["x-kubernetes-list-map-keys"], json!(["name"]));
}

#[tokio::test]
async fn a_kind_that_comes_later_is_learned_and_lists_that_are_stored_stay_one_value() {
    let hub = Hub::live().await;
    hub.namespace("shop").await;
    hub.post(TYPES, &type_config()).await.ok();
    hub.post(WIDGETS, &widget("w", json!({"parts": [{"name": "wheel"}]})))
        .await
        .ok();
    let end = learn(&hub);
    let member = CustomMember::start(vec![widgets("v1")]).await;
    member.join(&hub, "eu-1").await;
    eventually("the structure is known", || async { structure(&hub).await.is_some() }).await;
    end.cancel();
    let parts = &structure(&hub).await.unwrap()["structure"]["properties"]["spec"]["properties"]["parts"];
    assert_eq!(
        (&parts["type"], &parts["x-kubernetes-list-type"]),
        (&json!("array"), &Value::Null)
    );
    eventually("templates are checked", || async {
        hub.post(&format!("{WIDGETS}?dryRun=All"), &widget("n", json!({"size": "big"})))
            .await
            .code
            == 422
    })
    .await;
}

#[tokio::test]
async fn a_version_that_comes_later_is_learned_too() {
    let (hub, member) = with_widgets().await;
    hub.post(TYPES, &type_config()).await.ok();
    let answer = hub.patch(PATH, MERGE, &aim_at("v2")).await;
    let warnings = answer.warnings();
    assert!(
        warnings.len() == 1 && warnings[0].contains("no cluster that answers serves Widget of example.com/v2"),
        "{warnings:?}"
    );
    answer.ok();
    assert_eq!(structure(&hub).await.unwrap()["version"], "v1");
    let end = learn(&hub);
    member.serve(vec![widgets("v1"), newer_widgets()]);
    eventually("the new version is known", || async {
        structure(&hub).await.unwrap()["version"] == "v2"
    })
    .await;
    end.cancel();
    let spec = &structure(&hub).await.unwrap()["structure"]["properties"]["spec"]["properties"];
    assert_eq!(spec["colour"]["type"], "string");
}
