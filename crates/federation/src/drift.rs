//! What somebody changed in a member of what the hub states: which fields, who, and from what to what.
//!
//! That there is drift the records tell, and that is all that is kept of a member's object. What it consists of is read
//! from the whole object, once, when there is any. It ends up in statuses and events, so little of it is kept: a few
//! fields, and values only where they are short and no Secret's.

use std::fmt::{self, Display, Formatter};

use jiff::Timestamp;
use serde_json::Value;

use crate::object::DRIFT_ANNOTATION;
use crate::preview::{FieldChange, MASK, foreign};
use crate::{Reason, TypeDescriptor};

/// Fields that are told; of the others only how many there are.
const FIELDS: usize = 5;
/// What is longer is cut, or, if it is a value, not told.
const PATH: usize = 160;
const MANAGER: usize = 60;
const VALUE: usize = 40;

/// A cluster in which somebody changed what the hub states.
#[derive(Debug, Clone, PartialEq)]
pub struct Drifted {
    /// What the hub states there.
    pub stated: Value,
    /// Whether some of it has not been written there yet.
    pub pending: bool,
    /// What was changed, once somebody has looked.
    pub found: Option<Drift>,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drift {
    fields: Vec<Field>,
    more: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    path: String,
    /// What it is and what it should be, in JSON, where both may be told.
    values: Option<(String, String)>,
    is_gone: bool,
    manager: Option<String>,
}

impl Drift {
    /// Compares a member's whole object, managedFields included, with what the hub states.
    pub fn of(kind: &TypeDescriptor, live: &Value, drifted: &Drifted) -> Self {
        let mut changes = foreign(kind, live, &drifted.stated);
        // What the hub is yet to write is not there either.
        changes.retain(|change| !drifted.pending || change.before.is_some());
        Self {
            more: changes.len().saturating_sub(FIELDS),
            fields: changes.into_iter().take(FIELDS).map(Field::of).collect(),
        }
    }

    /// Fields and who changed them, without values: for those who may read less than the object.
    pub fn names(&self) -> impl Display + '_ {
        Words {
            drift: self,
            values: false,
        }
    }

    /// The same with values.
    pub fn values(&self) -> impl Display + '_ {
        Words {
            drift: self,
            values: true,
        }
    }
}

impl Field {
    fn of(change: FieldChange) -> Self {
        let short = |value: &Value| {
            let text = value.to_string();
            let may_be_told = !value.is_object() && !value.is_array() && *value != MASK;
            (may_be_told && text.chars().count() <= VALUE).then_some(text)
        };
        Self {
            values: change
                .before
                .as_ref()
                .and_then(short)
                .zip(change.after.as_ref().and_then(short)),
            is_gone: change.before.is_none(),
            path: cut(change.path, PATH),
            manager: change
                .manager
                .filter(|name| !name.is_empty())
                .map(|name| cut(name, MANAGER)),
        }
    }
}

fn cut(text: String, longest: usize) -> String {
    let text = text.replace(char::is_control, "\u{fffd}");
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Somebody changes something in a cluster again each time it is put back, and the hub waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fight {
    /// How often it was put back so far.
    pub times: u32,
    /// When it is put back again.
    pub until: Timestamp,
}

/// The note of a change that is not put back at once any more.
pub(crate) fn note_of_fight(fight: &Fight) -> String {
    let Fight { times, until } = fight;
    format!(
        "{}: fields that the hub states are changed in this cluster again each time they are put back, {times} times so far; the next time is at {until}",
        Reason::Drifted
    )
}

/// The same of an object that is deleted each time.
pub(crate) fn note_of_deletions(fight: &Fight) -> String {
    let Fight { times, until } = fight;
    format!(
        "the object is deleted in this cluster again each time it is made, {times} times so far; the next time is at {until}"
    )
}

/// How a note of what was put back begins.
const PUT_BACK: &str = "put back at";

/// The note of a foreign change that was put back.
pub(crate) fn note_of_put_back(drift: &Drift, at: Timestamp) -> String {
    format!("{}: {PUT_BACK} {at}: {}", Reason::Drifted, drift.values())
}

/// Whether a message is one of those notes. It stays true after all is well again.
pub(crate) fn is_note_of_put_back(message: &str) -> bool {
    let note = message.strip_prefix(Reason::Drifted.as_str());
    note.and_then(|note| note.strip_prefix(": "))
        .is_some_and(|note| note.starts_with(PUT_BACK))
}

/// The note of a foreign change that stays, as the object asks. `pending` is whether a change of the object waits too.
pub(crate) fn note_of_held(drift: Option<&Drift>, pending: bool) -> String {
    let waits = if pending {
        "; the last change waits for an answer, too"
    } else {
        ""
    };
    let fields = drift.map_or_else(String::new, |drift| format!(": {}", drift.values()));
    format!(
        "{}: fields that the hub states were changed in this cluster and stay so, as {DRIFT_ANNOTATION}=hold asks{fields}{waits}",
        Reason::Drifted
    )
}

struct Words<'a> {
    drift: &'a Drift,
    values: bool,
}

impl Display for Words<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        if self.drift.fields.is_empty() {
            return out.write_str("no value, only who holds it");
        }
        for (index, field) in self.drift.fields.iter().enumerate() {
            if index > 0 {
                out.write_str(", ")?;
            }
            out.write_str(&field.path)?;
            let values = field.values.as_ref().filter(|_| self.values);
            match (values, &field.manager) {
                _ if field.is_gone => out.write_str(" (gone)")?,
                (Some((is, stated)), Some(by)) => write!(out, " ({is} instead of {stated}, by {by})")?,
                (Some((is, stated)), None) => write!(out, " ({is} instead of {stated})")?,
                (None, Some(by)) => write!(out, " (by {by})")?,
                (None, None) => {}
            }
        }
        match self.drift.more {
            0 => Ok(()),
            more => write!(out, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types;

    fn managed(manager: &str, operation: &str, time: &str, fields: Value) -> Value {
        json!({"manager": manager, "operation": operation, "time": time, "fieldsV1": fields})
    }

    fn drift(kind: &str, live: &Value, stated: Value, pending: bool) -> Drift {
        let drifted = Drifted {
            stated,
            pending,
            found: None,
        };
        Drift::of(types::find(kind).unwrap(), live, &drifted)
    }

    fn deployment(managed_fields: Value, spec: Value) -> Value {
        json!({"metadata": {"managedFields": managed_fields}, "spec": spec})
    }

    #[test]
    fn a_changed_field_names_who_changed_it_last_and_both_values() {
        let live = deployment(
            json!([
                managed(
                    "kubectl-edit",
                    "Update",
                    "2026-01-03T00:00:00Z",
                    json!({"f:spec": {"f:replicas": {}}})
                ),
                managed(
                    "old",
                    "Apply",
                    "2026-01-02T00:00:00Z",
                    json!({"f:spec": {"f:replicas": {}}})
                ),
                managed(
                    "atoll",
                    "Apply",
                    "2026-01-01T00:00:00Z",
                    json!({"f:spec": {"f:paused": {}}})
                ),
            ]),
            json!({"replicas": 5, "paused": false}),
        );
        let found = drift(
            "deployments.apps",
            &live,
            json!({"spec": {"replicas": 2, "paused": false}}),
            false,
        );
        assert_eq!(
            found.values().to_string(),
            "spec.replicas (5 instead of 2, by kubectl-edit)"
        );
        assert_eq!(found.names().to_string(), "spec.replicas (by kubectl-edit)");
    }

    #[test]
    fn a_container_of_another_image_is_found_by_its_name_and_a_list_that_is_one_value_by_its_owner() {
        let containers = |fields: Value| json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"web\"}": fields}}}}});
        let container = |image: &str, command: &str| json!({"template": {"spec": {"containers": [{"name": "web", "image": image, "command": [command]}]}}});
        let live = deployment(
            json!([
                managed("atoll", "Apply", "1", containers(json!({".": {}, "f:name": {}}))),
                managed("kubectl-set", "Update", "2", containers(json!({"f:image": {}}))),
                managed("other", "Update", "3", containers(json!({"f:command": {}}))),
            ]),
            container("web:2", "sleep"),
        );
        let found = drift(
            "deployments.apps",
            &live,
            json!({"spec": container("web:1", "serve")}),
            false,
        );
        assert_eq!(
            found.values().to_string(),
            "spec.template.spec.containers[web].command[0] (\"sleep\" instead of \"serve\", by other), \
             spec.template.spec.containers[web].image (\"web:2\" instead of \"web:1\", by kubectl-set)"
        );
    }

    #[test]
    fn what_the_hub_holds_still_is_no_drift_however_the_server_writes_it() {
        let fields = json!({"f:spec": {"f:progressDeadlineSeconds": {}, "f:strategy": {}}});
        let live = deployment(
            json!([managed("atoll", "Apply", "1", fields)]),
            json!({"progressDeadlineSeconds": 600, "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}}}),
        );
        let stated = json!({"spec": {"progressDeadlineSeconds": 900, "strategy": {"type": "rollingUpdate"}}});
        let found = drift("deployments.apps", &live, stated, false);
        assert_eq!(found, Drift::default());
        assert!(
            found.values().to_string().contains("only who holds it"),
            "{}",
            found.values()
        );
    }

    #[test]
    fn what_is_gone_says_so_unless_it_is_yet_to_be_written() {
        let live = json!({"data": {"size": "L"}, "metadata": {"managedFields": [
            managed("kubectl", "Update", "1", json!({"f:data": {"f:size": {}}})),
        ]}});
        let stated = json!({"data": {"color": "blue", "size": "S"}});
        let now = drift("configmaps", &live, stated.clone(), false);
        assert_eq!(
            now.values().to_string(),
            "data.color (gone), data.size (\"L\" instead of \"S\", by kubectl)"
        );
        let pending = drift("configmaps", &live, stated, true);
        assert_eq!(
            pending.values().to_string(),
            "data.size (\"L\" instead of \"S\", by kubectl)"
        );
    }

    #[test]
    fn a_secret_tells_which_key_and_who_but_no_value() {
        let live = json!({"data": {"password": "b2xk"}, "type": "a", "metadata": {"managedFields": [
            managed("kubectl", "Update", "1", json!({"f:data": {"f:password": {}}, "f:type": {}})),
        ]}});
        let stated = json!({"data": {"password": "bmV3"}, "stringData": {"token": "clear"}, "type": "b"});
        let found = drift("secrets", &live, stated, false);
        assert_eq!(
            found.values().to_string(),
            "data.password (by kubectl), type (\"a\" instead of \"b\", by kubectl)"
        );
        assert!(!format!("{found:?}").contains("b2xk"), "{found:?}");
    }

    #[test]
    fn a_manager_with_a_name_that_no_database_takes_is_told_in_one_line() {
        let live = json!({"data": {"a": "b"}, "metadata": {"managedFields": [
            managed("odd\u{0}\nname", "Update", "1", json!({"f:data": {"f:a": {}}})),
        ]}});
        let text = drift("configmaps", &live, json!({"data": {"a": "c"}}), false)
            .values()
            .to_string();
        assert_eq!(text, "data.a (\"b\" instead of \"c\", by odd\u{fffd}\u{fffd}name)");
    }

    #[test]
    fn much_drift_is_little_text() {
        let keys = (0..100).map(|number| format!("{number:03}{}", "k".repeat(200)));
        let stated: Value = keys
            .clone()
            .map(|key| (key, Value::from("s")))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let there: Value = keys
            .map(|key| (key, Value::from("ä".repeat(5000))))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let manager = managed(&"m".repeat(128), "Update", "1", json!({"f:data": {}}));
        let live = json!({"data": there, "metadata": {"managedFields": [manager]}});
        let text = drift("configmaps", &live, json!({"data": stated}), false)
            .values()
            .to_string();
        assert!(text.len() < 1500 && text.ends_with(" and 95 more"), "{text}");
        assert!(text.starts_with("data.000kkk") && text.contains("… (by mmm"), "{text}");
    }
}
