//! Old groups of KubeFed, with kubectl itself: the same objects under the name that was asked for.

use serde_json::{Value, json};

use super::forward_fixture::Served;
use super::hub_fixture::{DEPLOYMENTS, Hub, Lines, deployment};
use super::hub_kubectl::Kubectl;

const OLD: &str = "federateddeployments.types.kubefed.k8s.io";
const OLD_DEPLOYMENTS: &str = "/apis/types.kubefed.k8s.io/v1beta1/namespaces/shop/federateddeployments";

async fn start() -> (Hub, Served, Kubectl) {
    let hub = Hub::start().await;
    hub.namespace("shop").await;
    let served = Served::start(&hub).await;
    let kubectl = Kubectl::new(&hub, &served);
    (hub, served, kubectl)
}

fn old_deployment(name: &str) -> Value {
    let mut object = deployment(name);
    object["apiVersion"] = json!("types.kubefed.k8s.io/v1beta1");
    object
}

#[tokio::test]
async fn a_file_of_an_old_group_is_applied_left_alone_and_changed() {
    let (hub, _served, kubectl) = start().await;
    let mut web = old_deployment("web");
    let apply = ["apply", "-f", "-"];
    let (said, warned) = kubectl.told(&apply, &web.to_string()).await;
    assert_eq!(
        said,
        format!("{}/web created\n", "federateddeployment.types.kubefed.k8s.io")
    );
    assert!(
        warned.contains("Warning: types.kubefed.k8s.io/v1beta1 FederatedDeployment is the old name")
            && warned.contains("write apiVersion: types.kubefed.io/v1beta1"),
        "{warned}"
    );
    let said = kubectl.ok(&apply, &web.to_string()).await;
    assert!(said.ends_with("web unchanged\n"), "{said}");
    for diff in [
        &["diff", "-f", "-"][..],
        &["diff", "--server-side", "--force-conflicts", "-f", "-"],
    ] {
        // Nothing differs, so it ends well; another version than the file's would be a difference.
        kubectl.ok(diff, &web.to_string()).await;
    }
    web["spec"]["template"]["spec"]["replicas"] = json!(5);
    let said = kubectl.ok(&apply, &web.to_string()).await;
    assert!(said.ends_with("web configured\n"), "{said}");
    let stored = hub.get(&format!("{DEPLOYMENTS}/web")).await.ok();
    assert_eq!(stored["apiVersion"], "types.kubefed.io/v1beta1");
    assert_eq!(stored["spec"]["template"]["spec"]["replicas"], 5);
    let shown = kubectl.ok(&["get", OLD, "web", "-n", "shop", "-o", "json"], "").await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["apiVersion"], "types.kubefed.k8s.io/v1beta1");
    assert_eq!(shown["metadata"]["uid"], stored["metadata"]["uid"]);
}

#[tokio::test]
async fn the_file_may_be_mended_and_the_objects_stay() {
    let (_hub, _served, kubectl) = start().await;
    let apply = ["apply", "-f", "-"];
    kubectl.ok(&apply, &old_deployment("web").to_string()).await;
    // The same file under today's name finds the object, and its fields under the same owner.
    let (said, warned) = kubectl.told(&apply, &deployment("web").to_string()).await;
    assert!(said.starts_with("federateddeployment.types.kubefed.io/web "), "{said}");
    assert_eq!(warned, "");
    let said = kubectl.ok(&apply, &deployment("web").to_string()).await;
    assert!(said.ends_with("web unchanged\n"), "{said}");
}

#[tokio::test]
async fn server_side_apply_and_replace_edit_patch_and_delete_work_under_the_old_name() {
    let (hub, _served, kubectl) = start().await;
    let apply = ["apply", "--server-side", "-f", "-"];
    let web = old_deployment("web").to_string();
    // After a client-side apply, kubectl moves the ownership first, by a patch of `managedFields`.
    kubectl.ok(&["apply", "-f", "-"], &web).await;
    kubectl.ok(&apply, &web).await;
    let version = || async { hub.get(&format!("{DEPLOYMENTS}/web")).await.ok()["metadata"]["resourceVersion"].clone() };
    let before = version().await;
    kubectl.ok(&apply, &web).await;
    assert_eq!(version().await, before, "what is as applied is not written");
    let fields = hub.get(&format!("{DEPLOYMENTS}/web")).await.ok()["metadata"]["managedFields"].clone();
    for entry in fields.as_array().unwrap() {
        // Nothing is left to the client-side manager, and every entry is of the version that is kept.
        assert_eq!(
            (&entry["operation"], &entry["apiVersion"]),
            (&json!("Apply"), &json!("types.kubefed.io/v1beta1")),
            "{entry}"
        );
    }
    let patch = r#"{"spec":{"template":{"spec":{"replicas":9}}}}"#;
    kubectl
        .ok(&["patch", OLD, "web", "-n", "shop", "--type=merge", "-p", patch], "")
        .await;
    kubectl.ok(&["label", OLD, "web", "-n", "shop", "tier=front"], "").await;
    let mut read: Value =
        serde_json::from_str(&kubectl.ok(&["get", OLD, "web", "-n", "shop", "-o", "json"], "").await).unwrap();
    assert_eq!(read["spec"]["template"]["spec"]["replicas"], 9);
    read["spec"]["template"]["spec"]["replicas"] = json!(4);
    kubectl.ok(&["replace", "-f", "-"], &read.to_string()).await;
    let stored = hub.get(&format!("{DEPLOYMENTS}/web")).await.ok();
    assert_eq!(
        (
            &stored["spec"]["template"]["spec"]["replicas"],
            &stored["metadata"]["labels"]["tier"]
        ),
        (&json!(4), &json!("front"))
    );
    kubectl.ok(&["delete", "-f", "-"], &web).await;
    hub.get(&format!("{DEPLOYMENTS}/web")).await.failed(404, "NotFound");
}

#[tokio::test]
async fn plain_names_and_short_names_are_todays_group_alone() {
    let (_hub, _served, kubectl) = start().await;
    kubectl
        .ok(&["apply", "-f", "-"], &old_deployment("web").to_string())
        .await;
    for name in ["federateddeployments", "federateddeployment", "fdeploy"] {
        let (said, warned) = kubectl.told(&["get", name, "-n", "shop", "-o", "name"], "").await;
        assert_eq!(
            (said.as_str(), warned.as_str()),
            ("federateddeployment.types.kubefed.io/web\n", ""),
            "{name}"
        );
    }
    let all = kubectl.ok(&["get", "all", "-n", "shop", "-o", "name"], "").await;
    assert_eq!(all, "federateddeployment.types.kubefed.io/web\n");
    let served = kubectl
        .ok(&["api-resources", "--api-group=types.kubefed.k8s.io", "-o", "name"], "")
        .await;
    assert!(served.lines().any(|line| line == OLD), "{served}");
}

#[tokio::test]
async fn every_kind_of_a_renamed_group_is_served_under_its_old_one() {
    let (hub, _served, _kubectl) = start().await;
    for (old, new) in [
        ("types.kubefed.k8s.io/v1beta1", "types.kubefed.io/v1beta1"),
        ("core.kubefed.k8s.io/v1beta1", "core.kubefed.io/v1beta1"),
        ("scheduling.kubefed.k8s.io/v1alpha1", "scheduling.kubefed.io/v1alpha1"),
        (
            "scheduling.federation.k8s.io/v1alpha1",
            "scheduling.kubefed.io/v1alpha1",
        ),
    ] {
        let names = |list: &Value| {
            let resources = list["resources"].as_array().unwrap().iter();
            resources.map(|one| one["name"].clone()).collect::<Vec<_>>()
        };
        let (old_list, new_list) = (
            hub.get(&format!("/apis/{old}")).await.ok(),
            hub.get(&format!("/apis/{new}")).await.ok(),
        );
        assert!(!names(&new_list).is_empty());
        assert_eq!(names(&old_list), names(&new_list), "{old}");
    }
}

#[tokio::test]
async fn a_watch_of_an_old_group_sees_what_is_written_under_todays() {
    let (hub, _served, _kubectl) = start().await;
    let mut lines = Lines::open(&hub, &format!("{OLD_DEPLOYMENTS}?watch=true&timeoutSeconds=20")).await;
    hub.post(DEPLOYMENTS, &deployment("web")).await.ok();
    let event = lines.next().await.unwrap();
    assert_eq!(
        (&event["type"], &event["object"]["apiVersion"]),
        (&json!("ADDED"), &json!("types.kubefed.k8s.io/v1beta1"))
    );
}

#[tokio::test]
async fn what_is_refused_under_todays_name_is_refused_under_the_old_one() {
    let (hub, _served, kubectl) = start().await;
    let mut web = old_deployment("web");
    web["spec"]["overrides"] =
        json!([{"clusterName": "eu-1", "clusterOverrides": [{"path": "/metadata/name", "value": "x"}]}]);
    let said = kubectl.fails(&["apply", "-f", "-"], &web.to_string()).await;
    assert!(said.contains("spec.overrides[0].clusterOverrides[0].path"), "{said}");
    let other = hub.person("bob", false).await;
    let request =
        http::Request::get(format!("/k8s/hub{OLD_DEPLOYMENTS}")).header("authorization", format!("Bearer {other}"));
    let denied = super::hub_fixture::Answer::read(hub.send(request, axum::body::Body::empty()).await).await;
    let denied = denied.failed(403, "Forbidden");
    assert_eq!(denied["details"]["group"], "types.kubefed.io");
}

#[tokio::test]
async fn may_i_is_answered_for_the_old_name_as_for_todays() {
    let (_hub, _served, kubectl) = start().await;
    assert_eq!(
        kubectl.ok(&["auth", "can-i", "create", OLD, "-n", "shop"], "").await,
        "yes\n"
    );
}
