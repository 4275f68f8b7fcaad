//! Claims of storage: each is bound to a volume of its own at once.

use std::sync::Arc;

use serde_json::Value;

use crate::catalog::Kind;
use crate::engine::Plan;
use crate::fields::{is_deleting, uid};

/// What should follow from a claim.
pub(super) fn plan(claim: &Arc<Value>) -> Plan {
    let mut plan = Plan::default();
    if is_deleting(claim) {
        return plan;
    }
    let mut new = (**claim).clone();
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
