//! Scenarios about plain objects: the object is its own template, and its status sums up those of members.

use std::collections::BTreeMap;

use atoll_federation::plain::{
    self, DELETE_FINALIZER, NAMESPACE_LABEL, ORPHAN_FINALIZER, PlainObject, Situation, view,
};
use atoll_federation::{ClusterName, FederatedObject, FederatedStatus, Observed, Outcome, TypeDescriptor, types};
use serde_json::{Value, json};

use super::harness::{Scenario, merge};
use super::output;

/// The object as it is stored, and as it was read.
#[derive(Clone)]
pub(super) struct Plain {
    stored: Value,
    /// Where it is known whether any endpoint of a Service is ready.
    ready: BTreeMap<ClusterName, bool>,
    pub(super) read: PlainObject,
}

impl Plain {
    pub(super) fn read(file: &Value, kind: &TypeDescriptor) -> Option<Self> {
        if !kind.is_plain() {
            return None;
        }
        let stored = stored(file, kind);
        let read = plain::read(kind, &stored, Some(&namespace(&file["namespace"]))).unwrap()?;
        let ready = serde_json::from_value(file["ready"].clone()).unwrap_or_default();
        Some(Self { stored, ready, read })
    }

    /// The status as the object itself gets it, and what else is written to it.
    pub(super) fn describe(
        &self,
        scenario: &Scenario,
        outcomes: &BTreeMap<ClusterName, Outcome>,
        folded: FederatedStatus,
        out: &mut Value,
    ) {
        let mut observed = scenario.observed.clone();
        for (cluster, outcome) in outcomes {
            if let Outcome::Applied(present) = outcome {
                observed.insert(cluster.clone(), Observed::Present(present.clone()));
            }
        }
        if let Some(why) = self.read.refused_preference() {
            out["refusedPreference"] = why.into();
        }
        let at = "2026-01-02T03:04:05Z".parse().unwrap();
        let status = plain::status(scenario.kind, &self.stored, folded, &observed, at);
        if let Some(text) = plain::service_ingresses(scenario.kind, &self.stored, &status, &self.ready) {
            out["serviceIngresses"] = text.into();
        }
        out["status"] = status;
        let settled = self.read.settle(&Situation {
            now: at,
            scope: atoll_federation::Scope::Cluster,
            row: scenario.kind,
            namespace: scenario.namespace.as_ref(),
            clusters: &scenario.clusters,
            observed: &scenario.observed,
            records: &scenario.records,
        });
        if let Some(names) = settled.scales_in {
            out["scalesIn"] = json!(names);
        }
        if let Some(recheck) = settled.recheck {
            out["sharesRecheckSeconds"] = recheck.as_secs().into();
        }
    }
}

/// Whether the file is about an object that is none of the control plane's business.
pub(super) fn rests(file: &Value) -> bool {
    let kind = file["plain"]
        .as_str()
        .map(|resource| types::find_plain(resource).unwrap());
    kind.is_some_and(|kind| {
        let namespace = namespace(&file["namespace"]);
        plain::read(kind, &stored(file, kind), Some(&namespace))
            .unwrap()
            .is_none()
    })
}

/// What admission says of an object in the version that it is written in.
pub(super) fn write(file: &Value, kind: &TypeDescriptor, object: Value, old: Option<&Value>) -> Value {
    let version = file["as"].as_str().and_then(|version| version.split_once('/'));
    let converted = match version {
        Some((group, version)) => view::to_stored(group, version, &kind.target.kind, object),
        None => Ok(object),
    };
    let admitted = converted.clone().and_then(|object| plain::admit(kind, &object, old));
    let written = match (&converted, version) {
        // What is stored is told in full where it is another version.
        (Ok(object), None) => object.clone(),
        _ => Value::Null,
    };
    output::describe_admission(&written, &admitted)
}

fn stored(file: &Value, kind: &TypeDescriptor) -> Value {
    let target = &kind.target;
    let mut object = json!({
        "apiVersion": target.api_version(), "kind": target.kind,
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "f-1", "generation": 2,
            "finalizers": [DELETE_FINALIZER, ORPHAN_FINALIZER],
        },
    });
    if kind.is_namespace() {
        merge(&mut object, &json!({"metadata": {"name": "shop", "namespace": null}}));
    }
    merge(&mut object, &file["object"]);
    object
}

fn namespace(stated: &Value) -> Value {
    let mut namespace = json!({"metadata": {"name": "shop", "labels": {NAMESPACE_LABEL: "true"}}});
    merge(&mut namespace, stated);
    namespace
}

pub(super) fn read_namespace(stated: &Value) -> Option<FederatedObject> {
    let kind = types::find_plain("namespaces").unwrap();
    let read = plain::read(kind, &namespace(stated), None).unwrap();
    read.map(|namespace| namespace.object)
}
