//! `metadata.managedFields`: who set which fields, and how.

use serde_json::{Value, json};

use super::{ApplyOptions, FieldSet};

/// How a manager writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManagerOperation {
    /// By apply: what it no longer states goes.
    Apply,
    /// By any other write.
    Update,
}

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Manager {
    name: String,
    operation: ManagerOperation,
    subresource: String,
    api_version: String,
    time: Option<String>,
    /// What it owns.
    pub fields: FieldSet,
}

impl Manager {
    /// Whether this is the entry of that manager.
    pub fn is(&self, name: &str, operation: ManagerOperation, subresource: &str) -> bool {
        self.name == name && self.operation == operation && self.subresource == subresource
    }

    /// How a conflict names the manager.
    pub fn label(&self) -> String {
        let how = match (&self.operation, self.subresource.as_str()) {
            (ManagerOperation::Apply, "") => String::new(),
            (ManagerOperation::Apply, subresource) => format!(" with subresource \"{subresource}\""),
            (ManagerOperation::Update, "") => format!(" using {}", self.api_version),
            (ManagerOperation::Update, subresource) => {
                format!(" with subresource \"{subresource}\" using {}", self.api_version)
            }
        };
        format!("{:?}{how}", self.name)
    }
}

/// All entries of an object.
#[derive(Debug, Clone, Default)]
pub struct Managers(Vec<Manager>);

impl Managers {
    /// Reads `metadata.managedFields`.
    pub fn read(entries: &Value) -> Self {
        let text = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
        let read = |entry: &Value| Manager {
            name: text(entry, "manager"),
            operation: if entry["operation"] == "Apply" {
                ManagerOperation::Apply
            } else {
                ManagerOperation::Update
            },
            subresource: text(entry, "subresource"),
            api_version: text(entry, "apiVersion"),
            time: entry["time"].as_str().map(str::to_owned),
            fields: FieldSet::read(&entry["fieldsV1"]),
        };
        Self(entries.as_array().into_iter().flatten().map(read).collect())
    }

    /// Writes them into an object.
    pub fn write(&self, object: &mut Value) {
        let entries: Vec<Value> = self
            .0
            .iter()
            .filter(|manager| !manager.fields.is_empty())
            .map(|manager| {
                let operation = match manager.operation {
                    ManagerOperation::Apply => "Apply",
                    ManagerOperation::Update => "Update",
                };
                let mut entry = json!({
                    "manager": manager.name,
                    "operation": operation,
                    "apiVersion": manager.api_version,
                    "fieldsType": "FieldsV1",
                    "fieldsV1": manager.fields.write(),
                });
                if let Some(time) = &manager.time {
                    entry["time"] = json!(time);
                }
                if !manager.subresource.is_empty() {
                    entry["subresource"] = json!(manager.subresource);
                }
                entry
            })
            .collect();
        if !object["metadata"].is_object() {
            object["metadata"] = json!({});
        }
        object["metadata"]["managedFields"] = Value::Array(entries);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Manager> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Manager> {
        self.0.iter_mut()
    }

    pub(super) fn applied_by(&self, name: &str, subresource: &str) -> Option<FieldSet> {
        self.0
            .iter()
            .find(|one| one.is(name, ManagerOperation::Apply, subresource))
            .map(|one| one.fields.clone())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was there before anybody applied belongs to a manager by this name, so that applying something else to it
    /// is a conflict, not an accident.
    pub(super) fn claim_unowned(&mut self, live: &Value, fields: FieldSet) {
        let api_version = live["apiVersion"].as_str().unwrap_or_default().to_owned();
        let created = live["metadata"]["creationTimestamp"].as_str().unwrap_or_default();
        self.set(
            "before-first-apply",
            ManagerOperation::Update,
            "",
            api_version,
            created,
            fields,
        );
    }

    /// Adds fields to the entry of a manager that updates.
    pub(super) fn add_updated(
        &mut self,
        name: &str,
        subresource: &str,
        api_version: &str,
        now: &str,
        fields: &FieldSet,
    ) {
        let own = self
            .0
            .iter()
            .find(|one| one.is(name, ManagerOperation::Update, subresource));
        let fields = own.map_or_else(|| fields.clone(), |own| own.fields.union(fields));
        self.set(
            name,
            ManagerOperation::Update,
            subresource,
            api_version.to_owned(),
            now,
            fields,
        );
    }

    pub(super) fn set_applied(&mut self, options: &ApplyOptions<'_>, config: &Value, fields: FieldSet) {
        let api_version = config["apiVersion"].as_str().unwrap_or_default().to_owned();
        self.set(
            options.manager,
            ManagerOperation::Apply,
            options.subresource,
            api_version,
            options.now,
            fields,
        );
    }

    fn set(
        &mut self,
        name: &str,
        operation: ManagerOperation,
        subresource: &str,
        api_version: String,
        now: &str,
        fields: FieldSet,
    ) {
        let found = self.0.iter_mut().find(|one| one.is(name, operation, subresource));
        match found {
            Some(entry) if entry.fields == fields && entry.api_version == api_version => {}
            Some(entry) => {
                entry.fields = fields;
                entry.api_version = api_version;
                entry.time = Some(now.to_owned());
            }
            None => self.0.push(Manager {
                name: name.to_owned(),
                operation,
                subresource: subresource.to_owned(),
                api_version,
                time: Some(now.to_owned()),
                fields,
            }),
        }
    }
}
