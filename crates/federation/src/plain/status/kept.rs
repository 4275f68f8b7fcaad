//! What is kept of a member's own status: what the sums read, and no more.
//!
//! A member may say anything of any length, and what is kept stands in the hub's object.

use serde_json::{Map, Value};

use crate::TypeDescriptor;

/// The most that is kept, in bytes of JSON.
const MOST: usize = 64 * 1024;

pub(super) const NODES: [&str; 7] = [
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
];

/// The fields that matter, of kinds whose members' statuses say more than numbers of replicas.
fn fields(row: &TypeDescriptor) -> Option<&'static [&'static str]> {
    match (row.target.group.as_ref(), row.target.kind.as_ref()) {
        _ if !row.is_plain() => None,
        ("apps", "DaemonSet") => Some(&NODES),
        ("batch", "Job") => Some(&[
            "active",
            "ready",
            "succeeded",
            "failed",
            "startTime",
            "completionTime",
            "conditions",
        ]),
        ("autoscaling", "HorizontalPodAutoscaler") => {
            Some(&["currentReplicas", "desiredReplicas", "lastScaleTime", "currentMetrics"])
        }
        ("", "Service") | ("networking.k8s.io", "Ingress") => Some(&["loadBalancer"]),
        _ => None,
    }
}

/// Whether the last status of each member is kept.
pub(super) fn keeps(row: &TypeDescriptor) -> bool {
    fields(row).is_some()
}

/// What is kept of a member object's `status`; nothing of one that is far too long to be meant.
pub(crate) fn kept(row: &TypeDescriptor, status: &Value) -> Option<Value> {
    let said = status.as_object()?;
    let of_field = |field: &&str| Some(((*field).to_owned(), said.get(*field)?.clone()));
    let kept = Value::Object(fields(row)?.iter().filter_map(of_field).collect::<Map<_, _>>());
    is_at_most(&kept, MOST).then_some(kept)
}

/// Whether a value is no longer than this as JSON.
pub(crate) fn is_at_most(value: &Value, bytes: usize) -> bool {
    let mut room = Room(bytes);
    serde_json::to_writer(&mut room, value).is_ok()
}

/// Counts down what is written, and refuses what is too much.
struct Room(usize);

impl std::io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let left = self.0.checked_sub(bytes.len());
        self.0 = left.ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types;

    #[test]
    fn of_a_status_only_what_is_summed_up_is_kept_and_nothing_without_end() {
        let of = |kind: &str, status: Value| kept(types::find_plain(kind).unwrap(), &status);
        let said =
            json!({"loadBalancer": {"ingress": [{"ip": "5.5.5.5"}]}, "conditions": ["x"], "else": "y".repeat(9)});
        assert_eq!(
            of("services", said),
            Some(json!({"loadBalancer": {"ingress": [{"ip": "5.5.5.5"}]}}))
        );
        let endless = json!({"loadBalancer": {"ingress": vec![json!({"ip": "5.5.5.5"}); MOST / 8]}});
        assert_eq!(of("services", endless), None);
        assert_eq!(
            of("daemonsets.apps", json!({"numberReady": 2, "conditions": [1]})),
            Some(json!({"numberReady": 2}))
        );
        assert_eq!(of("deployments.apps", json!({"replicas": 2})), None);
        assert_eq!(of("jobs.batch", json!("text")), None);
    }
}
