//! Writes `data/messages.json`: how Kubernetes' own kinds are written as protobuf, read from the Go types that both
//! their JSON and their protobuf come from. Only they tell a field that is zero from one that is not there.
//!
//! `cargo run -p atoll-kubeapi --example messages -- API APIMACHINERY > crates/kubeapi/data/messages.json`, where the
//! arguments are the folders of the Go modules `k8s.io/api` and `k8s.io/apimachinery`
//! (`go list -m -f {{.Dir}} k8s.io/api`, in `testing/kubernetes`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Packages of `k8s.io/api` whose kinds are served somewhere.
const PACKAGES: [&str; 11] = [
    "apps/v1",
    "authentication/v1",
    "authorization/v1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "coordination/v1",
    "core/v1",
    "networking/v1",
    "policy/v1",
    "rbac/v1",
];

/// The messages that are kept, with all they refer to.
const ROOTS: [&str; 37] = [
    "apps.v1.DaemonSet",
    "apps.v1.Deployment",
    "apps.v1.ReplicaSet",
    "apps.v1.StatefulSet",
    "authentication.v1.SelfSubjectReview",
    "authentication.v1.TokenRequest",
    "authorization.v1.SelfSubjectAccessReview",
    "authorization.v1.SelfSubjectRulesReview",
    "autoscaling.v1.Scale",
    "autoscaling.v2.HorizontalPodAutoscaler",
    "batch.v1.CronJob",
    "batch.v1.Job",
    "coordination.v1.Lease",
    "core.v1.ConfigMap",
    "core.v1.Endpoints",
    "core.v1.Event",
    "core.v1.LimitRange",
    "core.v1.Namespace",
    "core.v1.Node",
    "core.v1.PersistentVolumeClaim",
    "core.v1.Pod",
    "core.v1.ReplicationController",
    "core.v1.ResourceQuota",
    "core.v1.Secret",
    "core.v1.Service",
    "core.v1.ServiceAccount",
    "meta.v1.CreateOptions",
    "meta.v1.DeleteOptions",
    "meta.v1.UpdateOptions",
    "networking.v1.Ingress",
    "networking.v1.NetworkPolicy",
    "policy.v1.Eviction",
    "policy.v1.PodDisruptionBudget",
    "rbac.v1.ClusterRole",
    "rbac.v1.ClusterRoleBinding",
    "rbac.v1.Role",
    "rbac.v1.RoleBinding",
];

/// A field: its number, JSON name (empty when its own fields stand in its place) and Go type.
type Field = (u32, String, String);

/// The types of all packages: structs with their fields, and other names for types.
#[derive(Default)]
struct Types {
    structs: BTreeMap<String, Vec<Field>>,
    names: BTreeMap<String, String>,
}

impl Types {
    fn read(&mut self, package: &str, text: &str) {
        let imports = imports(text);
        let mut current: Option<String> = None;
        for line in text.lines() {
            if line.starts_with('}') {
                current = None;
            } else if let Some(declared) = line.strip_prefix("type ") {
                let mut words = declared.split_whitespace();
                let name = format!("{package}.{}", words.next().unwrap_or_default());
                match words.next() {
                    Some("struct") => {
                        self.structs.insert(name.clone(), Vec::new());
                        current = Some(name);
                    }
                    Some(other) => {
                        self.names.insert(name, qualify(other, package, &imports));
                    }
                    None => {}
                }
            } else if let Some(name) = &current
                && let Some((number, json, go)) = field(line)
            {
                let field = (number, json, qualify(&go, package, &imports));
                self.structs.entry(name.clone()).or_default().push(field);
            }
        }
    }

    /// How a type is written in the table.
    fn resolve(&self, go: &str) -> String {
        if let Some(inner) = go.strip_prefix('*') {
            let inner = self.resolve(inner);
            // A message that is not there is not written; only of plain values zero and nothing look the same.
            return if inner.starts_with('@') {
                inner
            } else {
                format!("*{inner}")
            };
        }
        if go == "[]byte" {
            return "bytes".into();
        }
        if let Some(inner) = go.strip_prefix("[]") {
            return format!("[]{}", self.resolve(inner));
        }
        if let Some(inner) = go.strip_prefix("map[") {
            let value = inner.split_once(']').map_or("string", |(_, value)| value);
            return format!("{{}}{}", self.resolve(value));
        }
        match go {
            "string" | "bool" => go.into(),
            "int" | "int32" | "int64" | "uint32" | "uint64" => "int".into(),
            "float64" => "double".into(),
            "resource.Quantity" => "Quantity".into(),
            "intstr.IntOrString" => "IntOrString".into(),
            "runtime.RawExtension" => "Raw".into(),
            "meta.v1.Time" => "Time".into(),
            "meta.v1.MicroTime" => "MicroTime".into(),
            "meta.v1.FieldsV1" => "Raw".into(),
            _ if go.starts_with("types.") => "string".into(),
            _ if self.structs.contains_key(go) => format!("@{go}"),
            _ => match self.names.get(go) {
                // A named list is a message of its own.
                Some(list) if list.starts_with("[]") => "Items".into(),
                Some(other) => self.resolve(other),
                None => panic!("no such type: {go}"),
            },
        }
    }
}

/// Packages by the names under which a file knows them.
fn imports(text: &str) -> BTreeMap<String, String> {
    let block = text
        .split_once("\nimport (")
        .and_then(|(_, rest)| rest.split_once("\n)"))
        .map_or("", |(block, _)| block);
    block
        .lines()
        .filter_map(|line| {
            let (alias, path) = line.trim().split_once('"')?;
            let path = path.trim_end_matches('"');
            let package = match path.strip_prefix("k8s.io/api/") {
                Some(own) => own.replace('/', "."),
                None if path.ends_with("/apis/meta/v1") => "meta.v1".into(),
                None => path.rsplit('/').next()?.to_owned(),
            };
            let last = path.rsplit('/').next()?;
            let alias = alias.trim();
            Some((if alias.is_empty() { last } else { alias }.to_owned(), package))
        })
        .collect()
}

/// A Go type with its package spelled out.
fn qualify(go: &str, package: &str, imports: &BTreeMap<String, String>) -> String {
    for prefix in ["*", "[]"] {
        if let Some(inner) = go.strip_prefix(prefix) {
            return format!("{prefix}{}", qualify(inner, package, imports));
        }
    }
    if let Some((key, value)) = go.strip_prefix("map[").and_then(|inner| inner.split_once(']')) {
        return format!("map[{key}]{}", qualify(value, package, imports));
    }
    match go.split_once('.') {
        Some((alias, name)) => {
            let known = imports.get(alias).map_or(alias, String::as_str);
            format!("{known}.{name}")
        }
        None if go.starts_with(char::is_uppercase) => format!("{package}.{go}"),
        None => go.to_owned(),
    }
}

/// A field with a place in protobuf.
fn field(line: &str) -> Option<Field> {
    let (declared, tags) = line.split_once('`').filter(|_| !line.trim_start().starts_with("//"))?;
    let tag = |name: &str| {
        let (_, rest) = tags.split_once(&format!("{name}:\""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    let number = tag("protobuf")?.split(',').nth(1)?.parse().ok()?;
    let json = tag("json")?;
    let is_inline = json.contains(",inline");
    let name = json.split(',').next().unwrap_or_default().to_owned();
    let go = declared.split_whitespace().last()?.to_owned();
    Some((number, if is_inline { String::new() } else { name }, go))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(api), Some(machinery)) = (arguments.next(), arguments.next()) else {
        return Err("two arguments: the folders of k8s.io/api and k8s.io/apimachinery".into());
    };
    let mut types = Types::default();
    for package in PACKAGES {
        let text = std::fs::read_to_string(Path::new(&api).join(package).join("types.go"))?;
        types.read(&package.replace('/', "."), &text);
    }
    for file in ["types.go", "micro_time.go", "time.go"] {
        let text = std::fs::read_to_string(Path::new(&machinery).join("pkg/apis/meta/v1").join(file))?;
        types.read("meta.v1", &text);
    }
    let mut pending: Vec<String> = ROOTS.iter().map(|root| (*root).to_owned()).collect();
    let mut seen: BTreeSet<String> = pending.iter().cloned().collect();
    let mut lines = BTreeMap::new();
    while let Some(name) = pending.pop() {
        let fields = types
            .structs
            .get(&name)
            .ok_or_else(|| format!("no such message: {name}"))?;
        let mut row = Vec::new();
        for (number, json, go) in fields {
            let kind = types.resolve(go);
            if let Some((_, message)) = kind.split_once('@')
                && seen.insert(message.to_owned())
            {
                pending.push(message.to_owned());
            }
            row.push(serde_json::json!([number, json, kind]));
        }
        lines.insert(name, serde_json::to_string(&row)?);
    }
    let body: Vec<String> = lines.iter().map(|(name, row)| format!("\"{name}\":{row}")).collect();
    println!("{{\n{}\n}}", body.join(",\n"));
    Ok(())
}
