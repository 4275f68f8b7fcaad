//! `FederatedTypeConfig`: a kind that members serve is federated while the hub runs, from the request that says so.

use atoll_controllers::configuration::structure_key;
use serde_json::{Value, json};

use super::custom_member::{CustomMember, widgets};
use super::hub_fixture::{Change, Hub, Lines, MERGE, eventually};

pub(crate) const TYPES: &str = "/apis/core.kubefed.io/v1beta1/namespaces/kube-federation-system/federatedtypeconfigs";
pub(crate) const WIDGETS: &str = "/apis/types.kubefed.io/v1beta1/namespaces/shop/federatedwidgets";

pub(crate) fn type_config() -> Value {
    json!({"apiVersion": "core.kubefed.io/v1beta1", "kind": "FederatedTypeConfig",
    "metadata": {"name": "widgets.example.com", "namespace": "kube-federation-system"},
    "spec": {
        "targetType": {"group": "example.com", "version": "v1", "kind": "Widget", "scope": "Namespaced"},
        "federatedType": {"group": "types.kubefed.io", "version": "v1beta1", "kind": "FederatedWidget", "scope": "Namespaced"},
        "propagation": "Enabled",
    }})
}

pub(crate) fn widget(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "types.kubefed.io/v1beta1", "kind": "FederatedWidget",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"template": {"spec": spec}, "placement": {"clusterSelector": {}}}})
}

/// A hub whose controllers work, a member that serves widgets, and a namespace that is federated into it.
pub(crate) async fn with_widgets() -> (Hub, CustomMember) {
    let hub = Hub::live().await;
    let member = CustomMember::start(vec![widgets("v1")]).await;
    member.join(&hub, "eu-1").await;
    hub.namespace("shop").await;
    let namespace = json!({"apiVersion": "types.kubefed.io/v1beta1", "kind": "FederatedNamespace",
        "metadata": {"name": "shop", "namespace": "shop"}, "spec": {"placement": {"clusterSelector": {}}}});
    let path = "/apis/types.kubefed.io/v1beta1/namespaces/shop/federatednamespaces";
    hub.post(path, &namespace).await.ok();
    (hub, member)
}

pub(crate) async fn structure(hub: &Hub) -> Option<Value> {
    let key = structure_key("widgets.example.com");
    let stored = hub.state.store.object(&key).await.unwrap();
    stored.map(|stored| (*stored.body).clone())
}

#[tokio::test]
async fn a_kind_of_a_member_is_served_and_propagated_from_the_request_that_says_so() {
    let (hub, member) = with_widgets().await;
    hub.get(WIDGETS).await.failed(404, "NotFound");
    let answer = hub.post(TYPES, &type_config()).await;
    assert_eq!(answer.warnings(), Vec::<String>::new());
    let made = answer.ok();
    assert_eq!(
        made["metadata"]["finalizers"],
        json!(["core.kubefed.io/federated-type-config"])
    );
    assert_eq!(made["spec"]["targetType"]["pluralName"], "widgets");
    assert_eq!(made["spec"]["federatedType"]["pluralName"], "federatedwidgets");
    // The very next requests meet the kind.
    hub.post(WIDGETS, &widget("w", json!({"size": 3, "replicas": 2})))
        .await
        .ok();
    let resources = hub.get("/apis/types.kubefed.io/v1beta1").await.ok();
    let listed = resources["resources"].as_array().unwrap();
    assert!(listed.iter().any(|one| one["name"] == "federatedwidgets/status"));
    let widgets_listed = listed.iter().find(|one| one["name"] == "federatedwidgets").unwrap();
    assert_eq!(widgets_listed["shortNames"], json!(["fwid"]));
    let kind = widgets("v1");
    eventually("the member has the widget", || async {
        member
            .object(&kind, "shop", "w")
            .is_some_and(|held| held["spec"] == json!({"size": 3, "replicas": 2}))
    })
    .await;
}

#[tokio::test]
async fn a_federated_group_of_its_own_is_discovered_and_works() {
    let (hub, _member) = with_widgets().await;
    let mut config = type_config();
    config["spec"]["federatedType"]["group"] = json!("federation.example.com");
    hub.post(TYPES, &config).await.ok();
    let groups = hub.get("/apis").await.ok();
    let names: Vec<&str> = groups["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"federation.example.com"), "{names:?}");
    let path = "/apis/federation.example.com/v1beta1/namespaces/shop/federatedwidgets";
    let mut object = widget("w", json!({"size": 1}));
    object["apiVersion"] = json!("federation.example.com/v1beta1");
    hub.post(path, &object).await.ok();
    let document = hub.get("/openapi/v3/apis/federation.example.com/v1beta1").await.ok();
    let schema = &document["components"]["schemas"]["com.example.federation.v1beta1.FederatedWidget"];
    let size = schema.pointer("/properties/spec/properties/template/properties/spec/properties/size");
    assert_eq!(size.unwrap()["description"], "How large it is.");
    hub.get(WIDGETS).await.failed(404, "NotFound");
}

#[tokio::test]
async fn a_watch_of_the_new_kind_begins_at_once() {
    let (hub, _member) = with_widgets().await;
    hub.post(TYPES, &type_config()).await.ok();
    let mut lines = Lines::open(&hub, &format!("{WIDGETS}?watch=true")).await;
    hub.post(WIDGETS, &widget("w", json!({"size": 1}))).await.ok();
    assert_eq!(lines.named().await, ("ADDED".to_owned(), "w".to_owned()));
}

#[tokio::test]
async fn a_dry_run_of_a_type_serves_nothing() {
    let (hub, _member) = with_widgets().await;
    hub.post(&format!("{TYPES}?dryRun=All"), &type_config()).await.ok();
    hub.get(WIDGETS).await.failed(404, "NotFound");
    assert_eq!(structure(&hub).await, None);
    hub.get(&format!("{TYPES}/widgets.example.com"))
        .await
        .failed(404, "NotFound");
}

#[tokio::test]
async fn a_type_that_is_deleted_is_served_until_its_last_object_is_gone_and_takes_nothing_new() {
    let (hub, member) = with_widgets().await;
    hub.post(TYPES, &type_config()).await.ok();
    hub.post(WIDGETS, &widget("w", json!({"size": 1}))).await.ok();
    let kind = widgets("v1");
    eventually("the member has it", || async {
        member.object(&kind, "shop", "w").is_some()
    })
    .await;
    let answer = hub.delete(&format!("{TYPES}/widgets.example.com")).await;
    assert!(
        answer.warnings()[0].contains("served until the last of 1 is deleted"),
        "{:?}",
        answer.warnings()
    );
    answer.ok();
    hub.get(&format!("{WIDGETS}/w")).await.ok();
    hub.post(WIDGETS, &widget("new", json!({"size": 1})))
        .await
        .failed(403, "Forbidden");
    hub.delete(&format!("{WIDGETS}/w")).await.ok();
    eventually("the type is gone", || async {
        hub.get(&format!("{TYPES}/widgets.example.com")).await.code == 404
    })
    .await;
    eventually("the kind is gone", || async { hub.get(WIDGETS).await.code == 404 }).await;
    assert_eq!(structure(&hub).await, None, "what was told of it goes with it");
    assert!(member.object(&kind, "shop", "w").is_some(), "removing a type orphans");
    // The same again, from the beginning.
    hub.post(TYPES, &type_config()).await.ok();
    assert_eq!(hub.get(WIDGETS).await.ok()["items"], json!([]));
}

#[tokio::test]
async fn of_two_types_with_one_federated_kind_written_together_one_is_refused() {
    let hub = Hub::live().await;
    for round in 0..5 {
        let config = |plural: &str| {
            let mut config = type_config();
            config["metadata"]["name"] = json!(format!("{plural}{round}.example.com"));
            config["spec"]["federatedType"]["kind"] = json!(format!("FederatedThing{round}"));
            config
        };
        let (gadgets, gizmos) = (config("gadgets"), config("gizmos"));
        let (one, two) = tokio::join!(hub.post(TYPES, &gadgets), hub.post(TYPES, &gizmos));
        let (accepted, refused) = if one.code == 201 { (one, two) } else { (two, one) };
        accepted.ok();
        assert_eq!(refused.fields(), ["spec.federatedType"]);
    }
}

#[tokio::test]
async fn what_cannot_be_a_type_is_refused_with_the_field() {
    let hub = Hub::start().await;
    let changes: [(&str, Change); 8] = [
        ("metadata.name", |config| {
            config["metadata"]["name"] = json!("widgets.example.org")
        }),
        ("spec.propagation", |config| config["spec"]["propagation"] = json!("On")),
        ("spec.targetType.version", |config| {
            config["spec"]["targetType"]["version"] = json!("V1")
        }),
        ("spec.federatedType.group", |config| {
            config["spec"]["federatedType"]["group"] = json!("core.kubefed.io")
        }),
        ("spec.federatedType.group", |config| {
            config["spec"]["federatedType"]["group"] = json!("types")
        }),
        ("spec.federatedType.scope", |config| {
            config["spec"]["federatedType"]["scope"] = json!("Cluster")
        }),
        ("spec.federatedType", |config| {
            config["spec"]["federatedType"]["kind"] = json!("FederatedService")
        }),
        ("spec.targetType", |config| {
            config["metadata"]["name"] = json!("ingresses.extensions");
            config["spec"]["targetType"] =
                json!({"group": "extensions", "version": "v1beta1", "kind": "Ingress", "scope": "Namespaced"});
        }),
    ];
    for (field, change) in changes {
        let mut config = type_config();
        change(&mut config);
        assert_eq!(hub.post(TYPES, &config).await.fields(), [field]);
    }
    let unknown = json!({"spec": {"federatedType": {"plural": "x"}}});
    hub.patch(&format!("{TYPES}/services?fieldValidation=Strict"), MERGE, &unknown)
        .await
        .failed(400, "BadRequest");
    let moved = json!({"spec": {"federatedType": {"group": "federation.example.com"}}});
    let answer = hub.patch(&format!("{TYPES}/services"), MERGE, &moved).await;
    assert_eq!(answer.fields(), ["spec.federatedType.group"]);
}

#[tokio::test]
async fn a_type_without_a_namespace_is_put_into_the_system_namespace() {
    let hub = Hub::start().await;
    let mut config = type_config();
    config["metadata"].as_object_mut().unwrap().remove("namespace");
    let in_default = TYPES.replace("kube-federation-system", "default");
    hub.post(&in_default, &config).await.ok();
    hub.get(&format!("{TYPES}/widgets.example.com")).await.ok();
    config["metadata"]["namespace"] = json!("shop");
    hub.namespace("shop").await;
    let in_shop = TYPES.replace("kube-federation-system", "shop");
    assert_eq!(hub.post(&in_shop, &config).await.fields(), ["metadata.namespace"]);
}

#[tokio::test]
async fn the_status_says_whether_a_type_runs_and_nothing_else() {
    let hub = Hub::start().await;
    let path = format!("{TYPES}/services/status");
    let status = |state: &str, generation: i64| json!({"status": {"propagationController": state, "observedGeneration": generation}});
    hub.patch(&path, MERGE, &status("Running", 1)).await.ok();
    assert_eq!(
        hub.patch(&path, MERGE, &status("Maybe", 1)).await.fields(),
        ["status.propagationController"]
    );
    assert_eq!(
        hub.patch(&path, MERGE, &status("Running", -1)).await.fields(),
        ["status.observedGeneration"]
    );
    let row = &hub.table(&format!("{TYPES}/services")).await["rows"][0]["cells"];
    assert_eq!(
        row.as_array().unwrap()[..4],
        [
            json!("services"),
            json!("FederatedService"),
            json!("Enabled"),
            json!("Running")
        ]
    );
}

#[tokio::test]
async fn what_is_made_while_its_type_is_deleted_is_refused_or_keeps_its_type() {
    let hub = Hub::live().await;
    hub.namespace("shop").await;
    for round in 0..8 {
        eventually("the type is made", || async {
            hub.post(TYPES, &type_config()).await.code == 201
        })
        .await;
        let path = format!("{TYPES}/widgets.example.com");
        let object = widget("w", json!({"size": round}));
        let (made, deleted) = tokio::join!(hub.post(WIDGETS, &object), hub.delete(&path));
        deleted.ok();
        if made.code == 201 {
            hub.get(&format!("{WIDGETS}/w")).await.ok();
            hub.get(&path).await.ok();
            hub.delete(&format!("{WIDGETS}/w")).await.ok();
        }
        eventually("the type is gone", || async { hub.get(&path).await.code == 404 }).await;
        let left = hub.state.store.objects("types.kubefed.io", "federatedwidgets", None);
        assert_eq!(left.await.unwrap().objects.len(), 0);
    }
}
