//! The roles that every cluster has for people, and the binding of its administrators.

use atoll_kubeapi::Status;
use serde_json::{Value, json};

use crate::access::MASTERS;
use crate::catalog::Kind;
use crate::objects::Objects;

const READ: [&str; 3] = ["get", "list", "watch"];
const WRITE: [&str; 8] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];

fn rule(groups: &[&str], resources: &[&str], verbs: &[&str]) -> Value {
    json!({"apiGroups": groups, "resources": resources, "verbs": verbs})
}

/// What people see with `view`: all but Secrets and access.
fn view() -> Vec<Value> {
    vec![
        rule(
            &[""],
            &[
                "configmaps",
                "endpoints",
                "events",
                "limitranges",
                "namespaces",
                "persistentvolumeclaims",
                "pods",
                "pods/log",
                "pods/status",
                "replicationcontrollers",
                "resourcequotas",
                "serviceaccounts",
                "services",
            ],
            &READ,
        ),
        rule(
            &["apps", "autoscaling", "batch", "networking.k8s.io", "policy"],
            &["*"],
            &READ,
        ),
    ]
}

/// What people do with `edit`: all but access and limits.
fn edit() -> Vec<Value> {
    let mut rules = view();
    rules.push(rule(
        &[""],
        &[
            "configmaps",
            "events",
            "persistentvolumeclaims",
            "pods",
            "pods/eviction",
            "pods/exec",
            "replicationcontrollers",
            "replicationcontrollers/scale",
            "secrets",
            "serviceaccounts",
            "services",
        ],
        &WRITE,
    ));
    rules.push(rule(
        &["apps", "autoscaling", "batch", "networking.k8s.io", "policy"],
        &["*"],
        &WRITE,
    ));
    rules
}

/// What people do with `admin`: access in their namespace as well.
fn admin() -> Vec<Value> {
    let mut rules = edit();
    rules.push(rule(&["rbac.authorization.k8s.io"], &["rolebindings", "roles"], &WRITE));
    rules
}

pub(super) fn plant(objects: &Objects) -> Result<(), Status> {
    let all = json!([
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ]);
    let labels = json!({"kubernetes.io/bootstrapping": "rbac-defaults"});
    for (name, rules) in [
        ("cluster-admin", all),
        ("admin", admin().into()),
        ("edit", edit().into()),
        ("view", view().into()),
    ] {
        let role = json!({"metadata": {"name": name, "labels": labels}, "rules": rules});
        objects.create(Kind::ClusterRole, "", role)?;
    }
    let binding = json!({
        "metadata": {"name": "cluster-admin", "labels": labels},
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "Group", "name": MASTERS}],
    });
    objects.create(Kind::ClusterRoleBinding, "", binding)?;
    Ok(())
}
