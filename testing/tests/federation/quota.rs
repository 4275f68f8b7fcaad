//! What one member refuses is shown there, and keeps nobody else.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::{waiting::eventually, world::World};

const NAMESPACE: &str = "quota";

pub(crate) async fn told(world: &World) -> Result<()> {
    world.federate_namespace(NAMESPACE).await?;
    a_member_allows_no_deployments(world).await?;
    its_refusal_is_shown_there_only(world).await?;
    it_catches_up_when_it_allows_them(world).await?;
    world.leave_namespace(NAMESPACE).await
}

fn quotas() -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/resourcequotas")
}

fn deployment() -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/web")
}

async fn a_member_allows_no_deployments(world: &World) -> Result<()> {
    let quota = json!({
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": { "name": "none" },
        "spec": { "hard": { "count/deployments.apps": "0" } },
    });
    world.ap.post(&quotas(), &quota).await?;
    eventually("the quota to be in force", async || {
        let quota = world.ap.get(&format!("{}/none", quotas())).await?;
        ensure!(quota["status"]["hard"]["count/deployments.apps"] == "0", "{quota}");
        Ok(())
    })
    .await
}

async fn its_refusal_is_shown_there_only(world: &World) -> Result<()> {
    world.kubectl.apply(include_str!("manifests/quota.yaml")).await?;
    eventually("CreationFailed in ap-1 only", async || {
        let object = world.federated(NAMESPACE, "federateddeployments", "web").await?;
        object.is_only("ap-1", "CreationFailed")?;
        let message = object.message("ap-1");
        ensure!(
            message.contains("exceeded quota: none") && message.contains("count/deployments.apps=1"),
            "the message is {message:?}"
        );
        for other in ["eu-1", "us-1"] {
            ensure!(object.message(other).is_empty(), "{}", object.status());
        }
        Ok(())
    })
    .await?;
    for member in [&world.eu, &world.us] {
        eventually(&format!("a ready Deployment in {}", member.name()), async || {
            let object = member.get(&deployment()).await?;
            ensure!(object["status"]["readyReplicas"] == 1, "{}", object["status"]);
            Ok(())
        })
        .await?;
    }
    world.ap.lacks(&deployment()).await
}

async fn it_catches_up_when_it_allows_them(world: &World) -> Result<()> {
    world.ap.delete(&format!("{}/none", quotas())).await?;
    world.propagated(NAMESPACE, "federateddeployments", "web").await?;
    world.ap.get(&deployment()).await?;
    Ok(())
}
