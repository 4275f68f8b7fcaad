//! What a connection sends: the difference between the list it has sent and the newest one. Pure.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::feed::{Snapshot, Source};
use crate::error::Error;

/// Most rows of one frame; more come in further frames.
const MAX_ROWS: usize = 500;

#[derive(Serialize)]
struct Frame<'a> {
    sub: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    initial: bool,
    upserts: Vec<&'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deletes: Vec<&'a str>,
    revision: String,
}

/// What one subscription wants, and what it has got.
pub(super) struct Subscription {
    source: Source,
    namespace: Option<String>,
    name: Option<String>,
    sent: Option<Arc<Snapshot>>,
}

impl Subscription {
    pub(super) fn new(source: Source, namespace: Option<String>, name: Option<String>) -> Self {
        Self {
            source,
            namespace: namespace.filter(|text| !text.is_empty()),
            name: name.filter(|text| !text.is_empty()),
            sent: None,
        }
    }

    /// Whether the row of this key is wanted. The key of a cluster is its name, of an object `namespace/name`.
    fn wants(&self, key: &str) -> bool {
        let (namespace, name) = match self.source {
            Source::Clusters => (None, key),
            Source::Federated(_) => key
                .split_once('/')
                .map_or((None, key), |(namespace, name)| (Some(namespace), name)),
        };
        let fits =
            |wanted: &Option<String>, given: Option<&str>| wanted.as_deref().is_none_or(|wanted| Some(wanted) == given);
        fits(&self.name, Some(name)) && (namespace.is_none() || fits(&self.namespace, namespace))
    }

    /// The frames that bring the other end from what it has to `snapshot`; none when nothing is new.
    pub(super) fn frames(&mut self, sub: u64, snapshot: Arc<Snapshot>) -> Vec<String> {
        let before = self.sent.take();
        let had = |key: &str| before.as_ref().and_then(|before| before.rows.get(key));
        let upserts: Vec<&RawValue> = snapshot
            .rows
            .iter()
            .filter(|(key, row)| self.wants(key) && !had(key).is_some_and(|old| Arc::ptr_eq(old, row)))
            .map(|(_, row)| &**row)
            .collect();
        let gone = before.iter().flat_map(|before| before.rows.keys());
        let deletes: Vec<&str> = gone
            .filter(|key| self.wants(key) && !snapshot.rows.contains_key(*key))
            .map(|key| &**key)
            .collect();
        let initial = before.is_none();
        let mut frames = Vec::new();
        if initial || !upserts.is_empty() || !deletes.is_empty() {
            let revision = snapshot.revision.to_string();
            let (first, rest) = upserts.split_at(upserts.len().min(MAX_ROWS));
            let first = Frame {
                sub,
                initial,
                upserts: first.to_vec(),
                deletes,
                revision: revision.clone(),
            };
            let rest = rest.chunks(MAX_ROWS).map(|rows| Frame {
                sub,
                initial: false,
                upserts: rows.to_vec(),
                deletes: Vec::new(),
                revision: revision.clone(),
            });
            // Text and numbers always serialise.
            frames.extend(
                std::iter::once(first)
                    .chain(rest)
                    .filter_map(|frame| serde_json::to_string(&frame).ok()),
            );
        }
        self.sent = Some(snapshot);
        frames
    }
}

/// The frame that says why a subscription gets nothing.
pub(super) fn error(sub: u64, error: &Error) -> String {
    json!({"sub": sub, "error": {"reason": error.reason(), "message": error.to_string()}}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoll_federation::types;
    use serde_json::Value;
    use std::collections::BTreeMap;

    fn row(text: &str) -> Arc<RawValue> {
        Arc::from(RawValue::from_string(format!("{{\"v\":{text:?}}}")).unwrap())
    }

    fn snapshot(rows: &[(&str, &Arc<RawValue>)]) -> Arc<Snapshot> {
        let rows: BTreeMap<Arc<str>, Arc<RawValue>> = rows
            .iter()
            .map(|(key, row)| (Arc::from(*key), Arc::clone(row)))
            .collect();
        Arc::new(Snapshot { rows, revision: 7 })
    }

    fn read(frames: &[String]) -> Vec<Value> {
        frames
            .iter()
            .map(|frame| serde_json::from_str(frame).unwrap())
            .collect()
    }

    #[test]
    fn the_whole_list_comes_first_and_then_only_what_changed() {
        let (a, b, changed) = (row("a"), row("b"), row("changed"));
        let mut subscription = Subscription::new(Source::Clusters, None, None);
        let first = read(&subscription.frames(1, snapshot(&[("a", &a), ("b", &b)])));
        assert_eq!(first[0]["initial"], true);
        assert_eq!(first[0]["upserts"].as_array().unwrap().len(), 2);
        assert!(subscription.frames(1, snapshot(&[("a", &a), ("b", &b)])).is_empty());
        let next = read(&subscription.frames(1, snapshot(&[("a", &changed)])));
        assert_eq!(
            next,
            [json!({"sub": 1, "upserts": [{"v": "changed"}], "deletes": ["b"], "revision": "7"})]
        );
    }

    #[test]
    fn an_empty_list_is_a_frame_too() {
        let mut subscription = Subscription::new(Source::Clusters, None, None);
        let frames = read(&subscription.frames(1, snapshot(&[])));
        assert_eq!(
            frames,
            [json!({"sub": 1, "initial": true, "upserts": [], "revision": "7"})]
        );
    }

    #[test]
    fn one_object_can_be_watched_alone() {
        let (web, api) = (row("web"), row("api"));
        let source = Source::Federated(types::find("deployments.apps").unwrap());
        let mut subscription = Subscription::new(source, Some("shop".into()), Some("web".into()));
        let frames = read(&subscription.frames(
            1,
            snapshot(&[("shop/web", &web), ("shop/api", &api), ("pay/web", &api)]),
        ));
        assert_eq!(frames[0]["upserts"], json!([{"v": "web"}]));
        assert!(subscription.frames(1, snapshot(&[("shop/web", &web)])).is_empty());
        assert_eq!(
            read(&subscription.frames(1, snapshot(&[])))[0]["deletes"],
            json!(["shop/web"])
        );
    }

    #[test]
    fn a_long_list_comes_in_pieces_of_which_only_the_first_is_the_beginning() {
        let rows: Vec<(String, Arc<RawValue>)> = (0..1200).map(|n| (format!("c{n:04}"), row("x"))).collect();
        let borrowed: Vec<(&str, &Arc<RawValue>)> = rows.iter().map(|(key, row)| (key.as_str(), row)).collect();
        let mut subscription = Subscription::new(Source::Clusters, None, None);
        let frames = read(&subscription.frames(1, snapshot(&borrowed)));
        let sizes: Vec<usize> = frames
            .iter()
            .map(|frame| frame["upserts"].as_array().unwrap().len())
            .collect();
        assert_eq!(sizes, [500, 500, 200]);
        assert_eq!(frames.iter().filter(|frame| frame["initial"] == true).count(), 1);
    }
}
