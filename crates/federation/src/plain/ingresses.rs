//! Where a Service can be reached, cluster by cluster: the annotation that Federation v1's DNS reads.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::SERVICE_INGRESSES;
use crate::{ClusterName, TypeDescriptor};

/// The annotation that tells the addresses of a Service in each cluster that has any; `None` for other kinds, and while
/// no cluster has any. `stored` is the Service as it stands on the hub, `status` its new status, and `ready` says of
/// clusters whether any endpoint behind the Service is ready there.
///
/// Where none is, the cluster is named without addresses, as in Federation v1: it has a load balancer that leads nowhere.
/// Of a cluster that `ready` does not name, what was said last stays. A Service without selector has endpoints that
/// somebody else keeps, which nothing marks as the Service's on the hub; it leads wherever its addresses do.
pub fn service_ingresses(
    row: &TypeDescriptor,
    stored: &Value,
    status: &Value,
    ready: &BTreeMap<ClusterName, bool>,
) -> Option<String> {
    if !row.is_core("Service") {
        return None;
    }
    let selects = stored["spec"]["selector"]
        .as_object()
        .is_some_and(|map| !map.is_empty());
    let said = said(stored);
    let clusters = status["clusters"].as_array().into_iter().flatten();
    let items: Vec<Value> = clusters
        .filter_map(|entry| {
            let name = entry["name"].as_str()?;
            let addresses = addresses(&entry["remoteStatus"]);
            if addresses.is_empty() {
                return None;
            }
            let leads = ready.get(name).copied();
            let leads = !selects || leads.or_else(|| said.get(name).copied()).unwrap_or(true);
            let items: Vec<Value> = addresses.into_values().filter(|_| leads).collect();
            Some(json!({"cluster": name, "items": items}))
        })
        .collect();
    (!items.is_empty()).then(|| json!({"items": items}).to_string())
}

/// Whether the clusters that the annotation names had any address in it.
fn said(stored: &Value) -> BTreeMap<String, bool> {
    let text = stored["metadata"]["annotations"][SERVICE_INGRESSES].as_str();
    let said: Value = text
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let entries = said["items"].as_array().into_iter().flatten();
    let entry = |entry: &Value| {
        let leads = entry["items"].as_array().is_some_and(|items| !items.is_empty());
        Some((entry["cluster"].as_str()?.to_owned(), leads))
    };
    entries.filter_map(entry).collect()
}

/// Addresses of load balancers, by what they are sorted by.
pub(super) fn addresses(status: &Value) -> BTreeMap<(String, String), Value> {
    let list = status["loadBalancer"]["ingress"].as_array().into_iter().flatten();
    let text = |address: &Value, field: &str| address[field].as_str().unwrap_or_default().to_owned();
    list.map(|address| {
        let mut kept = Map::new();
        for field in ["ip", "hostname"] {
            if let Some(value) = address.get(field).filter(|value| value.is_string()) {
                kept.insert(field.to_owned(), value.clone());
            }
        }
        ((text(address, "ip"), text(address, "hostname")), Value::Object(kept))
    })
    .collect()
}

/// Of an `EndpointSlice` of `discovery.k8s.io/v1`, the Service that it belongs to, and whether any of its endpoints is
/// ready. A condition that is not stated means that it is.
pub fn read_slice(slice: &Value) -> Option<(&str, bool)> {
    let service = slice["metadata"]["labels"]["kubernetes.io/service-name"].as_str()?;
    let mut endpoints = slice["endpoints"].as_array().into_iter().flatten();
    let is_ready = endpoints.any(|endpoint| endpoint["conditions"]["ready"].as_bool().unwrap_or(true));
    Some((service, is_ready))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types;

    fn told(stored: Value, ready: &[(&str, bool)]) -> Value {
        let ready = ready
            .iter()
            .map(|(name, ready)| (ClusterName::parse(name).unwrap(), *ready))
            .collect();
        let address = json!({"loadBalancer": {"ingress": [{"ip": "5.5.5.5"}]}});
        let status = json!({"clusters": [
            {"name": "eu-1", "remoteStatus": address}, {"name": "us-1", "remoteStatus": address}, {"name": "xx"},
        ]});
        let text = service_ingresses(types::find_plain("services").unwrap(), &stored, &status, &ready);
        serde_json::from_str(&text.unwrap()).unwrap()
    }

    fn said(eu: &Value, us: &Value) -> Value {
        json!({"items": [{"cluster": "eu-1", "items": eu}, {"cluster": "us-1", "items": us}]})
    }

    #[test]
    fn a_cluster_where_nothing_is_ready_is_named_without_addresses_and_of_an_unknown_one_the_last_word_stays() {
        let (some, none) = (json!([{"ip": "5.5.5.5"}]), json!([]));
        let mut service = json!({"spec": {"selector": {"app": "web"}}});
        assert_eq!(told(service.clone(), &[]), said(&some, &some));
        assert_eq!(
            told(service.clone(), &[("eu-1", false), ("us-1", true)]),
            said(&none, &some)
        );
        service["metadata"] = json!({"annotations": {SERVICE_INGRESSES: said(&none, &some).to_string()}});
        assert_eq!(told(service.clone(), &[]), said(&none, &some));
        assert_eq!(told(service.clone(), &[("eu-1", true)]), said(&some, &some));
        service["metadata"] = json!({"annotations": {SERVICE_INGRESSES: "no JSON"}});
        assert_eq!(told(service, &[("us-1", false)]), said(&some, &none));
    }

    #[test]
    fn without_a_selector_nothing_is_known_of_endpoints() {
        let some = json!([{"ip": "5.5.5.5"}]);
        for spec in [json!({}), json!({"selector": {}})] {
            assert_eq!(told(json!({"spec": spec}), &[("eu-1", false)]), said(&some, &some));
        }
    }

    #[test]
    fn an_endpoint_is_ready_unless_it_says_otherwise() {
        let slice = |endpoints: Value| json!({"metadata": {"labels": {"kubernetes.io/service-name": "web"}}, "endpoints": endpoints});
        assert_eq!(read_slice(&slice(json!([{"conditions": {}}]))), Some(("web", true)));
        let down = json!({"conditions": {"ready": false}});
        assert_eq!(read_slice(&slice(json!([down]))), Some(("web", false)));
        assert_eq!(
            read_slice(&slice(json!([down, {"conditions": {"ready": true}}]))),
            Some(("web", true))
        );
        assert_eq!(read_slice(&slice(Value::Null)), Some(("web", false)));
        assert_eq!(read_slice(&json!({"metadata": {}})), None);
    }
}
