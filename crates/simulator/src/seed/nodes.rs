//! Nodes as their provider makes them, and what becomes of one that nobody hears from.

use atoll_kubeapi::Status;
use serde_json::{Value, json};

use super::trait_of;
use crate::catalog::Kind;
use crate::fields::{items, set_condition};
use crate::objects::{Objects, now_text};
use crate::options::MemberOptions;

const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

/// What a provider calls a machine: name, id and type.
struct Machine {
    name: String,
    provider_id: String,
    instance_type: &'static str,
}

fn machine(options: &MemberOptions, index: usize, zone: &str) -> Machine {
    let member = &options.name;
    let unique = trait_of(&format!("{member}/{index}"));
    let name = format!("{member}-node-{}", index + 1);
    match options.provider.as_str() {
        "aws" => Machine {
            provider_id: format!(
                "aws:///{zone}/i-{unique:08x}{:09x}",
                u64::from(unique) * 7919 % (1 << 36)
            ),
            name,
            instance_type: "m6i.xlarge",
        },
        "gce" | "gke" => Machine {
            provider_id: format!("gce://{member}/{zone}/{name}"),
            name,
            instance_type: "e2-standard-4",
        },
        "azure" => Machine {
            provider_id: format!(
                "azure:///subscriptions/{unique:08x}-0000-4000-8000-{:012x}/resourceGroups/{member}/providers/Microsoft.Compute/virtualMachines/{name}",
                u64::from(unique) << 8
            ),
            name,
            instance_type: "Standard_D4s_v5",
        },
        "alicloud" => Machine {
            provider_id: format!("{}.i-{unique:08x}", options.region),
            name,
            instance_type: "ecs.g7.xlarge",
        },
        other => Machine {
            provider_id: format!("{other}://{member}/{name}"),
            name,
            instance_type: "standard",
        },
    }
}

pub(super) fn plant(objects: &Objects, options: &MemberOptions) -> Result<(), Status> {
    for index in 0..options.nodes {
        let zone = format!("{}{}", options.region, ["a", "b", "c"][index % 3]);
        let machine = machine(options, index, &zone);
        let lease = json!({
            "metadata": {"name": machine.name, "namespace": "kube-node-lease"},
            "spec": {"holderIdentity": machine.name, "leaseDurationSeconds": 40},
        });
        objects.create(Kind::Lease, "kube-node-lease", lease)?;
        objects.create(Kind::Node, "", node(options, index, &zone, machine))?;
    }
    Ok(())
}

fn node(options: &MemberOptions, index: usize, zone: &str, machine: Machine) -> Value {
    let now = now_text();
    let [_, _, second, third] = trait_of(&options.name).to_be_bytes();
    let Machine {
        name,
        provider_id,
        instance_type,
    } = machine;
    let mut labels = json!({
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": instance_type,
        "topology.kubernetes.io/region": options.region,
        "topology.kubernetes.io/zone": zone,
    });
    if index == 0 {
        labels["node-role.kubernetes.io/control-plane"] = "".into();
    }
    let shape = &options.node;
    let capacity = json!({
        "cpu": shape.cpu,
        "memory": shape.memory,
        "pods": shape.pods.to_string(),
        "ephemeral-storage": "100Gi",
        "hugepages-2Mi": "0",
    });
    let version = options.git_version();
    let condition = |kind: &str, status: &str, reason: &str, message: &str| json!({"type": kind, "status": status, "reason": reason, "message": message, "lastHeartbeatTime": now, "lastTransitionTime": now});
    json!({
        "metadata": {"name": name, "labels": labels, "annotations": {"node.alpha.kubernetes.io/ttl": "0"}},
        "spec": {
            "podCIDR": format!("10.244.{index}.0/24"),
            "podCIDRs": [format!("10.244.{index}.0/24")],
            "providerID": provider_id,
        },
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": format!("10.{second}.{third}.{}", index + 4)},
                {"type": "Hostname", "address": name},
            ],
            "capacity": capacity,
            "allocatable": capacity,
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": format!("{:08x}-0000-4000-8000-000000000000", trait_of(&name)),
                "containerRuntimeVersion": "containerd://2.1.4",
                "kernelVersion": "6.12.41",
                "kubeProxyVersion": "",
                "kubeletVersion": version,
                "machineID": format!("{:032x}", trait_of(&name)),
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 13 (trixie)",
                "systemUUID": format!("{:08x}-0000-4000-8000-000000000001", trait_of(&name)),
            },
        },
    })
}

/// Makes a node ready, or one that nobody hears from.
pub(crate) fn set_ready(node: &mut Value, is_ready: bool) {
    let now = now_text();
    let kinds: Vec<String> = items(&node["status"]["conditions"])
        .iter()
        .filter_map(|one| one["type"].as_str().map(str::to_owned))
        .collect();
    for kind in kinds {
        let (status, reason, message) = match (is_ready, kind.as_str()) {
            (false, _) => ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."),
            (true, "Ready") => ("True", "KubeletReady", "kubelet is posting ready status"),
            (true, _) => ("False", "KubeletIsHealthy", "kubelet is healthy"),
        };
        set_condition(node, &kind, status, reason, message, &now);
    }
    let mut taints = items(&node["spec"]["taints"]).to_vec();
    taints.retain(|taint| taint["key"] != UNREACHABLE);
    if !is_ready {
        for effect in ["NoSchedule", "NoExecute"] {
            taints.push(json!({"key": UNREACHABLE, "effect": effect, "timeAdded": now}));
        }
    }
    if taints.is_empty() {
        crate::fields::remove(&mut node["spec"], "taints");
    } else {
        node["spec"]["taints"] = taints.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::is_true;

    #[test]
    fn providers_name_their_machines_in_their_own_way() {
        let id = |provider: &str| {
            let options = MemberOptions {
                provider: provider.into(),
                region: "eu-west-1".into(),
                ..MemberOptions::default()
            };
            machine(&options, 0, "eu-west-1a").provider_id
        };
        assert!(id("aws").starts_with("aws:///eu-west-1a/i-"));
        assert_eq!(id("gce"), "gce://member/eu-west-1a/member-node-1");
        assert_eq!(id("sim"), "sim://member/member-node-1");
    }

    #[test]
    fn a_node_that_comes_back_is_as_before() {
        let options = MemberOptions::default();
        let mut one = node(&options, 0, "a", machine(&options, 0, "a"));
        set_ready(&mut one, false);
        assert!(!is_true(&one, "Ready"));
        assert_eq!(items(&one["spec"]["taints"]).len(), 2);
        set_ready(&mut one, true);
        assert!(is_true(&one, "Ready"));
        assert!(one["spec"].get("taints").is_none());
    }
}
