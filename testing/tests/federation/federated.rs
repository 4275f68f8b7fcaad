//! A federated object as the hub shows it.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// An object with KubeFed's status.
#[derive(Clone, Debug)]
pub(crate) struct Federated(pub(crate) Value);

impl Federated {
    /// The entry of one cluster.
    pub(crate) fn entry(&self, cluster: &str) -> Option<&Value> {
        let entries = self.0["status"]["clusters"].as_array()?;
        entries.iter().find(|entry| entry["name"] == cluster)
    }

    /// The names of the clusters with an entry, in its order.
    pub(crate) fn clusters(&self) -> Vec<&str> {
        let entries = self.0["status"]["clusters"].as_array().into_iter().flatten();
        entries.filter_map(|entry| entry["name"].as_str()).collect()
    }

    /// The word of one cluster; empty when all is well there.
    pub(crate) fn word(&self, cluster: &str) -> Result<&str> {
        let entry = self.entry(cluster);
        let entry = entry.with_context(|| format!("nothing of {cluster} in {}", self.status()))?;
        Ok(entry["status"].as_str().unwrap_or_default())
    }

    /// What there is to say about one cluster; empty when nothing.
    pub(crate) fn message(&self, cluster: &str) -> &str {
        let message = self.entry(cluster).and_then(|entry| entry["message"].as_str());
        message.unwrap_or_default()
    }

    /// The condition `Propagation`; null while there is none.
    pub(crate) fn propagation(&self) -> &Value {
        let conditions = self.0["status"]["conditions"].as_array();
        let mut conditions = conditions.into_iter().flatten();
        conditions
            .find(|condition| condition["type"] == "Propagation")
            .unwrap_or(&Value::Null)
    }

    /// The status, for messages.
    pub(crate) fn status(&self) -> String {
        let metadata = &self.0["metadata"];
        format!(
            "{} {}/{} of generation {}: {}",
            self.0["kind"].as_str().unwrap_or("?"),
            metadata["namespace"].as_str().unwrap_or_default(),
            metadata["name"].as_str().unwrap_or_default(),
            metadata["generation"],
            self.0["status"]
        )
    }

    /// Whether the status is about what the object says now.
    pub(crate) fn is_seen(&self) -> Result<()> {
        let seen = self.0["status"]["observedGeneration"] == self.0["metadata"]["generation"];
        ensure!(seen, "not seen yet: {}", self.status());
        Ok(())
    }

    /// Whether the object is everywhere it should be.
    pub(crate) fn is_propagated(&self) -> Result<()> {
        self.is_seen()?;
        ensure!(
            self.propagation()["status"] == "True",
            "not propagated: {}",
            self.status()
        );
        Ok(())
    }

    /// Whether this is the word of a cluster, and all is well in the others.
    pub(crate) fn is_only(&self, cluster: &str, word: &str) -> Result<()> {
        self.is_seen()?;
        ensure!(
            self.word(cluster)? == word,
            "{cluster} is not {word}: {}",
            self.status()
        );
        for other in self.clusters() {
            ensure!(
                other == cluster || self.word(other)?.is_empty(),
                "{other} is not well either: {}",
                self.status()
            );
        }
        ensure!(
            self.propagation()["reason"] == "CheckClusters",
            "the reason is another: {}",
            self.status()
        );
        Ok(())
    }
}
