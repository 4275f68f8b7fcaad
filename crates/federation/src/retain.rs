//! Fields whose value in a member wins over the template.
//!
//! With server-side apply a field that is not stated stays whoever's it is, so nothing needs to be copied back to keep
//! it. What is left are fields that a template states and a member has assigned otherwise and will not change.

use serde_json::{Map, Value};

use crate::TypeDescriptor;
use crate::plain::is_at_most;

/// The most that is kept of one object, in bytes of JSON: room for thousands of ports.
const MOST: usize = 256 * 1024;

/// The values of such fields in a member object, null when there are none.
pub(crate) fn observe(kind: &TypeDescriptor, object: &Value) -> Value {
    let fields: &[&str] = match (kind.target.group.as_ref(), kind.target.kind.as_ref()) {
        // Federation v1 left the external addresses to the members, KubeFed did not.
        ("", "Service") if kind.is_plain() => {
            &["clusterIP", "clusterIPs", "healthCheckNodePort", "ports", "externalIPs"]
        }
        ("", "Service") => &["clusterIP", "clusterIPs", "healthCheckNodePort", "ports"],
        // What a member was given stays given.
        ("batch", "Job") if kind.is_plain() => &["parallelism", "completions"],
        // Nothing of it is kept, but its bounds are shared out anew given what they are.
        ("autoscaling", "HorizontalPodAutoscaler") if kind.is_plain() => &["minReplicas", "maxReplicas"],
        _ => return Value::Null,
    };
    let spec = fields
        .iter()
        .filter_map(|field| Some(((*field).to_owned(), object["spec"].get(*field)?.clone())));
    let observed = Value::Object(spec.collect());
    if is_at_most(&observed, MOST) {
        observed
    } else {
        Value::Null
    }
}

/// An empty list would take away the tokens that the member made for a service account.
pub(crate) fn leave_secrets(kind: &TypeDescriptor, built: &mut Value) {
    let states_none = built
        .get("secrets")
        .is_some_and(|secrets| secrets.is_null() || secrets.as_array().is_some_and(Vec::is_empty));
    if let (true, Some(map)) = (states_none && kind.is_core("ServiceAccount"), built.as_object_mut()) {
        map.remove("secrets");
    }
}

/// Puts the member's values in the place of those that the template states.
pub(crate) fn retain(kind: &TypeDescriptor, built: &mut Value, retained: &Value) {
    let (true, Some(spec)) = (
        kind.is_core("Service"),
        built.get_mut("spec").and_then(Value::as_object_mut),
    ) else {
        return;
    };
    let is_assigned = |value: &Value| match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Number(number) => number.as_i64() != Some(0),
        _ => false,
    };
    for field in ["clusterIP", "clusterIPs", "healthCheckNodePort", "externalIPs"] {
        if let (Some(stated), Some(assigned)) = (
            spec.get_mut(field),
            retained.get(field).filter(|value| is_assigned(value)),
        ) {
            *stated = assigned.clone();
        }
    }
    let assigned: Vec<&Value> = retained["ports"].as_array().into_iter().flatten().collect();
    for port in spec
        .get_mut("ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        if port.contains_key("nodePort")
            && let Some(node_port) = assigned
                .iter()
                .find(|other| is_same_port(port, other))
                .and_then(|other| other.get("nodePort"))
        {
            port.insert("nodePort".to_owned(), node_port.clone());
        }
    }
}

/// Whether the object states ports of a Service, and the member has others.
pub(crate) fn lets_ports_go(kind: &TypeDescriptor, built: &Value, retained: &Value) -> bool {
    let stated = &built["spec"]["ports"];
    let is_stated = |live: &Value| {
        let mut ports = stated.as_array().into_iter().flatten();
        ports.any(|port| port_key(port) == port_key(live))
    };
    kind.is_core("Service") && stated.is_array() && !retained["ports"].as_array().into_iter().flatten().all(is_stated)
}

/// What API servers tell the ports of a Service apart by.
pub(crate) fn port_key(port: &Value) -> (Option<i64>, &str) {
    (port["port"].as_i64(), port["protocol"].as_str().unwrap_or("TCP"))
}

fn is_same_port(port: &Map<String, Value>, other: &Value) -> bool {
    fn text<'a>(value: Option<&'a Value>, default: &'a str) -> &'a str {
        value.and_then(Value::as_str).unwrap_or(default)
    }
    text(port.get("name"), "") == text(other.get("name"), "")
        && text(port.get("protocol"), "TCP") == text(other.get("protocol"), "TCP")
        && port.get("port") == other.get("port")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types;

    fn retained(name: &str, mut built: Value, member: Value) -> Value {
        let kind = types::find(name).unwrap();
        retain(kind, &mut built, &observe(kind, &member));
        built
    }

    #[test]
    fn a_member_keeps_the_addresses_it_assigned() {
        let built = json!({"spec": {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "healthCheckNodePort": 1}});
        let member = json!({"spec": {"clusterIP": "10.9.9.9", "clusterIPs": ["10.9.9.9"], "healthCheckNodePort": 0}});
        assert_eq!(
            retained("services", built, member),
            json!({"spec": {"clusterIP": "10.9.9.9", "clusterIPs": ["10.9.9.9"], "healthCheckNodePort": 1}})
        );
    }

    #[test]
    fn values_without_end_are_not_kept() {
        let kind = types::find("services").unwrap();
        let endless = json!({"spec": {"clusterIP": "10.0.0.1", "clusterIPs": vec!["10.0.0.1"; MOST / 8]}});
        assert_eq!(observe(kind, &endless), Value::Null);
    }

    #[test]
    fn what_the_template_leaves_open_stays_open() {
        let member = json!({"spec": {"clusterIP": "10.9.9.9", "ports": [{"port": 80, "nodePort": 30001}]}});
        let built = json!({"spec": {"ports": [{"port": 80}]}});
        assert_eq!(retained("services", built.clone(), member), built);
    }

    #[test]
    fn a_node_port_belongs_to_name_protocol_and_port_where_no_protocol_is_tcp() {
        let member = json!({"spec": {"ports": [{"port": 80, "protocol": "TCP", "nodePort": 30001}, {"port": 80, "protocol": "UDP", "nodePort": 30002}]}});
        let built = json!({"spec": {"ports": [{"port": 80, "nodePort": 1}, {"port": 80, "protocol": "UDP", "nodePort": 2}, {"port": 81, "nodePort": 3}]}});
        assert_eq!(
            retained("services", built, member),
            json!({"spec": {"ports": [{"port": 80, "nodePort": 30001}, {"port": 80, "protocol": "UDP", "nodePort": 30002}, {"port": 81, "nodePort": 3}]}})
        );
    }

    #[test]
    fn a_service_account_does_not_state_an_empty_list_of_secrets() {
        let left = |name: &str, mut built: Value| {
            leave_secrets(types::find(name).unwrap(), &mut built);
            built
        };
        assert_eq!(left("serviceaccounts", json!({"secrets": []})), json!({}));
        let stated = json!({"secrets": [{"name": "a"}]});
        assert_eq!(left("serviceaccounts", stated.clone()), stated);
        assert_eq!(left("configmaps", json!({"secrets": []})), json!({"secrets": []}));
    }
}
