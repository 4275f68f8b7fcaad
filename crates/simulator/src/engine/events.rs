//! Events: what controllers tell people about objects.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::catalog::Kind;
use crate::fields::{name, namespace};
use crate::objects::{Objects, Propagation, now_text};

/// More Events than this are not kept: the oldest go.
const MOST: usize = 300;

/// Writes Events.
pub(crate) struct Recorder {
    is_on: bool,
    /// Namespace and name of those that were written, oldest first.
    written: VecDeque<(String, String)>,
}

impl Recorder {
    pub(super) fn new(is_on: bool) -> Self {
        Self {
            is_on,
            written: VecDeque::new(),
        }
    }

    /// Tells what happened to an object.
    pub(crate) fn record(&mut self, objects: &Objects, object: &Value, level: &str, reason: &str, message: &str) {
        if !self.is_on {
            return;
        }
        let component = component(object, reason);
        let home = if namespace(object).is_empty() {
            "default"
        } else {
            namespace(object)
        };
        // As API servers' clients name them: by the object and the time.
        let suffix = Timestamp::now().as_nanosecond();
        let own_name = format!("{}.{suffix:x}", name(object));
        let now = now_text();
        let mut source = json!({"component": component});
        if component == "kubelet" {
            source["host"] = object["spec"]["nodeName"].clone();
        }
        let event = json!({
            "metadata": {"name": own_name, "namespace": home},
            "involvedObject": {
                "apiVersion": object["apiVersion"],
                "kind": object["kind"],
                "name": object["metadata"]["name"],
                "namespace": object["metadata"]["namespace"],
                "uid": object["metadata"]["uid"],
                "resourceVersion": object["metadata"]["resourceVersion"],
            },
            "type": level,
            "reason": reason,
            "message": message,
            "source": source,
            "reportingComponent": component,
            "reportingInstance": source["host"].as_str().unwrap_or_default(),
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        });
        if objects.create(Kind::Event, home, event).is_err() {
            // The namespace is going; nobody will ask.
            return;
        }
        self.written.push_back((home.to_owned(), own_name));
        if self.written.len() > MOST
            && let Some((namespace, name)) = self.written.pop_front()
            && let Some(oldest) = objects.get(Kind::Event, &namespace, &name)
        {
            objects.delete(Kind::Event, &oldest, Propagation::Background);
        }
    }
}

/// Who tells: the scheduler of pods' places, kubelets of pods, controllers of the rest.
fn component(object: &Value, reason: &str) -> &'static str {
    match (object["kind"].as_str().unwrap_or_default(), reason) {
        ("Pod", "Scheduled" | "FailedScheduling") => "default-scheduler",
        ("Pod", "TaintManagerEviction") => "taint-eviction-controller",
        ("Pod", _) => "kubelet",
        ("Deployment", _) => "deployment-controller",
        ("ReplicaSet", _) => "replicaset-controller",
        ("StatefulSet", _) => "statefulset-controller",
        ("DaemonSet", _) => "daemonset-controller",
        ("Job", _) => "job-controller",
        ("Service", _) => "service-controller",
        ("PersistentVolumeClaim", _) => "persistentvolume-controller",
        _ => "node-controller",
    }
}
