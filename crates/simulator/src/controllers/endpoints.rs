//! What Services and Ingresses lead to: the addresses of ready pods behind them, and the load balancers in front.

use std::sync::Arc;

use serde_json::{Value, json};

use super::templates::{is_over, is_ready};
use crate::catalog::Kind;
use crate::engine::{Engine, Plan, Write};
use crate::fields::{controller_reference, is_deleting, items, name, namespace, uid};
use crate::objects::Propagation;
use crate::selection::has_labels;

/// Says that Endpoints follow a Service, rather than somebody's will.
const MANAGED: &str = "endpoints.kubernetes.io/managed-by";

/// What should follow from a Service.
pub(super) fn plan(engine: &Engine, service: &Arc<Value>) -> Plan {
    let mut plan = Plan::default();
    if is_deleting(service) {
        return plan;
    }
    if service["spec"]["selector"]
        .as_object()
        .is_some_and(|labels| !labels.is_empty())
        && service["spec"]["type"] != "ExternalName"
    {
        let pods = engine.objects.list(Kind::Pod, Some(namespace(service)));
        let subsets = subsets(service, &pods);
        plan_slice(engine, service, &subsets, &mut plan);
        match engine.objects.get(Kind::Endpoints, namespace(service), name(service)) {
            None => plan.writes.push(Write::Create {
                kind: Kind::Endpoints,
                object: new_endpoints(service, &subsets),
            }),
            Some(found) => {
                let mut new = (*found).clone();
                put(&mut new, "subsets", subsets);
                plan.update(Kind::Endpoints, &found, new);
            }
        }
    }
    let is_balanced = service["spec"]["type"] == "LoadBalancer";
    plan_balancer(engine, Kind::Service, service, is_balanced, &mut plan);
    plan
}

/// What should follow from an Ingress: an address to reach it by.
pub(super) fn plan_ingress(engine: &Engine, ingress: &Arc<Value>) -> Plan {
    let mut plan = Plan::default();
    plan_balancer(engine, Kind::Ingress, ingress, !is_deleting(ingress), &mut plan);
    plan
}

fn new_endpoints(service: &Value, subsets: &Value) -> Value {
    let mut labels = service["metadata"]["labels"].clone();
    labels[MANAGED] = "endpoint-controller".into();
    let mut object = json!({"metadata": {"name": name(service), "namespace": namespace(service), "labels": labels}});
    put(&mut object, "subsets", subsets.clone());
    object
}

/// The same as a slice, which is there from the beginning, if only an empty one.
fn plan_slice(engine: &Engine, service: &Arc<Value>, subsets: &Value, plan: &mut Plan) {
    let mut labels = service["metadata"]["labels"].clone();
    labels["kubernetes.io/service-name"] = name(service).into();
    labels["endpointslice.kubernetes.io/managed-by"] = "endpointslice-controller.k8s.io".into();
    let found = engine
        .objects
        .controlled(Kind::EndpointSlice, service)
        .into_iter()
        .next();
    let mut slice = found.as_ref().map_or_else(
        || {
            json!({"metadata": {
                "generateName": format!("{}-", name(service)), "namespace": namespace(service),
                "ownerReferences": [controller_reference(service)],
            }})
        },
        |found| (**found).clone(),
    );
    slice["metadata"]["labels"] = labels;
    slice["addressType"] = "IPv4".into();
    slice["endpoints"] = slice_endpoints(&subsets[0]);
    put(&mut slice, "ports", subsets[0]["ports"].clone());
    match found {
        Some(found) => plan.update(Kind::EndpointSlice, &found, slice),
        None => plan.writes.push(Write::Create {
            kind: Kind::EndpointSlice,
            object: slice,
        }),
    }
}

fn slice_endpoints(subset: &Value) -> Value {
    let of = |field: &str, ready: bool| {
        let endpoint = move |address: &Value| {
            json!({"addresses": [address["ip"]], "nodeName": address["nodeName"], "targetRef": address["targetRef"],
                "conditions": {"ready": ready, "serving": ready, "terminating": false}})
        };
        items(&subset[field]).iter().map(endpoint).collect::<Vec<_>>()
    };
    [of("addresses", true), of("notReadyAddresses", false)].concat().into()
}

fn put(object: &mut Value, field: &str, list: Value) {
    if items(&list).is_empty() {
        crate::fields::remove(object, field);
    } else {
        object[field] = list;
    }
}

/// Endpoints go with their Service.
pub(super) fn collect(engine: &Engine, endpoints: &Arc<Value>) {
    let is_managed = !endpoints["metadata"]["labels"][MANAGED].is_null();
    let service = engine.objects.get(Kind::Service, namespace(endpoints), name(endpoints));
    if is_managed && service.is_none() {
        engine
            .objects
            .delete(Kind::Endpoints, endpoints, Propagation::Background);
    }
}

/// Addresses and ports of the pods that a Service selects.
fn subsets(service: &Value, pods: &[Arc<Value>]) -> Value {
    let selected: Vec<&Arc<Value>> = pods
        .iter()
        .filter(|pod| has_labels(&service["spec"]["selector"], &pod["metadata"]["labels"]))
        .filter(|pod| !is_deleting(pod) && !is_over(pod) && pod["status"]["podIP"].is_string())
        .collect();
    let Some(example) = selected.first() else {
        return json!([]);
    };
    let address = |pod: &&Arc<Value>| {
        json!({"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"],
            "targetRef": {"kind": "Pod", "namespace": namespace(pod), "name": name(pod), "uid": uid(pod)}})
    };
    let (ready, others): (Vec<&Arc<Value>>, Vec<&Arc<Value>>) = selected.iter().copied().partition(|pod| is_ready(pod));
    let mut subset = json!({});
    put(&mut subset, "addresses", ready.iter().map(address).collect());
    put(&mut subset, "notReadyAddresses", others.iter().map(address).collect());
    let ports: Vec<Value> = items(&service["spec"]["ports"])
        .iter()
        .filter_map(|port| {
            let mut found = json!({"port": target(port, example)?, "protocol": port["protocol"]});
            if !port["name"].is_null() {
                found["name"] = port["name"].clone();
            }
            Some(found)
        })
        .collect();
    put(&mut subset, "ports", ports.into());
    json!([subset])
}

/// The port of a pod that a port of a Service leads to.
fn target(port: &Value, pod: &Value) -> Option<i64> {
    let Some(wanted) = port["targetPort"].as_str() else {
        return port["targetPort"].as_i64().or_else(|| port["port"].as_i64());
    };
    items(&pod["spec"]["containers"])
        .iter()
        .flat_map(|container| items(&container["ports"]))
        .find(|one| one["name"] == wanted)
        .and_then(|one| one["containerPort"].as_i64())
}

/// Gives a load balancer its address, or takes it away.
fn plan_balancer(engine: &Engine, kind: Kind, object: &Arc<Value>, is_wanted: bool, plan: &mut Plan) {
    let has_one = !items(&object["status"]["loadBalancer"]["ingress"]).is_empty();
    if has_one == is_wanted {
        return;
    }
    let mut new = (**object).clone();
    if is_wanted {
        let taken: Vec<String> = [Kind::Service, Kind::Ingress]
            .into_iter()
            .flat_map(|kind| engine.objects.list(kind, None))
            .flat_map(|one| items(&one["status"]["loadBalancer"]["ingress"]).to_vec())
            .filter_map(|one| one["ip"].as_str().map(str::to_owned))
            .collect();
        let free = (10..=250)
            .map(|last| format!("{}.{last}", engine.settings.balancers))
            .find(|address| !taken.contains(address));
        let Some(free) = free else { return };
        new["status"]["loadBalancer"] = if kind == Kind::Service {
            json!({"ingress": [{"ip": free, "ipMode": "VIP"}]})
        } else {
            json!({"ingress": [{"ip": free}]})
        };
        if kind == Kind::Service {
            plan.events
                .push(("EnsuredLoadBalancer", "Ensured load balancer".into()));
        }
    } else {
        new["status"]["loadBalancer"] = json!({});
    }
    plan.update(kind, object, new);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_pods_are_addresses_and_named_ports_are_looked_up() {
        let service = json!({"spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "web", "protocol": "TCP"}]}});
        let pod = |name: &str, ip: &str, ready: &str| {
            Arc::new(
                json!({"metadata": {"name": name, "namespace": "shop", "uid": name, "labels": {"app": "web"}},
                "spec": {"nodeName": "n", "containers": [{"ports": [{"name": "web", "containerPort": 8080}]}]},
                "status": {"podIP": ip, "phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}}),
            )
        };
        let found = subsets(&service, &[pod("a", "10.0.0.1", "True"), pod("b", "10.0.0.2", "False")]);
        assert_eq!(found[0]["addresses"][0]["ip"], "10.0.0.1");
        assert_eq!(found[0]["notReadyAddresses"][0]["ip"], "10.0.0.2");
        assert_eq!(
            found[0]["ports"],
            json!([{"port": 8080, "protocol": "TCP", "name": "http"}])
        );
        assert_eq!(subsets(&service, &[]), json!([]));
    }
}
