//! One Event as it is stored.

use std::sync::Arc;

use atoll_federation::{EventNote, Reason, hash};
use atoll_store::{Object, ObjectKey, Write};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Subject, Told};

/// Digits that tell the events of one object apart.
const DIGITS: usize = 16;
/// The most that a name may have.
const LONGEST: usize = 253;

/// One thing that happened, perhaps several times.
#[derive(Debug, Clone)]
pub(super) struct Event {
    subject: Subject,
    note: EventNote,
    count: i64,
    first: Timestamp,
    last: Timestamp,
}

impl Event {
    pub(super) fn of(told: &Told) -> Self {
        Self {
            subject: told.subject.clone(),
            note: told.note.clone(),
            count: 1,
            first: told.at,
            last: told.at,
        }
    }

    /// The same happened again.
    pub(super) fn again(&mut self, told: &Told) {
        self.subject = told.subject.clone();
        self.note = told.note.clone();
        self.count += 1;
        self.last = self.last.max(told.at);
    }

    /// What tells this event from others of its reason. What is held waits for one answer, whose token changes with what
    /// would go: the last one is the one to give.
    fn words(&self) -> &str {
        if self.note.reason == Reason::Held.as_str() {
            ""
        } else {
            &self.note.message
        }
    }

    /// The same words about the same object have the same name.
    pub(super) fn key(&self) -> ObjectKey {
        let Self { subject, note, .. } = self;
        let mut digits = hash(&json!([
            subject.kind,
            subject.uid,
            note.warning,
            note.reason,
            self.words()
        ]));
        digits.truncate(DIGITS);
        let mut name = subject.name.clone();
        let mut end = name.len().min(LONGEST - DIGITS - 1);
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        name.truncate(end);
        ObjectKey::new("", "events", subject.event_namespace(), &format!("{name}.{digits}"))
    }

    /// Writes it down, or counts up what is there.
    pub(super) fn write(&self, before: Option<&Object>) -> Write {
        let key = self.key();
        let Some(before) = before else {
            let body = self.body(&key);
            return Write::Create { key, body: body.into() };
        };
        let mut body = (*before.body).clone();
        let count = body["count"].as_i64().unwrap_or(1);
        body["count"] = count.saturating_add(self.count).into();
        body["lastTimestamp"] = self.last.to_string().into();
        body["message"] = self.note.message.as_str().into();
        body["involvedObject"]["resourceVersion"] = self.subject.resource_version.as_str().into();
        Write::Update {
            key,
            body: Arc::new(body),
            expected: before.revision,
        }
    }

    fn body(&self, key: &ObjectKey) -> Value {
        let Self {
            subject,
            note,
            count,
            first,
            last,
        } = self;
        let mut involved = json!({
            "apiVersion": subject.api_version,
            "kind": subject.kind,
            "name": subject.name,
            "uid": subject.uid,
            "resourceVersion": subject.resource_version,
        });
        if !subject.namespace.is_empty() {
            involved["namespace"] = subject.namespace.as_str().into();
        }
        json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": key.name,
                "namespace": key.namespace,
                "uid": Uuid::new_v4().to_string(),
                "creationTimestamp": first.to_string(),
            },
            "involvedObject": involved,
            "type": if note.warning { "Warning" } else { "Normal" },
            "reason": note.reason,
            "message": note.message,
            "count": count,
            "firstTimestamp": first.to_string(),
            "lastTimestamp": last.to_string(),
            "source": {"component": subject.component()},
            "reportingComponent": subject.component(),
            "reportingInstance": "",
        })
    }
}

/// Whether an event last happened before this time, whoever wrote it.
pub(super) fn is_old(event: &Object, before: Timestamp) -> bool {
    let body = &event.body;
    let times = [
        &body["series"]["lastObservedTime"],
        &body["lastTimestamp"],
        &body["eventTime"],
    ];
    let last = times
        .into_iter()
        .filter_map(|time| time.as_str()?.parse::<Timestamp>().ok())
        .max();
    last.unwrap_or(event.created_at) < before
}

#[cfg(test)]
mod tests {
    use atoll_store::Revision;

    use super::*;

    fn told(message: &str, second: i64) -> Told {
        Told {
            subject: Subject {
                api_version: "types.kubefed.io/v1beta1".into(),
                kind: "FederatedConfigMap".into(),
                namespace: "shop".into(),
                name: "web".into(),
                uid: "u-1".into(),
                resource_version: second.to_string(),
            },
            note: EventNote {
                warning: false,
                reason: "CreateInCluster",
                message: message.into(),
            },
            at: Timestamp::from_second(second).unwrap(),
        }
    }

    fn stored(body: Value) -> Object {
        Object {
            key: ObjectKey::new("", "events", "shop", "web.1"),
            uid: "e".into(),
            generation: 0,
            revision: Revision(3),
            created_at: Timestamp::from_second(10).unwrap(),
            deletion_at: None,
            body: body.into(),
        }
    }

    #[test]
    fn an_event_says_what_it_is_about() {
        let Write::Create { key, body } = Event::of(&told("created it in eu-1", 5)).write(None) else {
            panic!("there is none yet")
        };
        assert!(
            key.name.starts_with("web.") && key.name.len() == "web.".len() + DIGITS,
            "{key}"
        );
        assert_eq!(key.namespace, "shop");
        assert_eq!(body["involvedObject"]["uid"], "u-1");
        assert_eq!(body["source"]["component"], "federatedconfigmap-controller");
        assert_eq!(
            (&body["type"], &body["count"], &body["lastTimestamp"]),
            (&json!("Normal"), &json!(1), &json!("1970-01-01T00:00:05Z"))
        );
    }

    #[test]
    fn the_same_words_are_counted_and_others_stand_beside_them() {
        let first = told("created it", 5);
        let mut event = Event::of(&first);
        event.again(&told("created it", 9));
        assert_eq!(event.key(), Event::of(&first).key());
        assert_ne!(event.key(), Event::of(&told("updated it", 9)).key());
        let mut warning = told("created it", 5);
        warning.note.warning = true;
        assert_ne!(event.key(), Event::of(&warning).key());
        let before = stored(json!({"count": 4, "firstTimestamp": "x", "involvedObject": {}}));
        let Write::Update { body, expected, .. } = event.write(Some(&before)) else {
            panic!("there is one")
        };
        assert_eq!((body["count"].as_i64(), expected), (Some(6), Revision(3)));
        assert_eq!(body["lastTimestamp"], "1970-01-01T00:00:09Z");
        assert_eq!(body["firstTimestamp"], "x");
    }

    #[test]
    fn what_is_held_is_one_event_whatever_token_it_asks_for() {
        let held = |token: &str| {
            let mut told = told(&format!("eu-1: 20 objects would go; confirm with {token}"), 5);
            (told.note.warning, told.note.reason) = (true, "Held");
            told
        };
        let mut event = Event::of(&held("a"));
        assert_eq!(event.key(), Event::of(&held("b")).key());
        event.again(&held("b"));
        let before = stored(json!({"count": 1, "message": "confirm with a", "involvedObject": {}}));
        let Write::Update { body, .. } = event.write(Some(&before)) else {
            panic!("there is one")
        };
        assert_eq!(body["message"], "eu-1: 20 objects would go; confirm with b");
        assert_eq!(body["count"], 3);
    }

    #[test]
    fn a_long_name_is_cut_and_an_object_without_namespace_has_its_events_in_default() {
        let mut long = told("created it", 5);
        long.subject.name = "a".repeat(300);
        long.subject.namespace = String::new();
        let key = Event::of(&long).key();
        assert_eq!((key.name.len(), key.namespace.as_str()), (LONGEST, "default"));
    }

    #[test]
    fn an_event_is_old_by_when_it_last_happened() {
        let before = Timestamp::from_second(100).unwrap();
        assert!(is_old(&stored(json!({})), before));
        assert!(is_old(
            &stored(json!({"lastTimestamp": "1970-01-01T00:01:39Z"})),
            before
        ));
        assert!(!is_old(
            &stored(json!({"lastTimestamp": "1970-01-01T00:01:40Z"})),
            before
        ));
        assert!(!is_old(
            &stored(json!({"eventTime": "1970-01-01T00:03:00.000000Z"})),
            before
        ));
    }
}
