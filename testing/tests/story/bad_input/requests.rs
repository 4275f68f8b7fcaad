//! Requests that lead nowhere, and objects that cannot be meant.

use anyhow::{Result, bail};
use http::{Method, StatusCode};
use serde_json::json;

use super::{status, text};
use crate::{
    manifests,
    members::{self, NAMESPACE},
    world::World,
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

    // Nobody acts as somebody else on a member, and nobody is left to believe that they did.
    let headers = [
        ("impersonate-user", "system:admin"),
        ("impersonate-group", "system:masters"),
    ];
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let path = "/k8s/clusters/eu-1/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let answer = world.admin.send(Method::POST, path, Some(review), &headers).await?;
    let told = status(&answer, StatusCode::FORBIDDEN, "Forbidden")?;
    assert!(text(&told["message"]).contains("system:admin"), "{told}");
    Ok(())
}

/// Objects that cannot be meant are refused when they are written, with the
/// field and, where it is about one, the cluster.
pub(crate) async fn objects_that_cannot_be_meant_are_refused(world: &World) -> Result<()> {
    let kubectl = world.kubectl("hub")?;
    kubectl.apply(manifests::NAMESPACE).await?;
    let beyond = manifests::DEPLOYMENT.replace("containers/0/image", "containers/5/image");
    let renaming = manifests::DEPLOYMENT.replace("path: /spec/replicas", "path: /metadata/name");
    let unselected = manifests::DEPLOYMENT.replace("matchLabels: {tier: production}", "matchLabels: [tier]");
    for (manifest, named) in [
        (beyond.as_str(), &["spec.overrides[0].clusterOverrides[1]", "us-1"][..]),
        (renaming.as_str(), &["spec.overrides[0].clusterOverrides[0].path"]),
        (unselected.as_str(), &["spec.placement.clusterSelector"]),
        (WITHOUT_TEMPLATE, &["spec.template"]),
    ] {
        let Err(refused) = kubectl.apply(manifest).await else {
            bail!("accepted: {manifest}");
        };
        let said = refused.to_string();
        for word in named {
            assert!(said.contains(word), "{word} in {said}");
        }
    }
    let objects = kubectl
        .text(["get", "federateddeployments", "-n", NAMESPACE, "-o", "name"])
        .await?;
    assert_eq!(objects, "");
    for cluster in world.members() {
        assert!(
            members::deployment(cluster, "web").await?.is_none(),
            "{}",
            cluster.name()
        );
    }
    Ok(())
}

/// Nothing to put anywhere.
const WITHOUT_TEMPLATE: &str = r"
apiVersion: types.kubefed.io/v1beta1
kind: FederatedDeployment
metadata: {name: empty, namespace: shop}
spec:
  placement: {clusters: [{name: eu-1}]}
";
