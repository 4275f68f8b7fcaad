//! What the nodes do with their pods: start them, stop them, and let those of Jobs come to an end.
//!
//! A node that is not ready does nothing. Its pods are no longer ready, and after a while they are evicted.

mod status;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{scheduler, templates};
use crate::catalog::Kind;
use crate::engine::{Engine, Key, Step};
use crate::fields::{is_deleting, is_true, items, name, number, set_condition, uid};
use crate::objects::{Propagation, now_text};

pub(super) use status::accept;

/// An image whose name or tag is this cannot be pulled: a way to see a rollout that gets stuck.
const MISSING_IMAGE: &str = "does-not-exist";

/// Brings a pod one step further.
pub(super) fn reconcile(engine: &mut Engine, key: &Key, pod: &Arc<Value>) {
    let node_name = pod["spec"]["nodeName"].as_str().unwrap_or_default();
    if node_name.is_empty() {
        match (is_deleting(pod), templates::is_over(pod)) {
            (true, _) => end(engine, pod),
            (false, true) => {}
            (false, false) => scheduler::place(engine, key, pod),
        }
        return;
    }
    let Some(node) = engine.objects.get(Kind::Node, "", node_name) else {
        // Its node is gone for good, and nothing runs there any more.
        if is_deleting(pod) {
            end(engine, pod);
        } else {
            engine.objects.delete(Kind::Pod, pod, Propagation::Background);
        }
        return;
    };
    if !is_true(&node, "Ready") {
        return lose(engine, key, pod);
    }
    engine.clear(uid(pod), Step::Evict);
    if is_deleting(pod) {
        return stop(engine, key, pod);
    }
    match pod["status"]["phase"].as_str() {
        Some("Succeeded" | "Failed") => {}
        Some("Running") => {
            if !is_true(pod, "Ready") {
                run(engine, pod, &node);
            } else if ends_by_itself(pod) && engine.is_due(key, uid(pod), Step::Finish, engine.settings.pace.job) {
                finish(engine, pod);
            }
        }
        _ => start(engine, key, pod, &node),
    }
}

/// Whether the pod does some work and then ends.
fn ends_by_itself(pod: &Value) -> bool {
    matches!(pod["spec"]["restartPolicy"].as_str(), Some("Never" | "OnFailure"))
}

fn start(engine: &mut Engine, key: &Key, pod: &Arc<Value>, node: &Value) {
    if let Some(image) = missing_image(pod) {
        let mut new = (**pod).clone();
        accept(&mut new, node);
        status::wait_for_image(&mut new, &image);
        if **pod != new && engine.objects.update(Kind::Pod, pod, new).is_ok() {
            let message = format!("Failed to pull image \"{image}\": not found");
            engine
                .recorder
                .record(&engine.objects, pod, "Warning", "Failed", &message);
        }
        return;
    }
    if !is_true(pod, "PodScheduled") {
        // Bound by whoever made it, not by the scheduler.
        let mut new = (**pod).clone();
        accept(&mut new, node);
        let _ = engine.objects.update(Kind::Pod, pod, new);
        return;
    }
    if engine.is_due(key, uid(pod), Step::Start, engine.settings.pace.start) {
        run(engine, pod, node);
    }
}

fn missing_image(pod: &Value) -> Option<String> {
    items(&pod["spec"]["containers"])
        .iter()
        .filter_map(|container| container["image"].as_str())
        .find(|image| image.rsplit([':', '/']).any(|part| part == MISSING_IMAGE))
        .map(str::to_owned)
}

fn run(engine: &mut Engine, pod: &Arc<Value>, node: &Value) {
    engine.clear(uid(pod), Step::Start);
    let host = engine.placements.host(uid(pod)).unwrap_or(1);
    let mut new = (**pod).clone();
    status::run(&mut new, node, host);
    let was_pending = pod["status"]["phase"] != "Running";
    if engine.objects.update(Kind::Pod, pod, new).is_err() || !was_pending {
        return;
    }
    for container in items(&pod["spec"]["containers"]) {
        let text = |field: &str| container[field].as_str().unwrap_or_default();
        for (reason, message) in [
            (
                "Pulled",
                format!("Container image \"{}\" already present on machine", text("image")),
            ),
            ("Created", format!("Container created: {}", text("name"))),
            ("Started", format!("Container started: {}", text("name"))),
        ] {
            engine.recorder.record(&engine.objects, pod, "Normal", reason, &message);
        }
    }
}

fn finish(engine: &mut Engine, pod: &Arc<Value>) {
    engine.clear(uid(pod), Step::Finish);
    let mut new = (**pod).clone();
    status::finish(&mut new);
    // Whoever was faster brings the pod here again.
    let _ = engine.objects.update(Kind::Pod, pod, new);
}

fn stop(engine: &mut Engine, key: &Key, pod: &Arc<Value>) {
    let grace =
        Duration::from_secs(u64::try_from(number(&pod["metadata"]["deletionGracePeriodSeconds"])).unwrap_or_default());
    let takes = if templates::is_over(pod) || pod["status"]["phase"] != "Running" {
        Duration::ZERO
    } else {
        grace.min(engine.settings.pace.stop)
    };
    if engine.is_due(key, uid(pod), Step::Stop, takes) {
        for container in items(&pod["spec"]["containers"]) {
            let message = format!("Stopping container {}", container["name"].as_str().unwrap_or_default());
            engine
                .recorder
                .record(&engine.objects, pod, "Normal", "Killing", &message);
        }
        end(engine, pod);
    }
}

/// The pod has stopped: it goes, unless finalizers hold it.
fn end(engine: &mut Engine, pod: &Arc<Value>) {
    let mut new = (**pod).clone();
    new["metadata"]["deletionGracePeriodSeconds"] = 0.into();
    if !items(&pod["metadata"]["finalizers"]).is_empty() && !templates::is_over(pod) {
        status::finish(&mut new);
    }
    // Whoever was faster brings the pod here again.
    let _ = engine.objects.update(Kind::Pod, pod, new);
}

/// Nobody hears from the pod's node.
fn lose(engine: &mut Engine, key: &Key, pod: &Arc<Value>) {
    if is_deleting(pod) || templates::is_over(pod) {
        return;
    }
    if is_true(pod, "Ready") {
        let mut new = (**pod).clone();
        set_condition(
            &mut new,
            "Ready",
            "False",
            "NodeNotReady",
            "Node is not ready",
            &now_text(),
        );
        // Whoever was faster brings the pod here again.
        let _ = engine.objects.update(Kind::Pod, pod, new);
        return;
    }
    let Some(stays) = stays_on_lost_node(&pod["spec"], engine.settings.pace.eviction) else {
        return;
    };
    if engine.is_due(key, uid(pod), Step::Evict, stays) {
        engine.clear(uid(pod), Step::Evict);
        let message = format!("Marking for deletion Pod {}/{}", key.namespace, name(pod));
        engine
            .recorder
            .record(&engine.objects, pod, "Normal", "TaintManagerEviction", &message);
        engine.objects.delete(Kind::Pod, pod, Propagation::Background);
    }
}

/// How long a pod stays on a node that nobody hears from; `None` for ever.
fn stays_on_lost_node(spec: &Value, usual: Duration) -> Option<Duration> {
    let toleration = items(&spec["tolerations"]).iter().find(|one| {
        one["effect"] != "NoSchedule" && (one["key"] == "node.kubernetes.io/unreachable" || one["key"].is_null())
    });
    match toleration.map(|one| one["tolerationSeconds"].as_u64()) {
        // The pace of the simulation shortens the five minutes that pods have unless they say otherwise.
        Some(Some(300)) => Some(usual),
        Some(Some(seconds)) => Some(Duration::from_secs(seconds)),
        Some(None) => None,
        None => Some(Duration::ZERO),
    }
}
