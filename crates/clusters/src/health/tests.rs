//! The rules of the state machine, one by one.

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn ok() -> Outcome {
    Outcome::Ok { latency_ms: 5 }
}

fn down() -> Outcome {
    Outcome::Unreachable {
        message: "connection refused".into(),
    }
}

/// Runs probes ten seconds apart; returns the machine and the states after each probe.
fn run(outcomes: &[Outcome]) -> (Health, Vec<State>) {
    let mut health = Health::pending(at(0), None);
    let mut states = Vec::new();
    for (n, outcome) in outcomes.iter().enumerate() {
        (health, _) = step(&health, outcome, at(10 * (n as i64 + 1)), &Thresholds::default());
        states.push(health.snapshot.state);
    }
    (health, states)
}

fn words(health: &Health) -> Vec<String> {
    let conditions = health.snapshot.conditions.iter();
    conditions
        .map(|c| format!("{}={} {}", c.kind, c.status, c.reason))
        .collect()
}

#[test]
fn the_first_probe_is_reported_whatever_it_says() {
    assert_eq!(run(&[ok()]).1, [State::Ready]);
    assert_eq!(run(&[down()]).1, [State::Offline]);
}

#[test]
fn three_consecutive_failures_and_one_success() {
    use State::{Offline, Ready};
    let (_, states) = run(&[
        ok(),
        down(),
        down(),
        down(),
        ok(),
        down(),
        down(),
        ok(),
        down(),
        down(),
        down(),
    ]);
    assert_eq!(
        states,
        [
            Ready, Ready, Ready, Offline, Ready, Ready, Ready, Ready, Ready, Ready, Offline
        ]
    );
}

/// KubeFed's counter let a long healthy past flip on the first failure.
#[test]
fn a_long_healthy_past_does_not_shorten_the_patience() {
    let mut outcomes = vec![ok(); 20];
    outcomes.extend([down(), down()]);
    assert_eq!(run(&outcomes).1.last(), Some(&State::Ready));
}

#[test]
fn conditions_are_in_the_words_of_kubefed() {
    assert_eq!(words(&run(&[ok()]).0), ["Ready=True ClusterReady"]);
    assert_eq!(words(&run(&[down()]).0), ["Offline=True ClusterNotReachable"]);
    let not_ok = Outcome::NotOk {
        message: "/healthz responded without ok".into(),
    };
    assert_eq!(
        words(&run(&[not_ok]).0),
        ["Ready=False ClusterNotReady", "Offline=False ClusterReachable"]
    );
    let malformed = Outcome::Malformed {
        message: "no token".into(),
    };
    assert_eq!(
        words(&run(&[malformed]).0),
        [
            "Ready=False ConfigMalformed",
            "ConfigMalformed=True ClusterConfigMalformed"
        ]
    );
    let unauthorized = Outcome::AuthFailed {
        message: "Unauthorized".into(),
    };
    assert_eq!(
        words(&run(&[unauthorized]).0),
        [
            "Ready=False AuthFailed",
            "Offline=False ClusterReachable",
            "AuthFailed=True Unauthorized"
        ]
    );
    let expired = Outcome::CertInvalid {
        message: "expired".into(),
    };
    assert_eq!(
        words(&run(&[expired]).0).last().unwrap(),
        "CertInvalid=True CertificateInvalid"
    );
}

#[test]
fn another_cluster_behind_the_same_address_is_unusable_at_once() {
    let other = Outcome::WrongIdentity {
        message: "uid b instead of a".into(),
    };
    let (health, states) = run(&[ok(), ok(), other]);
    assert_eq!(states.last(), Some(&State::Offline));
    assert!(!health.snapshot.ready);
    assert!(words(&health).contains(&"WrongIdentity=True UidChanged".to_owned()));
}

#[test]
fn transition_times_stay_while_the_status_does() {
    let unauthorized = Outcome::AuthFailed {
        message: "Unauthorized".into(),
    };
    let not_ok = Outcome::NotOk {
        message: "/healthz responded without ok".into(),
    };
    let (health, _) = run(&[not_ok, unauthorized]);
    assert_eq!(health.snapshot.conditions[0].reason, "AuthFailed");
    assert_eq!(health.snapshot.conditions[0].last_transition_time, at(10));
    assert_eq!(health.snapshot.conditions[2].last_transition_time, at(20));
}

#[test]
fn a_heartbeat_is_no_news_and_only_moves_the_time() {
    let (health, _) = run(&[ok()]);
    let (next, change) = step(&health, &Outcome::Ok { latency_ms: 9 }, at(99), &Thresholds::default());
    assert_eq!(change, None);
    assert_eq!(next.snapshot.as_of, Some(at(99)));
    assert_eq!(next.snapshot.latency_ms, Some(9));
    assert_eq!(next.snapshot.since, at(10));
    let (next, change) = step(&next, &down(), at(109), &Thresholds::default());
    assert_eq!(change, None);
    assert!(next.snapshot.ready);
}

#[test]
fn nodes_that_are_not_ready_degrade_and_recover() {
    let (health, _) = run(&[ok()]);
    let facts = |ready| Facts {
        node_count: Some(3),
        ready_node_count: Some(ready),
        ..Facts::default()
    };
    let (health, change) = learn(&health, facts(2), at(50), &Thresholds::default());
    assert_eq!(
        change,
        Some(Change {
            from: State::Ready,
            to: State::Degraded
        })
    );
    assert!(health.snapshot.ready);
    assert_eq!(
        words(&health),
        ["Ready=True ClusterReady", "Degraded=True NodesNotReady"]
    );
    let (health, _) = step(&health, &ok(), at(60), &Thresholds::default());
    assert_eq!(health.snapshot.state, State::Degraded);
    let (health, change) = learn(&health, facts(3), at(70), &Thresholds::default());
    assert_eq!(
        change,
        Some(Change {
            from: State::Degraded,
            to: State::Ready
        })
    );
    assert_eq!(health.snapshot.since, at(70));
    assert_eq!(learn(&health, facts(3), at(80), &Thresholds::default()).1, None);
}

#[test]
fn slowness_counts_only_when_it_lasts() {
    let slow = || Outcome::Ok { latency_ms: 2500 };
    use State::{Degraded, Ready};
    let (_, states) = run(&[slow(), slow(), ok(), slow(), slow(), slow(), ok()]);
    assert_eq!(states, [Ready, Ready, Ready, Ready, Ready, Degraded, Ready]);
}
