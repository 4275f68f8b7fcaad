//! Sample workloads, a little different from member to member.

use atoll_kubeapi::Status;
use serde_json::{Value, json};

use super::trait_of;
use crate::catalog::Kind;
use crate::objects::Objects;
use crate::options::MemberOptions;

/// What a sample workload is.
struct Sample {
    namespace: &'static str,
    name: &'static str,
    image: &'static str,
    port: u16,
    replicas: u32,
    /// How it is reached.
    service: &'static str,
}

const SAMPLES: [Sample; 7] = [
    Sample {
        namespace: "boutique",
        name: "web",
        image: "registry.example.com/boutique/web:2.4.1",
        port: 8080,
        replicas: 3,
        service: "ClusterIP",
    },
    Sample {
        namespace: "boutique",
        name: "cart",
        image: "registry.example.com/boutique/cart:1.9.0",
        port: 8080,
        replicas: 2,
        service: "ClusterIP",
    },
    Sample {
        namespace: "boutique",
        name: "checkout",
        image: "registry.example.com/boutique/checkout:1.12.3",
        port: 8080,
        replicas: 2,
        service: "ClusterIP",
    },
    Sample {
        namespace: "platform",
        name: "ingress",
        image: "registry.example.com/platform/ingress:3.2.0",
        port: 8443,
        replicas: 2,
        service: "LoadBalancer",
    },
    Sample {
        namespace: "platform",
        name: "metrics",
        image: "registry.example.com/platform/metrics:0.31.2",
        port: 9090,
        replicas: 1,
        service: "ClusterIP",
    },
    Sample {
        namespace: "data",
        name: "cache",
        image: "registry.example.com/data/cache:7.4",
        port: 6379,
        replicas: 1,
        service: "ClusterIP",
    },
    Sample {
        namespace: "kube-system",
        name: "coredns",
        image: "registry.example.com/platform/coredns:1.12.1",
        port: 53,
        replicas: 2,
        service: "ClusterIP",
    },
];

pub(super) fn plant(objects: &Objects, options: &MemberOptions) -> Result<(), Status> {
    for namespace in ["boutique", "platform", "data"] {
        let object = json!({"metadata": {"name": namespace, "labels": {"team": namespace}}});
        objects.create(Kind::Namespace, "", object)?;
    }
    for sample in &SAMPLES {
        let own = trait_of(&format!("{}/{}", options.name, sample.name));
        // Not everything runs everywhere, and not everywhere as much of it.
        let is_everywhere = sample.namespace != "boutique" || sample.name == "web";
        if is_everywhere || !own.is_multiple_of(4) {
            let more = if sample.namespace == "boutique" { own % 3 } else { 0 };
            plant_sample(objects, sample, sample.replicas + more)?;
        }
    }
    plant_database(objects)?;
    plant_agent(objects)?;
    let settings = json!({
        "metadata": {"name": "settings", "namespace": "boutique"},
        "data": {"currency": if options.region.starts_with("eu") { "EUR" } else { "USD" }, "log.level": "info"},
    });
    objects.create(Kind::ConfigMap, "boutique", settings)?;
    Ok(())
}

fn labels(name: &str, part_of: &str) -> Value {
    json!({"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": part_of})
}

fn template(name: &str, namespace: &str, image: &str, port: u16) -> Value {
    json!({
        "metadata": {"labels": labels(name, namespace)},
        "spec": {"containers": [{
            "name": name,
            "image": image,
            "ports": [{"containerPort": port, "name": "main"}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        }]},
    })
}

fn service(name: &str, namespace: &str, port: u16, kind: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": namespace, "labels": labels(name, namespace)},
        "spec": {"type": kind, "selector": {"app.kubernetes.io/name": name}, "ports": [{"name": "main", "port": port, "targetPort": "main"}]},
    })
}

fn plant_sample(objects: &Objects, sample: &Sample, replicas: u32) -> Result<(), Status> {
    let Sample {
        namespace,
        name,
        image,
        port,
        ..
    } = *sample;
    let deployment = json!({
        "metadata": {"name": name, "namespace": namespace, "labels": labels(name, namespace)},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
            "template": template(name, namespace, image, port),
        },
    });
    objects.create(Kind::Deployment, namespace, deployment)?;
    objects.create(Kind::Service, namespace, service(name, namespace, port, sample.service))?;
    Ok(())
}

fn plant_database(objects: &Objects) -> Result<(), Status> {
    let (name, namespace) = ("postgres", "data");
    let set = json!({
        "metadata": {"name": name, "namespace": namespace, "labels": labels(name, namespace)},
        "spec": {
            "replicas": 2,
            "serviceName": name,
            "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
            "template": template(name, namespace, "registry.example.com/data/postgres:18.1", 5432),
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "20Gi"}}}}],
        },
    });
    objects.create(Kind::StatefulSet, namespace, set)?;
    let mut headless = service(name, namespace, 5432, "ClusterIP");
    headless["spec"]["clusterIP"] = "None".into();
    objects.create(Kind::Service, namespace, headless)?;
    Ok(())
}

fn plant_agent(objects: &Objects) -> Result<(), Status> {
    let (name, namespace) = ("node-agent", "platform");
    let set = json!({
        "metadata": {"name": name, "namespace": namespace, "labels": labels(name, namespace)},
        "spec": {
            "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
            "template": template(name, namespace, "registry.example.com/platform/node-agent:1.8.2", 9100),
        },
    });
    objects.create(Kind::DaemonSet, namespace, set)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_documents_meet_no_sample_workload() {
        let documents = [
            include_str!("../../../../README.md"),
            include_str!("../../../../docs/first-steps.md"),
        ];
        for text in documents {
            let named = text.lines().filter_map(|line| line.strip_prefix("metadata: {name: "));
            let names: Vec<&str> = named.filter_map(|rest| rest.split([',', '}']).next()).collect();
            assert!(names.contains(&"shop"), "{names:?}");
            for sample in &SAMPLES {
                assert!(!names.contains(&sample.namespace), "{}", sample.namespace);
            }
        }
    }
}
