//! What a list and a watch say, read and checked.

use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Collection, WatchEvent};
use crate::request::{OwnError, Refusal, refusal_of};
use crate::scrub::Scrub;

/// The most items of a page. Servers that do not know pages send all in one; what is small as text is large when it is
/// read.
const MAX_ITEMS: usize = 50_000;

/// One page of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    kind: String,
    api_version: String,
    #[serde(default)]
    metadata: PageMetadata,
    /// Go writes an empty list as `null` at times.
    items: Option<Items>,
}

/// The items of a page, as long as there are not absurdly many.
#[derive(Default)]
struct Items(Vec<Value>);

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Counted)
    }
}

struct Counted;

impl<'de> Visitor<'de> for Counted {
    type Value = Items;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a list of at most {MAX_ITEMS} items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Items, A::Error> {
        let mut listed = Vec::new();
        while let Some(item) = items.next_element()? {
            if listed.len() == MAX_ITEMS {
                return Err(A::Error::invalid_length(MAX_ITEMS + 1, &self));
            }
            listed.push(item);
        }
        Ok(Items(listed))
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PageMetadata {
    resource_version: String,
    r#continue: String,
}

/// A page that holds.
pub(super) struct Listed {
    pub(super) items: Vec<Value>,
    /// Token of the next page.
    pub(super) next: Option<String>,
    /// Where a watch goes on from.
    pub(super) revision: String,
}

impl Page {
    /// Checks that this is a list of what was asked for. An answer of another kind is no empty list.
    pub(super) fn check(self, collection: &Collection) -> Result<Listed, OwnError> {
        let Self {
            kind,
            api_version,
            metadata,
            items,
        } = self;
        let foreign = |what: String| Err(OwnError::NotKubernetes(what));
        let Some(item_kind) = kind.strip_suffix("List").filter(|kind| !kind.is_empty()) else {
            return foreign("the answer is no list".to_owned());
        };
        if api_version != collection.api_version() {
            return foreign(format!("the answer is no list of {}", collection.api_version()));
        }
        if metadata.resource_version.is_empty() {
            return foreign("the list has no resourceVersion".to_owned());
        }
        let mut listed = Vec::new();
        for mut item in items.unwrap_or_default().0 {
            let Some(fields) = item.as_object_mut() else {
                return foreign("the list has an item that is no object".to_owned());
            };
            // The items of a list do not repeat what the list says; those of a watch do.
            fields
                .entry("apiVersion")
                .or_insert_with(|| api_version.as_str().into());
            fields.entry("kind").or_insert_with(|| item_kind.into());
            if name_of(&item).is_none() {
                return foreign("the list has an item without a name".to_owned());
            }
            listed.push(item);
        }
        let next = Some(metadata.r#continue).filter(|token| !token.is_empty());
        Ok(Listed {
            items: listed,
            next,
            revision: metadata.resource_version,
        })
    }
}

/// One line of a watch.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    object: Value,
}

/// What one line means.
pub(super) enum Message {
    /// Something happened, or nothing (a bookmark), up to a revision.
    Happened(Option<WatchEvent>, String),
    /// The watch ends with this.
    Refused(Box<Refusal>),
}

impl Message {
    pub(super) fn read(line: &[u8], scrub: &Scrub) -> Result<Self, OwnError> {
        let foreign = |what: &str| OwnError::NotKubernetes(format!("{what}{}", scrub.excerpt(line)));
        let Line { kind, object } =
            serde_json::from_slice(line).map_err(|_| foreign("a line of the watch is no event"))?;
        if kind == "ERROR" {
            let refusal = refusal_of(object, scrub).ok_or_else(|| foreign("an error without a Status"))?;
            return Ok(Self::Refused(Box::new(refusal)));
        }
        let revision = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
        let revision = revision.filter(|revision| !revision.is_empty());
        let revision = revision
            .ok_or_else(|| foreign("an event without a resourceVersion"))?
            .to_owned();
        let event = match kind.as_str() {
            "BOOKMARK" => None,
            "ADDED" | "MODIFIED" if name_of(&object).is_some() => Some(WatchEvent::Present(Box::new(object))),
            "DELETED" if name_of(&object).is_some() => Some(WatchEvent::Gone(Box::new(object))),
            _ => return Err(foreign("an event of no known type, or without a name")),
        };
        Ok(Self::Happened(event, revision))
    }
}

/// Whether the member has compacted, or not yet seen, the revision that was asked for.
pub(super) fn is_out_of_range(refusal: &Refusal) -> bool {
    let too_large = |cause: &Value| cause.get("reason").and_then(Value::as_str) == Some("ResourceVersionTooLarge");
    let causes = refusal.details.get("causes").and_then(Value::as_array);
    refusal.code == 410 || refusal.reason == "Expired" || causes.is_some_and(|causes| causes.iter().any(too_large))
}

fn name_of(object: &Value) -> Option<&str> {
    object
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::connection::Credential;

    fn deployments() -> Collection {
        Collection {
            group: "apps".into(),
            version: "v1".into(),
            plural: "deployments".into(),
            namespace: None,
        }
    }

    fn checked(page: Value) -> Result<Listed, OwnError> {
        serde_json::from_value::<Page>(page).unwrap().check(&deployments())
    }

    #[test]
    fn items_of_a_list_learn_their_kind_from_it() {
        let page = json!({"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": {"resourceVersion": "7",
            "continue": "x"}, "items": [{"metadata": {"name": "a"}}]});
        let listed = checked(page).unwrap();
        let item = json!({"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "a"}});
        assert_eq!(listed.items[0], item);
        assert_eq!((listed.next.as_deref(), listed.revision.as_str()), (Some("x"), "7"));
    }

    /// F19
    #[test]
    fn an_answer_of_another_kind_is_no_empty_list() {
        let metadata = json!({"resourceVersion": "7"});
        for page in [
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "items": []}),
            json!({"kind": "List", "apiVersion": "apps/v1", "metadata": metadata, "items": []}),
            json!({"kind": "DeploymentList", "apiVersion": "v1", "metadata": metadata, "items": []}),
            json!({"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": {}, "items": []}),
            json!({"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": metadata, "items": [1]}),
            json!({"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": metadata, "items": [{}]}),
        ] {
            assert!(
                matches!(checked(page.clone()), Err(OwnError::NotKubernetes(_))),
                "{page}"
            );
        }
        let null = json!({"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": metadata, "items": null});
        assert!(checked(null).unwrap().items.is_empty());
    }

    #[test]
    fn a_page_of_absurdly_many_items_is_refused() {
        let page = |count: usize| {
            let metadata = json!({"resourceVersion": "7"});
            let items = vec![json!({"metadata": {"name": "a"}}); count];
            let page = json!({"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": metadata, "items": items});
            serde_json::from_slice::<Page>(&serde_json::to_vec(&page).unwrap())
        };
        assert!(page(MAX_ITEMS).is_ok());
        assert!(page(MAX_ITEMS + 1).is_err());
    }

    #[test]
    fn lines_of_a_watch_are_told_apart() {
        let scrub = Scrub::new(&Credential::Token("canary-token-1".to_owned().into()));
        let read = |line: &str| Message::read(line.as_bytes(), &scrub);
        let object = r#"{"metadata":{"name":"a","resourceVersion":"9"}}"#;
        let event = |kind: &str| read(&format!(r#"{{"type":"{kind}","object":{object}}}"#));
        use WatchEvent::{Gone, Present};
        assert!(matches!(event("ADDED"), Ok(Message::Happened(Some(Present(_)), revision)) if revision == "9"));
        assert!(matches!(event("MODIFIED"), Ok(Message::Happened(Some(Present(_)), _))));
        assert!(matches!(event("DELETED"), Ok(Message::Happened(Some(Gone(_)), _))));
        assert!(matches!(event("BOOKMARK"), Ok(Message::Happened(None, _))));
        assert!(matches!(event("SURPRISE"), Err(OwnError::NotKubernetes(_))));
        let expired = r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","code":410}}"#;
        assert!(matches!(read(expired), Ok(Message::Refused(refusal)) if is_out_of_range(&refusal)));
        let echo = read("Authorization: Bearer canary-token-1");
        assert!(matches!(echo, Err(OwnError::NotKubernetes(text)) if !text.contains("canary")));
    }

    #[test]
    fn a_revision_that_the_member_has_not_seen_yet_is_listed_anew() {
        let refusal = |reason: &str| Refusal {
            code: 504,
            reason: "Timeout".into(),
            message: String::new(),
            details: json!({"causes": [{"reason": reason}]}),
            retry_after: None,
        };
        assert!(is_out_of_range(&refusal("ResourceVersionTooLarge")));
        assert!(!is_out_of_range(&refusal("Other")));
    }
}
