//! Every built-in type, in every member, and ready where there is such a thing.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    federated::Federated,
    member::Member,
    waiting::{PATIENCE, eventually, within},
    world::World,
};

const MANIFESTS: &str = include_str!("manifests/types.yaml");
const NAMESPACE: &str = "types";

/// A built-in type: kind, where members serve it, resource, and whether it lies in
/// namespaces there.
type Type = (&'static str, &'static str, &'static str, bool);

#[rustfmt::skip]
const TYPES: [Type; 23] = [
    ("Namespace", "/api/v1", "namespaces", false),
    ("ConfigMap", "/api/v1", "configmaps", true),
    ("Secret", "/api/v1", "secrets", true),
    ("ServiceAccount", "/api/v1", "serviceaccounts", true),
    ("Service", "/api/v1", "services", true),
    ("LimitRange", "/api/v1", "limitranges", true),
    ("ResourceQuota", "/api/v1", "resourcequotas", true),
    ("PersistentVolumeClaim", "/api/v1", "persistentvolumeclaims", true),
    ("Deployment", "/apis/apps/v1", "deployments", true),
    ("StatefulSet", "/apis/apps/v1", "statefulsets", true),
    ("DaemonSet", "/apis/apps/v1", "daemonsets", true),
    ("ReplicaSet", "/apis/apps/v1", "replicasets", true),
    ("Job", "/apis/batch/v1", "jobs", true),
    ("CronJob", "/apis/batch/v1", "cronjobs", true),
    ("Ingress", "/apis/networking.k8s.io/v1", "ingresses", true),
    ("NetworkPolicy", "/apis/networking.k8s.io/v1", "networkpolicies", true),
    ("PodDisruptionBudget", "/apis/policy/v1", "poddisruptionbudgets", true),
    ("HorizontalPodAutoscaler", "/apis/autoscaling/v2", "horizontalpodautoscalers", true),
    ("Role", "/apis/rbac.authorization.k8s.io/v1", "roles", true),
    ("RoleBinding", "/apis/rbac.authorization.k8s.io/v1", "rolebindings", true),
    ("ClusterRole", "/apis/rbac.authorization.k8s.io/v1", "clusterroles", false),
    ("ClusterRoleBinding", "/apis/rbac.authorization.k8s.io/v1", "clusterrolebindings", false),
    ("CustomResourceDefinition", "/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", false),
];

pub(crate) async fn told(world: &World) -> Result<()> {
    let objects = the_manifests_have_one_object_of_each_type()?;
    volumes_are_there_to_be_claimed(world).await?;
    kubectl_applies_them_all(world).await?;
    every_object_is_in_every_member(world, &objects).await?;
    kubectl_explains_every_kind(world).await?;
    short_names_are_those_of_kubefed(world).await?;
    every_object_becomes_ready(world, &objects).await?;
    the_hub_says_that_all_is_well(world, &objects).await?;
    deleting_them_empties_every_member(world, &objects).await
}

/// The objects, each with its type.
fn the_manifests_have_one_object_of_each_type() -> Result<Vec<(Type, String)>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(MANIFESTS)?;
    let mut objects = Vec::new();
    for document in &documents {
        let kind = document["kind"].as_str().context("a manifest without a kind")?;
        let name = document["metadata"]["name"]
            .as_str()
            .context("an object without a name")?;
        // The plain namespace is where the others lie.
        if let Some(kind) = kind.strip_prefix("Federated") {
            let found = TYPES.iter().find(|(known, ..)| *known == kind);
            let found = found.with_context(|| format!("{kind} is no built-in type"))?;
            objects.push((*found, name.to_owned()));
        }
    }
    let kinds: BTreeSet<&str> = objects.iter().map(|((kind, ..), _)| *kind).collect();
    ensure!(kinds.len() == TYPES.len(), "some are missing, there are only {kinds:?}");
    Ok(objects)
}

/// Nobody provisions any here.
async fn volumes_are_there_to_be_claimed(world: &World) -> Result<()> {
    let volume = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": { "name": "types-data" },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": { "storage": "1Gi" },
            "hostPath": { "path": "/nowhere" },
        },
    });
    for member in world.members() {
        member.post("/api/v1/persistentvolumes", &volume).await?;
    }
    Ok(())
}

async fn kubectl_applies_them_all(world: &World) -> Result<()> {
    let said = world.kubectl.apply(MANIFESTS).await?;
    let created = said.lines().filter(|line| line.ends_with(" created")).count();
    ensure!(created == TYPES.len() + 1, "kubectl said\n{said}");
    let again = world.kubectl.apply(MANIFESTS).await?;
    let unchanged = again.lines().filter(|line| line.ends_with(" unchanged")).count();
    ensure!(unchanged == created, "kubectl said, the second time,\n{again}");
    Ok(())
}

fn path((_, api, plural, namespaced): Type, name: &str) -> String {
    if namespaced {
        format!("{api}/namespaces/{NAMESPACE}/{plural}/{name}")
    } else {
        format!("{api}/{plural}/{name}")
    }
}

async fn every_object_is_in_every_member(world: &World, objects: &[(Type, String)]) -> Result<()> {
    for member in world.members() {
        for (of_type, name) in objects {
            let path = path(*of_type, name);
            eventually(&format!("{path} in {}", member.name()), async || {
                let object = member.get(&path).await?;
                let metadata = &object["metadata"];
                ensure!(metadata["labels"]["kubefed.io/managed"] == "true", "{metadata}");
                Ok(())
            })
            .await?;
        }
    }
    Ok(())
}

async fn every_object_becomes_ready(world: &World, objects: &[(Type, String)]) -> Result<()> {
    for member in world.members() {
        for (of_type, name) in objects {
            let what = format!("{} {name} to be ready in {}", of_type.0, member.name());
            eventually(&what, async || is_ready(member, *of_type, name).await).await?;
        }
    }
    Ok(())
}

/// Whether the member's own controllers have done their work, where there are any.
async fn is_ready(member: &Member, of_type: Type, name: &str) -> Result<()> {
    let object = member.get(&path(of_type, name)).await?;
    let (spec, status) = (&object["spec"], &object["status"]);
    let is_true = |kind: &str| {
        let mut conditions = status["conditions"].as_array().into_iter().flatten();
        conditions.any(|condition| condition["type"] == kind && condition["status"] == "True")
    };
    let ready = match of_type.0 {
        "Namespace" => status["phase"] == "Active" && object["metadata"]["labels"]["team"] == "shop",
        "Service" => spec["clusterIP"].is_string(),
        "ResourceQuota" => status["used"]["services"] == "1",
        "PersistentVolumeClaim" => status["phase"] == "Bound",
        "Deployment" => status["availableReplicas"] == 2 && is_true("Available"),
        "StatefulSet" | "ReplicaSet" => status["readyReplicas"] == 2,
        "DaemonSet" => status["numberReady"] == 1 && status["desiredNumberScheduled"] == 1,
        "Job" => status["succeeded"] == 2 && is_true("Complete"),
        "PodDisruptionBudget" => status["currentHealthy"] == 2 && status["disruptionsAllowed"] == 1,
        "HorizontalPodAutoscaler" => is_true("AbleToScale"),
        "CustomResourceDefinition" => is_true("Established"),
        // These are as soon as they are there.
        _ => object["metadata"]["uid"].is_string(),
    };
    ensure!(ready, "spec {spec}, status {status}");
    Ok(())
}

/// Down to the fields of the target, where the target has any that are its own.
async fn kubectl_explains_every_kind(world: &World) -> Result<()> {
    let own = ["kubefedcluster", "kubefedconfig", "federatedtypeconfig", "rsp"].map(|kind| format!("{kind}.spec"));
    let federated = TYPES.iter().flat_map(|(kind, _, plural, _)| {
        let field = match *kind {
            "ConfigMap" | "Secret" => "template.data",
            "ServiceAccount" => "template.automountServiceAccountToken",
            "Role" | "ClusterRole" => "template.rules.verbs",
            "RoleBinding" | "ClusterRoleBinding" => "template.roleRef.name",
            "CustomResourceDefinition" => "template",
            _ => "template.spec",
        };
        let deeper = matches!(*kind, "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job");
        let deeper = deeper.then_some("template.spec.template.spec.containers.image");
        let fields = ["placement.clusterSelector", field].into_iter().chain(deeper);
        fields.map(move |field| format!("federated{plural}.spec.{field}"))
    });
    for field in own.into_iter().chain(federated) {
        let text = world.kubectl.text(["explain", &field]).await?;
        ensure!(text.contains("FIELD: "), "kubectl explains {field} as\n{text}");
    }
    Ok(())
}

async fn short_names_are_those_of_kubefed(world: &World) -> Result<()> {
    let names = "fcm,fdeploy,fing,fns,frs,fsa,fsvc";
    let list = world
        .kubectl
        .text(["get", names, "-n", NAMESPACE, "-o", "name"])
        .await?;
    ensure!(list.lines().count() == 7, "kubectl lists\n{list}");
    Ok(())
}

async fn seen_from_the_hub(world: &World, (kind, _, plural, namespaced): Type, name: &str) -> Result<Federated> {
    let namespace = if namespaced || kind == "Namespace" {
        NAMESPACE
    } else {
        ""
    };
    world.federated(namespace, &format!("federated{plural}"), name).await
}

async fn the_hub_says_that_all_is_well(world: &World, objects: &[(Type, String)]) -> Result<()> {
    for (of_type, name) in objects {
        let what = format!("a status of {} {name} that says so", of_type.0);
        eventually(&what, async || {
            let object = seen_from_the_hub(world, *of_type, name).await?;
            object.is_propagated()?;
            ensure!(object.clusters() == ["ap-1", "eu-1", "us-1"], "{}", object.status());
            for cluster in object.clusters() {
                let entry = object.entry(cluster).context("an entry")?;
                let numbers = [&entry["desiredReplicas"], &entry["readyReplicas"]];
                let expected = match of_type.0 {
                    "Deployment" | "StatefulSet" | "ReplicaSet" => [&json!(2), &json!(2)],
                    _ => continue,
                };
                ensure!(numbers == expected, "{}", object.status());
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

async fn deleting_them_empties_every_member(world: &World, objects: &[(Type, String)]) -> Result<()> {
    // The namespace is the first of them, and takes along most of the others.
    let delete = ["delete", "-f", "-", "--ignore-not-found", "--timeout=120s"];
    world.kubectl.feed(delete, MANIFESTS).await?;
    for member in world.members() {
        for (of_type, name) in objects {
            let path = path(*of_type, name);
            let what = format!("the end of {path} in {}", member.name());
            within(PATIENCE, &what, async || member.lacks(&path).await).await?;
        }
    }
    Ok(())
}
