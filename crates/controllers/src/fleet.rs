//! The registered clusters as planning sees them: labels from their `KubeFedCluster`, readiness from their health.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoll_clusters::Member;
use atoll_federation::object::CONFIRM_DELETES_ANNOTATION;
use atoll_federation::{Cluster, ClusterName};
use atoll_store::{Revision, Store};
use jiff::Timestamp;
use serde_json::Value;

use crate::error::{Doing, Result};
use crate::shares::Shares;

/// Annotation of a `KubeFedCluster` whose managed objects are being deleted: nothing new is written there until then.
/// It ends by itself, so that whoever set it need not come back.
pub(crate) const LEAVING_ANNOTATION: &str = "atoll.dev/unregistering-until";

/// A registered cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Registered {
    pub(crate) labels: BTreeMap<String, String>,
    /// Until when nothing is to be written there.
    pub(crate) leaving_until: Option<Timestamp>,
    /// The token of a hold on what a change of this cluster would delete, confirmed.
    pub(crate) confirm_deletes: Option<String>,
}

/// Registered clusters by name.
pub(crate) type Fleet = BTreeMap<ClusterName, Registered>;

impl Registered {
    pub(crate) fn of(object: &Value) -> Self {
        let labels = object["metadata"]["labels"].as_object().into_iter().flatten();
        let annotation = |key: &str| object["metadata"]["annotations"][key].as_str();
        Self {
            labels: labels
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect(),
            leaving_until: annotation(LEAVING_ANNOTATION).and_then(|until| until.parse().ok()),
            confirm_deletes: annotation(CONFIRM_DELETES_ANNOTATION).map(str::to_owned),
        }
    }

    pub(crate) fn is_leaving(&self, now: Timestamp) -> bool {
        self.leaving_until.is_some_and(|until| now < until)
    }
}

/// Reads all of them, and the revision at which they were so.
pub(crate) async fn read(store: &Store) -> Result<(Fleet, Revision)> {
    let key = Store::cluster_key("");
    let listing = store
        .objects(&key.group, &key.resource, Some(&key.namespace))
        .await
        .doing("listing clusters")?;
    let fleet = listing
        .objects
        .iter()
        .filter_map(|object| Some((ClusterName::parse(&object.key.name).ok()?, Registered::of(&object.body))))
        .collect();
    Ok((fleet, listing.revision))
}

/// Takes note of a cluster that was registered or changed, or (`None`) is gone.
pub(crate) fn take(fleet: &mut Fleet, name: &str, registered: Option<Registered>) {
    let Ok(name) = ClusterName::parse(name) else {
        return;
    };
    match registered {
        Some(registered) => fleet.insert(name, registered),
        None => fleet.remove(&name),
    };
}

/// The clusters as they are now. One without a member cannot be talked to.
pub(crate) fn clusters(
    fleet: &Fleet,
    members: &BTreeMap<String, Arc<Member>>,
    now: Timestamp,
    shares: &Shares,
) -> BTreeMap<ClusterName, Cluster> {
    let cluster = |(name, registered): (&ClusterName, &Registered)| {
        let member = members.get(name.as_str());
        let is_leaving = registered.is_leaving(now);
        let ready = !is_leaving && member.is_some_and(|member| member.is_ready());
        let keeps_share = member.is_some() && !is_leaving && shares.keeps(name.as_str()).unwrap_or(ready);
        let cluster = Cluster {
            name: name.clone(),
            labels: registered.labels.clone(),
            ready,
            keeps_share,
            leaving: is_leaving,
        };
        (name.clone(), cluster)
    };
    fleet.iter().map(cluster).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cluster_that_leaves_is_left_alone_until_then() {
        let object = json!({"metadata": {
            "labels": {"region": "eu"},
            "annotations": {LEAVING_ANNOTATION: "2026-01-02T03:04:05Z"},
        }});
        let registered = Registered::of(&object);
        assert_eq!(registered.labels["region"], "eu");
        assert!(registered.is_leaving("2026-01-02T03:04:04Z".parse().unwrap()));
        assert!(!registered.is_leaving("2026-01-02T03:04:05Z".parse().unwrap()));
        assert!(!Registered::of(&json!({"metadata": {}})).is_leaving(Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn a_cluster_without_a_member_is_not_ready() {
        let name = ClusterName::parse("eu-1").unwrap();
        let fleet = Fleet::from([(name.clone(), Registered::default())]);
        let clusters = clusters(&fleet, &BTreeMap::new(), Timestamp::UNIX_EPOCH, &Shares::default());
        assert!(!clusters[&name].ready && !clusters[&name].keeps_share);
    }
}
