//! What a cluster has when it is new: namespaces, nodes, roles, and the Service of its API.

pub(crate) mod nodes;
mod roles;
mod workloads;

use atoll_kubeapi::Status;
use serde_json::json;

use crate::catalog::Kind;
use crate::error::Error;
use crate::objects::Objects;
use crate::options::MemberOptions;

/// A number that always follows from the same name: what makes members differ.
pub(crate) fn trait_of(name: &str) -> u32 {
    // FNV-1a.
    name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// Fills a new member.
pub(crate) fn plant(objects: &Objects, options: &MemberOptions, port: u16) -> Result<(), Error> {
    let refused = |status: Status| Error::Seed(status.message);
    for namespace in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        let object = json!({"metadata": {"name": namespace}});
        objects.create(Kind::Namespace, "", object).map_err(refused)?;
    }
    roles::plant(objects).map_err(refused)?;
    nodes::plant(objects, options).map_err(refused)?;
    plant_api(objects, port).map_err(refused)?;
    if options.workloads {
        workloads::plant(objects, options).map_err(refused)?;
    }
    Ok(())
}

/// The Service by which pods find the API.
fn plant_api(objects: &Objects, port: u16) -> Result<(), Status> {
    let labels = json!({"component": "apiserver", "provider": "kubernetes"});
    let service = json!({
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": labels},
        "spec": {
            "clusterIP": "10.96.0.1",
            "clusterIPs": ["10.96.0.1"],
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        },
    });
    objects.create(Kind::Service, "default", service)?;
    let endpoints = json!({
        "metadata": {"name": "kubernetes", "namespace": "default"},
        "subsets": [{"addresses": [{"ip": "127.0.0.1"}], "ports": [{"name": "https", "port": port, "protocol": "TCP"}]}],
    });
    objects.create(Kind::Endpoints, "default", endpoints)?;
    let slice = json!({
        "metadata": {"name": "kubernetes", "namespace": "default", "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": true}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    });
    objects.create(Kind::EndpointSlice, "default", slice)?;
    Ok(())
}
