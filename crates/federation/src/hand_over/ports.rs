//! Ports of a Service that the hub does not state.
//!
//! What only others state is theirs and stays, as everywhere. It goes when the hub stated it before, when the hub takes
//! the whole Service over, and when it is called as a port that the hub states, because a Service cannot have both.

use serde_json::{Map, Value, json};

use crate::TypeDescriptor;
use crate::retain::port_key;

pub(super) struct Ports<'a> {
    stated: Vec<&'a Value>,
    live: Vec<&'a Value>,
    /// What the hub states of them now; none when it takes the Service over.
    ours: Option<&'a Map<String, Value>>,
    is_stated: bool,
}

impl<'a> Ports<'a> {
    /// `None` when the kind has no ports.
    pub(super) fn of(
        kind: &TypeDescriptor,
        object: &'a Value,
        stated: &'a Value,
        ours: Option<&'a Value>,
    ) -> Option<Self> {
        let list = |object: &'a Value| object["spec"]["ports"].as_array().into_iter().flatten().collect();
        kind.is_core("Service").then(|| Self {
            stated: list(stated),
            live: list(object),
            ours: ours.and_then(|entry| entry["fieldsV1"]["f:spec"]["f:ports"].as_object()),
            is_stated: stated["spec"]["ports"].is_array(),
        })
    }

    /// Takes the ports that go out of what another field manager states.
    pub(super) fn take(&self, fields: &mut Value, is_kubefeds: bool) -> Value {
        if !self.is_stated && !is_kubefeds {
            return Value::Null;
        }
        let Some(ports) = fields.pointer_mut("/f:spec/f:ports").and_then(Value::as_object_mut) else {
            return Value::Null;
        };
        let keys: Vec<String> = ports
            .keys()
            .filter(|key| self.goes(key, is_kubefeds))
            .cloned()
            .collect();
        if keys.is_empty() {
            return Value::Null;
        }
        let taken: Map<String, Value> = keys.into_iter().filter_map(|key| ports.remove_entry(&key)).collect();
        drop_if_empty(fields, "/f:spec", "f:ports");
        drop_if_empty(fields, "", "f:spec");
        json!({"f:spec": {"f:ports": taken}})
    }

    fn goes(&self, key: &str, is_kubefeds: bool) -> bool {
        let Some(port) = key
            .strip_prefix("k:")
            .and_then(|key| serde_json::from_str::<Value>(key).ok())
        else {
            return false;
        };
        if self.stated.iter().any(|stated| port_key(stated) == port_key(&port)) {
            return false;
        }
        let name = |port: &Value| port["name"].as_str().unwrap_or_default().to_owned();
        let mut live = self.live.iter().filter(|live| port_key(live) == port_key(&port));
        let is_called_alike = live.any(|live| self.stated.iter().any(|stated| name(stated) == name(live)));
        is_kubefeds || is_called_alike || self.ours.is_none_or(|ours| ours.contains_key(key))
    }
}

/// An empty set of fields would say that the list itself is stated as a whole.
fn drop_if_empty(fields: &mut Value, parent: &str, field: &str) {
    if let Some(map) = fields.pointer_mut(parent).and_then(Value::as_object_mut)
        && map.get(field).and_then(Value::as_object).is_some_and(Map::is_empty)
    {
        map.remove(field);
    }
}
