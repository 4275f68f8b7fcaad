//! Label and field selectors, as they stand in a query.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::path::Path;
use crate::status::Status;

/// A condition on one label.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    DoesNotExist(String),
    Above(String, i64),
    Below(String, i64),
}

/// A label selector: all requirements hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

impl LabelSelector {
    /// Reads the query form: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
    ///
    /// # Errors
    /// 400 that says what cannot be read.
    pub fn parse(text: &str) -> Result<Self, Status> {
        split_outside_parentheses(text)
            .into_iter()
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| {
                parse_requirement(part).ok_or_else(|| {
                    Status::bad_request(format!(
                        "unable to parse the label selector: {part:?} is no requirement"
                    ))
                })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether an object with these labels is selected.
    pub fn matches(&self, labels: &Value) -> bool {
        let label = |key: &String| labels.get(key).and_then(Value::as_str);
        self.0.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => label(key).is_some_and(|value| values.iter().any(|one| one == value)),
            Requirement::NotIn(key, values) => label(key).is_none_or(|value| values.iter().all(|one| one != value)),
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::DoesNotExist(key) => label(key).is_none(),
            Requirement::Above(key, than) => label(key)
                .and_then(|value| value.parse::<i64>().ok())
                .is_some_and(|value| value > *than),
            Requirement::Below(key, than) => label(key)
                .and_then(|value| value.parse::<i64>().ok())
                .is_some_and(|value| value < *than),
        })
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (index, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn parse_requirement(part: &str) -> Option<Requirement> {
    if let Some(key) = part.strip_prefix('!') {
        return Some(Requirement::DoesNotExist(label_key(key)?));
    }
    if let Some(open) = part.find('(') {
        let values: Vec<String> = part[open + 1..]
            .strip_suffix(')')?
            .split(',')
            .map(label_value)
            .collect::<Option<_>>()?;
        let mut words = part[..open].split_whitespace();
        let key = label_key(words.next()?)?;
        let operator = words.next()?;
        return match (operator, words.next()) {
            ("in", None) => Some(Requirement::In(key, values)),
            ("notin", None) => Some(Requirement::NotIn(key, values)),
            _ => None,
        };
    }
    if let Some((key, value)) = part.split_once("!=") {
        return Some(Requirement::NotIn(label_key(key)?, vec![label_value(value)?]));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Some(Requirement::In(label_key(key)?, vec![label_value(value)?]));
    }
    if let Some((key, value)) = part.split_once('>') {
        return Some(Requirement::Above(label_key(key)?, value.trim().parse().ok()?));
    }
    if let Some((key, value)) = part.split_once('<') {
        return Some(Requirement::Below(label_key(key)?, value.trim().parse().ok()?));
    }
    Some(Requirement::Exists(label_key(part)?))
}

fn label_key(text: &str) -> Option<String> {
    let text = text.trim();
    crate::names::is_label_key(text).then(|| text.to_owned())
}

fn label_value(text: &str) -> Option<String> {
    let text = text.trim();
    crate::names::is_label_value(text).then(|| text.to_owned())
}

/// A field selector: conditions on fields that a resource declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSelector(Vec<Condition>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    place: Place,
    equal: bool,
    value: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Name,
    Namespace,
    Other(Path),
}

impl FieldSelector {
    /// Reads `metadata.name=x,status.phase!=Running`. `selectable` has the fields that may be named, beside
    /// `metadata.name` and `metadata.namespace`. `\\`, `\,` and `\=` stand for themselves in values.
    ///
    /// # Errors
    /// 400 for a field that cannot be selected by.
    pub fn parse(text: &str, selectable: &BTreeMap<String, Path>) -> Result<Self, Status> {
        split_unescaped(text)
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(|part| {
                let (field, equal, value) = if let Some((field, value)) = part.split_once("!=") {
                    (field, false, value)
                } else if let Some((field, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
                    (field, true, value)
                } else {
                    return Err(Status::bad_request(format!(
                        "invalid field selector: {part:?}; must be FIELD=VALUE"
                    )));
                };
                let place = match field.trim() {
                    "metadata.name" => Place::Name,
                    "metadata.namespace" => Place::Namespace,
                    other => Place::Other(
                        selectable
                            .get(other)
                            .cloned()
                            .ok_or_else(|| Status::bad_request(format!("field label not supported: {other}")))?,
                    ),
                };
                Ok(Condition {
                    place,
                    equal,
                    value: unescape(value)?,
                })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The same, for one name only.
    #[must_use]
    pub fn and_name(mut self, name: &str) -> Self {
        self.0.push(Condition {
            place: Place::Name,
            equal: true,
            value: name.to_owned(),
        });
        self
    }

    /// Whether the object is selected.
    pub fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|condition| {
            let metadata = |field: &str| object["metadata"][field].as_str().unwrap_or_default() == condition.value;
            let same = match &condition.place {
                Place::Name => metadata("name"),
                Place::Namespace => metadata("namespace"),
                Place::Other(path) => path.text(object) == condition.value,
            };
            same == condition.equal
        })
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn split_unescaped(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (index, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn unescape(text: &str) -> Result<String, Status> {
    let bad = || Status::bad_request(format!("invalid field selector: {text:?} has a bad escape"));
    let mut result = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => result.push(
                characters
                    .next()
                    .filter(|next| matches!(next, '\\' | ',' | '='))
                    .ok_or_else(bad)?,
            ),
            ',' | '=' => return Err(bad()),
            other => result.push(other),
        }
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn every_form_of_requirement_is_read() {
        let labels = json!({"app": "web", "tier": "front", "weight": "5"});
        for (text, expected) in [
            ("", true),
            ("app=web", true),
            ("app==web,tier=front", true),
            ("app!=web", false),
            ("zone!=eu", true),
            ("app in (web, api)", true),
            ("app notin (web)", false),
            ("zone notin (eu)", true),
            ("app", true),
            ("!app", false),
            ("!zone", true),
            ("example.com/x", false),
            ("app in (api),tier", false),
            ("app in(web)", true),
            ("app=", false),
            ("zone=", false),
            ("weight>3", true),
            ("weight < 3", false),
            ("app>3", false),
        ] {
            assert_eq!(LabelSelector::parse(text).unwrap().matches(&labels), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for text in ["a b", "a in b", "a in (b", "=x", "a=b=c", "a@b", "a in (b) c"] {
            assert!(LabelSelector::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn unknown_fields_cannot_be_selected_by() {
        assert!(FieldSelector::parse("spec.x=1", &BTreeMap::new()).is_err());
        let by_name = FieldSelector::parse("metadata.name=web,metadata.namespace!=x", &BTreeMap::new()).unwrap();
        assert!(by_name.matches(&json!({"metadata": {"name": "web", "namespace": "shop"}})));
        assert!(
            !by_name
                .and_name("api")
                .matches(&json!({"metadata": {"name": "web", "namespace": "shop"}}))
        );
        let selectable = BTreeMap::from([("status.phase".to_owned(), Path::parse(".status.phase").unwrap())]);
        let by_phase = FieldSelector::parse(r"status.phase=a\,b", &selectable).unwrap();
        assert!(by_phase.matches(&json!({"status": {"phase": "a,b"}})));
        assert!(FieldSelector::parse("status.phase=a=b", &selectable).is_err());
    }

    proptest! {
        #[test]
        fn a_requirement_and_its_opposite_never_agree(key in "[a-z]{1,4}", value in "[a-z]{0,3}", label in proptest::option::of("[a-z]{0,3}")) {
            let labels = label.map_or(json!({}), |label| json!({key.clone(): label}));
            let is = LabelSelector::parse(&format!("{key}={value}")).unwrap().matches(&labels);
            let is_not = LabelSelector::parse(&format!("{key}!={value}")).unwrap().matches(&labels);
            prop_assert_ne!(is, is_not);
        }
    }
}
