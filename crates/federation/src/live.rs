//! Numbers from a member object's status. Kinds call them by different names; a status of ours calls them by one.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::TypeDescriptor;

/// Numbers from a member object's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Live {
    /// `status.observedGeneration`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Replicas that exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i64>,
    /// Replicas that are ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_replicas: Option<i64>,
    /// Replicas of the newest template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_replicas: Option<i64>,
    /// Replicas that have been ready for long enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_replicas: Option<i64>,
}

/// What a kind calls replicas, ready, updated and available ones. A kind that does not count something has no name for it.
type Names = [Option<&'static str>; 4];

const REPLICAS: Names = [
    Some("replicas"),
    Some("readyReplicas"),
    Some("updatedReplicas"),
    Some("availableReplicas"),
];
const DAEMON_SET: Names = [
    Some("desiredNumberScheduled"),
    Some("numberReady"),
    Some("updatedNumberScheduled"),
    Some("numberAvailable"),
];
/// Pods of a job come and go: those that run are counted, those that have ended are not.
const JOB: Names = [Some("active"), Some("ready"), None, None];
const NONE: Names = [None; 4];

impl Live {
    /// Reads `status`. Servers leave out zeros, so a status that was once written and names no count means none.
    pub(crate) fn of(kind: &TypeDescriptor, status: &Value) -> Self {
        let observed_generation = status["observedGeneration"].as_i64();
        let (names, is_written) = match (kind.target.group.as_ref(), kind.target.kind.as_ref()) {
            ("apps", "DaemonSet") => (DAEMON_SET, observed_generation.is_some()),
            // A job's status knows no generation; its controller writes a start time first.
            ("batch", "Job") => (JOB, status["startTime"].is_string()),
            _ if kind.replicas_path.is_some() => (REPLICAS, observed_generation.is_some()),
            _ => (NONE, false),
        };
        let [replicas, ready_replicas, updated_replicas, available_replicas] =
            names.map(|name| name.and_then(|name| status[name].as_i64().or(is_written.then_some(0))));
        Self {
            observed_generation,
            replicas,
            ready_replicas,
            updated_replicas,
            available_replicas,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types;

    fn live(name: &str, status: Value) -> Live {
        Live::of(types::find(name).unwrap(), &status)
    }

    fn counts(live: Live) -> [Option<i64>; 4] {
        [
            live.replicas,
            live.ready_replicas,
            live.updated_replicas,
            live.available_replicas,
        ]
    }

    #[test]
    fn counts_that_a_server_leaves_out_are_zero_once_it_has_looked() {
        let looked = live("deployments.apps", json!({"observedGeneration": 1, "replicas": 2}));
        assert_eq!(counts(looked), [Some(2), Some(0), Some(0), Some(0)]);
        assert_eq!(counts(live("deployments.apps", json!({}))), [None; 4]);
        assert_eq!(counts(live("deployments.apps", Value::Null)), [None; 4]);
    }

    #[test]
    fn a_stateful_set_counts_as_a_deployment_does() {
        let status = json!({"observedGeneration": 3, "replicas": 3, "readyReplicas": 2, "currentReplicas": 1, "updatedReplicas": 2, "availableReplicas": 2});
        assert_eq!(
            counts(live("statefulsets.apps", status)),
            [Some(3), Some(2), Some(2), Some(2)]
        );
    }

    #[test]
    fn a_daemon_set_counts_nodes() {
        let status = json!({
            "observedGeneration": 1, "currentNumberScheduled": 5, "desiredNumberScheduled": 4, "numberReady": 3,
            "updatedNumberScheduled": 2, "numberAvailable": 1, "numberMisscheduled": 7,
        });
        assert_eq!(
            counts(live("daemonsets.apps", status)),
            [Some(4), Some(3), Some(2), Some(1)]
        );
        let fresh = json!({"observedGeneration": 1, "desiredNumberScheduled": 4, "numberReady": 0});
        assert_eq!(
            counts(live("daemonsets.apps", fresh)),
            [Some(4), Some(0), Some(0), Some(0)]
        );
    }

    #[test]
    fn a_job_counts_what_runs() {
        let running = json!({"startTime": "2026-01-01T00:00:00Z", "active": 3, "ready": 2, "succeeded": 4});
        assert_eq!(counts(live("jobs.batch", running)), [Some(3), Some(2), None, None]);
        let complete = json!({"startTime": "2026-01-01T00:00:00Z", "succeeded": 4});
        assert_eq!(counts(live("jobs.batch", complete)), [Some(0), Some(0), None, None]);
        assert_eq!(counts(live("jobs.batch", json!({}))), [None; 4]);
    }

    #[test]
    fn other_kinds_count_nothing_and_may_still_have_a_generation() {
        let status = json!({"observedGeneration": 2, "replicas": 9, "active": [{}]});
        let read = live("cronjobs.batch", status);
        assert_eq!((counts(read), read.observed_generation), ([None; 4], Some(2)));
    }
}
