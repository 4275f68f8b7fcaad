//! What the hub knows of its members goes on record: into the side table and into the status of the `KubeFedCluster`.
//!
//! Only when it says something new. Probes come every few seconds, and a write for each would wake every watcher of the
//! hub; times and latencies stay in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use atoll_clusters::{Condition, Facts, HealthSnapshot, Member, State};
use atoll_federation::EventNote;
use atoll_store::{ClusterHealth, Error as StoreError, Object, Store, Transaction, Write};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::error::{Doing, Error, Result, chain};
use crate::events::{Recorder, Subject};
use crate::hub::Hub;
use crate::leader::Leadership;
use crate::registry::last_health;

const RETRY: Duration = Duration::from_secs(1);

/// Records the health of all members until the leadership ends.
pub(crate) async fn run(hub: Hub, leadership: Leadership, recorder: Recorder) {
    let mut recorded: BTreeMap<String, Essence> = BTreeMap::new();
    let mut news = hub.clusters.health();
    let mut set = hub.clusters.subscribe();
    loop {
        news.mark_unchanged();
        let members = set.borrow_and_update().clone();
        recorded.retain(|name, _| members.contains_key(name));
        let mut failed = false;
        for member in members.values() {
            let snapshot = member.health();
            let essence = Essence::of(member.generation(), &snapshot);
            if snapshot.state == State::Pending || recorded.get(member.name()) == Some(&essence) {
                continue;
            }
            match record(&hub, &leadership, member, &snapshot, &essence).await {
                Ok(written) => {
                    if let Some((subject, note)) = written {
                        recorder.tell(&subject, note);
                    }
                    recorded.insert(member.name().to_owned(), essence);
                }
                Err(error) if error.is_lost_leadership() => return,
                Err(error) => {
                    failed = true;
                    if !error.is_conflict() {
                        tracing::warn!(cluster.name = member.name(), error = %chain(&error), "the health of a cluster cannot be recorded");
                    }
                }
            }
        }
        tokio::select! {
            () = leadership.lost().cancelled() => return,
            Ok(()) = news.changed() => {}
            Ok(()) = set.changed() => {}
            () = sleep(RETRY), if failed => {}
        }
    }
}

/// What makes news: words, not numbers that move by themselves.
#[derive(Debug, Clone, PartialEq)]
struct Essence {
    generation: i64,
    state: State,
    conditions: Vec<(String, String, String)>,
    facts: Facts,
}

impl Essence {
    fn of(generation: i64, snapshot: &HealthSnapshot) -> Self {
        let words = |condition: &Condition| {
            (
                condition.kind.clone(),
                condition.status.clone(),
                condition.reason.clone(),
            )
        };
        Self {
            generation,
            state: snapshot.state,
            conditions: snapshot.conditions.iter().map(words).collect(),
            facts: snapshot.facts.clone(),
        }
    }
}

async fn record(
    hub: &Hub,
    leadership: &Leadership,
    member: &Arc<Member>,
    snapshot: &HealthSnapshot,
    essence: &Essence,
) -> Result<Option<(Subject, EventNote)>> {
    leadership.check()?;
    let name = member.name();
    let Some(row) = hub.store.cluster(name).await.doing("reading a cluster")? else {
        return Ok(None);
    };
    let object = hub
        .store
        .object(&Store::cluster_key(name))
        .await
        .doing("reading a cluster's object")?;
    let known = last_health(&row).is_some_and(|last| Essence::of(row.credential_revision, &last) == *essence);
    let status = object.as_ref().map(|object| status(&object.body["status"], snapshot));
    let told = object
        .as_ref()
        .zip(status.as_ref())
        .is_none_or(|(object, status)| words(&object.body["status"]) == words(status));
    if known && told && (row.uid.is_some() || member.uid().is_none()) {
        return Ok(None);
    }
    let health = ClusterHealth {
        name: name.to_owned(),
        credential_revision: member.generation(),
        uid: member.uid(),
        provider: snapshot.facts.provider.clone(),
        region: snapshot.facts.region.clone(),
        state: snapshot.state.as_str().to_owned(),
        since: snapshot.since,
        conditions: json!(snapshot.conditions),
        probe: serde_json::to_value(snapshot).unwrap_or_default(),
    };
    let written = write(hub, leadership, object.as_ref(), status.clone(), health.clone()).await;
    if let Err(Error::Store {
        source: StoreError::ClusterRegistered(_),
        ..
    }) = &written
    {
        // The registry closes the member for it; until then its state is told without its identity.
        let health = ClusterHealth { uid: None, ..health };
        write(hub, leadership, object.as_ref(), status.clone(), health).await?;
    } else {
        written?;
    }
    let told = object.as_ref().zip(status.as_ref()).and_then(|(object, status)| {
        let note = note(status)?;
        let before = note_reason(&object.body["status"]);
        (before != Some(note.reason)).then(|| (Subject::of(object), note))
    });
    Ok(told)
}

/// What a status is worth telling, in KubeFed's words where it has one.
fn note(status: &Value) -> Option<EventNote> {
    let is_true = |condition: &&Value| condition["status"] == "True";
    let conditions = || status["conditions"].as_array().into_iter().flatten();
    let of = |kind: &str| conditions().filter(is_true).find(|condition| condition["type"] == kind);
    let told = |warning: bool, reason: &'static str, condition: &Value| EventNote {
        warning,
        reason,
        message: condition["message"].as_str().unwrap_or_default().to_owned(),
    };
    if let Some(condition) = of("ConfigMalformed") {
        return Some(told(true, "MalformedClusterConfig", condition));
    }
    if let Some(condition) = ["AuthFailed", "CertInvalid", "Offline"].into_iter().find_map(of) {
        return Some(told(true, "RetrievingClusterHealthFailed", condition));
    }
    if let Some(condition) = of("WrongIdentity") {
        return Some(told(true, "ClusterNotReady", condition));
    }
    let ready = conditions().find(|condition| condition["type"] == "Ready")?;
    Some(if ready["status"] == "True" {
        told(false, "ClusterReady", ready)
    } else {
        told(true, "ClusterNotReady", ready)
    })
}

fn note_reason(status: &Value) -> Option<&'static str> {
    note(status).map(|note| note.reason)
}

async fn write(
    hub: &Hub,
    leadership: &Leadership,
    object: Option<&Object>,
    status: Option<Value>,
    health: ClusterHealth,
) -> Result<()> {
    let mut writes = vec![Write::PutHealth(Box::new(health))];
    if let (Some(object), Some(status)) = (object, status) {
        let mut body = (*object.body).clone();
        body["status"] = status;
        writes.push(Write::Update {
            key: object.key.clone(),
            body: body.into(),
            expected: object.revision,
        });
    }
    let lease = Some(leadership.lease().clone());
    hub.store
        .write(Transaction { writes, lease })
        .await
        .map(drop)
        .doing("recording the health of a cluster")
}

/// `status` of a `KubeFedCluster`. What the hub knows nothing about stays as somebody wrote it, zones for one.
fn status(before: &Value, snapshot: &HealthSnapshot) -> Value {
    let mut status = if before.is_object() { before.clone() } else { json!({}) };
    let probed = seconds(snapshot.as_of.unwrap_or(snapshot.since));
    let condition = |condition: &Condition| {
        json!({
            "type": condition.kind,
            "status": condition.status,
            "reason": condition.reason,
            "message": condition.message,
            "lastProbeTime": probed,
            "lastTransitionTime": seconds(condition.last_transition_time),
        })
    };
    status["conditions"] = snapshot.conditions.iter().map(condition).collect();
    if let Some(version) = &snapshot.facts.kubernetes_version {
        status["kubernetesVersion"] = version.as_str().into();
    }
    if let Some(region) = &snapshot.facts.region {
        status["region"] = region.as_str().into();
    }
    status
}

/// What of a status makes news.
fn words(status: &Value) -> Value {
    let mut words = status.clone();
    for condition in words["conditions"].as_array_mut().into_iter().flatten() {
        if let Some(condition) = condition.as_object_mut() {
            for field in ["message", "lastProbeTime", "lastTransitionTime"] {
                condition.remove(field);
            }
        }
    }
    words
}

/// A time as Kubernetes writes it.
fn seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> HealthSnapshot {
        HealthSnapshot {
            state: State::Ready,
            ready: true,
            since: "2026-01-02T03:04:05.678Z".parse().unwrap(),
            conditions: vec![Condition {
                kind: "Ready".into(),
                status: "True".into(),
                reason: "ClusterReady".into(),
                message: "/healthz responded with ok".into(),
                last_transition_time: "2026-01-02T03:04:05.678Z".parse().unwrap(),
            }],
            facts: Facts {
                kubernetes_version: Some("v1.36.3".into()),
                region: None,
                ..Facts::default()
            },
            facts_as_of: None,
            latency_ms: Some(3),
            as_of: Some("2026-01-02T03:05:05.678Z".parse().unwrap()),
            credential_expires_at: None,
        }
    }

    #[test]
    fn a_status_keeps_what_the_hub_knows_nothing_about() {
        let status = status(
            &json!({"zones": ["a"], "region": "by hand", "conditions": []}),
            &snapshot(),
        );
        assert_eq!(
            status,
            json!({
                "zones": ["a"],
                "region": "by hand",
                "kubernetesVersion": "v1.36.3",
                "conditions": [{
                    "type": "Ready", "status": "True", "reason": "ClusterReady", "message": "/healthz responded with ok",
                    "lastProbeTime": "2026-01-02T03:05:05Z", "lastTransitionTime": "2026-01-02T03:04:05Z",
                }],
            })
        );
    }

    #[test]
    fn what_is_wrong_with_a_cluster_is_told_in_kubefeds_words() {
        let told = |conditions: Value| {
            let note = note(&json!({"conditions": conditions})).unwrap();
            (note.warning, note.reason)
        };
        let condition = |kind: &str, status: &str| json!({"type": kind, "status": status, "message": "m"});
        assert_eq!(told(json!([condition("Ready", "True")])), (false, "ClusterReady"));
        assert_eq!(
            told(json!([condition("Ready", "False"), condition("Offline", "False")])),
            (true, "ClusterNotReady")
        );
        assert_eq!(
            told(json!([condition("Offline", "True")])),
            (true, "RetrievingClusterHealthFailed")
        );
        assert_eq!(
            told(json!([condition("ConfigMalformed", "True")])),
            (true, "MalformedClusterConfig")
        );
        assert_eq!(note(&json!({})), None);
    }

    #[test]
    fn times_and_latencies_make_no_news() {
        let mut later = snapshot();
        later.latency_ms = Some(900);
        later.as_of = Some("2026-01-02T04:00:00Z".parse().unwrap());
        later.conditions[0].message = "another text".into();
        assert_eq!(Essence::of(1, &snapshot()), Essence::of(1, &later));
        assert_eq!(
            words(&status(&json!({}), &snapshot())),
            words(&status(&json!({}), &later))
        );
        later.conditions[0].reason = "AnotherWord".into();
        assert_ne!(Essence::of(1, &snapshot()), Essence::of(1, &later));
        assert_ne!(
            words(&status(&json!({}), &snapshot())),
            words(&status(&json!({}), &later))
        );
        assert_ne!(Essence::of(1, &snapshot()), Essence::of(2, &snapshot()));
    }
}
