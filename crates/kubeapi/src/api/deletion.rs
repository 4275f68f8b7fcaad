//! Deletion of one object and of many.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::write::TRIES;
use super::{Api, Call, Selection, answer, namespace_of};
use crate::backend::{Admission, Backend, Change, Commit, Operation};
use crate::body;
use crate::object::{self, Deletion, revision_of};
use crate::status::Status;

/// What a deletion came to.
struct Outcome {
    object: Arc<Value>,
    gone: bool,
    warnings: Vec<String>,
}

impl<B: Backend> Api<B> {
    pub(super) async fn delete(&self, call: &Call, request: Request) -> Result<Response, Status> {
        let options = self.delete_options(request).await?;
        let dry_run = call.query.dry_run || is_dry_run(&options)?;
        let (namespace, name) = (&call.path.namespace, &call.path.name);
        let outcome = self.delete_one(call, namespace, name, &options, dry_run).await?;
        if !outcome.gone {
            return Ok(self.respond(call, StatusCode::OK, &outcome.object, &outcome.warnings));
        }
        let uid = outcome.object["metadata"]["uid"].as_str().unwrap_or_default();
        let status = Status::deleted(&call.resource.group, &call.resource.plural, name, uid);
        Ok(answer(StatusCode::OK, &status, &outcome.warnings))
    }

    pub(super) async fn delete_collection(&self, call: &Call, request: Request) -> Result<Response, Status> {
        let options = self.delete_options(request).await?;
        let dry_run = call.query.dry_run || is_dry_run(&options)?;
        let selection = Selection::of(call)?;
        let listing = self
            .backend
            .list(&call.context, &call.resource, namespace_of(call))
            .await?;
        let mut warnings = Vec::new();
        for object in listing.items.iter().filter(|object| selection.matches(object)) {
            let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
            match self
                .delete_one(call, text("namespace"), text("name"), &options, dry_run)
                .await
            {
                // Somebody else was faster.
                Err(status) if status.is("NotFound") => {}
                outcome => warnings.extend(outcome?.warnings),
            }
        }
        let status = Status::deleted(&call.resource.group, &call.resource.plural, "", "");
        Ok(answer(StatusCode::OK, &status, &warnings))
    }

    /// Deletes one object, or marks it.
    async fn delete_one(
        &self,
        call: &Call,
        namespace: &str,
        name: &str,
        options: &Value,
        dry_run: bool,
    ) -> Result<Outcome, Status> {
        for _ in 0..TRIES {
            let object = self.current(call, namespace, name).await?;
            let expected = revision_of(&object);
            check_preconditions(call, &object, &options["preconditions"])?;
            let grace = self.backend.grace_seconds(&call.resource, &object, options);
            let added = self.backend.deletion_finalizers(&call.resource, &object, options);
            let deletion = object::deletion(&call.resource, &object, (self.options.now)(), grace, &added);
            let mut judged = match &deletion {
                Deletion::Mark(marked) => marked.clone(),
                Deletion::Remove | Deletion::Marked => (*object).clone(),
            };
            let admission = Admission {
                operation: Operation::Delete,
                subresource: "",
                dry_run,
                old: Some(&object),
                options,
            };
            let warnings = self
                .backend
                .admit(&call.context, &call.resource, &admission, &mut judged)
                .await?;
            let (change, gone) = match deletion {
                Deletion::Remove => (Change::Delete { expected }, true),
                // Admission released what held it.
                Deletion::Mark(_) if object::is_released(&call.resource, &judged) => {
                    (Change::Delete { expected }, true)
                }
                Deletion::Mark(_) => (
                    Change::Update {
                        value: judged,
                        expected,
                    },
                    false,
                ),
                Deletion::Marked => {
                    return Ok(Outcome {
                        object,
                        gone: false,
                        warnings,
                    });
                }
            };
            if dry_run {
                // As it would be, and with what admission has to say of it.
                let object = match change {
                    Change::Update { value, .. } | Change::Create(value) => Arc::new(value),
                    Change::Delete { .. } => object,
                };
                return Ok(Outcome { object, gone, warnings });
            }
            match self
                .backend
                .commit(
                    &call.context,
                    Commit {
                        resource: &call.resource,
                        namespace,
                        name,
                        change,
                    },
                )
                .await
            {
                Err(status) if status.is("Conflict") => {}
                outcome => {
                    return Ok(Outcome {
                        object: outcome?,
                        gone,
                        warnings,
                    });
                }
            }
        }
        Err(call.resource.conflict(name))
    }

    async fn delete_options(&self, request: Request) -> Result<Value, Status> {
        let options = body::read_object(request, self.options.body_limit).await?.value;
        match options {
            Value::Null => Ok(json!({})),
            options @ Value::Object(_) => Ok(options),
            _ => Err(Status::bad_request("the body must be DeleteOptions")),
        }
    }
}

fn is_dry_run(options: &Value) -> Result<bool, Status> {
    let values = options["dryRun"].as_array().map(Vec::as_slice).unwrap_or_default();
    match values.iter().find(|value| *value != "All") {
        Some(other) => Err(Status::bad_request(format!(
            "dryRun: {other} is not supported; the only value is \"All\""
        ))),
        None => Ok(!values.is_empty()),
    }
}

fn check_preconditions(call: &Call, object: &Value, preconditions: &Value) -> Result<(), Status> {
    for (field, label) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
        let Some(wanted) = preconditions[field].as_str() else {
            continue;
        };
        let found = object["metadata"][field].as_str().unwrap_or_default();
        if wanted != found {
            let why =
                format!("Precondition failed: {label} in precondition: {wanted}, {label} in object meta: {found}");
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            return Err(Status::conflict(
                &call.resource.group,
                &call.resource.plural,
                name,
                &why,
            ));
        }
    }
    Ok(())
}
