//! Requests that lead nowhere, and objects that cannot be meant.

use anyhow::Result;
use atoll_testing::until;
use http::{Method, StatusCode};
use serde_json::json;

use super::{status, text};
use crate::{
    manifests,
    members::{self, NAMESPACE, Running},
    propagation::{federated_deployment, propagation, word},
    world::{PATIENCE, World},
};

pub(crate) async fn unknown_clusters_and_odd_paths_are_refused(world: &World) -> Result<()> {
    let answer = world.admin.get("/k8s/clusters/no-such-cluster/api/v1/nodes").await?;
    let told = status(&answer, StatusCode::NOT_FOUND, "NotFound")?;
    assert_eq!(told["details"]["cluster"], "no-such-cluster", "{told}");

    for path in [
        "/k8s/clusters/eu-1/%2e%2e/us-1/version",
        "/k8s/clusters/eu-1/api/v1/namespaces/default%2Fsecrets",
        "/k8s/clusters/eu-1//version",
        "/k8s/clusters/eu-1/api/v1/namespaces/x%00y",
        "/k8s/clusters/eu-1/api/v1/nodes?watch=0&watch=1",
    ] {
        let answer = world.admin.get(path).await?;
        status(&answer, StatusCode::BAD_REQUEST, "BadRequest")?;
    }
    for path in [
        "/api/v1/no-such-thing",
        "/api/v2/clusters",
        "/k8s/nowhere",
        "/k8s/hub/apis/no.such.group/v1",
    ] {
        status(&world.admin.get(path).await?, StatusCode::NOT_FOUND, "NotFound")?;
    }
    let answer = world.admin.get("/api/v1/clusters?colour=red").await?;
    let told = status(&answer, StatusCode::BAD_REQUEST, "BadRequest")?;
    assert!(text(&told["message"]).contains("colour"), "{told}");
    let answer = world
        .admin
        .send(Method::PUT, "/api/v1/clusters", Some(json!({})), &[])
        .await?;
    status(&answer, StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed")?;

    // Whoever asks, nobody is somebody else on a member.
    let headers = [
        ("impersonate-user", "system:admin"),
        ("impersonate-group", "system:masters"),
    ];
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let path = "/k8s/clusters/eu-1/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let answer = world.admin.send(Method::POST, path, Some(review), &headers).await?;
    if answer.status.is_success() {
        assert_eq!(answer.json()?["status"]["userInfo"]["username"], "atoll:admin");
    } else {
        status(&answer, answer.status, text(&answer.json()?["reason"]))?;
    }
    Ok(())
}

pub(crate) async fn an_override_that_does_not_apply_fails_its_cluster_alone(world: &World) -> Result<()> {
    let kubectl = world.kubectl("hub")?;
    kubectl.apply(manifests::NAMESPACE).await?;
    let beyond = manifests::DEPLOYMENT.replace("containers/0/image", "containers/5/image");
    kubectl.apply(&beyond).await?;
    let expected = Running::all(2, "registry.example/shop/web:1.0");
    until("the cluster without that override", PATIENCE, async || {
        Ok(members::running(&world.eu, "web").await?.as_ref() == Some(&expected))
    })
    .await?;
    until("a status that names the other", PATIENCE, async || {
        let object = federated_deployment(world).await?;
        Ok(word(&object, "us-1") == Some("ApplyOverridesFailed") && word(&object, "eu-1") == Some(""))
    })
    .await?;
    let object = federated_deployment(world).await?;
    assert_eq!(propagation(&object)["reason"], "CheckClusters");
    assert!(members::deployment(&world.us, "web").await?.is_none());

    let refused = kubectl
        .feed(["apply", "-n", NAMESPACE, "-f", "-"], WITHOUT_TEMPLATE)
        .await;
    let said = refused.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(said.contains("spec.template"), "{said}");
    Ok(())
}

/// Nothing to put anywhere.
const WITHOUT_TEMPLATE: &str = r"
apiVersion: types.kubefed.io/v1beta1
kind: FederatedDeployment
metadata: {name: empty}
spec:
  placement: {clusters: [{name: eu-1}]}
";
