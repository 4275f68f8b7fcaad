//! The table of messages: which number is which field, and what stands in it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Bool,
    Integer,
    Number,
    Bytes,
    Quantity,
    IntOrString,
    Time,
    MicroTime,
    /// JSON in bytes.
    Raw,
    /// A list that is a message of its own.
    Items,
    /// Another message, by name.
    Message(String),
}

/// How often a field holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    One,
    Many,
    /// By text keys.
    Map,
}

/// A field.
#[derive(Debug)]
pub(super) struct Field {
    /// Name in JSON; empty when the message's own fields stand in its place.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) count: Count,
    /// Whether zero is something else than nothing.
    pub(super) is_optional: bool,
}

/// Fields by their numbers.
pub(super) type Message = BTreeMap<u32, Field>;

#[derive(Deserialize)]
struct Row(u32, String, String);

static MESSAGES: LazyLock<BTreeMap<String, Message>> = LazyLock::new(|| {
    let rows: BTreeMap<String, Vec<Row>> = serde_json::from_slice(include_bytes!("../../data/messages.json"))
        .expect("the embedded table of messages is valid JSON");
    rows.into_iter()
        .map(|(name, rows)| {
            let fields = rows
                .into_iter()
                .filter_map(|Row(number, name, kind)| Some((number, Field::read(name, &kind)?)));
            (name, fields.collect())
        })
        .collect()
});

impl Field {
    /// Reads the form of the table: `int`, `*int`, `[]string`, `{}bytes`, `@core.v1.PodSpec`.
    fn read(name: String, text: &str) -> Option<Self> {
        let (text, is_optional) = match text.strip_prefix('*') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let (text, count) = match (text.strip_prefix("[]"), text.strip_prefix("{}")) {
            (Some(rest), _) => (rest, Count::Many),
            (_, Some(rest)) => (rest, Count::Map),
            (None, None) => (text, Count::One),
        };
        let kind = match text {
            "string" => Kind::Text,
            "bool" => Kind::Bool,
            "int" => Kind::Integer,
            "double" => Kind::Number,
            "bytes" => Kind::Bytes,
            "Quantity" => Kind::Quantity,
            "IntOrString" => Kind::IntOrString,
            "Time" => Kind::Time,
            "MicroTime" => Kind::MicroTime,
            "Raw" => Kind::Raw,
            "Items" => Kind::Items,
            other => Kind::Message(other.strip_prefix('@')?.to_owned()),
        };
        Some(Self {
            name,
            kind,
            count,
            is_optional,
        })
    }
}

/// A message by its name.
pub(super) fn named(name: &str) -> Option<&'static Message> {
    MESSAGES.get(name)
}

/// The message of a kind. Options stand in no group, whatever group's version they come under.
pub(super) fn of_kind(api_version: &str, kind: &str) -> Option<&'static Message> {
    let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
    // Packages are called by the first word of their group.
    let package = group.split('.').next().unwrap_or_default();
    named(&format!("{package}.{version}.{kind}")).or_else(|| named(&format!("meta.v1.{kind}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_understood_and_leads_to_a_message() {
        let rows: BTreeMap<String, Vec<Row>> =
            serde_json::from_slice(include_bytes!("../../data/messages.json")).unwrap();
        for (name, rows) in rows {
            let message = named(&name).unwrap();
            assert_eq!(message.len(), rows.len(), "{name}");
            for field in message.values() {
                if let Kind::Message(other) = &field.kind {
                    assert!(named(other).is_some(), "{other}");
                }
            }
        }
    }

    #[test]
    fn kinds_are_found_by_their_group() {
        for (api_version, kind) in [
            ("v1", "Pod"),
            ("apps/v1", "Deployment"),
            ("rbac.authorization.k8s.io/v1", "Role"),
            ("authorization.k8s.io/v1", "SelfSubjectAccessReview"),
            ("policy/v1", "Eviction"),
            ("apps/v1", "DeleteOptions"),
        ] {
            assert!(of_kind(api_version, kind).is_some(), "{api_version} {kind}");
        }
        assert!(of_kind("apps/v1", "Pod").is_none());
    }
}
