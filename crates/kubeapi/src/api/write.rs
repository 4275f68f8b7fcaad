//! Create, update and patch.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use http::header::HeaderMap;
use serde_json::Value;

use super::{Api, Call};
use crate::apply;
use crate::backend::{Admission, Backend, Change, Commit, Operation};
use crate::body::{self, Body};
use crate::object::{self, revision_of};
use crate::patch::{self, PatchType};
use crate::request::{FieldValidation, content_type, default_manager};
use crate::status::Status;
use crate::{validate, view};

/// How often a write that nobody tied to a version is tried against a moving object.
pub(super) const TRIES: usize = 8;
/// How often a generated name is drawn.
const DRAWS: usize = 5;

/// A write's outcome: the object and what to warn of.
pub(super) type Outcome = (Arc<Value>, Vec<String>);

impl<B: Backend> Api<B> {
    pub(super) async fn create(&self, call: &Call, request: Request) -> Result<Response, Status> {
        if call.resource.namespaced && call.path.namespace.is_empty() {
            return Err(Status::method_not_allowed(request.method()));
        }
        let manager = manager(call, request.headers());
        let Body {
            value: mut given,
            duplicates,
        } = body::read_object(request, self.options.body_limit).await?;
        let warnings = receive(call, &mut given, None, duplicates)?;
        let generated = object::is_name_generated(&given);
        for draw in 1..=DRAWS {
            let (created, more) = match self.create_one(call, given.clone(), Some(&manager)).await {
                Err(status) if generated && status.is("AlreadyExists") && draw < DRAWS => continue,
                outcome => outcome?,
            };
            return Ok(self.respond(call, StatusCode::CREATED, &created, &[warnings, more].concat()));
        }
        Err(Status::unavailable("no free name could be generated; try again"))
    }

    /// Makes one object, unless it is a dry run. `manager` gets what the object states, when it does not say itself.
    pub(super) async fn create_one(
        &self,
        call: &Call,
        mut new: Value,
        manager: Option<&str>,
    ) -> Result<Outcome, Status> {
        let now = self.now_text();
        object::prepare_create(
            &call.resource,
            &call.path.namespace,
            &mut new,
            &object::Identity::random(),
            &now,
        )?;
        object::check_bounds(&call.resource, &new)?;
        validate::check(&call.resource, &new)?;
        let admission = admission(call, Operation::Create, None);
        let warnings = self
            .backend
            .admit(&call.context, &call.resource, &admission, &mut new)
            .await?;
        if let Some(manager) = manager {
            // A status that admission begins with is nobody's: it is written apart from the rest.
            let fields = new.as_object_mut().filter(|_| call.resource.status);
            let status = fields.and_then(|fields| fields.remove("status"));
            apply::record_update(None, &mut new, &call.resource.schema, manager, "", &now);
            if let Some(status) = status {
                new["status"] = status;
            }
        }
        let name = new["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let namespace = &call.path.namespace;
        if !call.query.dry_run {
            let commit = Commit {
                resource: &call.resource,
                namespace,
                name: &name,
                change: Change::Create(new),
            };
            return Ok((self.backend.commit(&call.context, commit).await?, warnings));
        }
        if self
            .backend
            .get(&call.context, &call.resource, namespace, &name)
            .await?
            .is_some()
        {
            return Err(call.resource.already_exists(&name));
        }
        Ok((Arc::new(new), warnings))
    }

    pub(super) async fn update(&self, call: &Call, request: Request) -> Result<Response, Status> {
        let manager = manager(call, request.headers());
        let Body {
            value: mut given,
            duplicates,
        } = body::read_object(request, self.options.body_limit).await?;
        let warnings = receive(call, &mut given, None, duplicates)?;
        let unconditional = given["metadata"]["resourceVersion"]
            .as_str()
            .unwrap_or_default()
            .is_empty();
        let tries = if unconditional { TRIES } else { 1 };
        let change = |_: &Value| Ok((given.clone(), Vec::new()));
        let (object, more) = self.change(call, tries, Some(&manager), change).await?;
        Ok(self.respond(call, StatusCode::OK, &object, &[warnings, more].concat()))
    }

    pub(super) async fn patch(&self, call: &Call, request: Request) -> Result<Response, Status> {
        let patch_type = PatchType::of(content_type(request.headers()), call.asked.strategic_merge)?;
        let manager = manager(call, request.headers());
        let patch = body::read_patch(request, patch_type, self.options.body_limit).await?;
        if patch_type == PatchType::Apply {
            return self.apply(call, patch).await;
        }
        // A patch that names a version is tied to it: `prepare_update` compares.
        let tied = patch.value["metadata"]["resourceVersion"].is_string();
        let change = |old: &Value| {
            // A client patches what it was shown.
            let shown = view::shown(&call.asked, old);
            let mut new = patch::apply_patch(patch_type, &shown, &patch.value, call.shown_schema())?;
            let warnings = receive(call, &mut new, Some(old), patch.duplicates.clone())?;
            Ok((new, warnings))
        };
        let (object, warnings) = self
            .change(call, if tied { 1 } else { TRIES }, Some(&manager), change)
            .await?;
        Ok(self.respond(call, StatusCode::OK, &object, &warnings))
    }

    /// Reads, changes and commits one object, again when somebody else was faster. A change that changes nothing is
    /// not committed: no revision, no event. `manager` gets what was changed.
    pub(super) async fn change(
        &self,
        call: &Call,
        tries: usize,
        manager: Option<&str>,
        change: impl Fn(&Value) -> Result<Changed, Status>,
    ) -> Result<Outcome, Status> {
        let (namespace, name) = (&call.path.namespace, &call.path.name);
        for _ in 0..tries {
            let old = self.current(call, namespace, name).await?;
            let expected = revision_of(&old);
            let (mut new, mut warnings) = change(&old)?;
            object::prepare_update(&call.resource, &old, &mut new, &call.path.subresource)?;
            object::check_bounds(&call.resource, &new)?;
            check_asked(call, &mut new)?;
            let admission = admission(call, Operation::Update, Some(&old));
            warnings.extend(
                self.backend
                    .admit(&call.context, &call.resource, &admission, &mut new)
                    .await?,
            );
            object::count_generation(&old, &mut new);
            if let Some(manager) = manager {
                // What admission says in a status is nobody's field.
                let told = (call.resource.status && call.path.subresource.is_empty()).then(|| {
                    let told = new["status"].take();
                    put_status(&mut new, old["status"].clone());
                    told
                });
                apply::record_update(
                    Some(&old),
                    &mut new,
                    &call.resource.schema,
                    manager,
                    &call.path.subresource,
                    &self.now_text(),
                );
                if let Some(told) = told {
                    put_status(&mut new, told);
                }
            }
            if object::is_no_op(&old, &new) {
                return Ok((old, warnings));
            }
            if call.query.dry_run {
                return Ok((Arc::new(new), warnings));
            }
            let released = object::is_released(&call.resource, &new);
            let change = if released {
                Change::Delete { expected }
            } else {
                Change::Update { value: new, expected }
            };
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
                Err(status) if status.is("Conflict") && tries > 1 => {}
                outcome => return Ok((outcome?, warnings)),
            }
        }
        Err(call.resource.conflict(name))
    }
}

/// Sets a status, or none: a null would be a field of its own.
fn put_status(object: &mut Value, status: Value) {
    let Some(fields) = object.as_object_mut() else { return };
    match status {
        Value::Null => fields.remove("status"),
        status => fields.insert("status".to_owned(), status),
    };
}

/// What a change makes of an object: the object and what to warn of.
pub(super) type Changed = (Value, Vec<String>);

fn admission<'a>(call: &'a Call, operation: Operation, old: Option<&'a Value>) -> Admission<'a> {
    static NO_OPTIONS: Value = Value::Null;
    Admission {
        operation,
        subresource: &call.path.subresource,
        dry_run: call.query.dry_run,
        old,
        options: &NO_OPTIONS,
    }
}

fn manager(call: &Call, headers: &HeaderMap) -> String {
    call.query
        .field_manager
        .clone()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| default_manager(headers))
}

/// An object that was sent, in the form in which it is kept; with what to warn of. `old` is kept already.
pub(super) fn receive(
    call: &Call,
    object: &mut Value,
    old: Option<&Value>,
    duplicates: Vec<String>,
) -> Result<Vec<String>, Status> {
    object::require_shape(object)?;
    *object = view::stored(&call.asked, &call.resource, object.take())?;
    judge_fields(call, object, old, duplicates)
}

/// Fields that come twice or that the kind does not have: refused, or warned of and dropped, as the caller asked. Those
/// that an existing object has already are nobody's news.
fn judge_fields(
    call: &Call,
    object: &mut Value,
    old: Option<&Value>,
    duplicates: Vec<String>,
) -> Result<Vec<String>, Status> {
    object::require_shape(object)?;
    if call.resource.strategic_merge {
        object::drop_nulls(object);
    }
    let known = old
        .map(|old| validate::take_unknown(&call.resource.schema, &mut old.clone()))
        .unwrap_or_default();
    let unknown = validate::take_unknown(&call.resource.schema, object);
    let mut found: Vec<String> = duplicates
        .iter()
        .map(|path| format!("duplicate field \"{path}\""))
        .collect();
    found.extend(
        unknown
            .iter()
            .filter(|path| !known.contains(path))
            .map(|path| format!("unknown field \"{path}\"")),
    );
    match call.query.field_validation {
        FieldValidation::Strict if !found.is_empty() => Err(Status::bad_request(format!(
            "strict decoding error: {}",
            found.join(", ")
        ))),
        FieldValidation::Ignore => Ok(Vec::new()),
        FieldValidation::Strict | FieldValidation::Warn => Ok(found),
    }
}

/// Holds against its structure what a request can change. A status that others wrote is not its fault.
fn check_asked(call: &Call, new: &mut Value) -> Result<(), Status> {
    let keeps_status = call.resource.status && call.path.subresource.is_empty();
    let fields = new.as_object_mut().filter(|_| keeps_status);
    let status = fields.and_then(|fields| fields.remove("status"));
    let checked = validate::check(&call.resource, new);
    if let Some(status) = status {
        new["status"] = status;
    }
    checked
}
