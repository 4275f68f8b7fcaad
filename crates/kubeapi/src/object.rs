//! The life of an object, as functions of values: what a create, an update and a deletion make of it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::names;
use crate::resource::Resource;
use crate::status::{Cause, Status};

const MAX_DEPTH: usize = 100;

/// What a new object is told from others by.
#[derive(Debug, Clone)]
pub struct Identity {
    /// UID.
    pub uid: String,
    /// The end of a generated name.
    pub suffix: String,
}

impl Identity {
    /// One that nobody else has.
    pub fn random() -> Self {
        // Kubernetes leaves out vowels and look-alikes, so that no words come about.
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let draw = uuid::Uuid::new_v4();
        let suffix = draw.as_bytes()[..5]
            .iter()
            .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
            .collect();
        Self {
            uid: uuid::Uuid::new_v4().to_string(),
            suffix,
        }
    }
}

/// What a deletion does.
#[derive(Debug, Clone, PartialEq)]
pub enum Deletion {
    /// The object goes.
    Remove,
    /// Something holds it: it is marked, or marked to go sooner.
    Mark(Value),
    /// It is marked already.
    Marked,
}

/// The revision that an object carries; 0 for none.
pub fn revision_of(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

/// Refuses what is no object with metadata.
///
/// # Errors
/// 400.
pub fn require_shape(object: &Value) -> Result<(), Status> {
    if !object.is_object() {
        return Err(Status::bad_request("the body is no Kubernetes object"));
    }
    if !object["metadata"].is_null() && !object["metadata"].is_object() {
        return Err(Status::bad_request("metadata must be an object"));
    }
    Ok(())
}

/// Refuses what is too large or too deep to be kept. Both leave room for `managedFields`, whose depth follows the
/// object's own: what is written must be readable within the 128 levels that bodies may have.
///
/// # Errors
/// 413 or 422.
pub fn check_bounds(resource: &Resource, object: &Value) -> Result<(), Status> {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    if crate::patch::json::depth(object) > MAX_DEPTH {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let message = format!("the object may have at most {MAX_DEPTH} levels");
        return Err(Status::invalid_field(
            &resource.group,
            &resource.kind,
            name,
            "",
            message,
        ));
    }
    let mut count = Count(0);
    if serde_json::to_writer(&mut count, object).is_err() || count.0 > crate::patch::json::MAX_RESULT {
        return Err(Status::too_large(crate::patch::json::MAX_RESULT));
    }
    Ok(())
}

/// Whether the server is to complete the name.
pub fn is_name_generated(object: &Value) -> bool {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    text("name").is_empty() && !text("generateName").is_empty()
}

/// Takes out null fields: in kinds that clients have compiled in they mean the same as no field.
pub fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Whether objects of this kind count their changes. Some of Kubernetes' own kinds never did.
fn counts_generation(resource: &Resource) -> bool {
    if resource.schema.definition().is_none() {
        return true;
    }
    match resource.group.as_str() {
        "" => matches!(resource.kind.as_str(), "Pod" | "ReplicationController"),
        "autoscaling" | "coordination.k8s.io" => false,
        _ => resource.schema.node().has_field("spec"),
    }
}

/// Completes a new object: kind, name, namespace, identity.
///
/// # Errors
/// 400 when it belongs elsewhere, 422 when its metadata is wrong.
pub fn prepare_create(
    resource: &Resource,
    namespace: &str,
    object: &mut Value,
    identity: &Identity,
    now: &str,
) -> Result<(), Status> {
    prepare_identity(resource, namespace, None, object)?;
    if !matches!(object["metadata"]["resourceVersion"].as_str(), None | Some("" | "0")) {
        return Err(Status::bad_request(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    if is_name_generated(object) {
        let prefix: String = object["metadata"]["generateName"]
            .as_str()
            .unwrap_or_default()
            .chars()
            .take(58)
            .collect();
        object["metadata"]["name"] = json!(format!("{prefix}{}", identity.suffix));
    }
    let metadata = &mut object["metadata"];
    for field in [
        "resourceVersion",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
    ] {
        remove(metadata, field);
    }
    metadata["uid"] = json!(identity.uid);
    metadata["creationTimestamp"] = json!(now);
    if counts_generation(resource) {
        metadata["generation"] = json!(1);
    }
    if resource.status {
        remove(object, "status");
    }
    check_metadata(resource, object)
}

/// Completes a changed object from the one that is there. `subresource` is empty, `status` or `finalize`: what it does
/// not write is as it was.
///
/// # Errors
/// 400, 409 or 422 when it is another object, from another version, or its metadata is wrong.
pub fn prepare_update(resource: &Resource, old: &Value, new: &mut Value, subresource: &str) -> Result<(), Status> {
    let text = |object: &Value, field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    let name = text(old, "name");
    prepare_identity(resource, &text(old, "namespace"), Some(&name), new)?;
    let given = text(new, "resourceVersion");
    if !matches!(given.as_str(), "" | "0") && given != text(old, "resourceVersion") {
        return Err(resource.conflict(&name));
    }
    let (given, uid) = (text(new, "uid"), text(old, "uid"));
    if !given.is_empty() && given != uid {
        let why = format!("Precondition failed: UID in precondition: {given}, UID in object meta: {uid}");
        return Err(Status::conflict(&resource.group, &resource.plural, &name, &why));
    }
    match subresource {
        "" => {
            if resource.status {
                put_or_remove(new, "status", old["status"].clone());
            }
        }
        "finalize" => {
            let finalizers = new["spec"]["finalizers"].take();
            new.clone_from(old);
            new["spec"]["finalizers"] = finalizers;
        }
        _ => {
            let (status, managers) = (new["status"].take(), new["metadata"]["managedFields"].take());
            new.clone_from(old);
            put_or_remove(new, "status", status);
            put_or_remove(&mut new["metadata"], "managedFields", managers);
        }
    }
    let metadata = &mut new["metadata"];
    for field in [
        "uid",
        "creationTimestamp",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "resourceVersion",
    ] {
        put_or_remove(metadata, field, old["metadata"][field].clone());
    }
    remove(metadata, "selfLink");
    if metadata["managedFields"].is_null() {
        put_or_remove(metadata, "managedFields", old["metadata"]["managedFields"].clone());
    }
    if let (true, Some(added)) = (
        !old["metadata"]["deletionTimestamp"].is_null(),
        added_finalizer(old, new),
    ) {
        let message = format!(
            "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizer {added:?}"
        );
        let cause = Cause::new("FieldValueForbidden", "metadata.finalizers", message);
        return Err(Status::invalid(&resource.group, &resource.kind, &name, vec![cause]));
    }
    check_metadata(resource, new)
}

fn added_finalizer<'a>(old: &Value, new: &'a Value) -> Option<&'a str> {
    let held = old["metadata"]["finalizers"].as_array();
    let wanted = new["metadata"]["finalizers"].as_array()?;
    wanted
        .iter()
        .find(|one| !held.is_some_and(|held| held.contains(one)))
        .and_then(Value::as_str)
}

/// Counts a change of anything but metadata and status.
pub fn count_generation(old: &Value, new: &mut Value) {
    let Some(generation) = old["metadata"]["generation"].as_i64() else {
        return;
    };
    if new.is_object() && !is_same_except(old, new, &["metadata", "status"]) {
        new["metadata"]["generation"] = json!(generation + 1);
    }
}

/// Whether a write changes nothing but times in `managedFields`.
pub fn is_no_op(old: &Value, new: &Value) -> bool {
    let timeless = |object: &Value| {
        let mut managers = object["metadata"]["managedFields"].clone();
        for entry in managers.as_array_mut().into_iter().flatten() {
            remove(entry, "time");
        }
        managers
    };
    is_same_except(old, new, &["metadata"])
        && is_same_except(&old["metadata"], &new["metadata"], &["managedFields"])
        && timeless(old) == timeless(new)
}

/// Whether two objects have the same fields, but for those of these names.
pub fn is_same_except(one: &Value, two: &Value, fields: &[&str]) -> bool {
    match (one.as_object(), two.as_object()) {
        (Some(one), Some(two)) => one
            .keys()
            .chain(two.keys())
            .filter(|name| !fields.contains(&name.as_str()))
            .all(|name| one.get(name) == two.get(name)),
        _ => one == two,
    }
}

/// Whether finalizers hold the object. Those of a Namespace's spec hold it too.
fn is_held(resource: &Resource, object: &Value) -> bool {
    let holds = |finalizers: &Value| finalizers.as_array().is_some_and(|list| !list.is_empty());
    holds(&object["metadata"]["finalizers"]) || resource.is_namespace() && holds(&object["spec"]["finalizers"])
}

/// Whether the object is marked for deletion and nothing holds it any more.
pub fn is_released(resource: &Resource, object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
        && object["metadata"]["deletionGracePeriodSeconds"]
            .as_u64()
            .unwrap_or_default()
            == 0
        && !is_held(resource, object)
}

/// What deleting the object does, when it is to stay for `grace` seconds. `finalizers` are put on it when it was not
/// marked before.
pub fn deletion(resource: &Resource, object: &Value, now: Timestamp, grace: u64, finalizers: &[String]) -> Deletion {
    let mut marked = object.clone();
    if object["metadata"]["deletionTimestamp"].is_null() {
        add_finalizers(&mut marked["metadata"], finalizers);
    }
    if grace == 0 && !is_held(resource, &marked) {
        return Deletion::Remove;
    }
    let metadata = &mut marked["metadata"];
    let until = now
        .checked_add(SignedDuration::from_secs(i64::try_from(grace).unwrap_or(i64::MAX)))
        .unwrap_or(now);
    let until = Timestamp::from_second(until.as_second()).unwrap_or(until).to_string();
    if !metadata["deletionTimestamp"].is_null() {
        let waiting = metadata["deletionGracePeriodSeconds"].as_u64().unwrap_or_default();
        if waiting <= grace {
            return Deletion::Marked;
        }
        metadata["deletionTimestamp"] = json!(until);
        metadata["deletionGracePeriodSeconds"] = json!(grace);
        return Deletion::Mark(marked);
    }
    metadata["deletionTimestamp"] = json!(until);
    metadata["deletionGracePeriodSeconds"] = json!(grace);
    if let Some(generation) = object["metadata"]["generation"].as_i64() {
        metadata["generation"] = json!(generation + 1);
    }
    if resource.is_namespace() {
        remove(metadata, "deletionGracePeriodSeconds");
        if !marked["status"].is_object() {
            marked["status"] = json!({});
        }
        marked["status"]["phase"] = json!("Terminating");
    }
    Deletion::Mark(marked)
}

fn add_finalizers(metadata: &mut Value, added: &[String]) {
    let mut held = metadata["finalizers"].as_array().cloned().unwrap_or_default();
    for one in added {
        if !held.iter().any(|held| held == one) {
            held.push(one.as_str().into());
        }
    }
    if !held.is_empty() {
        metadata["finalizers"] = held.into();
    }
}

/// Fills in kind, version, namespace and (when it is known) name, and refuses an object that states others.
///
/// # Errors
/// 400.
pub fn prepare_identity(
    resource: &Resource,
    namespace: &str,
    name: Option<&str>,
    object: &mut Value,
) -> Result<(), Status> {
    require_shape(object)?;
    prepare_kind(resource, object)?;
    if object["metadata"].is_null() {
        object["metadata"] = json!({});
    }
    let metadata = &mut object["metadata"];
    if !resource.namespaced {
        remove(metadata, "namespace");
    } else {
        match metadata["namespace"].as_str() {
            None | Some("") => metadata["namespace"] = json!(namespace),
            Some(given) if given == namespace => {}
            Some(given) => {
                return Err(Status::bad_request(format!(
                    "the namespace of the provided object does not match the namespace sent on the request: {given} is not {namespace}"
                )));
            }
        }
    }
    match (name, metadata["name"].as_str()) {
        (Some(name), None | Some("")) => metadata["name"] = json!(name),
        (Some(name), Some(given)) if given != name => {
            Err(Status::bad_request(format!(
                "the name of the object ({given}) does not match the name on the URL ({name})"
            )))?;
        }
        _ => {}
    }
    Ok(())
}

/// Fills in kind and version, and refuses an object that states others.
pub(crate) fn prepare_kind(resource: &Resource, object: &mut Value) -> Result<(), Status> {
    let api_version = resource.api_version();
    for (field, expected) in [("apiVersion", api_version.as_str()), ("kind", resource.kind.as_str())] {
        match object[field].as_str() {
            None | Some("") => object[field] = json!(expected),
            Some(given) if given == expected => {}
            Some(given) => {
                return Err(Status::bad_request(format!(
                    "{field} in the data ({given}) does not match the expected {field} ({expected})"
                )));
            }
        }
    }
    Ok(())
}

fn check_metadata(resource: &Resource, object: &Value) -> Result<(), Status> {
    let causes = names::metadata_causes(resource, &object["metadata"]);
    if causes.is_empty() {
        return Ok(());
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    Err(Status::invalid(&resource.group, &resource.kind, name, causes))
}

fn remove(object: &mut Value, field: &str) {
    if let Some(fields) = object.as_object_mut() {
        fields.remove(field);
    }
}

fn put_or_remove(object: &mut Value, field: &str, value: Value) {
    if value.is_null() {
        remove(object, field);
    } else {
        object[field] = value;
    }
}
