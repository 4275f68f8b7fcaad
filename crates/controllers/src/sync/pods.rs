//! What the pods of a workload tell about where its replicas can run.
//!
//! Pods are not watched: they are many, and they matter only while a workload with a preference has not all of its
//! replicas ready. Then they are listed by its selector, and the answer serves for a while.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoll_clusters::{Collection, Member, OwnError, OwnRequest};
use atoll_federation::ClusterName;
use atoll_federation::plan::Pods;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::observe::ask;
use crate::cache::collection;
use crate::key::Key;

/// How long an answer serves.
const FRESH: Duration = Duration::from_secs(10);
/// A list that has been under way for longer is not awaited any more.
const OVERDUE: Duration = Duration::from_secs(60);
/// Readings that are kept before old ones are looked for.
const MANY: usize = 1024;
/// Pods per page.
const PAGE: usize = 250;
/// Pages of one list; a workload with more pods than that is left as it is.
const PAGES: usize = 20;
/// How long a pod has to be unschedulable before its place is given up.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// Lists the pods of a workload.
pub(crate) async fn read(member: &Member, key: &Key, deadline: Duration) -> Result<Pods, OwnError> {
    timeout(deadline, list(member, key, deadline))
        .await
        .unwrap_or(Err(OwnError::TimedOut(deadline)))
}

async fn list(member: &Member, key: &Key, deadline: Duration) -> Result<Pods, OwnError> {
    let path = collection(key.kind.row()).object_path(key.target_namespace(), &key.name);
    let workload = ask(member, OwnRequest::get_object(path), deadline).await?;
    let unselected = || OwnError::NotKubernetes("a workload without a selector".to_owned());
    let selector = selector(&workload).ok_or_else(unselected)?;
    let pods = Collection {
        group: String::new(),
        version: "v1".to_owned(),
        plural: "pods".to_owned(),
        namespace: key.target_namespace().map(str::to_owned),
    };
    let first = format!("{}?limit={PAGE}&labelSelector={}", pods.path(), encoded(&selector));
    let mut sum = Pods::default();
    let mut path = first.clone();
    for _ in 0..PAGES {
        let page = ask(member, OwnRequest::get(path), deadline).await?;
        let items = page["items"].as_array();
        let items = items.ok_or_else(|| OwnError::NotKubernetes("a list of pods without items".to_owned()))?;
        sum = add(sum, count(items, Timestamp::now()));
        match page["metadata"]["continue"].as_str().filter(|next| !next.is_empty()) {
            Some(next) => path = format!("{first}&continue={}", encoded(next)),
            None => return Ok(sum),
        }
    }
    Err(OwnError::Broken(format!("more than {} pods", PAGE * PAGES)))
}

/// What these pods tell at this time.
fn count(pods: &[Value], now: Timestamp) -> Pods {
    let mut counted = Pods::default();
    for pod in pods {
        if pod["status"]["phase"] == "Running" {
            counted.current += i64::from(condition(pod, "Ready").is_some());
        } else if let Some(scheduled) = condition(pod, "PodScheduled")
            && scheduled["status"] == "False"
            && scheduled["reason"] == "Unschedulable"
        {
            let since = scheduled["lastTransitionTime"].as_str().and_then(|at| at.parse().ok());
            // Without a time it may have been so for ever.
            if since.is_none_or(|since: Timestamp| now.duration_since(since) > PATIENCE) {
                counted.unschedulable += 1;
            } else {
                counted.young_unschedulable = true;
            }
        }
    }
    counted
}

fn condition<'a>(pod: &'a Value, kind: &str) -> Option<&'a Value> {
    let mut conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    conditions.find(|condition| condition["type"] == kind)
}

fn add(one: Pods, other: Pods) -> Pods {
    Pods {
        current: one.current.saturating_add(other.current),
        unschedulable: one.unschedulable.saturating_add(other.unschedulable),
        young_unschedulable: one.young_unschedulable || other.young_unschedulable,
    }
}

/// The selector of a workload as a query has it; `None` when there is none, or one that nobody can ask by. Custom kinds
/// may say it as text in their status, as their scale does.
fn selector(workload: &Value) -> Option<String> {
    let Some(selector) = workload["spec"]["selector"].as_object() else {
        let text = workload["status"]["selector"].as_str();
        return text.filter(|text| !text.is_empty()).map(str::to_owned);
    };
    let mut terms = Vec::new();
    for (key, value) in selector
        .get("matchLabels")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        terms.push(format!("{key}={}", value.as_str()?));
    }
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    for expression in expressions.into_iter().flatten() {
        let key = expression["key"].as_str()?;
        let values = expression["values"].as_array().into_iter().flatten();
        let values: Vec<&str> = values.map(Value::as_str).collect::<Option<_>>()?;
        terms.push(match expression["operator"].as_str()? {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        });
    }
    (!terms.is_empty()).then(|| terms.join(","))
}

/// Text within a query.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

/// What was read, by workload and cluster.
#[derive(Default)]
pub(super) struct Readings {
    inner: Mutex<HashMap<(Key, ClusterName), Reading>>,
}

#[derive(Clone, Copy)]
enum Reading {
    UnderWay {
        since: Instant,
        wanted: Option<i64>,
    },
    Known {
        at: Instant,
        pods: Option<Pods>,
        wanted: Option<i64>,
    },
}

/// What is to be done about the pods of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// They were read a moment ago; `None` when that failed.
    Known(Option<Pods>),
    /// They are being read; whoever does so tells when it is done.
    UnderWay,
    /// The caller reads them now, and tells [`Readings::arrive`].
    Begin,
}

impl Reading {
    fn holds(self) -> bool {
        match self {
            Self::UnderWay { since, .. } => since.elapsed() < OVERDUE,
            Self::Known { at, .. } => at.elapsed() < FRESH,
        }
    }

    /// Whether it says anything about a workload that wants so many replicas: the pods of four are not those of one.
    fn serves(self, wanted: Option<i64>) -> bool {
        match self {
            Self::UnderWay { .. } | Self::Known { pods: None, .. } => true,
            Self::Known { wanted: then, .. } => then == wanted,
        }
    }

    fn wanted(self) -> Option<i64> {
        match self {
            Self::UnderWay { wanted, .. } | Self::Known { wanted, .. } => wanted,
        }
    }
}

impl Readings {
    fn inner(&self) -> MutexGuard<'_, HashMap<(Key, ClusterName), Reading>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of the pods of a workload that wants so many replicas.
    pub(super) fn ask(&self, key: &Key, cluster: &ClusterName, wanted: Option<i64>) -> Asked {
        let mut inner = self.inner();
        let place = (key.clone(), cluster.clone());
        let known = inner.get(&place).copied();
        match known.filter(|reading| reading.holds() && reading.serves(wanted)) {
            Some(Reading::Known { pods, .. }) => Asked::Known(pods),
            Some(Reading::UnderWay { .. }) => Asked::UnderWay,
            None => {
                if inner.len() >= MANY {
                    inner.retain(|_, reading| reading.holds());
                }
                let since = Instant::now();
                inner.insert(place, Reading::UnderWay { since, wanted });
                Asked::Begin
            }
        }
    }

    /// They have been read, or could not be.
    pub(super) fn arrive(&self, key: &Key, cluster: &ClusterName, pods: Option<Pods>) {
        let mut inner = self.inner();
        let place = (key.clone(), cluster.clone());
        let known = Reading::Known {
            at: Instant::now(),
            pods,
            wanted: inner.get(&place).and_then(|reading| reading.wanted()),
        };
        inner.insert(place, known);
    }
}

#[cfg(test)]
mod tests {
    use atoll_federation::types;
    use serde_json::json;

    use super::*;
    use crate::key::Kind;

    const NOW: &str = "2026-01-02T03:04:05Z";

    fn pod(phase: &str, conditions: Value) -> Value {
        json!({"status": {"phase": phase, "conditions": conditions}})
    }

    fn unschedulable(since: &str) -> Value {
        let condition = json!({
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "lastTransitionTime": since,
        });
        pod("Pending", json!([condition]))
    }

    #[test]
    fn what_runs_counts_whether_it_is_ready_or_not() {
        let pods = [
            pod("Running", json!([{"type": "Ready", "status": "True"}])),
            pod("Running", json!([{"type": "Ready", "status": "False"}])),
            pod("Running", json!([])),
            pod("Succeeded", json!([{"type": "Ready", "status": "False"}])),
            pod("Pending", json!([{"type": "PodScheduled", "status": "True"}])),
        ];
        let counted = count(&pods, NOW.parse().unwrap());
        assert_eq!(
            (counted.current, counted.unschedulable, counted.young_unschedulable),
            (2, 0, false)
        );
    }

    #[test]
    fn what_finds_no_node_counts_after_a_minute_and_is_looked_at_again_before() {
        let now: Timestamp = NOW.parse().unwrap();
        let young = count(&[unschedulable("2026-01-02T03:03:05Z")], now);
        assert_eq!((young.unschedulable, young.young_unschedulable), (0, true));
        let old = count(&[unschedulable("2026-01-02T03:03:04Z")], now);
        assert_eq!((old.unschedulable, old.young_unschedulable), (1, false));
        let mut other = unschedulable("2026-01-02T03:03:04Z");
        other["status"]["conditions"][0]["reason"] = "SchedulerError".into();
        assert_eq!(count(&[other], now), Pods::default());
        let mut timeless = unschedulable("");
        timeless["status"]["conditions"][0]["lastTransitionTime"] = Value::Null;
        assert_eq!(count(&[timeless], now).unschedulable, 1);
    }

    #[test]
    fn a_selector_is_asked_for_as_a_whole() {
        let selector = |spec: Value| selector(&json!({"spec": {"selector": spec}}));
        assert_eq!(
            selector(json!({
                "matchLabels": {"app": "web"},
                "matchExpressions": [
                    {"key": "tier", "operator": "In", "values": ["a", "b"]},
                    {"key": "old", "operator": "NotIn", "values": ["x"]},
                    {"key": "is", "operator": "Exists"},
                    {"key": "not", "operator": "DoesNotExist"},
                ],
            }))
            .as_deref(),
            Some("app=web,tier in (a,b),old notin (x),is,!not")
        );
        assert_eq!(selector(json!({})), None);
        assert_eq!(
            selector(json!({"matchExpressions": [{"key": "a", "operator": "Near"}]})),
            None
        );
        let custom = json!({"spec": {}, "status": {"selector": "app=web"}});
        assert_eq!(super::selector(&custom).as_deref(), Some("app=web"));
        assert_eq!(encoded("app in (a,b)"), "app%20in%20%28a%2Cb%29");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_serves_for_ten_seconds_and_one_list_at_a_time_is_under_way() {
        let readings = Readings::default();
        let key = Key {
            kind: Kind::of(types::find("deployments.apps").unwrap()),
            namespace: "shop".into(),
            name: "web".into(),
        };
        let eu = ClusterName::parse("eu-1").unwrap();
        assert_eq!(readings.ask(&key, &eu, Some(4)), Asked::Begin);
        assert_eq!(readings.ask(&key, &eu, Some(4)), Asked::UnderWay);
        readings.arrive(&key, &eu, None);
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(readings.ask(&key, &eu, Some(4)), Asked::Known(None));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(readings.ask(&key, &eu, Some(4)), Asked::Begin);
        assert_eq!(readings.ask(&key, &eu, Some(1)), Asked::UnderWay);
        readings.arrive(&key, &eu, Some(Pods::default()));
        assert_eq!(readings.ask(&key, &eu, Some(4)), Asked::Known(Some(Pods::default())));
        assert_eq!(
            readings.ask(&key, &eu, Some(1)),
            Asked::Begin,
            "these were the pods of four"
        );
        tokio::time::advance(OVERDUE).await;
        assert_eq!(
            readings.ask(&key, &eu, Some(4)),
            Asked::Begin,
            "whoever read them has vanished"
        );
    }
}
