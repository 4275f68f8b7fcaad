//! Writes the structure of Kubernetes' built-in types, as a real API server
//! describes them, to `crates/kubeapi/data/structures.json`.
//!
//! Only what decides how a value may be merged or checked is kept: no prose. One
//! schema per line and sorted keys make an update readable as a diff.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use atoll_testing::Cluster;
use clap::Parser;
use serde_json::{Map, Value, json};

/// The documents below `/openapi/v3/` that hold the kinds.
const GROUPS: [&str; 9] = [
    "api/v1",
    "apis/apps/v1",
    "apis/batch/v1",
    "apis/networking.k8s.io/v1",
    "apis/policy/v1",
    "apis/autoscaling/v2",
    "apis/rbac.authorization.k8s.io/v1",
    "apis/coordination.k8s.io/v1",
    "apis/discovery.k8s.io/v1",
];

/// The kinds whose schemas, and all they refer to, are kept.
const KINDS: [&str; 29] = [
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "CronJob",
    "DaemonSet",
    "Deployment",
    "EndpointSlice",
    "Endpoints",
    "Event",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Job",
    "Lease",
    "LimitRange",
    "Namespace",
    "NetworkPolicy",
    "Node",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "ReplicaSet",
    "ReplicationController",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
    "StatefulSet",
];

/// The members of a schema that are kept as they are.
const KEPT: [&str; 10] = [
    "type",
    "format",
    "required",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-patch-strategy",
    "x-kubernetes-patch-merge-key",
    "x-kubernetes-map-type",
    "x-kubernetes-int-or-string",
    "x-kubernetes-preserve-unknown-fields",
];

const KIND: &str = "x-kubernetes-group-version-kind";

/// Regenerates the structures of Kubernetes' built-in types.
#[derive(Parser)]
struct Arguments {
    /// The file to write instead of the checked-in one.
    #[arg(long)]
    output: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let output = Arguments::parse()
        .output
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/kubeapi/data/structures.json"));
    let cluster = Cluster::start("schemas").await?;
    let described = described_schemas(&cluster).await?;
    let kept = reachable(&described);
    let missing: Vec<_> = KINDS
        .iter()
        .filter(|kind| !described.values().any(|schema| defines(schema, kind)))
        .collect();
    anyhow::ensure!(missing.is_empty(), "the API server lacks {missing:?}");

    if let Some(folder) = output.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&output, document(&described, &kept)?).with_context(|| format!("cannot write {}", output.display()))?;
    println!("{} schemas in {}", kept.len(), output.display());
    Ok(())
}

/// All schemas of all [`GROUPS`], by name.
async fn described_schemas(cluster: &Cluster) -> Result<BTreeMap<String, Value>> {
    let client = cluster.client().await?;
    let mut schemas = BTreeMap::new();
    for group in GROUPS {
        let request = http::Request::get(format!("/openapi/v3/{group}")).body(Vec::new())?;
        let mut document: Value = client
            .request(request)
            .await
            .with_context(|| format!("cannot read the schemas of {group}"))?;
        let found = document["components"]["schemas"].take();
        let found: BTreeMap<String, Value> = serde_json::from_value(found)?;
        schemas.extend(found);
    }
    Ok(schemas)
}

/// Whether a schema is that of a kind of one of our groups. A type that every
/// group shares, such as `DeleteOptions`, lists many and is none of them.
fn defines(schema: &Value, kind: &str) -> bool {
    schema[KIND]
        .as_array()
        .is_some_and(|all| all.len() == 1 && all[0]["kind"] == kind)
}

/// The names of the schemas of [`KINDS`] and of all that they refer to.
fn reachable(schemas: &BTreeMap<String, Value>) -> BTreeSet<String> {
    let mut waiting: Vec<String> = schemas
        .iter()
        .filter(|(_, schema)| KINDS.iter().any(|kind| defines(schema, kind)))
        .map(|(name, _)| name.clone())
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if let Some(schema) = schemas.get(&name)
            && seen.insert(name)
        {
            collect_references(schema, &mut waiting);
        }
    }
    seen
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member.as_str() {
                    Some(reference) if key == "$ref" => found.push(short(reference).to_owned()),
                    _ => collect_references(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `#/components/schemas/X` is `X`.
fn short(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// Reduces a schema to its structure.
fn reduce(schema: &Value) -> Value {
    let Value::Object(members) = schema else {
        // `additionalProperties` may be a plain truth value.
        return schema.clone();
    };
    let mut reduced = Map::new();
    for (key, member) in members {
        match key.as_str() {
            "$ref" => {
                reduced.insert(key.clone(), json!(short(member.as_str().unwrap_or_default())));
            }
            // A reference with siblings is described as `allOf` with one member.
            "allOf" => {
                for part in member.as_array().into_iter().flatten() {
                    if let Value::Object(part) = reduce(part) {
                        reduced.extend(part);
                    }
                }
            }
            // Only IntOrString and Quantity have alternatives.
            "oneOf" | "anyOf" => {
                reduced.insert("x-kubernetes-int-or-string".into(), json!(true));
            }
            "items" | "additionalProperties" => {
                reduced.insert(key.clone(), reduce(member));
            }
            "properties" => {
                let properties = member.as_object().into_iter().flatten();
                let properties: Map<String, Value> = properties
                    .map(|(name, property)| (name.clone(), reduce(property)))
                    .collect();
                reduced.insert(key.clone(), Value::Object(properties));
            }
            // Types that all groups share list each of them: no use, long.
            KIND if member.as_array().is_some_and(|all| all.len() == 1) => {
                reduced.insert(key.clone(), member.clone());
            }
            key if KEPT.contains(&key) => {
                reduced.insert(key.to_owned(), member.clone());
            }
            _ => {}
        }
    }
    Value::Object(reduced)
}

/// One object, a line for each schema.
fn document(schemas: &BTreeMap<String, Value>, kept: &BTreeSet<String>) -> Result<String> {
    let lines = kept
        .iter()
        .map(|name| {
            let schema = serde_json::to_string(&reduce(&schemas[name]))?;
            Ok(format!("{}:{schema}", json!(name)))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(format!("{{\n{}\n}}\n", lines.join(",\n")))
}
