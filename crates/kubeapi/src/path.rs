//! Places in an object, in the `JSONPath` form that custom resource definitions use for columns and selectable fields.
//!
//! `.spec.replicas`, `.metadata.labels['app.kubernetes.io/name']`, `.spec.ports[0].port`, `.spec.ports[*].port`,
//! `.status.conditions[?(@.type=="Ready")].status`.

use serde_json::Value;

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    Index(usize),
    Each,
    /// Items whose field (by path) is this text.
    Where(Vec<String>, String),
}

/// A place in an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<Step>);

impl Path {
    /// Reads a path; the leading dot may be left out. `None` for what is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let (step, after) = bracket(inside)?;
                steps.push(step);
                rest = after;
                continue;
            }
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            steps.push(Step::Field(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        (!steps.is_empty()).then_some(Self(steps))
    }

    /// The values at this place: one, none, or several when the path selects among items.
    pub fn values<'a>(&self, object: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![object];
        for step in &self.0 {
            found = found.into_iter().flat_map(|value| step.from(value)).collect();
        }
        found
    }

    /// The first value at this place.
    pub fn first<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        self.values(object).into_iter().next()
    }

    /// The value as field selectors compare it; empty for none.
    pub fn text(&self, object: &Value) -> String {
        match self.first(object) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }
}

/// Reads what stands after `[`, up to and with `]`.
fn bracket(inside: &str) -> Option<(Step, &str)> {
    if let Some(quoted) = inside.strip_prefix('\'') {
        let (name, after) = quoted.split_once("']")?;
        return Some((Step::Field(name.to_owned()), after));
    }
    if let Some(condition) = inside.strip_prefix("?(@") {
        let (condition, after) = condition.split_once(")]")?;
        let (path, value) = condition.split_once("==")?;
        let value = value.trim();
        let value = value
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .or_else(|| value.strip_prefix('\'')?.strip_suffix('\''))?;
        let path: Vec<String> = path
            .trim()
            .split('.')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect();
        return (!path.is_empty()).then(|| (Step::Where(path, value.to_owned()), after));
    }
    let (index, after) = inside.split_once(']')?;
    if index == "*" {
        return Some((Step::Each, after));
    }
    Some((Step::Index(index.parse().ok()?), after))
}

impl Step {
    fn from<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match (self, value) {
            (Self::Field(name), Value::Object(fields)) => fields.get(name).into_iter().collect(),
            (Self::Index(index), Value::Array(items)) => items.get(*index).into_iter().collect(),
            (Self::Each, Value::Array(items)) => items.iter().collect(),
            (Self::Each, Value::Object(fields)) => fields.values().collect(),
            (Self::Where(path, wanted), Value::Array(items)) => items
                .iter()
                .filter(|item| {
                    path.iter()
                        .try_fold(*item, |value, name| value.get(name))
                        .and_then(Value::as_str)
                        == Some(wanted)
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_of_step_finds_its_place() {
        let object = json!({
            "metadata": {"labels": {"app.kubernetes.io/name": "web"}},
            "spec": {"replicas": 3, "ports": [{"port": 80}, {"port": 443}]},
            "status": {"conditions": [{"type": "A", "status": "False"}, {"type": "Ready", "status": "True"}]},
        });
        for (path, expected) in [
            (".spec.replicas", "3"),
            ("spec.replicas", "3"),
            ("$.spec.ports[1].port", "443"),
            (".metadata.labels['app.kubernetes.io/name']", "web"),
            (".status.conditions[?(@.type==\"Ready\")].status", "True"),
            (".status.conditions[?(@.type=='A')].status", "False"),
            (".status.missing.deeper", ""),
        ] {
            assert_eq!(Path::parse(path).unwrap().text(&object), expected, "{path}");
        }
        assert_eq!(
            Path::parse(".spec.ports[*].port").unwrap().values(&object),
            [&json!(80), &json!(443)]
        );
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", ".", "..a", ".a[", ".a[x]", ".a[?(@.b)]", ".a['b"] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }
}
