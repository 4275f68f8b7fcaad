//! What happened to a federated object: the events about it, as `kubectl describe` finds them, the latest first.

use std::sync::Arc;

use atoll_federation::TypeDescriptor;
use serde_json::Value;

use crate::error::Result;
use crate::state::AppState;

/// Names a federated object.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its type.
    pub kind: &'a TypeDescriptor,
    /// Its namespace; of no account where the type has none.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
}

impl Subject<'_> {
    fn namespace(&self) -> &str {
        if self.kind.federated.namespaced {
            self.namespace
        } else {
            ""
        }
    }

    /// Where events about it are kept: for what lives in no namespace in this one, as in any cluster.
    fn place(&self) -> &str {
        match self.namespace() {
            "" => "default",
            namespace => namespace,
        }
    }

    fn is_of(&self, event: &Value) -> bool {
        let about = &event["involvedObject"];
        let version = about["apiVersion"].as_str().unwrap_or_default();
        let (group, _) = version.split_once('/').unwrap_or_default();
        let api = &self.kind.federated;
        group == api.group
            && about["kind"] == *api.kind
            && about["name"] == self.name
            && about["namespace"].as_str().unwrap_or_default() == self.namespace()
    }
}

/// When an event happened last.
pub fn last_at(event: &Value) -> Option<&str> {
    event["lastTimestamp"].as_str().or_else(|| event["eventTime"].as_str())
}

/// Lists the events about an object, the latest first.
///
/// # Errors
/// When the store fails.
pub async fn list_federated_events(state: &AppState, subject: Subject<'_>) -> Result<Vec<Arc<Value>>> {
    let listing = state.store.objects("", "events", Some(subject.place())).await?;
    let all = listing.objects.into_iter().map(|object| object.body);
    Ok(about(subject, all))
}

fn about(subject: Subject<'_>, events: impl Iterator<Item = Arc<Value>>) -> Vec<Arc<Value>> {
    let mut its: Vec<Arc<Value>> = events.filter(|event| subject.is_of(event)).collect();
    its.sort_by(|one, other| last_at(other).cmp(&last_at(one)));
    its
}

#[cfg(test)]
mod tests {
    use atoll_federation::types::find;
    use serde_json::json;

    use super::*;

    fn event(id: &str, kind: &str, namespace: &str, name: &str, last: &str) -> Arc<Value> {
        let mut event = json!({
            "message": id,
            "involvedObject": {"apiVersion": "types.kubefed.io/v1beta1", "kind": kind, "name": name},
            "lastTimestamp": last,
        });
        if !namespace.is_empty() {
            event["involvedObject"]["namespace"] = json!(namespace);
        }
        event.into()
    }

    fn told(kind: &str, namespace: &str, name: &str, events: &[Arc<Value>]) -> Vec<String> {
        let kind = find(kind).unwrap();
        let subject = Subject { kind, namespace, name };
        let its = about(subject, events.iter().cloned()).into_iter();
        its.map(|event| event["message"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn events_are_those_about_the_object_the_latest_first() {
        let kind = "FederatedDeployment";
        let mut newer = Value::clone(&event("by its time", kind, "shop", "web", ""));
        newer["lastTimestamp"] = Value::Null;
        newer["eventTime"] = json!("2026-01-01T00:00:02.000000Z");
        let mut plain = Value::clone(&event("of the plain one", "Deployment", "shop", "web", ""));
        plain["involvedObject"]["apiVersion"] = json!("apps/v1");
        let mut old_group = Value::clone(&event("of another group", kind, "shop", "web", ""));
        old_group["involvedObject"]["apiVersion"] = json!("types.example.com/v1beta1");
        let mut core = old_group.clone();
        core["involvedObject"]["apiVersion"] = json!("v1");
        let events = [
            event("first", kind, "shop", "web", "2026-01-01T00:00:01Z"),
            event("last", kind, "shop", "web", "2026-01-01T00:00:03Z"),
            newer.into(),
            event("of a namesake", kind, "shop", "api", "2026-01-01T00:00:04Z"),
            event("of elsewhere", kind, "other", "web", "2026-01-01T00:00:04Z"),
            plain.into(),
            old_group.into(),
            core.into(),
        ];
        assert_eq!(
            told("deployments.apps", "shop", "web", &events),
            ["last", "by its time", "first"]
        );
    }

    #[test]
    fn events_about_what_lives_in_no_namespace_are_kept_in_default() {
        let kind = find("clusterroles.rbac.authorization.k8s.io").unwrap();
        let subject = Subject {
            kind,
            namespace: "-",
            name: "viewer",
        };
        assert_eq!(subject.place(), "default");
        let events = [event(
            "its own",
            "FederatedClusterRole",
            "",
            "viewer",
            "2026-01-01T00:00:01Z",
        )];
        assert_eq!(
            told("clusterroles.rbac.authorization.k8s.io", "-", "viewer", &events),
            ["its own"]
        );
        let namespaced = Subject {
            kind: find("deployments.apps").unwrap(),
            namespace: "shop",
            name: "web",
        };
        assert_eq!(namespaced.place(), "shop");
    }
}
