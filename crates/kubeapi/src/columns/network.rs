//! Columns of Services, what is behind them, Ingresses and network policies.

use crate::resource::Column;
use serde_json::Value;

use super::workloads::{number, or_none, selector};

/// Of Services.
pub fn services() -> Vec<Column> {
    vec![
        Column::path("Type", "string", ".spec.type"),
        Column::function("Cluster-IP", "string", |object, _| {
            or_none(object["spec"]["clusterIP"].as_str().unwrap_or_default())
        }),
        Column::function("External-IP", "string", |object, _| external_ip(object).into()),
        Column::function("Port(s)", "string", |object, _| ports(object)),
        Column::path("Age", "date", ".metadata.creationTimestamp"),
        Column::function("Selector", "string", |object, _| {
            selector(&object["spec"]["selector"]).into()
        })
        .wide(),
    ]
}

/// The addresses that a load balancer was given.
fn balanced(object: &Value) -> Vec<&str> {
    object["status"]["loadBalancer"]["ingress"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["ip"].as_str().or_else(|| one["hostname"].as_str()))
        .collect()
}

fn external_ip(service: &Value) -> String {
    let spec = &service["spec"];
    let mut addresses: Vec<&str> = spec["externalIPs"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match spec["type"].as_str() {
        Some("LoadBalancer") => {
            addresses.splice(0..0, balanced(service));
            if addresses.is_empty() {
                return "<pending>".into();
            }
        }
        Some("ExternalName") => return spec["externalName"].as_str().unwrap_or("<none>").to_owned(),
        _ => {}
    }
    if addresses.is_empty() {
        "<none>".into()
    } else {
        addresses.join(",")
    }
}

fn ports(service: &Value) -> Value {
    let texts: Vec<String> = service["spec"]["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|port| {
            let protocol = port["protocol"].as_str().unwrap_or("TCP");
            match port["nodePort"].as_i64() {
                Some(node_port) if node_port > 0 => format!("{}:{node_port}/{protocol}", number(&port["port"])),
                _ => format!("{}/{protocol}", number(&port["port"])),
            }
        })
        .collect();
    or_none(&texts.join(","))
}

/// Of Endpoints.
pub fn endpoints() -> Vec<Column> {
    vec![Column::function("Endpoints", "string", |object, _| {
        let mut texts = Vec::new();
        for subset in object["subsets"].as_array().into_iter().flatten() {
            for address in subset["addresses"].as_array().into_iter().flatten() {
                let ip = address["ip"].as_str().unwrap_or_default();
                for port in subset["ports"].as_array().into_iter().flatten() {
                    texts.push(format!("{ip}:{}", number(&port["port"])));
                }
            }
        }
        or_none(&some_of(texts))
    })]
}

/// The first three, and how many more there are.
fn some_of(mut texts: Vec<String>) -> String {
    let more = texts.len().saturating_sub(3);
    texts.truncate(3);
    let shown = texts.join(",");
    if more > 0 {
        format!("{shown} + {more} more...")
    } else {
        shown
    }
}

fn some_or_unset(texts: Vec<String>) -> Value {
    if texts.is_empty() {
        "<unset>".into()
    } else {
        some_of(texts).into()
    }
}

/// Of `EndpointSlices`.
pub fn endpoint_slices() -> Vec<Column> {
    vec![
        Column::path("AddressType", "string", ".addressType"),
        Column::function("Ports", "string", |object, _| {
            let ports = object["ports"].as_array().into_iter().flatten();
            some_or_unset(ports.map(|port| number(&port["port"]).to_string()).collect())
        }),
        Column::function("Endpoints", "string", |object, _| {
            let endpoints = object["endpoints"].as_array().into_iter().flatten();
            let addresses = endpoints.flat_map(|endpoint| endpoint["addresses"].as_array().into_iter().flatten());
            some_or_unset(addresses.filter_map(|ip| ip.as_str().map(str::to_owned)).collect())
        }),
        Column::path("Age", "date", ".metadata.creationTimestamp"),
    ]
}

/// Of Ingresses.
pub fn ingresses() -> Vec<Column> {
    vec![
        Column::function("Class", "string", |object, _| {
            or_none(object["spec"]["ingressClassName"].as_str().unwrap_or_default())
        }),
        Column::function("Hosts", "string", |object, _| {
            let hosts: Vec<&str> = object["spec"]["rules"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|rule| rule["host"].as_str())
                .collect();
            if hosts.is_empty() {
                "*".into()
            } else {
                hosts.join(",").into()
            }
        }),
        Column::function("Address", "string", |object, _| balanced(object).join(",").into()),
        Column::function("Ports", "string", |object, _| {
            let has_tls = object["spec"]["tls"].as_array().is_some_and(|list| !list.is_empty());
            if has_tls { "80, 443" } else { "80" }.into()
        }),
    ]
}

/// Of `NetworkPolicies`.
pub fn network_policies() -> Vec<Column> {
    vec![Column::function("Pod-Selector", "string", |object, _| {
        selector(&object["spec"]["podSelector"]).into()
    })]
}
