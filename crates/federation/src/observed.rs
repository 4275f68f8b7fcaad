//! What was seen of one object in one member, and what the hub remembers of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::object::{ADOPTED_ANNOTATION, MANAGED_BY_LABEL, MANAGED_LABEL, OWNER_ANNOTATION};
use crate::status::Reason;
use crate::{Live, TypeDescriptor, hash, plain, retain};

/// Field manager under which the hub applies.
pub const FIELD_MANAGER: &str = "atoll";
/// Field manager that sets replicas once and then leaves them to the member.
pub const REPLICAS_FIELD_MANAGER: &str = "atoll-replicas";

/// What planning reads of labels and annotations. A member may send many more.
const LABELS: [&str; 2] = [MANAGED_LABEL, MANAGED_BY_LABEL];
const ANNOTATIONS: [&str; 2] = [OWNER_ANNOTATION, ADOPTED_ANNOTATION];
/// Longest UID or version that is one; those of API servers have 36 and 20 characters.
const LONGEST_ID: usize = 128;
/// What is kept of a text that a member chose, in characters: as long as a name may be.
const LONGEST_TEXT: usize = 253;

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
    /// Those of its labels that planning reads.
    pub labels: BTreeMap<String, String>,
    /// Those of its annotations that planning reads.
    pub annotations: BTreeMap<String, String>,
    /// The first of its owners, as `Kind name`.
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
    /// What is summed up of its `status`, kept only for plain objects, whose own status is that sum.
    pub remote_status: Option<Box<Value>>,
}

impl Present {
    /// Reads a member object, managedFields included. `None` when it carries no UID that is one: then it is no object of
    /// a server. Whatever a member says of it, this is small.
    pub fn of(kind: &TypeDescriptor, object: &Value) -> Option<Self> {
        let metadata = &object["metadata"];
        let ours = own_fields(&metadata["managedFields"], FIELD_MANAGER);
        let replicas_path = kind.replicas_path.as_deref();
        Some(Self {
            uid: id(&metadata["uid"]).filter(|uid| !uid.is_empty())?,
            resource_version: match &metadata["resourceVersion"] {
                Value::Null => String::new(),
                version => id(version)?,
            },
            generation: metadata["generation"].as_i64().unwrap_or_default(),
            labels: texts(&metadata["labels"], &LABELS),
            annotations: texts(&metadata["annotations"], &ANNOTATIONS),
            owners: metadata["ownerReferences"]
                .as_array()
                .into_iter()
                .flatten()
                .take(1)
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
            remote_status: object
                .get("status")
                .and_then(|status| plain::kept(kind, status))
                .map(Box::new),
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

/// A text that names an object or a version of it; `None` for what no server would call them, and no database takes.
fn id(value: &Value) -> Option<String> {
    let is_id = |text: &&str| text.len() <= LONGEST_ID && !text.chars().any(char::is_control);
    value.as_str().filter(is_id).map(str::to_owned)
}

fn texts(map: &Value, keys: &[&str]) -> BTreeMap<String, String> {
    let text = |key: &&str| Some(((*key).to_owned(), clean(map.get(*key)?.as_str()?)));
    keys.iter().filter_map(text).collect()
}

/// A text that a member chose, in one line and not without end. It never becomes another that would be right.
fn clean(text: &str) -> String {
    let plain = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
    let mut letters = text.chars();
    let mut line: String = letters.by_ref().take(LONGEST_TEXT).map(plain).collect();
    if letters.next().is_some() {
        line.push('…');
    }
    line
}

fn describe_owner(reference: &Value) -> String {
    let text = |field: &str| clean(reference[field].as_str().unwrap_or("?"));
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
    fn what_a_member_says_of_an_object_is_kept_only_as_far_as_it_is_read() {
        let kind = types::find_plain("configmaps").unwrap();
        let annotations =
            json!({"atoll.dev/owner": format!("h\u{0}\n{}", "u".repeat(9000)), "big": "x".repeat(100_000)});
        let present = Present::of(
            kind,
            &json!({"status": {"big": "x"}, "metadata": {
                "uid": "u", "resourceVersion": "7", "annotations": annotations,
                "labels": {"kubefed.io/managed": "true", "app.kubernetes.io/managed-by": "Helm", "team": "a"},
                "ownerReferences": vec![json!({"kind": "A\u{1b}", "name": "n".repeat(9000)}); 1000],
            }}),
        )
        .unwrap();
        assert_eq!(
            present.labels.keys().collect::<Vec<_>>(),
            ["app.kubernetes.io/managed-by", "kubefed.io/managed"]
        );
        let owner = present.owner().unwrap();
        assert!(
            owner.starts_with("h\u{fffd}\u{fffd}uu") && owner.chars().count() == LONGEST_TEXT + 1,
            "{owner}"
        );
        assert_eq!(present.annotations.len(), 1);
        assert_eq!(present.owners.len(), 1);
        assert!(
            present.owners[0].starts_with("A\u{fffd} nn") && present.owners[0].len() < 600,
            "{present:?}"
        );
        assert_eq!(present.remote_status, None);
    }

    #[test]
    fn a_name_that_no_server_gives_is_no_object() {
        let kind = types::find("configmaps").unwrap();
        let of = |uid: &str, version: &str| {
            Present::of(
                kind,
                &json!({"metadata": {"name": "x", "uid": uid, "resourceVersion": version}}),
            )
        };
        assert!(of("0b7e9f0e-3c1e-4a51-9d3b-6f1c2d3e4f50", "12").is_some());
        assert!(of(&"u".repeat(LONGEST_ID), "12").is_some());
        for (uid, version) in [
            (&*"u".repeat(LONGEST_ID + 1), "12"),
            ("u\u{0}", "12"),
            ("u\n", "12"),
            ("u", &*"1".repeat(LONGEST_ID + 1)),
            ("u", "1\u{7f}"),
        ] {
            assert_eq!(of(uid, version), None, "{uid:?} {version:?}");
        }
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
