use atoll_simulator::{MemberOptions, NodeShape};
use k8s_openapi::api::apps::v1::{DaemonSet, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;

use crate::fixture::{World, create, deployment, eventually, options, refusal, template};

#[tokio::test]
async fn a_deployment_becomes_ready_on_ready_nodes() {
    let world = World::shop().await;
    world.ready(deployment("web", 3)).await;
    let made = world.deployments().get("web").await.unwrap();
    let status = made.status.unwrap();
    assert_eq!(
        (
            status.replicas,
            status.ready_replicas,
            status.updated_replicas,
            status.available_replicas
        ),
        (Some(3), Some(3), Some(3), Some(3))
    );
    assert_eq!(status.observed_generation, made.metadata.generation);
    let conditions: Vec<(String, String, Option<String>)> = status
        .conditions
        .unwrap()
        .into_iter()
        .map(|one| (one.type_, one.status, one.reason))
        .collect();
    assert!(conditions.contains(&(
        "Available".into(),
        "True".into(),
        Some("MinimumReplicasAvailable".into())
    )));
    assert!(conditions.contains(&(
        "Progressing".into(),
        "True".into(),
        Some("NewReplicaSetAvailable".into())
    )));
    let pods = world
        .pods()
        .list(&ListParams::default().labels("app=web"))
        .await
        .unwrap();
    let mut nodes: Vec<String> = pods
        .items
        .iter()
        .filter_map(|pod| pod.spec.as_ref()?.node_name.clone())
        .collect();
    nodes.sort();
    nodes.dedup();
    assert_eq!(nodes.len(), 3, "pods are spread");
    for pod in &pods.items {
        assert!(pod.metadata.labels.as_ref().unwrap().contains_key("pod-template-hash"));
        assert_eq!(pod.status.as_ref().unwrap().phase.as_deref(), Some("Running"));
        assert!(
            pod.status
                .as_ref()
                .unwrap()
                .pod_ip
                .as_ref()
                .unwrap()
                .starts_with("10.244.")
        );
    }
}

#[tokio::test]
async fn a_deployment_is_scaled_by_its_scale() {
    let world = World::shop().await;
    world.ready(deployment("web", 1)).await;
    let deployments = world.deployments();
    let patch = Patch::Merge(json!({"spec": {"replicas": 4}}));
    let scale = deployments
        .patch_scale("web", &PatchParams::default(), &patch)
        .await
        .unwrap();
    assert_eq!(scale.spec.unwrap().replicas, Some(4));
    eventually("four pods run", async || {
        deployments.get_scale("web").await.unwrap().status.unwrap().replicas == 4 && world.pod_names().await.len() == 4
    })
    .await;
    let before = deployments.get("web").await.unwrap();
    deployments
        .patch_scale("web", &PatchParams::default(), &patch)
        .await
        .unwrap();
    let after = deployments.get("web").await.unwrap();
    assert_eq!(
        before.metadata.generation, after.metadata.generation,
        "the same again is no change"
    );
    let patch = Patch::Merge(json!({"spec": {"replicas": 2}}));
    deployments.patch("web", &PatchParams::default(), &patch).await.unwrap();
    eventually("two pods are left", async || world.pod_names().await.len() == 2).await;
    let negative = Patch::Merge(json!({"spec": {"replicas": -1}}));
    let refused = refusal(deployments.patch_scale("web", &PatchParams::default(), &negative).await);
    assert_eq!(refused.0, 422);
}

#[tokio::test]
async fn an_update_ends_at_a_new_replica_set_and_can_be_taken_back() {
    let world = World::shop().await;
    world.ready(deployment("web", 3)).await;
    let sets: Api<ReplicaSet> = Api::namespaced(world.client.clone(), "shop");
    let first = sets.list(&ListParams::default()).await.unwrap().items.remove(0);
    // A strategic merge patch, as `kubectl set image` sends it.
    let image = |image: &str| {
        Patch::Strategic(json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}}))
    };
    let replicas = async || -> Vec<(String, i32)> {
        let mut found: Vec<(String, i32)> = sets
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
            .into_iter()
            .map(|set| {
                let spec = set.spec.unwrap();
                let image = spec.template.unwrap().spec.unwrap().containers[0]
                    .image
                    .clone()
                    .unwrap();
                (image, set.status.unwrap().replicas)
            })
            .collect();
        found.sort();
        found
    };
    let deployments = world.deployments();
    deployments
        .patch("web", &PatchParams::default(), &image("web:2"))
        .await
        .unwrap();
    eventually("all pods are of the new set", async || {
        replicas().await == [("web:1".to_owned(), 0), ("web:2".to_owned(), 3)]
    })
    .await;
    deployments
        .patch("web", &PatchParams::default(), &image("web:1"))
        .await
        .unwrap();
    eventually("all pods are of the first set again", async || {
        replicas().await == [("web:1".to_owned(), 3), ("web:2".to_owned(), 0)]
    })
    .await;
    let again = sets.get(first.metadata.name.as_ref().unwrap()).await.unwrap();
    assert_eq!(again.metadata.uid, first.metadata.uid);
    assert_eq!(
        again.metadata.annotations.unwrap()["deployment.kubernetes.io/revision"],
        "3"
    );
}

#[tokio::test]
async fn an_image_that_is_not_there_leaves_the_old_pods_serving() {
    let world = World::shop().await;
    world.ready(deployment("web", 4)).await;
    let patch = Patch::Merge(json!({"spec": {"template": template("web:does-not-exist")}}));
    world
        .deployments()
        .patch("web", &PatchParams::default(), &patch)
        .await
        .unwrap();
    eventually("a new pod waits for its image", async || {
        let pods = world.pods().list(&ListParams::default()).await.unwrap();
        pods.items.iter().any(|pod| {
            let statuses = pod
                .status
                .as_ref()
                .and_then(|status| status.container_statuses.as_ref());
            statuses.is_some_and(|all| {
                all.iter().any(|one| {
                    let waiting = one.state.as_ref().and_then(|state| state.waiting.as_ref());
                    waiting.is_some_and(|waiting| waiting.reason.as_deref() == Some("ImagePullBackOff"))
                })
            })
        })
    })
    .await;
    eventually("three of four still serve", async || {
        let status = world.deployments().get("web").await.unwrap().status.unwrap();
        status.available_replicas == Some(3) && status.updated_replicas == Some(2)
    })
    .await;
}

#[tokio::test]
async fn deleting_a_deployment_removes_its_pods() {
    let world = World::shop().await;
    world.ready(deployment("web", 2)).await;
    world
        .deployments()
        .delete("web", &DeleteParams::default())
        .await
        .unwrap();
    eventually("no pod is left", async || world.pod_names().await.is_empty()).await;
    let sets: Api<ReplicaSet> = Api::namespaced(world.client.clone(), "shop");
    assert_eq!(sets.list(&ListParams::default()).await.unwrap().items.len(), 0);
}

#[tokio::test]
async fn a_deleted_pod_is_replaced() {
    let world = World::shop().await;
    world.ready(deployment("web", 1)).await;
    let first = world.pod_names().await.remove(0);
    let deleted = world.pods().delete(&first, &DeleteParams::default()).await.unwrap();
    let marked = deleted.left().expect("a running pod takes its time");
    assert_eq!(marked.metadata.deletion_grace_period_seconds, Some(30));
    eventually("another pod runs instead", async || {
        let names = world.pod_names().await;
        names.len() == 1 && names[0] != first
    })
    .await;
}

#[tokio::test]
async fn pods_that_nobody_has_room_for_wait_until_somebody_has() {
    let world = World::with(MemberOptions {
        nodes: 1,
        node: NodeShape {
            cpu: "1".into(),
            ..NodeShape::default()
        },
        ..options()
    })
    .await;
    create(&world.namespaces(), json!({"metadata": {"name": "shop"}})).await;
    let mut large = deployment("web", 3);
    large["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "400m"}});
    create(&world.deployments(), large).await;
    let phases = async || -> Vec<String> {
        let pods = world.pods().list(&ListParams::default()).await.unwrap();
        let mut phases: Vec<String> = pods.items.into_iter().filter_map(|pod| pod.status?.phase).collect();
        phases.sort();
        phases
    };
    eventually("two run and one waits", async || {
        phases().await == ["Pending", "Running", "Running"]
    })
    .await;
    let pods = world
        .pods()
        .list(&ListParams::default().fields("status.phase=Pending"))
        .await
        .unwrap();
    let conditions = pods.items[0].status.as_ref().unwrap().conditions.as_ref().unwrap();
    assert_eq!(
        conditions[0].message.as_deref(),
        Some("0/1 nodes are available: 1 Insufficient cpu.")
    );
    let patch = Patch::Merge(json!({"spec": {"replicas": 2}}));
    world
        .deployments()
        .patch("web", &PatchParams::default(), &patch)
        .await
        .unwrap();
    eventually("the one that waits is given up", async || {
        phases().await == ["Running", "Running"]
    })
    .await;
}

#[tokio::test]
async fn a_stateful_set_starts_its_pods_in_order_and_gives_them_storage() {
    let world = World::shop().await;
    let sets: Api<StatefulSet> = Api::namespaced(world.client.clone(), "shop");
    create(
        &sets,
        json!({"metadata": {"name": "db"}, "spec": {"replicas": 2, "serviceName": "db", "selector": {"matchLabels": {"app": "web"}}, "template": template("db:1"),
            "volumeClaimTemplates": [{"metadata": {"name": "disk"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}}),
    )
    .await;
    eventually("both pods are ready", async || {
        let status = sets.get("db").await.unwrap().status.unwrap();
        status.ready_replicas == Some(2) && status.current_revision == status.update_revision
    })
    .await;
    assert_eq!(world.pod_names().await, ["db-0", "db-1"]);
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(world.client.clone(), "shop");
    let claim = claims.get("disk-db-1").await.unwrap();
    assert_eq!(claim.status.unwrap().phase.as_deref(), Some("Bound"));
}

#[tokio::test]
async fn a_daemon_set_has_a_pod_on_each_node() {
    let world = World::shop().await;
    let sets: Api<DaemonSet> = Api::namespaced(world.client.clone(), "shop");
    create(
        &sets,
        json!({"metadata": {"name": "agent"}, "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template("agent:1")}}),
    )
    .await;
    eventually("each node has its pod", async || {
        let status = sets.get("agent").await.unwrap().status.unwrap();
        (status.desired_number_scheduled, status.number_available) == (3, Some(3))
    })
    .await;
}

#[tokio::test]
async fn a_job_runs_to_completion() {
    let world = World::shop().await;
    let jobs: Api<Job> = Api::namespaced(world.client.clone(), "shop");
    let job = json!({"metadata": {"name": "report"}, "spec": {"completions": 3, "parallelism": 2,
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "report:1"}]}}}});
    create(&jobs, job).await;
    eventually("the Job is complete", async || {
        let status = jobs.get("report").await.unwrap().status.unwrap_or_default();
        status.succeeded == Some(3) && status.completion_time.is_some()
    })
    .await;
    let patch =
        Patch::Merge(json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "report:2"}]}}}}));
    let refused = refusal(jobs.patch("report", &PatchParams::default(), &patch).await);
    assert!(
        refused.0 == 422 && refused.1.contains("field is immutable"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn what_controllers_write_is_valid_for_clients_to_write_again() {
    let world = World::shop().await;
    world.ready(deployment("web", 1)).await;
    let label = Patch::Merge(json!({"metadata": {"labels": {"seen": "yes"}}}));
    let labelled = |path: String| {
        let world = &world;
        let body = serde_json::to_string(&json!({"metadata": {"labels": {"seen": "yes"}}})).unwrap();
        async move {
            let response = world
                .send(
                    "PATCH",
                    &path,
                    &[("content-type", "application/merge-patch+json")],
                    &body,
                )
                .await;
            assert!(response.status().is_success(), "{path}: {}", response.body());
        }
    };
    world
        .deployments()
        .patch("web", &PatchParams::default(), &label)
        .await
        .unwrap();
    for path in [
        "/api/v1/nodes",
        "/api/v1/pods",
        "/api/v1/services",
        "/api/v1/endpoints",
        "/apis/discovery.k8s.io/v1/endpointslices",
        "/apis/apps/v1/replicasets",
        "/api/v1/events",
        "/api/v1/namespaces",
        "/apis/coordination.k8s.io/v1/leases",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    ] {
        let list = world.get(path).await;
        let item = list["items"]
            .as_array()
            .unwrap()
            .last()
            .unwrap_or_else(|| panic!("{path} is empty"));
        let (name, namespace) = (
            item["metadata"]["name"].as_str().unwrap(),
            item["metadata"]["namespace"].as_str(),
        );
        let (prefix, plural) = path.rsplit_once('/').unwrap();
        labelled(match namespace {
            Some(namespace) => format!("{prefix}/namespaces/{namespace}/{plural}/{name}"),
            None => format!("{path}/{name}"),
        })
        .await;
    }
}
