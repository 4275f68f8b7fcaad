//! Kubernetes' own kinds on the hub, in the manner of Federation v1: with kubectl as its users know it.

use serde_json::{Value, json};

use super::forward_fixture::Served;
use super::hub_fixture::{DEPLOYMENTS, Hub, JSON, MERGE, deployment};
use super::hub_kubectl::Kubectl;

pub(crate) const PLAIN_DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop/deployments";
const DELETE_FINALIZER: &str = "federation.kubernetes.io/delete-from-underlying-clusters";

/// A Deployment as any cluster has it.
pub(crate) fn plain_deployment(name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": name}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "web", "image": "nginx:1", "ports": [{"containerPort": 80}]}]},
            },
        },
    })
}

/// The same with preferences of v1, which federate it.
pub(crate) fn federated(mut object: Value) -> Value {
    let preferences = json!({"rebalance": true, "clusters": {"*": {"weight": 1}}});
    object["metadata"]["annotations"] =
        json!({"federation.kubernetes.io/deployment-preferences": preferences.to_string()});
    object
}

async fn start() -> (Hub, Served, Kubectl) {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let served = Served::start(&hub).await;
    let kubectl = Kubectl::new(&hub, &served);
    (hub, served, kubectl)
}

fn finalizers(object: &Value) -> Vec<&str> {
    let list = object["metadata"]["finalizers"].as_array().into_iter().flatten();
    list.map(|one| one.as_str().unwrap()).collect()
}

#[tokio::test]
async fn plain_kinds_are_applied_listed_and_deleted_as_in_any_cluster() {
    let (_hub, _served, kubectl) = start().await;
    let mut web = plain_deployment("web");
    let apply = ["apply", "-f", "-"];
    assert_eq!(
        kubectl.ok(&apply, &web.to_string()).await,
        "deployment.apps/web created\n"
    );
    assert_eq!(
        kubectl.ok(&apply, &web.to_string()).await,
        "deployment.apps/web unchanged\n"
    );
    web["spec"]["template"]["spec"]["containers"][0]["image"] = json!("nginx:2");
    assert_eq!(
        kubectl.ok(&apply, &web.to_string()).await,
        "deployment.apps/web configured\n"
    );
    let table = kubectl.ok(&["get", "deploy", "-n", "shop"], "").await;
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]);
    assert_eq!(rows[1][..4], ["web", "0/2", "0", "0"]);
    // A strategic merge patch merges containers by name.
    let patch = r#"{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"side:1"}]}}}}"#;
    kubectl
        .ok(&["patch", "deploy", "web", "-n", "shop", "-p", patch], "")
        .await;
    let images = kubectl
        .ok(
            &[
                "get",
                "deploy",
                "web",
                "-n",
                "shop",
                "-o",
                "jsonpath={.spec.template.spec.containers[*].image}",
            ],
            "",
        )
        .await;
    let mut images: Vec<&str> = images.split(' ').collect();
    images.sort_unstable();
    assert_eq!(images, ["nginx:2", "side:1"]);
    let all = kubectl.ok(&["get", "all", "-n", "shop", "-o", "name"], "").await;
    assert_eq!(all, "deployment.apps/web\n");
    // It rests on the hub: nothing holds it.
    kubectl.ok(&["delete", "deploy", "web", "-n", "shop"], "").await;
    assert_eq!(kubectl.ok(&["get", "deploy", "-n", "shop"], "").await, "");
}

#[tokio::test]
async fn every_kind_of_v1_is_made_from_the_command_line_or_a_file() {
    let (_hub, _served, kubectl) = start().await;
    for arguments in [
        &["create", "deployment", "a", "--image=nginx", "--replicas=3"][..],
        &["create", "job", "a", "--image=busybox"],
        &["create", "service", "clusterip", "a", "--tcp=80:80"],
        &["create", "ingress", "a", "--rule=shop.example/*=a:80"],
        &["autoscale", "deployment", "a", "--min=1", "--max=5", "--cpu-percent=80"],
    ] {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["-n", "shop"]).collect();
        kubectl.ok(&arguments, "").await;
    }
    let mut workload = plain_deployment("b");
    workload["kind"] = json!("ReplicaSet");
    kubectl.ok(&["apply", "-f", "-"], &workload.to_string()).await;
    workload["kind"] = json!("DaemonSet");
    workload["spec"].as_object_mut().unwrap().remove("replicas");
    kubectl.ok(&["apply", "-f", "-"], &workload.to_string()).await;
    for (short, heading, first) in [
        ("deploy", "NAME READY UP-TO-DATE AVAILABLE AGE", "a"),
        ("rs", "NAME DESIRED CURRENT READY AGE", "b"),
        (
            "ds",
            "NAME DESIRED CURRENT READY UP-TO-DATE AVAILABLE NODE SELECTOR AGE",
            "b",
        ),
        ("jobs", "NAME STATUS COMPLETIONS DURATION AGE", "a"),
        ("svc", "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE", "a"),
        ("ing", "NAME CLASS HOSTS ADDRESS PORTS AGE", "a"),
        ("hpa", "NAME REFERENCE TARGETS MINPODS MAXPODS REPLICAS AGE", "a"),
    ] {
        let table = kubectl.ok(&["get", short, "-n", "shop"], "").await;
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0].join(" "), heading, "{short}");
        assert_eq!((rows.len(), rows[1][0]), (2, first), "{short}");
    }
    let explained = kubectl
        .ok(&["explain", "deployment.spec.template.spec.containers.image"], "")
        .await;
    assert!(explained.contains("image <string>"), "{explained}");
}

#[tokio::test]
async fn short_names_of_plain_and_federated_kinds_do_not_clash() {
    let (hub, _served, kubectl) = start().await;
    hub.post(DEPLOYMENTS, &deployment("web")).await.ok();
    hub.post(PLAIN_DEPLOYMENTS, &plain_deployment("plain")).await.ok();
    for (name, found) in [
        ("deploy", "deployment.apps/plain\n"),
        ("deployments", "deployment.apps/plain\n"),
        ("fdeploy", "federateddeployment.types.kubefed.io/web\n"),
    ] {
        assert_eq!(kubectl.ok(&["get", name, "-n", "shop", "-o", "name"], "").await, found);
    }
    let catalog = kubectl.ok(&["api-resources", "--no-headers"], "").await;
    let mut shorts: Vec<&str> = catalog
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| words.len() == 5)
        .flat_map(|words| words[1].split(','))
        .collect();
    assert!(shorts.contains(&"deploy") && shorts.contains(&"fdeploy"), "{shorts:?}");
    shorts.sort_unstable();
    let count = shorts.len();
    shorts.dedup();
    assert_eq!(shorts.len(), count, "a short name stands there twice");
}

#[tokio::test]
async fn scaling_writes_the_replicas() {
    let (hub, _served, kubectl) = start().await;
    let web = format!("{PLAIN_DEPLOYMENTS}/web");
    hub.post(PLAIN_DEPLOYMENTS, &federated(plain_deployment("web")))
        .await
        .ok();
    let scale = |more: &'static [&'static str]| {
        let mut arguments = vec!["scale", "deploy", "web", "-n", "shop"];
        arguments.extend(more);
        arguments
    };
    kubectl.ok(&scale(&["--replicas=5"]), "").await;
    let found = hub.get(&web).await.ok();
    assert_eq!(
        (&found["spec"]["replicas"], &found["metadata"]["generation"]),
        (&json!(5), &json!(2))
    );
    // A precondition is a PUT of the whole scale, at the version it was read at.
    let said = kubectl
        .fails(&scale(&["--replicas=7", "--current-replicas=2"]), "")
        .await;
    assert!(said.contains("Expected replicas to be 2"), "{said}");
    kubectl.ok(&scale(&["--replicas=7", "--current-replicas=5"]), "").await;
    kubectl.ok(&scale(&["--replicas=9", "--dry-run=server"]), "").await;
    assert_eq!(hub.get(&web).await.ok()["spec"]["replicas"], 7);
    let refused = hub
        .patch(&format!("{web}/scale"), MERGE, &json!({"spec": {"replicas": -1}}))
        .await;
    assert_eq!(refused.fields(), ["spec.replicas"]);
    let read = hub.get(&format!("{web}/scale")).await.ok();
    assert_eq!(
        (&read["kind"], &read["status"]["selector"]),
        (&json!("Scale"), &json!("app=web"))
    );
    hub.get("/apis/types.kubefed.io/v1beta1/namespaces/shop/federateddeployments/web/scale")
        .await
        .failed(404, "NotFound");
}

#[tokio::test]
async fn a_federated_object_is_held_by_the_finalizers_of_v1_from_the_day_it_is_one() {
    let (hub, _served, kubectl) = start().await;
    let both = [DELETE_FINALIZER, "orphan"];
    kubectl
        .ok(&["apply", "-f", "-"], &federated(plain_deployment("web")).to_string())
        .await;
    assert_eq!(
        finalizers(&hub.get(&format!("{PLAIN_DEPLOYMENTS}/web")).await.ok()),
        both
    );
    let again = kubectl
        .ok(&["apply", "-f", "-"], &federated(plain_deployment("web")).to_string())
        .await;
    assert_eq!(again, "deployment.apps/web unchanged\n");
    // One that is federated later is held later.
    hub.post(PLAIN_DEPLOYMENTS, &plain_deployment("late")).await.ok();
    let late = format!("{PLAIN_DEPLOYMENTS}/late");
    assert_eq!(finalizers(&hub.get(&late).await.ok()), Vec::<&str>::new());
    kubectl
        .ok(
            &[
                "annotate",
                "deploy",
                "late",
                "-n",
                "shop",
                "federation.kubernetes.io/deployment-preferences={}",
            ],
            "",
        )
        .await;
    assert_eq!(finalizers(&hub.get(&late).await.ok()), both);
    // And whatever lies in a namespace of v1.
    let namespace = json!({"metadata": {"name": "old", "labels": {"atoll.dev/federation-v1": "true"}}});
    let made = hub.post("/api/v1/namespaces", &namespace).await.ok();
    assert_eq!(finalizers(&made), both);
    let made = hub
        .post(
            "/api/v1/namespaces/old/configmaps",
            &json!({"metadata": {"name": "app"}}),
        )
        .await
        .ok();
    assert_eq!(finalizers(&made), both);
}

#[tokio::test]
async fn the_options_of_a_deletion_say_what_becomes_of_the_copies() {
    let (hub, _served, kubectl) = start().await;
    for (name, arguments, left) in [
        ("a", &[][..], vec![DELETE_FINALIZER]),
        ("b", &["--cascade=foreground"], vec![DELETE_FINALIZER]),
        ("c", &["--cascade=orphan"], vec![DELETE_FINALIZER, "orphan"]),
    ] {
        hub.post(PLAIN_DEPLOYMENTS, &federated(plain_deployment(name)))
            .await
            .ok();
        let mut delete = vec!["delete", "deploy", name, "-n", "shop", "--wait=false"];
        delete.extend(arguments);
        kubectl.ok(&delete, "").await;
        let marked = hub.get(&format!("{PLAIN_DEPLOYMENTS}/{name}")).await.ok();
        assert!(marked["metadata"]["deletionTimestamp"].is_string());
        assert_eq!(finalizers(&marked), left, "{name}");
    }
    // v1's own clients, and one that says nothing: then the finalizer decides by being there.
    for (name, options, left) in [
        ("d", json!({"orphanDependents": false}), vec![DELETE_FINALIZER]),
        ("e", json!({}), vec![DELETE_FINALIZER, "orphan"]),
    ] {
        let path = format!("{PLAIN_DEPLOYMENTS}/{name}");
        hub.post(PLAIN_DEPLOYMENTS, &federated(plain_deployment(name)))
            .await
            .ok();
        hub.ask(http::Method::DELETE, &path, JSON, Some(&options)).await.ok();
        assert_eq!(finalizers(&hub.get(&path).await.ok()), left, "{name}");
    }
    // What is only tried changes nothing.
    hub.post(PLAIN_DEPLOYMENTS, &federated(plain_deployment("f")))
        .await
        .ok();
    kubectl
        .ok(&["delete", "deploy", "f", "-n", "shop", "--dry-run=server"], "")
        .await;
    assert_eq!(
        finalizers(&hub.get(&format!("{PLAIN_DEPLOYMENTS}/f")).await.ok()).len(),
        2
    );
}

#[tokio::test]
async fn an_object_that_is_not_federated_goes_at_once_whatever_the_options_say() {
    let (hub, _served, kubectl) = start().await;
    for (name, cascade) in [("a", "background"), ("b", "orphan"), ("c", "foreground")] {
        hub.post(PLAIN_DEPLOYMENTS, &plain_deployment(name)).await.ok();
        let cascade = format!("--cascade={cascade}");
        kubectl
            .ok(&["delete", "deploy", name, "-n", "shop", &cascade, "--timeout=10s"], "")
            .await;
        hub.get(&format!("{PLAIN_DEPLOYMENTS}/{name}"))
            .await
            .failed(404, "NotFound");
    }
}

#[tokio::test]
async fn cluster_info_tells_where_the_hub_is() {
    let (_hub, served, kubectl) = start().await;
    let said = kubectl.ok(&["cluster-info"], "").await;
    assert!(
        said.contains("is running at") && said.contains(&served.address.to_string()),
        "{said}"
    );
}

#[tokio::test]
async fn nobody_acts_as_somebody_else() {
    let (_hub, _served, kubectl) = start().await;
    for arguments in [["get", "ns", "--as=bob"], ["get", "ns", "--as-group=system:masters"]] {
        let mut arguments = arguments.to_vec();
        if arguments[2].starts_with("--as-group") {
            arguments.push("--as=bob");
        }
        let said = kubectl.fails(&arguments, "").await;
        assert!(said.contains("Forbidden") && said.contains("leave out --as"), "{said}");
    }
}

#[tokio::test]
async fn preferences_that_cannot_be_meant_are_refused_with_their_field() {
    let (hub, _served, kubectl) = start().await;
    let field = "metadata.annotations[federation.kubernetes.io/deployment-preferences]";
    for bad in [
        "rebalance: true",
        "[]",
        r#"{"clusters": {"eu-1": {"minReplicas": 5, "maxReplicas": 2}}}"#,
        r#"{"clusters": {"eu-1": {"weight": -1}}}"#,
    ] {
        let mut object = plain_deployment("web");
        object["metadata"]["annotations"] = json!({"federation.kubernetes.io/deployment-preferences": bad});
        let said = kubectl.fails(&["apply", "-f", "-"], &object.to_string()).await;
        assert!(said.contains(field), "{bad}: {said}");
    }
    let mut object = plain_deployment("web");
    object["metadata"]["annotations"] = json!({"federation.alpha.kubernetes.io/cluster-selector": "region=eu"});
    let said = kubectl.fails(&["apply", "-f", "-"], &object.to_string()).await;
    assert!(
        said.contains("metadata.annotations[federation.alpha.kubernetes.io/cluster-selector]"),
        "{said}"
    );
    assert_eq!(kubectl.ok(&["get", "deploy", "-A", "-o", "name"], "").await, "");
    // One that is there already may still be let go of.
    hub.post(PLAIN_DEPLOYMENTS, &federated(plain_deployment("web")))
        .await
        .ok();
    let released = json!({"metadata": {"finalizers": null}});
    let path = format!("{PLAIN_DEPLOYMENTS}/web");
    let left = hub.patch(&path, MERGE, &released).await.ok();
    assert_eq!(finalizers(&left), Vec::<&str>::new());
}
