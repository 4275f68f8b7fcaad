//! Sets of fields, in the form that `metadata.managedFields` has (`FieldsV1`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::schema::{ListType, Node};

/// A set of fields: a tree whose nodes may be members themselves (written `.` beside children). Its steps are as
/// `FieldsV1` writes them: `f:name`, `k:{"name":"x"}`, `v:1`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSet {
    /// Whether the place itself is in the set.
    pub member: bool,
    /// Places below it.
    pub children: BTreeMap<String, FieldSet>,
}

/// The step to the item of a keyed list.
pub(super) fn key_step(item: &Value, keys: &[String], node: Node<'_>) -> String {
    let mut identity = Map::new();
    for key in keys {
        let value = item.get(key).or_else(|| node.field(key).default());
        if let Some(value) = value {
            identity.insert(key.clone(), value.clone());
        }
    }
    format!("k:{}", Value::Object(identity))
}

/// The step as this server writes it: the keys of an identity are in order, and nothing stands between.
fn canonical(step: &str) -> String {
    let canonical = |prefix: &str, text: &str| Some(format!("{prefix}:{}", serde_json::from_str::<Value>(text).ok()?));
    match step.split_once(':') {
        Some((prefix @ ("k" | "v"), text)) => canonical(prefix, text).unwrap_or_else(|| step.to_owned()),
        _ => step.to_owned(),
    }
}

/// The step to a member of a set.
pub(super) fn value_step(item: &Value) -> String {
    format!("v:{item}")
}

impl FieldSet {
    /// The fields that `value` states, below the root of its kind. Name, kind and version are nobody's.
    pub fn of(value: &Value, node: Node<'_>) -> Self {
        let mut set = Self::default();
        for (name, field) in value.as_object().into_iter().flatten() {
            match name.as_str() {
                "apiVersion" | "kind" => {}
                "metadata" => {
                    let mut metadata = Self::collect(field, node.field("metadata"));
                    for own in ["f:name", "f:namespace"] {
                        metadata.children.remove(own);
                    }
                    metadata.member = false;
                    if !metadata.is_empty() {
                        set.children.insert("f:metadata".into(), metadata);
                    }
                }
                _ => {
                    set.children
                        .insert(format!("f:{name}"), Self::collect(field, node.field(name)));
                }
            }
        }
        set
    }

    fn collect(value: &Value, node: Node<'_>) -> Self {
        match value {
            Value::Object(fields) if !fields.is_empty() && !node.is_atomic_map() => Self {
                member: false,
                children: fields
                    .iter()
                    .map(|(name, field)| (format!("f:{name}"), Self::collect(field, node.field(name))))
                    .collect(),
            },
            Value::Array(items) if !items.is_empty() => match node.list_type() {
                ListType::Atomic => Self::leaf(),
                ListType::Set => Self {
                    member: false,
                    children: items.iter().map(|item| (value_step(item), Self::leaf())).collect(),
                },
                ListType::Map(keys) => Self {
                    member: false,
                    children: items
                        .iter()
                        .map(|item| {
                            let mut set = Self::collect(item, node.items());
                            set.member = true;
                            (key_step(item, &keys, node.items()), set)
                        })
                        .collect(),
                },
            },
            _ => Self::leaf(),
        }
    }

    fn leaf() -> Self {
        Self {
            member: true,
            children: BTreeMap::new(),
        }
    }

    /// Reads `FieldsV1`.
    pub fn read(fields: &Value) -> Self {
        let Some(fields) = fields.as_object() else {
            return Self::default();
        };
        let mut set = Self::default();
        for (step, below) in fields {
            if step == "." {
                set.member = true;
                continue;
            }
            let mut child = Self::read(below);
            child.member |= child.children.is_empty();
            set.children.insert(canonical(step), child);
        }
        set
    }

    /// Writes `FieldsV1`.
    pub fn write(&self) -> Value {
        let mut fields = Map::new();
        if self.member && !self.children.is_empty() {
            fields.insert(".".into(), Value::Object(Map::new()));
        }
        for (step, child) in &self.children {
            fields.insert(step.clone(), child.write());
        }
        Value::Object(fields)
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        !self.member && self.children.values().all(Self::is_empty)
    }

    /// What both sets have.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.combine(other, |one, two| one && two)
    }

    /// What this set has and the other has not.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.combine(other, |one, two| one && !two)
    }

    /// What is left of this set when the other takes what it has. A whole map or list takes all that is below it.
    #[must_use]
    pub fn yielding(&self, other: &Self) -> Self {
        if other.member && other.children.is_empty() {
            return Self::default();
        }
        let children = self
            .children
            .iter()
            .map(|(step, child)| {
                (
                    step.clone(),
                    other
                        .children
                        .get(step)
                        .map_or_else(|| child.clone(), |other| child.yielding(other)),
                )
            })
            .filter(|(_, child)| !child.is_empty())
            .collect();
        Self {
            member: self.member && !other.member,
            children,
        }
    }

    /// What either has.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut result = self.clone();
        result.member |= other.member;
        for (step, child) in &other.children {
            let united = result
                .children
                .get(step)
                .map_or_else(|| child.clone(), |own| own.union(child));
            result.children.insert(step.clone(), united);
        }
        result
    }

    fn combine(&self, other: &Self, keep: fn(bool, bool) -> bool) -> Self {
        let nothing = Self::default();
        let children = self
            .children
            .iter()
            .map(|(step, child)| {
                (
                    step.clone(),
                    child.combine(other.children.get(step).unwrap_or(&nothing), keep),
                )
            })
            .filter(|(_, child)| !child.is_empty())
            .collect();
        Self {
            member: keep(self.member, other.member),
            children,
        }
    }

    /// The paths of the members, for people: `.spec.replicas`, `.spec.ports[containerPort=80]`.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect_paths("", &mut paths);
        paths
    }

    fn collect_paths(&self, prefix: &str, paths: &mut Vec<String>) {
        if self.member {
            paths.push(prefix.to_owned());
        }
        for (step, child) in &self.children {
            let path = match step.split_once(':') {
                Some(("f", name)) => format!("{prefix}.{name}"),
                Some(("k", identity)) => {
                    let identity: Map<String, Value> = serde_json::from_str(identity).unwrap_or_default();
                    let parts: Vec<String> = identity.iter().map(|(key, value)| format!("{key}={value}")).collect();
                    format!("{prefix}[{}]", parts.join(","))
                }
                Some(("v", value)) => format!("{prefix}[={value}]"),
                _ => format!("{prefix}[{step}]"),
            };
            child.collect_paths(&path, paths);
        }
    }
}
