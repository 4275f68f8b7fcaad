use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;

use crate::fixture::{World, create, deployment, eventually};

#[tokio::test]
async fn dependents_follow_the_last_of_their_owners() {
    let world = World::shop().await;
    let maps: Api<ConfigMap> = Api::namespaced(world.client.clone(), "shop");
    let owner = async |name: &str| {
        let made = create(&maps, json!({"metadata": {"name": name}})).await;
        json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": made.metadata.uid})
    };
    let (one, two) = (owner("one").await, owner("two").await);
    create(
        &maps,
        json!({"metadata": {"name": "dependent", "ownerReferences": [one, two]}}),
    )
    .await;
    let foreign = json!({"apiVersion": "example.com/v1", "kind": "Thing", "name": "x", "uid": "y"});
    create(
        &maps,
        json!({"metadata": {"name": "foreign", "ownerReferences": [foreign]}}),
    )
    .await;
    maps.delete("one", &DeleteParams::default()).await.unwrap();
    eventually("the first owner is forgotten", async || {
        let dependent = maps.get("dependent").await.unwrap();
        dependent
            .metadata
            .owner_references
            .is_some_and(|all| all.len() == 1 && all[0].name == "two")
    })
    .await;
    maps.delete("two", &DeleteParams::default()).await.unwrap();
    eventually("the dependent is gone", async || {
        maps.get_opt("dependent").await.unwrap().is_none()
    })
    .await;
    assert!(
        maps.get_opt("foreign").await.unwrap().is_some(),
        "an owner of an unknown kind is none that is gone"
    );
}

#[tokio::test]
async fn a_foreground_deletion_waits_for_the_pods() {
    let world = World::shop().await;
    let mut slow = deployment("web", 1);
    slow["spec"]["template"]["metadata"]["finalizers"] = json!(["example.com/hold"]);
    world.ready(slow).await;
    world
        .deployments()
        .delete("web", &DeleteParams::foreground())
        .await
        .unwrap();
    let pod = world.pod_names().await.remove(0);
    eventually("the pod is on its way", async || {
        world
            .pods()
            .get(&pod)
            .await
            .unwrap()
            .metadata
            .deletion_timestamp
            .is_some()
    })
    .await;
    let held = world.deployments().get("web").await.unwrap();
    assert_eq!(held.metadata.finalizers.unwrap(), ["foregroundDeletion"]);
    let patch = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    world.pods().patch(&pod, &PatchParams::default(), &patch).await.unwrap();
    eventually("all are gone", async || {
        world.deployments().get_opt("web").await.unwrap().is_none() && world.pod_names().await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn orphans_stay_and_are_adopted_by_the_next_owner() {
    let world = World::shop().await;
    world.ready(deployment("web", 2)).await;
    let pods = world.pod_names().await;
    world
        .deployments()
        .delete("web", &DeleteParams::orphan())
        .await
        .unwrap();
    let sets: Api<ReplicaSet> = Api::namespaced(world.client.clone(), "shop");
    eventually("the owner is gone", async || {
        world.deployments().get_opt("web").await.unwrap().is_none()
    })
    .await;
    let set = sets.list(&ListParams::default()).await.unwrap().items.remove(0);
    assert_eq!(set.metadata.owner_references, None);
    assert_eq!(world.pod_names().await, pods);
    world.ready(deployment("web", 2)).await;
    assert_eq!(world.pod_names().await, pods, "the pods are taken over");
}
