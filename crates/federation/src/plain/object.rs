//! A plain object, read: the same values as of a federated one, from annotations and the object itself.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::hpa::Bounds;
use super::{CLUSTER_SELECTOR, DELETE_FINALIZER, HPA_TARGETS, NAMESPACE_LABEL, ORPHAN_FINALIZER, preference, selector};
use crate::object::{FINALIZER, strip};
use crate::placement::{LabelSelector, Placement};
use crate::replicas::Preference;
use crate::status::{FederatedStatus, PROPAGATION};
use crate::{FederatedObject, FieldError, TypeDescriptor, join};

/// Annotations that speak to a control plane and mean nothing in a member.
const BOOKKEEPING: [&str; 5] = [
    "federation.kubernetes.io/",
    "federation.alpha.kubernetes.io/",
    "ingress.federation.kubernetes.io/",
    "atoll.dev/",
    "kubefed.io/",
];

/// A plain object that is federated, or that was and has to be let go.
#[derive(Debug, Clone, PartialEq)]
pub struct PlainObject {
    /// As the planner reads objects: the object as template, its selector as placement, v1's finalizer as the hub's.
    pub object: FederatedObject,
    /// How its replicas, or the pods of a Job, are shared out; or why that cannot be meant. `None` where there is nothing
    /// to share out, or where autoscalers in the members do.
    pub preference: Result<Option<Preference>, Vec<FieldError>>,
    /// How a Job's completions are shared out.
    pub(super) completions: Option<Preference>,
    /// The bounds of an autoscaler.
    pub(super) bounds: Option<Bounds>,
    /// Clusters whose autoscalers scale this workload.
    pub(super) scaled_in: Option<BTreeSet<String>>,
    /// Whether it is not federated any more: members keep their copies, without the hub's marks.
    pub released: bool,
}

impl PlainObject {
    pub(super) fn read(row: &TypeDescriptor, object: &Value, is_federated: bool) -> Result<Self, Vec<FieldError>> {
        let mut object = object.clone();
        // Objects are listed without it, and then it is what the place says.
        object["kind"] = row.federated.kind.as_ref().into();
        let template = template(row, &object);
        let metadata = &object["metadata"];
        let wrapped = json!({"kind": object["kind"], "metadata": metadata, "spec": {"template": template}});
        let mut read = FederatedObject::parse(row, &wrapped)?;
        let finalizers = std::mem::take(&mut read.finalizers);
        read.orphan |= finalizers.iter().any(|finalizer| finalizer == ORPHAN_FINALIZER);
        read.finalizers = finalizers
            .into_iter()
            .map(|finalizer| {
                if finalizer == DELETE_FINALIZER {
                    FINALIZER.to_owned()
                } else {
                    finalizer
                }
            })
            .collect();
        read.placement = placement(&object);
        read.status = status(&object["status"]);
        let annotation = |key: &str| object["metadata"]["annotations"][key].as_str();
        let scaled_in = if row.replicas_path.is_some() {
            annotation(HPA_TARGETS).map(targets).transpose()
        } else {
            Ok(None)
        };
        let (preference, completions) = match (&scaled_in, Shares::of(row, &object)) {
            (Err(errors), _) => (Err(errors.clone()), None),
            (Ok(Some(_)), _) => (Ok(None), None),
            (Ok(None), Err(errors)) => (Err(errors), None),
            (Ok(None), Ok(shares)) => (Ok(shares.replicas), shares.completions),
        };
        let is_autoscaler = row.target.kind == "HorizontalPodAutoscaler";
        let bounds = is_autoscaler.then(|| Bounds {
            min: object["spec"]["minReplicas"].as_i64().unwrap_or(1),
            max: object["spec"]["maxReplicas"].as_i64().unwrap_or_default(),
        });
        Ok(Self {
            object: read,
            preference,
            completions,
            bounds,
            scaled_in: scaled_in.unwrap_or_default(),
            released: !is_federated,
        })
    }

    /// Why the preferences cannot be meant, if they cannot.
    pub fn refused_preference(&self) -> Option<String> {
        self.preference.as_ref().err().map(|errors| join(errors))
    }

    /// The same object as one that is let go: members keep their copies.
    pub fn let_go(&mut self, now: jiff::Timestamp) {
        self.object.deletion_timestamp.get_or_insert(now);
        self.object.orphan = true;
    }
}

/// What one kind of plain object shares out.
struct Shares {
    replicas: Option<Preference>,
    completions: Option<Preference>,
}

impl Shares {
    fn of(row: &TypeDescriptor, object: &Value) -> Result<Self, Vec<FieldError>> {
        let mut shares = Self {
            replicas: None,
            completions: None,
        };
        let Some(annotation) = preference::annotation(row) else {
            return Ok(shares);
        };
        let text = object["metadata"]["annotations"][annotation].as_str();
        let field = format!("metadata.annotations[{annotation}]");
        let parse = |total: i64| preference::parse(text, total, &field);
        let count = |name: &str| match object["spec"].get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_i64() {
                Some(count) if (0..=i64::from(i32::MAX)).contains(&count) => Ok(Some(count)),
                _ => {
                    let message = format!("{value} is no count: write a whole number, 0 or more");
                    Err(vec![FieldError::invalid(format!("spec.{name}"), message)])
                }
            },
        };
        if annotation != preference::JOB_PREFERENCES {
            shares.replicas = Some(parse(count("replicas")?.unwrap_or(1))?);
            return Ok(shares);
        }
        let (parallelism, completions) = (count("parallelism")?, count("completions")?);
        shares.replicas = Some(parse(parallelism.unwrap_or(1))?);
        // As API servers read it: without both there is one pod, and with the first alone pods end when they like.
        if let Some(total) = completions.or_else(|| parallelism.is_none().then_some(1)) {
            let mut completions = parse(total)?;
            for cluster in completions.clusters.values_mut() {
                // It bounds how many run at a time. Bounding the work would leave some of it undone.
                cluster.max_replicas = None;
            }
            shares.completions = Some(completions);
        }
        Ok(shares)
    }
}

fn placement(object: &Value) -> Result<Placement, Vec<FieldError>> {
    let selector = match object["metadata"]["annotations"][CLUSTER_SELECTOR].as_str() {
        None => LabelSelector::default(),
        Some(text) => selector::parse(text, &format!("metadata.annotations[{CLUSTER_SELECTOR}]"))?,
    };
    Ok(Placement {
        clusters: None,
        selector: Some(selector),
    })
}

fn targets(text: &str) -> Result<BTreeSet<String>, Vec<FieldError>> {
    let refused = || {
        let field = format!("metadata.annotations[{HPA_TARGETS}]");
        let message =
            r#"is written by the hub for a workload that an autoscaler scales, as {"Names": ["eu-1"]}; leave it out"#;
        vec![FieldError::invalid(field, message)]
    };
    let list: Map<String, Value> = serde_json::from_str(text).map_err(|_| refused())?;
    let names = list.iter().find(|(key, _)| key.eq_ignore_ascii_case("names"));
    match names.map(|(_, names)| names) {
        None | Some(Value::Null) => Ok(BTreeSet::new()),
        Some(Value::Array(names)) => names
            .iter()
            .map(|name| name.as_str().map(str::to_owned).ok_or_else(refused))
            .collect(),
        Some(_) => Err(refused()),
    }
}

/// The object as members get it: labels, annotations and content as they are, without what speaks to the hub.
fn template(row: &TypeDescriptor, object: &Value) -> Value {
    let mut template = object.clone();
    strip(row, &mut template);
    let mut metadata = Map::new();
    for field in ["labels", "annotations"] {
        let Some(map) = object["metadata"][field].as_object() else {
            continue;
        };
        let speaks_to_hub =
            |key: &str| key == NAMESPACE_LABEL || BOOKKEEPING.iter().any(|prefix| key.starts_with(prefix));
        let stripped = &template["metadata"][field];
        let kept: Map<String, Value> = map
            .iter()
            .filter(|(key, _)| stripped.get(*key).is_some() && !speaks_to_hub(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if !kept.is_empty() {
            metadata.insert(field.to_owned(), kept.into());
        }
    }
    let Some(map) = template.as_object_mut() else {
        return template;
    };
    map.remove("kind");
    map.remove("apiVersion");
    map.remove("metadata");
    if !metadata.is_empty() {
        map.insert("metadata".to_owned(), metadata.into());
    }
    if row.target.kind == "HorizontalPodAutoscaler" {
        super::admission::name_target_as_today(&mut template);
    }
    if row.target.kind == "Job" {
        select_pods(&mut template, object);
    }
    template
}

/// One Job in many clusters finds its pods by the same labels everywhere: those that the hub's own object would have.
fn select_pods(template: &mut Value, object: &Value) {
    if template["spec"]["manualSelector"] == true {
        return;
    }
    let uid = &object["metadata"]["uid"];
    template["spec"]["manualSelector"] = true.into();
    template["spec"]["selector"] = json!({"matchLabels": {"controller-uid": uid}});
    let labels = &mut template["spec"]["template"]["metadata"]["labels"];
    labels["controller-uid"] = uid.clone();
    labels["job-name"] = object["metadata"]["name"].clone();
}

/// What the hub wrote into the status beside the sums.
fn status(status: &Value) -> Option<FederatedStatus> {
    let mut status: FederatedStatus = serde_json::from_value(status.clone()).ok()?;
    status.conditions.retain(|condition| condition.kind == PROPAGATION);
    for condition in &mut status.conditions {
        if condition.reason == super::status::PROPAGATED {
            condition.reason.clear();
        }
        condition
            .message
            .truncate(super::status::without_unplaced(&condition.message).len());
    }
    // What members said themselves is put beside the verdicts after they are compared.
    for cluster in &mut status.clusters {
        cluster.remote_status = None;
    }
    Some(status).filter(|status| !status.conditions.is_empty())
}
