//! What the specification of a pod says where it says nothing.

use serde_json::{Value, json};

use crate::fields::{default, each_mut, items};

/// Fills in what every pod template has.
pub(super) fn complete_pod_spec(spec: &mut Value) {
    if !spec.is_object() {
        return;
    }
    default(spec, "restartPolicy", "Always");
    default(spec, "terminationGracePeriodSeconds", 30);
    default(spec, "dnsPolicy", "ClusterFirst");
    default(spec, "schedulerName", "default-scheduler");
    default(spec, "securityContext", json!({}));
    if let Some(account) = spec["serviceAccountName"].as_str().map(str::to_owned) {
        default(spec, "serviceAccount", account);
    } else if let Some(account) = spec["serviceAccount"].as_str().map(str::to_owned) {
        spec["serviceAccountName"] = account.into();
    }
    for list in ["containers", "initContainers"] {
        for container in each_mut(spec, list) {
            complete_container(container);
        }
    }
    for volume in each_mut(spec, "volumes") {
        complete_volume(volume);
    }
}

fn complete_container(container: &mut Value) {
    if !container.is_object() {
        return;
    }
    let policy = pull_policy(container["image"].as_str().unwrap_or_default());
    default(container, "imagePullPolicy", policy);
    default(container, "terminationMessagePath", "/dev/termination-log");
    default(container, "terminationMessagePolicy", "File");
    default(container, "resources", json!({}));
    for port in each_mut(container, "ports") {
        if port.is_object() {
            default(port, "protocol", "TCP");
        }
    }
    for variable in each_mut(container, "env") {
        if let Some(reference) = variable.pointer_mut("/valueFrom/fieldRef") {
            default(reference, "apiVersion", "v1");
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(probe) {
            complete_probe(probe);
        }
    }
    for moment in ["postStart", "preStop"] {
        if let Some(request) = container.pointer_mut(&format!("/lifecycle/{moment}/httpGet")) {
            complete_request(request);
        }
    }
}

/// A limit without a request asks for as much.
fn complete_requests(container: &mut Value) {
    if let Some(limits) = container["resources"]["limits"].as_object().cloned() {
        for (name, amount) in limits {
            if container["resources"]["requests"][&name].is_null() {
                container["resources"]["requests"][&name] = amount;
            }
        }
    }
}

fn complete_request(request: &mut Value) {
    default(request, "path", "/");
    default(request, "scheme", "HTTP");
}

/// The newest image has to be looked for, a tagged one only when it is not there.
fn pull_policy(image: &str) -> &'static str {
    let last = image.rsplit('/').next().unwrap_or_default();
    let is_latest = !image.contains('@') && last.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    if is_latest { "Always" } else { "IfNotPresent" }
}

fn complete_probe(probe: &mut Value) {
    default(probe, "timeoutSeconds", 1);
    default(probe, "periodSeconds", 10);
    default(probe, "successThreshold", 1);
    default(probe, "failureThreshold", 3);
    if let Some(request) = probe.get_mut("httpGet") {
        complete_request(request);
    }
    if let Some(call) = probe.get_mut("grpc") {
        default(call, "service", "");
    }
}

fn complete_volume(volume: &mut Value) {
    for source in ["configMap", "downwardAPI", "projected", "secret"] {
        if let Some(source) = volume.get_mut(source) {
            default(source, "defaultMode", 420);
        }
    }
    for token in volume
        .pointer_mut("/projected/sources")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(|source| source.get_mut("serviceAccountToken"))
    {
        default(token, "expirationSeconds", 3600);
    }
    if let Some(source) = volume.get_mut("downwardAPI") {
        for reference in each_mut(source, "items").filter_map(|item| item.get_mut("fieldRef")) {
            default(reference, "apiVersion", "v1");
        }
    }
    if let Some(path) = volume.get_mut("hostPath") {
        default(path, "type", "");
    }
    let has_source = volume
        .as_object()
        .is_some_and(|fields| fields.keys().any(|key| key != "name"));
    if volume.is_object() && !has_source {
        volume["emptyDir"] = json!({});
    }
}

/// Fills in what only pods themselves have, and the state they begin in.
pub(super) fn complete_pod(pod: &mut Value) {
    let spec = &mut pod["spec"];
    for list in ["containers", "initContainers"] {
        each_mut(spec, list).for_each(complete_requests);
    }
    default(spec, "serviceAccountName", "default");
    if let Some(account) = spec["serviceAccountName"].as_str().map(str::to_owned) {
        default(spec, "serviceAccount", account);
    }
    default(spec, "enableServiceLinks", true);
    default(spec, "priority", 0);
    default(spec, "preemptionPolicy", "PreemptLowerPriority");
    let mut tolerations = items(&spec["tolerations"]).to_vec();
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let is_there = tolerations
            .iter()
            .any(|one| one["effect"] != "NoSchedule" && (one["key"] == key || one["key"].is_null()));
        if !is_there {
            tolerations
                .push(json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
        }
    }
    spec["tolerations"] = tolerations.into();
    let class = quality_of_service(&pod["spec"]);
    if !pod["status"].is_object() {
        pod["status"] = json!({"phase": "Pending"});
    }
    default(&mut pod["status"], "qosClass", class);
}

fn quality_of_service(spec: &Value) -> &'static str {
    let containers = || items(&spec["containers"]).iter().chain(items(&spec["initContainers"]));
    let has_any = containers().any(|one| {
        ["requests", "limits"]
            .iter()
            .any(|field| one["resources"][*field].as_object().is_some_and(|map| !map.is_empty()))
    });
    let is_guaranteed = containers().all(|one| {
        ["cpu", "memory"].iter().all(|name| {
            let (limit, request) = (&one["resources"]["limits"][*name], &one["resources"]["requests"][*name]);
            !limit.is_null() && limit == request
        })
    });
    match (has_any, is_guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completing_twice_is_completing_once() {
        let mut spec = json!({
            "containers": [{"name": "a", "image": "web:1", "ports": [{"containerPort": 80}],
                "env": [{"name": "X", "value": "y"}, {"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
                "readinessProbe": {"httpGet": {"port": 80}}, "resources": {"limits": {"cpu": "1"}}}],
            "volumes": [{"name": "c", "configMap": {"name": "c"}}, {"name": "e"}],
        });
        complete_pod_spec(&mut spec);
        let once = spec.clone();
        complete_pod_spec(&mut spec);
        assert_eq!(spec, once);
        let container = &spec["containers"][0];
        assert_eq!(container["env"][0], json!({"name": "X", "value": "y"}));
        assert_eq!(container["env"][1]["valueFrom"]["fieldRef"]["apiVersion"], "v1");
        assert!(
            container["resources"].get("requests").is_none(),
            "only pods themselves ask for their limits"
        );
        assert_eq!(spec["volumes"][1]["emptyDir"], json!({}));
    }

    #[test]
    fn images_without_a_fixed_tag_are_always_pulled() {
        for (image, policy) in [
            ("web", "Always"),
            ("registry:5000/web", "Always"),
            ("web:latest", "Always"),
            ("web:1", "IfNotPresent"),
            ("web@sha256:00", "IfNotPresent"),
        ] {
            assert_eq!(pull_policy(image), policy, "{image}");
        }
    }

    #[test]
    fn the_class_of_a_pod_follows_from_its_requests_and_limits() {
        let class = |resources: Value| quality_of_service(&json!({"containers": [{"resources": resources}]}));
        assert_eq!(class(json!({})), "BestEffort");
        assert_eq!(class(json!({"requests": {"cpu": "1"}})), "Burstable");
        let full = json!({"cpu": "1", "memory": "1Gi"});
        assert_eq!(class(json!({"requests": full, "limits": full})), "Guaranteed");
    }
}
