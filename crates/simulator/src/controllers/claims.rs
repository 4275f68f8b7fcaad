//! Claims of storage: each is bound to a volume of its own at once, and stays while pods use it.

use std::sync::Arc;

use serde_json::Value;

use super::templates::is_over;
use crate::admission::defaults::CLAIM_PROTECTION;
use crate::catalog::Kind;
use crate::engine::Plan;
use crate::fields::{is_deleting, items, name, uid};

/// What should follow from a claim. `pods` are those of its namespace.
pub(super) fn plan(claim: &Arc<Value>, pods: &[Arc<Value>]) -> Plan {
    let mut plan = Plan::default();
    let mut new = (**claim).clone();
    if is_deleting(claim) {
        if !pods.iter().any(|pod| uses(pod, claim))
            && let Some(finalizers) = new["metadata"]["finalizers"].as_array_mut()
        {
            finalizers.retain(|one| one != CLAIM_PROTECTION);
        }
        plan.update(Kind::PersistentVolumeClaim, claim, new);
        return plan;
    }
    if new["spec"]["volumeName"].is_null() {
        new["spec"]["volumeName"] = format!("pvc-{}", uid(claim)).into();
    }
    new["status"]["phase"] = "Bound".into();
    if !claim["spec"]["accessModes"].is_null() {
        new["status"]["accessModes"] = claim["spec"]["accessModes"].clone();
    }
    let size = &claim["spec"]["resources"]["requests"]["storage"];
    if !size.is_null() {
        new["status"]["capacity"]["storage"] = size.clone();
    }
    plan.update(Kind::PersistentVolumeClaim, claim, new);
    plan
}

fn uses(pod: &Value, claim: &Value) -> bool {
    !is_over(pod)
        && items(&pod["spec"]["volumes"])
            .iter()
            .any(|volume| volume["persistentVolumeClaim"]["claimName"] == name(claim))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::Write;

    #[test]
    fn a_claim_stays_while_a_pod_uses_it() {
        let claim = Arc::new(
            json!({"metadata": {"name": "disk", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [CLAIM_PROTECTION]}}),
        );
        let pod = |phase: &str| {
            let volume = json!({"persistentVolumeClaim": {"claimName": "disk"}});
            Arc::new(json!({"spec": {"volumes": [volume]}, "status": {"phase": phase}}))
        };
        assert!(plan(&claim, &[pod("Running")]).writes.is_empty());
        let free = plan(&claim, &[pod("Succeeded")]);
        assert!(
            matches!(free.writes.as_slice(), [Write::Update { new, .. }] if items(&new["metadata"]["finalizers"]).is_empty())
        );
    }
}
