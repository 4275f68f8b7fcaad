//! Whether a member can be used: a pure state machine over probe outcomes.
//!
//! It counts consecutive probes that contradict what is reported, so one lost packet flips nothing and neither does a
//! long healthy past (KubeFed counts the other way round, and its clusters flip on the first failure). The words of the
//! conditions are KubeFed's where it has one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// What people see of a member at one glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Not probed yet.
    Pending,
    /// In use.
    Ready,
    /// In use, or at least answering, with something wrong.
    Degraded,
    /// Not in use.
    Offline,
}

impl State {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Ready => "Ready",
            Self::Degraded => "Degraded",
            Self::Offline => "Offline",
        }
    }
}

/// A condition, as Kubernetes writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// `Ready`, `Offline`, `ConfigMalformed`, `AuthFailed`, `CertInvalid`, `WrongIdentity` or `Degraded`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True` or `False`.
    pub status: String,
    /// One word.
    pub reason: String,
    /// For people.
    pub message: String,
    /// When the status last changed.
    pub last_transition_time: Timestamp,
}

/// Sums over the nodes of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// Thousandths of a processor.
    pub cpu_millis: i64,
    /// Memory in bytes.
    pub memory_bytes: i64,
    /// Pods.
    pub pods: i64,
}

/// What a member says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Facts {
    /// `gitVersion` of the API server.
    pub kubernetes_version: Option<String>,
    /// UID of the namespace `kube-system`: the identity of a cluster.
    pub uid: Option<String>,
    /// Nodes.
    pub node_count: Option<u32>,
    /// Nodes whose condition `Ready` is true.
    pub ready_node_count: Option<u32>,
    /// Sum of the nodes' capacity.
    pub capacity: Option<Resources>,
    /// Sum of what the nodes can give to pods.
    pub allocatable: Option<Resources>,
    /// A guess at who runs it, such as `eks` or `kind`.
    pub provider: Option<String>,
    /// Region of most nodes.
    pub region: Option<String>,
}

/// How one probe ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// `/healthz` said ok.
    Ok {
        /// How long the answer took.
        latency_ms: u64,
    },
    /// It answered something else.
    NotOk {
        /// What.
        message: String,
    },
    /// No answer.
    Unreachable {
        /// Why.
        message: String,
    },
    /// It answered 401.
    AuthFailed {
        /// What it said.
        message: String,
    },
    /// Its certificate does not hold.
    CertInvalid {
        /// Why.
        message: String,
    },
    /// It is another cluster than the one that was registered.
    WrongIdentity {
        /// Which one.
        message: String,
    },
    /// What is registered makes no connection.
    Malformed {
        /// Why.
        message: String,
    },
}

/// How many consecutive probes it takes, and how slow is slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Contrary probes until a member is no longer ready.
    pub failures: u32,
    /// Contrary probes until it is ready again.
    pub successes: u32,
    /// Answers slower than this, as often as `failures` says, degrade a member.
    pub slow_ms: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            failures: 3,
            successes: 1,
            slow_ms: 2000,
        }
    }
}

/// What is known of a member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthSnapshot {
    /// At one glance.
    pub state: State,
    /// Whether the condition `Ready` is true: the member is planned for.
    pub ready: bool,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// In Kubernetes' form.
    pub conditions: Vec<Condition>,
    /// What the member last said about itself; kept while it is away.
    pub facts: Facts,
    /// When the facts were asked for.
    pub facts_as_of: Option<Timestamp>,
    /// How long the last answer took.
    pub latency_ms: Option<u64>,
    /// When it was last probed.
    pub as_of: Option<Timestamp>,
    /// When the credential ends.
    pub credential_expires_at: Option<Timestamp>,
}

/// The state machine's state.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// What is reported.
    pub snapshot: HealthSnapshot,
    contrary: u32,
    slow: u32,
}

/// What a probe changed in what is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The state before.
    pub from: State,
    /// The state now.
    pub to: State,
}

impl Health {
    /// Before the first probe.
    pub fn pending(now: Timestamp, credential_expires_at: Option<Timestamp>) -> Self {
        let snapshot = HealthSnapshot {
            state: State::Pending,
            ready: false,
            since: now,
            conditions: Vec::new(),
            facts: Facts::default(),
            facts_as_of: None,
            latency_ms: None,
            as_of: None,
            credential_expires_at,
        };
        Self {
            snapshot,
            contrary: 0,
            slow: 0,
        }
    }

    /// Goes on from what is on record, perhaps with another credential.
    pub fn resume(snapshot: HealthSnapshot, credential_expires_at: Option<Timestamp>) -> Self {
        let snapshot = HealthSnapshot {
            credential_expires_at,
            ..snapshot
        };
        Self {
            snapshot,
            contrary: 0,
            slow: 0,
        }
    }
}

/// Takes one probe into account. A change is returned only when state or conditions say something new.
pub fn step(health: &Health, outcome: &Outcome, now: Timestamp, thresholds: &Thresholds) -> (Health, Option<Change>) {
    let mut next = health.clone();
    next.snapshot.as_of = Some(now);
    let pending = health.snapshot.state == State::Pending;
    if let Outcome::Ok { latency_ms } = outcome {
        next.snapshot.latency_ms = Some(*latency_ms);
        next.slow = if *latency_ms > thresholds.slow_ms {
            health.slow.saturating_add(1)
        } else {
            0
        };
    }
    let good = matches!(outcome, Outcome::Ok { .. });
    let contrary = good != health.snapshot.ready;
    next.contrary = if contrary { health.contrary.saturating_add(1) } else { 0 };
    // What was never reported contradicts nothing; and some outcomes cannot be an accident.
    let certain = matches!(outcome, Outcome::WrongIdentity { .. } | Outcome::Malformed { .. });
    let needed = if good {
        thresholds.successes
    } else {
        thresholds.failures
    };
    let suppressed = contrary && !pending && !certain && next.contrary < needed;
    if suppressed {
        return (next, None);
    }
    next.contrary = 0;
    let slow = next.slow >= thresholds.failures;
    report(&mut next.snapshot, outcome, slow, now);
    let change = changed(&health.snapshot, &next.snapshot);
    (next, change)
}

/// Takes what a member said about itself into account.
pub fn learn(health: &Health, facts: Facts, now: Timestamp, thresholds: &Thresholds) -> (Health, Option<Change>) {
    let mut next = health.clone();
    next.snapshot.facts = facts;
    next.snapshot.facts_as_of = Some(now);
    if next.snapshot.ready {
        let latency_ms = next.snapshot.latency_ms.unwrap_or_default();
        let slow = next.slow >= thresholds.failures;
        report(&mut next.snapshot, &Outcome::Ok { latency_ms }, slow, now);
    }
    let news = health.snapshot.facts != next.snapshot.facts;
    let state = Change {
        from: health.snapshot.state,
        to: next.snapshot.state,
    };
    let change = changed(&health.snapshot, &next.snapshot).or(news.then_some(state));
    (next, change)
}

fn changed(before: &HealthSnapshot, after: &HealthSnapshot) -> Option<Change> {
    let same = before.state == after.state
        && before.conditions.len() == after.conditions.len()
        && before.conditions.iter().zip(&after.conditions).all(|(a, b)| {
            // Messages carry numbers that move; only words make news.
            (&a.kind, &a.status, &a.reason) == (&b.kind, &b.status, &b.reason)
        });
    (!same).then_some(Change {
        from: before.state,
        to: after.state,
    })
}

fn report(snapshot: &mut HealthSnapshot, outcome: &Outcome, slow: bool, now: Timestamp) {
    let trouble = matches!(outcome, Outcome::Ok { .. })
        .then(|| trouble(snapshot, slow))
        .flatten();
    let state = match (outcome, &trouble) {
        (Outcome::Ok { .. }, None) => State::Ready,
        (Outcome::Ok { .. }, Some(_)) | (Outcome::NotOk { .. }, _) => State::Degraded,
        (
            Outcome::Unreachable { .. }
            | Outcome::AuthFailed { .. }
            | Outcome::CertInvalid { .. }
            | Outcome::WrongIdentity { .. }
            | Outcome::Malformed { .. },
            _,
        ) => State::Offline,
    };
    let ready = |status, reason, message: &str| ("Ready", status, reason, message.to_owned());
    let reachable = || {
        (
            "Offline",
            "False",
            "ClusterReachable",
            "cluster is reachable".to_owned(),
        )
    };
    let wanted = match outcome {
        Outcome::Ok { .. } => {
            let mut wanted = vec![ready("True", "ClusterReady", "/healthz responded with ok")];
            wanted.extend(trouble.map(|(reason, message)| ("Degraded", "True", reason, message)));
            wanted
        }
        Outcome::NotOk { message } => vec![ready("False", "ClusterNotReady", message), reachable()],
        Outcome::Unreachable { message } => {
            vec![(
                "Offline",
                "True",
                "ClusterNotReachable",
                format!("cluster is not reachable: {message}"),
            )]
        }
        Outcome::AuthFailed { message } => vec![
            ready("False", "AuthFailed", message),
            reachable(),
            ("AuthFailed", "True", "Unauthorized", message.clone()),
        ],
        Outcome::CertInvalid { message } => vec![
            ready("False", "CertInvalid", message),
            (
                "Offline",
                "True",
                "ClusterNotReachable",
                format!("cluster is not reachable: {message}"),
            ),
            ("CertInvalid", "True", "CertificateInvalid", message.clone()),
        ],
        Outcome::WrongIdentity { message } => vec![
            ready("False", "WrongIdentity", message),
            reachable(),
            ("WrongIdentity", "True", "UidChanged", message.clone()),
        ],
        Outcome::Malformed { message } => vec![
            ready("False", "ConfigMalformed", message),
            ("ConfigMalformed", "True", "ClusterConfigMalformed", message.clone()),
        ],
    };
    let before = std::mem::take(&mut snapshot.conditions);
    snapshot.conditions = wanted
        .into_iter()
        .map(|(kind, status, reason, message)| {
            let same = before.iter().find(|old| old.kind == kind && old.status == status);
            Condition {
                kind: kind.to_owned(),
                status: status.to_owned(),
                reason: reason.to_owned(),
                message,
                last_transition_time: same.map_or(now, |old| old.last_transition_time),
            }
        })
        .collect();
    snapshot.ready = matches!(outcome, Outcome::Ok { .. });
    if snapshot.state != state {
        snapshot.state = state;
        snapshot.since = now;
    }
}

/// What is wrong with a member that answers.
fn trouble(snapshot: &HealthSnapshot, slow: bool) -> Option<(&'static str, String)> {
    if let (Some(nodes), Some(ready)) = (snapshot.facts.node_count, snapshot.facts.ready_node_count)
        && ready < nodes
    {
        return Some(("NodesNotReady", format!("{ready} of {nodes} nodes are ready")));
    }
    slow.then(|| ("Slow", "the API server answers slowly".to_owned()))
}
