//! Server-side apply: creates what is not there, or brings what is there to the stated configuration.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::write::{TRIES, receive};
use super::{Api, Call};
use crate::apply::{self, ApplyOptions};
use crate::backend::Backend;
use crate::body::Body;
use crate::object;
use crate::resource::Resource;
use crate::status::Status;

impl<B: Backend> Api<B> {
    pub(super) async fn apply(&self, call: &Call, body: Body) -> Result<Response, Status> {
        let Some(manager) = call.query.field_manager.as_deref().filter(|name| !name.is_empty()) else {
            return Err(Status::bad_request("fieldManager is required for apply patch"));
        };
        let mut config = body.value;
        let warnings = receive(call, &mut config, None, body.duplicates)?;
        if !config["metadata"]["managedFields"].is_null() {
            return Err(Status::bad_request("metadata.managedFields must be nil"));
        }
        object::prepare_identity(&call.resource, &call.path.namespace, Some(&call.path.name), &mut config)?;
        restrict(&call.resource, &call.path.subresource, &mut config);
        let now = self.now_text();
        let options = ApplyOptions {
            manager,
            force: call.query.force,
            subresource: &call.path.subresource,
            now: &now,
        };
        for _ in 0..TRIES {
            // What is read here only tells which way to go; the change reads again, under its own version.
            let exists = self
                .backend
                .get(&call.context, &call.resource, &call.path.namespace, &call.path.name)
                .await?
                .is_some();
            if !exists {
                match self.apply_new(call, &config, &options).await {
                    // Somebody was faster: apply to what they made.
                    Err(status) if status.is("AlreadyExists") => continue,
                    outcome => {
                        let (object, more) = outcome?;
                        return Ok(self.respond(call, StatusCode::CREATED, &object, &[warnings, more].concat()));
                    }
                }
            }
            let change = |old: &Value| {
                let mut new = apply::apply(old, &config, &call.resource.schema, &options)?;
                for field in ["uid", "resourceVersion"] {
                    if let Some(given) = config["metadata"][field].as_str() {
                        new["metadata"][field] = json!(given);
                    }
                }
                Ok((new, Vec::new()))
            };
            match self.change(call, TRIES, None, change).await {
                // Somebody deleted it in between: make it.
                Err(status) if status.is("NotFound") => {}
                outcome => {
                    let (object, more) = outcome?;
                    return Ok(self.respond(call, StatusCode::OK, &object, &[warnings, more].concat()));
                }
            }
        }
        Err(call.resource.conflict(&call.path.name))
    }

    async fn apply_new(
        &self,
        call: &Call,
        config: &Value,
        options: &ApplyOptions<'_>,
    ) -> Result<super::write::Outcome, Status> {
        let name = &call.path.name;
        if !call.path.subresource.is_empty() {
            return Err(call.resource.not_found(name));
        }
        let text = |field: &str| config["metadata"][field].as_str().unwrap_or_default();
        if !text("uid").is_empty() {
            let why = "Precondition failed: the object with this UID does not exist";
            return Err(Status::conflict(&call.resource.group, &call.resource.plural, name, why));
        }
        if !matches!(text("resourceVersion"), "" | "0") {
            return Err(call.resource.conflict(name));
        }
        let new = apply::apply(&Value::Null, config, &call.resource.schema, options)?;
        self.create_one(call, new, None).await
    }
}

/// Leaves what this path writes: a status is applied apart from the rest.
fn restrict(resource: &Resource, subresource: &str, config: &mut Value) {
    let Some(fields) = config.as_object_mut() else { return };
    if subresource == "status" {
        fields.retain(|name, _| matches!(name.as_str(), "apiVersion" | "kind" | "metadata" | "status"));
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|name, _| matches!(name.as_str(), "name" | "namespace" | "uid" | "resourceVersion"));
        }
    } else if resource.status {
        fields.remove("status");
    }
}
