use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::fixture::{World, deployment, eventually, refusal};

#[tokio::test]
async fn two_managers_share_an_object_field_by_field() {
    let world = World::shop().await;
    let deployments = world.deployments();
    let hub = PatchParams::apply("atoll");
    deployments
        .patch("web", &hub, &Patch::Apply(deployment("web", 2)))
        .await
        .unwrap();
    eventually("it runs", async || {
        deployments
            .get("web")
            .await
            .unwrap()
            .status
            .is_some_and(|status| status.available_replicas == Some(2))
    })
    .await;
    let config = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"owner": "ann"}}, "spec": {"replicas": 5}});
    let person = PatchParams::apply("ann");
    let refused = refusal(deployments.patch("web", &person, &Patch::Apply(&config)).await);
    assert!(
        refused.0 == 409 && refused.1.contains("\"atoll\": .spec.replicas"),
        "{refused:?}"
    );
    deployments
        .patch("web", &person.clone().force(), &Patch::Apply(&config))
        .await
        .unwrap();
    // The other manager no longer states what was taken from it.
    let mut config = deployment("web", 2);
    config["spec"].as_object_mut().unwrap().remove("replicas");
    let before = deployments.patch("web", &hub, &Patch::Apply(&config)).await.unwrap();
    assert_eq!(before.spec.as_ref().unwrap().replicas, Some(5));
    assert_eq!(before.metadata.labels.as_ref().unwrap()["owner"], "ann");
    let revision = |object: &k8s_openapi::api::apps::v1::Deployment| {
        object.metadata.annotations.as_ref().unwrap()["deployment.kubernetes.io/revision"].clone()
    };
    eventually("five run", async || {
        deployments
            .get("web")
            .await
            .unwrap()
            .status
            .is_some_and(|status| status.available_replicas == Some(5))
    })
    .await;
    let settled = deployments.get("web").await.unwrap();
    let again = deployments.patch("web", &hub, &Patch::Apply(&config)).await.unwrap();
    assert_eq!(
        again.metadata.resource_version, settled.metadata.resource_version,
        "applying the same is no change"
    );
    assert_eq!(revision(&again), "1", "what controllers wrote stays");
}

#[tokio::test]
async fn what_an_api_server_refuses_is_refused() {
    let world = World::shop().await;
    let deployments = world.deployments();
    let hub = PatchParams::apply("atoll");
    let mut unselected = deployment("web", 1);
    unselected["spec"]["selector"]["matchLabels"]["app"] = "other".into();
    let refused = refusal(deployments.patch("web", &hub, &Patch::Apply(unselected)).await);
    assert!(
        refused.0 == 422 && refused.1.contains("`selector` does not match template `labels`"),
        "{refused:?}"
    );
    deployments
        .patch("web", &hub, &Patch::Apply(deployment("web", 1)))
        .await
        .unwrap();
    let mut reselected = deployment("web", 1);
    reselected["spec"]["selector"]["matchLabels"] = json!({"app": "web", "more": "x"});
    reselected["spec"]["template"]["metadata"]["labels"]["more"] = "x".into();
    let refused = refusal(deployments.patch("web", &hub, &Patch::Apply(reselected)).await);
    assert!(refused.0 == 422 && refused.1.contains("spec.selector"), "{refused:?}");
}
