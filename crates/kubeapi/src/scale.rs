//! `scale`: the replicas of a workload as an object of their own, the same for all kinds that have them. How a changed
//! scale reaches the workload is its keeper's affair; what it asks for is told here.

use axum::extract::Request;
use http::Method;
use serde_json::{Value, json};

use crate::body;
use crate::patch::{PatchType, apply_patch};
use crate::request::content_type;
use crate::resource::{Resource, Subresource};
use crate::schema::Schema;
use crate::status::{Cause, Status};

/// The subresource as a workload declares it.
pub fn subresource() -> Subresource {
    Subresource {
        name: "scale".into(),
        group: "autoscaling".into(),
        version: "v1".into(),
        kind: "Scale".into(),
        verbs: ["get", "patch", "update"].map(str::to_owned).into(),
    }
}

/// The scale of a workload.
pub fn scale(object: &Value) -> Value {
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        metadata[field] = object["metadata"][field].clone();
    }
    let selector = object["spec"]["selector"]
        .get("matchLabels")
        .unwrap_or(&object["spec"]["selector"]);
    let selector: Vec<String> = selector
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
        .collect();
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": {"replicas": object["spec"]["replicas"].as_i64().unwrap_or_default()},
        "status": {
            "replicas": object["status"]["replicas"].as_i64().unwrap_or_default(),
            "selector": selector.join(","),
        },
    })
}

/// The replicas that a scale asks for.
///
/// # Errors
/// The field, when it is no number or below zero.
fn replicas(scale: &Value) -> Result<i64, Cause> {
    let value = &scale["spec"]["replicas"];
    match value.as_i64() {
        Some(replicas) if replicas >= 0 => Ok(replicas),
        // As in Kubernetes' own type, where no number is zero.
        None if value.is_null() => Ok(0),
        _ => Err(Cause::invalid(
            "spec.replicas",
            format!("Invalid value: {value}: must be greater than or equal to 0"),
        )),
    }
}

/// How a client changes a scale.
#[derive(Debug, Clone, PartialEq)]
pub struct ScaleChange(Form);

#[derive(Debug, Clone, PartialEq)]
enum Form {
    Whole(Value),
    Patch(PatchType, Value),
}

impl ScaleChange {
    /// What a PUT or a PATCH asks for, of at most `limit` bytes.
    ///
    /// # Errors
    /// What is no scale and no patch, or too large.
    pub async fn read(request: Request, limit: usize) -> Result<Self, Status> {
        if *request.method() == Method::PUT {
            return Ok(Self::whole(body::read_object(request, limit).await?.value));
        }
        let patch_type = PatchType::of(content_type(request.headers()), true)?;
        let patch = body::read_patch(request, patch_type, limit).await?;
        Ok(Self::patch(patch_type, patch.value))
    }

    /// The scale as it shall be.
    fn whole(scale: Value) -> Self {
        Self(Form::Whole(scale))
    }

    /// A patch of the scale.
    fn patch(patch_type: PatchType, patch: Value) -> Self {
        let patch_type = match patch_type {
            // An applied scale states all there is to it.
            PatchType::Apply => PatchType::Merge,
            PatchType::Json | PatchType::Merge | PatchType::Strategic => patch_type,
        };
        Self(Form::Patch(patch_type, patch))
    }

    /// The replicas that a workload is to have from now on.
    ///
    /// # Errors
    /// 409 when the change is tied to another version of the workload; 422 for what is no number of replicas; what a patch
    /// that cannot be applied says.
    pub fn replicas(&self, resource: &Resource, workload: &Value) -> Result<i64, Status> {
        let name = workload["metadata"]["name"].as_str().unwrap_or_default();
        let next = match &self.0 {
            Form::Whole(next) => next.clone(),
            Form::Patch(patch_type, patch) => apply_patch(*patch_type, &scale(workload), patch, &Schema::unknown())?,
        };
        let given = next["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        if !given.is_empty() && given != workload["metadata"]["resourceVersion"] {
            return Err(resource.conflict(name));
        }
        replicas(&next).map_err(|cause| {
            Status::invalid("autoscaling", "Scale", name, vec![cause])
                .with(|details| details.group.clone_from(&resource.group))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload() -> Value {
        json!({
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "7"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web", "tier": "front"}}},
            "status": {"replicas": 1},
        })
    }

    fn asked(change: &ScaleChange) -> Result<i64, Status> {
        change.replicas(&Resource::new("apps", "v1", "Deployment", "deployments"), &workload())
    }

    #[test]
    fn a_scale_tells_replicas_and_selector_of_its_workload() {
        let scale = scale(&workload());
        assert_eq!(scale["spec"], json!({"replicas": 2}));
        assert_eq!(
            scale["status"],
            json!({"replicas": 1, "selector": "app=web,tier=front"})
        );
        assert_eq!(scale["metadata"]["resourceVersion"], "7");
    }

    #[test]
    fn a_scale_is_replaced_or_patched_in_any_way() {
        let mut whole = scale(&workload());
        whole["spec"]["replicas"] = json!(5);
        let merge = json!({"spec": {"replicas": 5}});
        let json_patch = json!([
            {"op": "test", "path": "/spec/replicas", "value": 2},
            {"op": "replace", "path": "/spec/replicas", "value": 5},
        ]);
        for change in [
            ScaleChange::whole(whole),
            ScaleChange::patch(PatchType::Merge, merge.clone()),
            ScaleChange::patch(PatchType::Strategic, merge.clone()),
            ScaleChange::patch(PatchType::Apply, merge),
            ScaleChange::patch(PatchType::Json, json_patch),
        ] {
            assert_eq!(asked(&change), Ok(5), "{change:?}");
        }
    }

    #[test]
    fn a_change_that_names_a_version_is_tied_to_it() {
        let at = |version: &str| {
            let scale = json!({"metadata": {"resourceVersion": version}, "spec": {"replicas": 3}});
            asked(&ScaleChange::whole(scale))
        };
        assert_eq!((at("7"), at("")), (Ok(3), Ok(3)));
        assert!(at("6").unwrap_err().is("Conflict"));
    }

    #[test]
    fn what_is_no_number_of_replicas_is_refused_with_the_field() {
        for wrong in [json!(-1), json!("3"), json!(1.5)] {
            let patch = json!({"spec": {"replicas": wrong}});
            let refused = asked(&ScaleChange::patch(PatchType::Merge, patch)).unwrap_err();
            let details = refused.details.as_ref().unwrap();
            assert_eq!(
                (refused.code, details.name.as_str(), details.group.as_str()),
                (422, "web", "apps")
            );
            assert_eq!(details.causes[0].field, "spec.replicas");
        }
        assert_eq!(asked(&ScaleChange::whole(json!({"spec": {}}))), Ok(0));
    }
}
