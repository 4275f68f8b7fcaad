//! The controllers of a member: each looks at one object and writes what should follow from it.
//!
//! Those that decide much do it as a function of values that answers with a [`Plan`](crate::engine::Plan).

mod claims;
mod daemon_sets;
mod deployments;
mod endpoints;
mod garbage;
mod jobs;
mod kubelet;
mod namespaces;
mod replica_sets;
mod scheduler;
mod stateful_sets;
mod templates;

use jiff::Timestamp;

use crate::catalog::Kind;
use crate::engine::{Engine, Key};
use crate::fields::is_deleting;

/// Brings what belongs to an object in line with it.
pub(crate) fn reconcile(engine: &mut Engine, key: &Key) {
    let Some(object) = engine.objects.get(key.kind, &key.namespace, &key.name) else {
        return;
    };
    if garbage::collect(engine, key, &object) {
        return;
    }
    let now = Timestamp::now();
    let plan = match key.kind {
        Kind::Namespace => return namespaces::reconcile(engine, &object),
        Kind::Pod => return kubelet::reconcile(engine, key, &object),
        Kind::Endpoints => return endpoints::collect(engine, &object),
        Kind::Service => endpoints::plan(engine, &object),
        Kind::Ingress => endpoints::plan_ingress(engine, &object),
        Kind::PersistentVolumeClaim => {
            let pods = engine.objects.list(Kind::Pod, Some(&key.namespace));
            claims::plan(&object, &pods)
        }
        // What is going gets nothing new; its pods go with it.
        _ if is_deleting(&object) => return,
        Kind::Deployment => {
            let sets = engine.objects.list(Kind::ReplicaSet, Some(&key.namespace));
            let pods = engine.objects.list(Kind::Pod, Some(&key.namespace));
            deployments::plan(&object, &sets, &pods, now)
        }
        Kind::ReplicaSet => {
            let pods = engine.objects.list(Kind::Pod, Some(&key.namespace));
            replica_sets::plan(&object, &pods, now)
        }
        Kind::StatefulSet => {
            let pods = engine.objects.list(Kind::Pod, Some(&key.namespace));
            let claims = engine.objects.list(Kind::PersistentVolumeClaim, Some(&key.namespace));
            stateful_sets::plan(&object, &pods, &claims, now)
        }
        Kind::DaemonSet => {
            let pods = engine.objects.controlled(Kind::Pod, &object);
            let nodes = engine.objects.list(Kind::Node, None);
            daemon_sets::plan(&object, &pods, &nodes, now)
        }
        Kind::Job => {
            let pods = engine.objects.controlled(Kind::Pod, &object);
            jobs::plan(&object, &pods, now)
        }
        _ => return,
    };
    engine.carry_out(key, &object, plan);
}
