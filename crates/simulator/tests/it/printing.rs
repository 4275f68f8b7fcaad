use serde_json::Value;

use crate::fixture::{World, deployment};

const TABLE: (&str, &str) = (
    "accept",
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
);

/// Headings and the first row of what `kubectl get` prints, without and with `-o wide`.
async fn printed(world: &World, path: &str) -> (Vec<String>, Vec<String>, Vec<Value>) {
    let response = world.send("GET", path, &[TABLE], "").await;
    let table: Value = serde_json::from_str(response.body()).unwrap();
    assert_eq!(table["kind"], "Table", "{path}");
    let columns = table["columnDefinitions"].as_array().unwrap();
    let names = |wide: bool| -> Vec<String> {
        columns
            .iter()
            .filter(|one| wide || one["priority"] == 0)
            .map(|one| one["name"].as_str().unwrap().to_uppercase())
            .collect()
    };
    let cells = table["rows"][0]["cells"].as_array().cloned().unwrap_or_default();
    assert!(cells.is_empty() || cells.len() == columns.len(), "{path}");
    (names(false), names(true), cells)
}

#[tokio::test]
async fn kinds_are_printed_as_kubectl_prints_them() {
    let world = World::shop().await;
    world.ready(deployment("web", 1)).await;
    for (path, narrow, wide) in [
        (
            "/api/v1/nodes",
            "NAME STATUS ROLES AGE VERSION",
            "INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME",
        ),
        ("/api/v1/namespaces", "NAME STATUS AGE", ""),
        (
            "/api/v1/pods",
            "NAME READY STATUS RESTARTS AGE",
            "IP NODE NOMINATED NODE READINESS GATES",
        ),
        (
            "/api/v1/services",
            "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE",
            "SELECTOR",
        ),
        ("/api/v1/configmaps", "NAME DATA AGE", ""),
        ("/api/v1/secrets", "NAME TYPE DATA AGE", ""),
        (
            "/api/v1/events",
            "LAST SEEN TYPE REASON OBJECT MESSAGE",
            "SUBOBJECT SOURCE FIRST SEEN COUNT NAME",
        ),
        (
            "/apis/apps/v1/deployments",
            "NAME READY UP-TO-DATE AVAILABLE AGE",
            "CONTAINERS IMAGES SELECTOR",
        ),
        (
            "/apis/apps/v1/replicasets",
            "NAME DESIRED CURRENT READY AGE",
            "CONTAINERS IMAGES SELECTOR",
        ),
        ("/apis/apps/v1/statefulsets", "NAME READY AGE", "CONTAINERS IMAGES"),
        (
            "/apis/batch/v1/jobs",
            "NAME STATUS COMPLETIONS DURATION AGE",
            "CONTAINERS IMAGES SELECTOR",
        ),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles", "NAME CREATED AT", ""),
        (
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            "NAME ROLE AGE",
            "USERS GROUPS SERVICEACCOUNTS",
        ),
    ] {
        let (narrow_names, mut wide_names, _) = printed(&world, path).await;
        assert_eq!(narrow_names.join(" "), narrow, "{path}");
        wide_names.retain(|name| !narrow_names.contains(name));
        assert_eq!(wide_names.join(" "), wide, "{path}");
    }
    let (_, _, node) = printed(&world, "/api/v1/nodes").await;
    assert_eq!(
        (&node[1], &node[2], &node[4]),
        (&"Ready".into(), &"control-plane".into(), &"v1.36.3".into())
    );
    let (_, _, pod) = printed(&world, "/api/v1/namespaces/shop/pods").await;
    assert_eq!(
        (&pod[1], &pod[2], &pod[3]),
        (&"1/1".into(), &"Running".into(), &"0".into())
    );
    let (_, _, shown) = printed(&world, "/apis/apps/v1/namespaces/shop/deployments").await;
    assert_eq!(
        (&shown[1], &shown[2], &shown[5], &shown[7]),
        (&"1/1".into(), &1.into(), &"web".into(), &"app=web".into())
    );
    let (_, _, api) = printed(&world, "/api/v1/namespaces/default/services").await;
    assert_eq!(
        (&api[1], &api[2], &api[3], &api[4]),
        (
            &"ClusterIP".into(),
            &"10.96.0.1".into(),
            &"<none>".into(),
            &"443/TCP".into()
        )
    );
}
