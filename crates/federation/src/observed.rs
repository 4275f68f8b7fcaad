//! What was seen of one object in one member, and what the hub remembers of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::object::{ADOPTED_ANNOTATION, MANAGED_LABEL, OWNER_ANNOTATION};
use crate::status::Reason;
use crate::{Live, TypeDescriptor, hash, retain};

/// Field manager under which the hub applies.
pub const FIELD_MANAGER: &str = "atoll";
/// Field manager that sets replicas once and then leaves them to the member.
pub const REPLICAS_FIELD_MANAGER: &str = "atoll-replicas";

/// What a member holds under the object's name.
#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    /// It could not be read. Unknown is never "gone".
    Unknown {
        /// The word for the status.
        reason: Reason,
        /// For people.
        message: String,
    },
    /// The member said that there is none. A watch by label reports a lost label as a deletion, so only a GET by
    /// name may say so.
    Absent,
    /// There is one.
    Present(Box<Present>),
}

/// A member object, as far as planning reads it. [`Present::of`] makes one from the whole object.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Present {
    /// Its UID.
    pub uid: String,
    /// Its version.
    pub resource_version: String,
    /// Its generation, 0 for kinds that have none.
    pub generation: i64,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its owners, as `Kind name`.
    pub owners: Vec<String>,
    /// Whether it is on its way out.
    pub deleting: bool,
    /// Hash of what the hub's field manager states in it ([`managed_hash`]).
    pub managed_hash: Option<String>,
    /// Whether the hub's field manager states the replicas.
    pub states_replicas: bool,
    /// Whether [`REPLICAS_FIELD_MANAGER`] has set the replicas once.
    pub replicas_handed_over: bool,
    /// The replicas it asks for.
    pub spec_replicas: Option<i64>,
    /// What its status says.
    pub live: Live,
    /// Fields that the member keeps even when a template states others.
    pub retained: Value,
    /// Its whole `status`, kept only for plain objects, whose own status sums those of members up.
    pub remote_status: Option<Box<Value>>,
}

impl Present {
    /// Reads a member object, managedFields included. `None` when it carries no UID: then it is no object of a server.
    pub fn of(kind: &TypeDescriptor, object: &Value) -> Option<Self> {
        let metadata = &object["metadata"];
        let ours = own_fields(&metadata["managedFields"], FIELD_MANAGER);
        let replicas_path = kind.replicas_path.as_deref();
        Some(Self {
            uid: metadata["uid"].as_str().filter(|uid| !uid.is_empty())?.to_owned(),
            resource_version: metadata["resourceVersion"].as_str().unwrap_or_default().to_owned(),
            generation: metadata["generation"].as_i64().unwrap_or_default(),
            labels: texts(&metadata["labels"]),
            annotations: texts(&metadata["annotations"]),
            owners: metadata["ownerReferences"]
                .as_array()
                .into_iter()
                .flatten()
                .map(describe_owner)
                .collect(),
            deleting: metadata["deletionTimestamp"].is_string(),
            managed_hash: ours.map(hash),
            states_replicas: replicas_path.is_some_and(|path| ours.is_some_and(|fields| states(fields, path))),
            replicas_handed_over: replicas_path.is_some_and(|path| {
                own_fields(&metadata["managedFields"], REPLICAS_FIELD_MANAGER)
                    .is_some_and(|fields| states(fields, path))
            }),
            spec_replicas: replicas_path
                .and_then(|path| object.pointer(path))
                .and_then(Value::as_i64),
            live: Live::of(kind, &object["status"]),
            retained: retain::observe(kind, object),
            remote_status: object.get("status").filter(|_| kind.is_plain()).cloned().map(Box::new),
        })
    }

    /// Whether it carries the label that it is managed.
    pub fn is_labelled(&self) -> bool {
        self.labels.get(MANAGED_LABEL).is_some_and(|value| value == "true")
    }

    /// Whether somebody said never to touch it.
    pub fn is_off_limits(&self) -> bool {
        self.labels.get(MANAGED_LABEL).is_some_and(|value| value == "false")
    }

    /// The hub that wrote it, by its annotation.
    pub fn owner(&self) -> Option<&str> {
        self.annotations.get(OWNER_ANNOTATION).map(String::as_str)
    }

    pub(crate) fn says_adopted(&self) -> bool {
        self.annotations
            .get(ADOPTED_ANNOTATION)
            .is_some_and(|value| value == "true")
    }
}

/// The hash of what the hub's apply states, from `metadata.managedFields`. Any foreign change to a stated field takes
/// that field out of the entry, so the hash tells drift where no generation does. To be taken before managedFields are
/// stripped from a cache. `None` when the hub states nothing.
pub fn managed_hash(managed_fields: &Value) -> Option<String> {
    own_fields(managed_fields, FIELD_MANAGER).map(hash)
}

fn own_fields<'a>(managed_fields: &'a Value, manager: &str) -> Option<&'a Value> {
    managed_fields
        .as_array()?
        .iter()
        .find(|entry| {
            entry["manager"] == manager
                && entry["operation"] == "Apply"
                && entry["subresource"].as_str().unwrap_or_default().is_empty()
        })
        .and_then(|entry| entry.get("fieldsV1"))
}

fn states(fields: &Value, pointer: &str) -> bool {
    let mut path = pointer.trim_start_matches('/').split('/');
    path.try_fold(fields, |place, segment| place.get(format!("f:{segment}")))
        .is_some()
}

fn texts(map: &Value) -> BTreeMap<String, String> {
    let pairs = map.as_object().into_iter().flatten();
    pairs
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn describe_owner(reference: &Value) -> String {
    let text = |field: &str| reference[field].as_str().unwrap_or("?");
    format!("{} {}", text("kind"), text("name"))
}

/// What the hub remembers of one object in one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// UID of the member object that the hub made or adopted; none while the end of the first write was not seen.
    pub uid: Option<String>,
    /// Hash of what was applied; see [`Record::is_adopted`].
    pub applied_hash: Option<String>,
    /// Hash of what the hub's field manager then stated.
    pub managed_hash: Option<String>,
    /// Status word, empty for OK.
    pub status: String,
    /// For people.
    pub message: String,
    /// When it was written.
    pub at: Timestamp,
    /// Whether the object is still to be removed there, when the cluster is back.
    pub leftover: bool,
}

/// Ends the applied hash of an object that was there before the hub. The mark stands in the record too, because a
/// member may lose the annotation, and a namespace that was not ours must never be deleted.
pub(crate) const ADOPTED_SUFFIX: &str = "+adopted";

impl Record {
    /// What is remembered before the first write to a cluster. Should its end never be seen, because no answer comes or
    /// the hub stops, then the object is found again, also to be deleted.
    pub fn begun(at: Timestamp) -> Self {
        Self {
            uid: None,
            applied_hash: None,
            managed_hash: None,
            status: String::new(),
            message: String::new(),
            at,
            leftover: false,
        }
    }

    /// Whether the object was there before the hub.
    pub fn is_adopted(&self) -> bool {
        self.applied_hash
            .as_deref()
            .is_some_and(|hash| hash.ends_with(ADOPTED_SUFFIX))
    }

    /// Whether this is the object that the record is about, and still marked as managed. Both are needed before
    /// anything is deleted or overwritten.
    pub(crate) fn owns(&self, present: &Present) -> bool {
        present.is_labelled() && self.uid.as_deref() == Some(present.uid.as_str())
    }

    /// Whether this is the object whose first write began and was never seen to end. It carries the marks of this hub.
    pub(crate) fn began(&self, present: &Present, hub_uid: &str) -> bool {
        self.uid.is_none() && present.is_labelled() && present.owner() == Some(hub_uid)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types;

    fn managed_fields(ours: Value) -> Value {
        json!([
            {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:data": {}}},
            {"manager": "atoll", "operation": "Update", "fieldsV1": {"f:x": {}}},
            {"manager": "atoll", "operation": "Apply", "subresource": "status", "fieldsV1": {"f:y": {}}},
            {"manager": "atoll", "operation": "Apply", "time": "2026-01-01T00:00:00Z", "fieldsV1": ours},
        ])
    }

    #[test]
    fn only_our_apply_counts_and_not_when_it_was() {
        let fields = json!({"f:spec": {"f:replicas": {}}});
        let mut later = managed_fields(fields.clone());
        later[3]["time"] = "2026-02-02T00:00:00Z".into();
        later[0]["fieldsV1"] = json!({"f:other": {}});
        assert_eq!(managed_hash(&managed_fields(fields.clone())), managed_hash(&later));
        assert_ne!(
            managed_hash(&managed_fields(fields)),
            managed_hash(&managed_fields(json!({"f:spec": {}})))
        );
        assert_eq!(managed_hash(&json!([])), None);
        assert_eq!(managed_hash(&Value::Null), None);
    }

    #[test]
    fn a_workload_says_who_states_its_replicas() {
        let kind = types::find("deployments.apps").unwrap();
        let mut object =
            json!({"metadata": {"uid": "u", "managedFields": managed_fields(json!({"f:spec": {"f:replicas": {}}}))}});
        let present = Present::of(kind, &object).unwrap();
        assert!(present.states_replicas && !present.replicas_handed_over);
        object["metadata"]["managedFields"] =
            json!([{"manager": "atoll-replicas", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]);
        let present = Present::of(kind, &object).unwrap();
        assert!(!present.states_replicas && present.replicas_handed_over);
    }

    #[test]
    fn what_has_no_uid_is_no_object() {
        let kind = types::find("configmaps").unwrap();
        assert_eq!(
            Present::of(kind, &json!({"kind": "ConfigMap", "metadata": {"name": "x"}})),
            None
        );
        assert_eq!(Present::of(kind, &json!("<html>")), None);
    }
}
