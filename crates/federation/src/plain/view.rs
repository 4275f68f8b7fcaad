//! Old versions of the plain kinds, as people still have them in files. The hub stores one version of each kind, today's;
//! the others are views of it.
//!
//! An object that is shown in an old version and written back as it was shown is stored as it was before. What an old
//! version cannot say stands in the annotations that Kubernetes itself used for that. What an object leaves out stays left
//! out, so that parts of objects, as server-side apply sends them, can be brought over too.

mod autoscaler;
mod ingress;
mod metrics;
mod workload;

use serde_json::Value;

use crate::FieldError;

/// One version of a kind that is a view of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Group of the view.
    pub group: &'static str,
    /// Version of the view.
    pub version: &'static str,
    /// Kind, the same in both.
    pub kind: &'static str,
    /// Plural, the same in both.
    pub plural: &'static str,
    /// Group under which the objects are stored.
    pub stored_group: &'static str,
    /// Version in which they are stored.
    pub stored_version: &'static str,
    form: Form,
}

/// How the content of a view differs from what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Same,
    Workload(workload::Age),
    Ingress,
    AutoscalerV1,
    AutoscalerV2Beta1,
}

macro_rules! view {
    ($group:literal / $version:literal $kind:literal $plural:literal => $stored_group:literal / $stored_version:literal, $form:expr) => {
        View {
            group: $group,
            version: $version,
            kind: $kind,
            plural: $plural,
            stored_group: $stored_group,
            stored_version: $stored_version,
            form: $form,
        }
    };
}

use workload::Age::{Defaulted, Explicit};

/// All views.
#[rustfmt::skip]
pub static VIEWS: &[View] = &[
    view!("extensions" / "v1beta1" "Deployment" "deployments" => "apps" / "v1", Form::Workload(Defaulted)),
    view!("extensions" / "v1beta1" "ReplicaSet" "replicasets" => "apps" / "v1", Form::Workload(Defaulted)),
    view!("extensions" / "v1beta1" "DaemonSet" "daemonsets" => "apps" / "v1", Form::Workload(Defaulted)),
    view!("apps" / "v1beta1" "Deployment" "deployments" => "apps" / "v1", Form::Workload(Defaulted)),
    view!("apps" / "v1beta2" "Deployment" "deployments" => "apps" / "v1", Form::Workload(Explicit)),
    view!("apps" / "v1beta2" "ReplicaSet" "replicasets" => "apps" / "v1", Form::Workload(Explicit)),
    view!("apps" / "v1beta2" "DaemonSet" "daemonsets" => "apps" / "v1", Form::Workload(Explicit)),
    view!("extensions" / "v1beta1" "Ingress" "ingresses" => "networking.k8s.io" / "v1", Form::Ingress),
    view!("networking.k8s.io" / "v1beta1" "Ingress" "ingresses" => "networking.k8s.io" / "v1", Form::Ingress),
    view!("autoscaling" / "v1" "HorizontalPodAutoscaler" "horizontalpodautoscalers" => "autoscaling" / "v2", Form::AutoscalerV1),
    view!("autoscaling" / "v2beta1" "HorizontalPodAutoscaler" "horizontalpodautoscalers" => "autoscaling" / "v2", Form::AutoscalerV2Beta1),
    view!("autoscaling" / "v2beta2" "HorizontalPodAutoscaler" "horizontalpodautoscalers" => "autoscaling" / "v2", Form::Same),
];

/// The view of that version, if the version is one.
pub fn find(group: &str, version: &str, kind: &str) -> Option<&'static View> {
    VIEWS
        .iter()
        .find(|view| view.group == group && view.version == version && view.kind == kind)
}

/// Brings an object, or a part of one, from the version that it was written in into the one that is stored. An object of
/// another version or kind is left as it is.
///
/// # Errors
/// Every field that the stored version has no word for.
pub fn to_stored(group: &str, version: &str, kind: &str, mut object: Value) -> Result<Value, Vec<FieldError>> {
    let Some(view) = find(group, version, kind) else {
        return Ok(object);
    };
    match view.form {
        Form::Same => {}
        Form::Workload(age) => workload::to_stored(age, &mut object)?,
        Form::Ingress => ingress::to_stored(&mut object)?,
        Form::AutoscalerV1 => autoscaler::from_v1(&mut object)?,
        Form::AutoscalerV2Beta1 => autoscaler::from_v2beta1(&mut object)?,
    }
    rename(&mut object, view.stored_group, view.stored_version);
    Ok(object)
}

/// Shows a stored object in another version. An object of a version or kind that is no view is left as it is.
pub fn to_version(group: &str, version: &str, kind: &str, mut object: Value) -> Value {
    let Some(view) = find(group, version, kind) else {
        return object;
    };
    match view.form {
        Form::Same | Form::Workload(_) => {}
        Form::Ingress => ingress::to_version(&mut object),
        Form::AutoscalerV1 => autoscaler::to_v1(&mut object),
        Form::AutoscalerV2Beta1 => autoscaler::to_v2beta1(&mut object),
    }
    rename(&mut object, view.group, view.version);
    object
}

fn rename(object: &mut Value, group: &str, version: &str) {
    if let Some(map) = object.as_object_mut() {
        map.insert("apiVersion".to_owned(), format!("{group}/{version}").into());
    }
}

#[cfg(test)]
mod tests;
