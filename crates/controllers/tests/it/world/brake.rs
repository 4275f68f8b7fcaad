//! What brings the brake about, and what lets go of it.

use anyhow::Result;
use atoll_controllers::HeldChange;
use atoll_store::Store;
use serde_json::json;

use super::World;

impl World {
    /// A dozen objects in every cluster of a region: a label of one cluster displaces them all.
    pub(crate) async fn many_by_region(&self) -> Result<Vec<String>> {
        self.federate("shop").await?;
        let names: Vec<String> = (0..12).map(|index| format!("o-{index:02}")).collect();
        let spec = json!({"template": {"data": {}}, "placement": {"clusterSelector": {"matchExpressions": [
            {"key": "region", "operator": "In", "values": ["eu", "us"]},
        ]}}});
        for name in &names {
            self.create("configmaps", "shop", name, spec.clone()).await?;
        }
        for name in &names {
            self.until_ok("configmaps", "shop", name).await?;
        }
        Ok(names)
    }

    /// Moves the cluster eu-1 to another region.
    pub(crate) async fn relabel(&self, region: &str) -> Result<()> {
        self.change(&Store::cluster_key("eu-1"), |body| {
            body["metadata"]["labels"]["region"] = region.into()
        })
        .await
    }

    /// Confirms what is held, where it says.
    pub(crate) async fn confirm(&self, hold: &HeldChange) -> Result<()> {
        self.change(&hold.annotate, |body| {
            body["metadata"]["annotations"] = json!({"atoll.dev/confirm-deletes": hold.token});
        })
        .await
    }
}
