//! Services: defaults, and the addresses and ports that the cluster gives out.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::PoisonError;

use atoll_kubeapi::{Cause, Memory, Status};
use serde_json::{Value, json};

use crate::catalog::Kind;
use crate::fields::{default, each_mut, items, name, remove};

/// Addresses of Services: 10.96.0.0/12, of which the first is the API's own.
const FIRST_ADDRESS: u32 = u32::from_be_bytes([10, 96, 0, 10]);
const ADDRESSES: u32 = (1 << 20) - 20;
/// Ports that Services have on every node.
const FIRST_PORT: u32 = 30_000;
const PORTS: u32 = 2768;

/// Gives out addresses and ports of one member.
#[derive(Default)]
pub(crate) struct Addresses {
    /// How many addresses and ports were tried so far: two Services that are made at once get different ones.
    tried: Mutex<(u32, u32)>,
}

/// What Services have now.
#[derive(Default)]
struct InUse {
    addresses: BTreeSet<Ipv4Addr>,
    ports: BTreeSet<i64>,
}

impl InUse {
    /// What the Services other than this one have.
    fn read(memory: &Memory, except: &Value) -> Self {
        let mut used = Self::default();
        for service in memory.list(Kind::Service.resource(), None).items {
            if service["metadata"]["uid"] == except["metadata"]["uid"] {
                continue;
            }
            used.addresses.extend(address(&service["spec"]));
            used.ports.extend(node_ports(&service["spec"]));
        }
        used
    }
}

fn address(spec: &Value) -> Option<Ipv4Addr> {
    spec["clusterIP"].as_str()?.parse().ok()
}

fn node_ports(spec: &Value) -> Vec<i64> {
    let ports = items(&spec["ports"]).iter();
    ports
        .filter_map(|port| port["nodePort"].as_i64())
        .filter(|port| *port > 0)
        .collect()
}

fn has_node_ports(spec: &Value) -> bool {
    match spec["type"].as_str() {
        Some("NodePort") => true,
        Some("LoadBalancer") => spec["allocateLoadBalancerNodePorts"] != false,
        _ => false,
    }
}

/// Fills in what every Service has.
pub(super) fn complete_service(spec: &mut Value) {
    if !spec.is_object() {
        *spec = json!({});
    }
    default(spec, "type", "ClusterIP");
    default(spec, "sessionAffinity", "None");
    for port in each_mut(spec, "ports") {
        default(port, "protocol", "TCP");
        let own = port["port"].clone();
        default(port, "targetPort", own);
    }
    if spec["ports"].is_null() {
        remove(spec, "ports");
    }
    let kind = spec["type"].as_str().unwrap_or_default().to_owned();
    if kind == "ExternalName" {
        return;
    }
    default(spec, "internalTrafficPolicy", "Cluster");
    default(spec, "ipFamilies", json!(["IPv4"]));
    default(spec, "ipFamilyPolicy", "SingleStack");
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        default(spec, "externalTrafficPolicy", "Cluster");
    } else {
        remove(spec, "externalTrafficPolicy");
    }
    if kind == "LoadBalancer" {
        default(spec, "allocateLoadBalancerNodePorts", true);
    } else {
        remove(spec, "allocateLoadBalancerNodePorts");
    }
}

/// Keeps what was given out when a client leaves it out: clients replace Services with what they know.
pub(super) fn keep(old: &Value, new: &mut Value) {
    if new["spec"]["type"] == "ExternalName" || old["spec"]["type"] == "ExternalName" {
        return;
    }
    let spec = &mut new["spec"];
    if spec["clusterIP"].as_str().unwrap_or_default().is_empty() {
        for field in ["clusterIP", "clusterIPs"] {
            spec[field] = old["spec"][field].clone();
        }
    }
    if !has_node_ports(spec) {
        for port in each_mut(spec, "ports") {
            remove(port, "nodePort");
        }
        return;
    }
    let taken: BTreeSet<i64> = node_ports(spec).into_iter().collect();
    for port in each_mut(spec, "ports") {
        let same = |other: &&Value| other["port"] == port["port"] && other["protocol"] == port["protocol"];
        if let Some(before) = items(&old["spec"]["ports"]).iter().find(same)
            && let Some(kept) = before["nodePort"].as_i64()
            && port["nodePort"].as_i64().unwrap_or_default() == 0
            && !taken.contains(&kept)
        {
            port["nodePort"] = kept.into();
        }
    }
}

impl Addresses {
    /// Gives a Service the address and ports that it lacks, and refuses those that others have.
    ///
    /// # Errors
    /// 422.
    pub(crate) fn assign(&self, memory: &Memory, old: Option<&Value>, service: &mut Value) -> Result<(), Status> {
        let given = |object: &Value| (address(&object["spec"]), node_ports(&object["spec"]));
        let spec = &service["spec"];
        let lacks_address = spec["type"] != "ExternalName" && spec["clusterIP"].as_str().unwrap_or_default().is_empty();
        let lacks_port = has_node_ports(spec) && node_ports(spec).len() < items(&spec["ports"]).len();
        if !lacks_address && !lacks_port && old.is_some_and(|old| given(old) == given(service)) {
            return Ok(());
        }
        let mut used = InUse::read(memory, service);
        if let Some(wanted) = address(&service["spec"])
            && used.addresses.contains(&wanted)
        {
            let message = format!(
                "Invalid value: [\"{wanted}\"]: failed to allocate IP {wanted}: provided IP is already allocated"
            );
            return Err(invalid(service, "spec.clusterIPs", message));
        }
        for (index, port) in node_ports(&service["spec"]).iter().enumerate() {
            if used.ports.contains(port) {
                let field = format!("spec.ports[{index}].nodePort");
                let message = format!("Invalid value: {port}: provided port is already allocated");
                return Err(invalid(service, &field, message));
            }
        }
        used.ports.extend(node_ports(&service["spec"]));
        self.complete(&used, &mut service["spec"]);
        Ok(())
    }

    fn complete(&self, used: &InUse, spec: &mut Value) {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if spec["type"] != "ExternalName" && spec["clusterIP"].as_str().unwrap_or_default().is_empty() {
            let free = (0..ADDRESSES).find_map(|_| {
                let candidate = Ipv4Addr::from(FIRST_ADDRESS + tried.0 % ADDRESSES);
                tried.0 = tried.0.wrapping_add(1);
                (!used.addresses.contains(&candidate)).then(|| candidate.to_string())
            });
            spec["clusterIP"] = free.unwrap_or_default().into();
        }
        if spec["type"] != "ExternalName" {
            spec["clusterIPs"] = json!([spec["clusterIP"]]);
        }
        if !has_node_ports(spec) {
            return;
        }
        for port in each_mut(spec, "ports") {
            if port["nodePort"].as_i64().unwrap_or_default() > 0 {
                continue;
            }
            let free = (0..PORTS).find_map(|_| {
                // A step that shares no factor with the number of ports visits all of them, and looks less like a count.
                let candidate = i64::from(FIRST_PORT + tried.1.wrapping_mul(1237).wrapping_add(331) % PORTS);
                tried.1 = tried.1.wrapping_add(1);
                (!used.ports.contains(&candidate)).then_some(candidate)
            });
            if let Some(free) = free {
                port["nodePort"] = free.into();
            }
        }
    }
}

fn invalid(service: &Value, field: &str, message: String) -> Status {
    Status::invalid("", "Service", name(service), vec![Cause::invalid(field, message)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(uid: &str, spec: Value) -> Value {
        let mut object = json!({"metadata": {"name": uid, "uid": uid}, "spec": spec});
        complete_service(&mut object["spec"]);
        object
    }

    #[test]
    fn each_service_gets_an_address_and_the_ports_its_type_has() {
        let (memory, addresses) = (Memory::default(), Addresses::default());
        let mut one = service("a", json!({"ports": [{"port": 80}]}));
        let mut two = service("b", json!({"type": "NodePort", "ports": [{"port": 80}, {"port": 81}]}));
        addresses.assign(&memory, None, &mut one).unwrap();
        addresses.assign(&memory, None, &mut two).unwrap();
        assert_ne!(one["spec"]["clusterIP"], two["spec"]["clusterIP"]);
        assert_eq!(one["spec"]["clusterIPs"][0], one["spec"]["clusterIP"]);
        assert!(one["spec"]["ports"][0]["nodePort"].is_null());
        let ports = node_ports(&two["spec"]);
        assert!(ports.len() == 2 && ports[0] != ports[1], "{ports:?}");
        assert!(ports.iter().all(|port| (30_000..32_768).contains(port)));
    }

    #[test]
    fn what_was_given_out_is_kept_when_a_client_leaves_it_out() {
        let (memory, addresses) = (Memory::default(), Addresses::default());
        let mut old = service("a", json!({"type": "NodePort", "ports": [{"port": 80}]}));
        addresses.assign(&memory, None, &mut old).unwrap();
        let mut new = service("a", json!({"type": "NodePort", "ports": [{"port": 80}, {"port": 81}]}));
        keep(&old, &mut new);
        addresses.assign(&memory, Some(&old), &mut new).unwrap();
        assert_eq!(new["spec"]["clusterIP"], old["spec"]["clusterIP"]);
        assert_eq!(new["spec"]["ports"][0], old["spec"]["ports"][0]);
        let ports = node_ports(&new["spec"]);
        assert!(ports.len() == 2 && ports[0] != ports[1], "{ports:?}");
    }

    #[test]
    fn a_headless_service_stays_without_an_address() {
        let mut headless = service("a", json!({"clusterIP": "None"}));
        Addresses::default()
            .assign(&Memory::default(), None, &mut headless)
            .unwrap();
        assert_eq!(headless["spec"]["clusterIPs"], json!(["None"]));
    }
}
