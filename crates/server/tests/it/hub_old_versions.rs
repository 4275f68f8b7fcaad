//! Old versions of Kubernetes' kinds as files still have them, with kubectl itself: views of one row, which is of
//! today's version.

use serde_json::{Value, json};

use super::forward_fixture::Served;
use super::hub_fixture::Hub;
use super::hub_kubectl::Kubectl;
use super::hub_plain::PLAIN_DEPLOYMENTS;

const INGRESSES: &str = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses";
const AUTOSCALERS: &str = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers";

async fn start() -> (Hub, Served, Kubectl) {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let served = Served::start(&hub).await;
    let kubectl = Kubectl::new(&hub, &served);
    (hub, served, kubectl)
}

/// A workload of the old kind, which had no selector.
fn workload(kind: &str, version: &str) -> Value {
    json!({
        "apiVersion": version, "kind": kind,
        "metadata": {"name": "nginx", "namespace": "shop",
            "annotations": {"federation.kubernetes.io/replica-set-preferences": "{\"rebalance\": true, \"clusters\": {\"*\": {\"weight\": 1}}}",
                "federation.kubernetes.io/deployment-preferences": "{\"rebalance\": true, \"clusters\": {\"*\": {\"weight\": 1}}}"}},
        "spec": {"replicas": 4, "template": {
            "metadata": {"labels": {"region": "nginx-emea"}},
            "spec": {"containers": [{"name": "nginx", "image": "nginx:1.10"}]},
        }},
    })
}

async fn read(kubectl: &Kubectl, what: &str, name: &str) -> Value {
    let text = kubectl.ok(&["get", what, name, "-n", "shop", "-o", "json"], "").await;
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn a_workload_of_extensions_is_applied_left_alone_and_changed() {
    let (hub, _served, kubectl) = start().await;
    let apply = ["apply", "-f", "-"];
    for (kind, plural) in [("Deployment", "deployments"), ("ReplicaSet", "replicasets")] {
        let mut object = workload(kind, "extensions/v1beta1");
        let (said, warned) = kubectl.told(&apply, &object.to_string()).await;
        assert!(said.ends_with("extensions/nginx created\n"), "{said}");
        assert!(warned.contains("old version of apps/v1"), "{warned}");
        let said = kubectl.ok(&apply, &object.to_string()).await;
        assert!(said.ends_with("nginx unchanged\n"), "{said}");
        // kubectl has this kind compiled in and sends a strategic merge patch.
        object["spec"]["template"]["spec"]["containers"][0]["image"] = json!("nginx:1.11");
        object["spec"]["replicas"] = json!(6);
        let said = kubectl.ok(&apply, &object.to_string()).await;
        assert!(said.ends_with("nginx configured\n"), "{said}");
        let stored = hub
            .get(&PLAIN_DEPLOYMENTS.replace("deployments", &format!("{plural}/nginx")))
            .await
            .ok();
        assert_eq!(stored["apiVersion"], "apps/v1");
        assert_eq!(
            (&stored["spec"]["replicas"], &stored["spec"]["selector"]),
            (&json!(6), &json!({"matchLabels": {"region": "nginx-emea"}}))
        );
        let containers = stored["spec"]["template"]["spec"]["containers"].as_array().unwrap();
        assert_eq!((containers.len(), &containers[0]["image"]), (1, &json!("nginx:1.11")));
        let shown = read(&kubectl, &format!("{plural}.extensions"), "nginx").await;
        assert_eq!(shown["apiVersion"], "extensions/v1beta1");
        // By its plain name it is today's.
        assert_eq!(read(&kubectl, plural, "nginx").await["apiVersion"], "apps/v1");
    }
}

#[tokio::test]
async fn every_old_version_of_a_deployment_is_a_view_of_one_row() {
    let (_hub, _served, kubectl) = start().await;
    kubectl
        .ok(
            &["create", "-f", "-"],
            &workload("Deployment", "extensions/v1beta1").to_string(),
        )
        .await;
    let uid = read(&kubectl, "deployments", "nginx").await["metadata"]["uid"].clone();
    for (name, version) in [
        ("deployments.v1beta1.extensions", "extensions/v1beta1"),
        ("deployments.v1beta1.apps", "apps/v1beta1"),
        ("deployments.v1beta2.apps", "apps/v1beta2"),
        ("deployments.v1.apps", "apps/v1"),
    ] {
        let shown = read(&kubectl, name, "nginx").await;
        assert_eq!(
            (&shown["apiVersion"], &shown["metadata"]["uid"]),
            (&json!(version), &uid),
            "{name}"
        );
    }
    let all = kubectl.ok(&["get", "all", "-n", "shop", "-o", "name"], "").await;
    assert_eq!(all, "deployment.apps/nginx\n");
    kubectl
        .ok(
            &[
                "scale",
                "deployments.v1beta1.extensions",
                "nginx",
                "-n",
                "shop",
                "--replicas=9",
            ],
            "",
        )
        .await;
    assert_eq!(read(&kubectl, "deployments", "nginx").await["spec"]["replicas"], 9);
}

#[tokio::test]
async fn server_side_apply_through_an_old_version_owns_the_fields_of_todays() {
    let (hub, _served, kubectl) = start().await;
    let object = workload("Deployment", "extensions/v1beta1");
    let apply = ["apply", "--server-side", "-f", "-"];
    kubectl.ok(&["apply", "-f", "-"], &object.to_string()).await;
    kubectl.ok(&apply, &object.to_string()).await;
    let path = format!("{PLAIN_DEPLOYMENTS}/nginx");
    let before = hub.get(&path).await.ok();
    kubectl.ok(&apply, &object.to_string()).await;
    assert_eq!(hub.get(&path).await.ok(), before, "what is as applied is not written");
    // Another manager, another version, the same field.
    let mut today = before.clone();
    today["spec"]["replicas"] = json!(8);
    let metadata = today["metadata"].as_object_mut().unwrap();
    metadata.retain(|field, _| matches!(field.as_str(), "name" | "namespace"));
    today.as_object_mut().unwrap().remove("status");
    let said = kubectl
        .fails(
            &["apply", "--server-side", "--field-manager=argo", "-f", "-"],
            &today.to_string(),
        )
        .await;
    assert!(
        said.contains("conflict with \"kubectl\"") && said.contains(".spec.replicas"),
        "{said}"
    );
}

#[tokio::test]
async fn an_ingress_of_before_is_converted_both_ways() {
    let (hub, _served, kubectl) = start().await;
    for version in ["extensions/v1beta1", "networking.k8s.io/v1beta1"] {
        let mut ingress = json!({
            "apiVersion": version, "kind": "Ingress", "metadata": {"name": "shop", "namespace": "shop"},
            "spec": {
                "backend": {"serviceName": "fallback", "servicePort": 80},
                "rules": [{"host": "shop.example", "http": {"paths": [
                    {"path": "/", "backend": {"serviceName": "web", "servicePort": "http"}}]}}],
            },
        });
        let apply = ["apply", "-f", "-"];
        kubectl.ok(&apply, &ingress.to_string()).await;
        let said = kubectl.ok(&apply, &ingress.to_string()).await;
        assert!(said.ends_with("shop unchanged\n"), "{said}");
        ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["servicePort"] = json!(8080);
        kubectl.ok(&apply, &ingress.to_string()).await;
        let stored = hub.get(&format!("{INGRESSES}/shop")).await.ok();
        let path = &stored["spec"]["rules"][0]["http"]["paths"][0];
        assert_eq!(
            path,
            &json!({"path": "/", "pathType": "ImplementationSpecific", "backend": {"service": {"name": "web", "port": {"number": 8080}}}})
        );
        assert_eq!(
            stored["spec"]["defaultBackend"],
            json!({"service": {"name": "fallback", "port": {"number": 80}}})
        );
        kubectl.ok(&["delete", "-f", "-"], &ingress.to_string()).await;
    }
}

#[tokio::test]
async fn an_autoscaler_of_the_first_version_is_one_of_today() {
    let (hub, _served, kubectl) = start().await;
    let mut autoscaler = json!({
        "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1, "maxReplicas": 10, "targetCPUUtilizationPercentage": 70},
    });
    let apply = ["apply", "-f", "-"];
    let (_, warned) = kubectl.told(&apply, &autoscaler.to_string()).await;
    assert_eq!(warned, "", "Kubernetes serves this version to this day");
    let said = kubectl.ok(&apply, &autoscaler.to_string()).await;
    assert!(said.ends_with("web unchanged\n"), "{said}");
    autoscaler["spec"]["targetCPUUtilizationPercentage"] = json!(50);
    kubectl.ok(&apply, &autoscaler.to_string()).await;
    let stored = hub.get(&format!("{AUTOSCALERS}/web")).await.ok();
    assert_eq!(
        stored["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"],
        50
    );
    let shown = read(&kubectl, "horizontalpodautoscalers.v1.autoscaling", "web").await;
    assert_eq!(shown["spec"], autoscaler["spec"]);
    let table = kubectl.ok(&["get", "hpa", "-n", "shop", "--no-headers"], "").await;
    assert!(table.contains("Deployment/web") && table.contains("/50%"), "{table}");
}

#[tokio::test]
async fn what_todays_version_has_no_word_for_is_refused_with_its_field() {
    let (_hub, _served, kubectl) = start().await;
    let mut object = workload("Deployment", "extensions/v1beta1");
    object["spec"]["rollbackTo"] = json!({"revision": 3});
    let said = kubectl.fails(&["apply", "-f", "-"], &object.to_string()).await;
    assert!(said.contains("spec.rollbackTo"), "{said}");
    let mut object = workload("Deployment", "apps/v1beta2");
    object["spec"]["replicass"] = json!(3);
    let said = kubectl.fails(&["apply", "-f", "-"], &object.to_string()).await;
    assert!(said.contains("spec.replicass"), "{said}");
}
