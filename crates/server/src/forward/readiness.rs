//! Whether a member can be asked at all, told from what its probes found.

use atoll_clusters::{Condition, HealthSnapshot, Member, State};
use atoll_kubeapi::Cause;

use crate::error::{Error, Result};

/// When to ask again: after the next probe.
pub(super) const RETRY_SECONDS: i64 = 10;
/// When to ask again of a member that is about to be probed for the first time.
const FIRST_PROBE_SECONDS: i64 = 2;

/// Refuses for a member that is not ready, with the condition that says why.
///
/// # Errors
/// 503.
pub(super) fn check(member: &Member) -> Result<()> {
    if member.is_ready() {
        return Ok(());
    }
    Err(not_ready(member.name(), &member.health()))
}

fn not_ready(name: &str, health: &HealthSnapshot) -> Error {
    if health.state == State::Pending {
        let message = format!("cluster {name:?} has not been reached yet; try again in a moment");
        return Error::unavailable(message, FIRST_PROBE_SECONDS)
            .in_cluster(name)
            .with_cause(Cause::new("Pending", "", "no probe has ended yet"));
    }
    let Some(condition) = telling(&health.conditions) else {
        return Error::unavailable(format!("cluster {name:?} is not ready"), RETRY_SECONDS).in_cluster(name);
    };
    let (stage, hint) = way_out(&condition.kind);
    let error = Error::unavailable(
        format!("cluster {name:?} is not ready: {}", condition.message),
        RETRY_SECONDS,
    )
    .in_cluster(name)
    .with_cause(Cause::new(&condition.reason, "", condition.message.clone()))
    .with_hint(hint);
    if stage.is_empty() { error } else { error.at_stage(stage) }
}

/// The condition that says most: what is wrong before that something is.
fn telling(conditions: &[Condition]) -> Option<&Condition> {
    const ORDER: [&str; 6] = [
        "ConfigMalformed",
        "WrongIdentity",
        "AuthFailed",
        "CertInvalid",
        "Offline",
        "Ready",
    ];
    ORDER.iter().find_map(|kind| {
        let wrong = if *kind == "Ready" { "False" } else { "True" };
        conditions
            .iter()
            .find(|condition| condition.kind == *kind && condition.status == wrong)
    })
}

/// The stage of a connection that a condition is about, and what to do.
fn way_out(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "ConfigMalformed" => ("kubeconfig", "Replace the cluster's credential."),
        "WrongIdentity" => (
            "identity",
            "The address leads to another cluster: correct it, or register that one anew.",
        ),
        "AuthFailed" => ("signIn", "Replace the cluster's credential."),
        "CertInvalid" => (
            "tls",
            "Renew the certificate of the API server, or replace the cluster's credential with its new authority.",
        ),
        "Offline" => ("tcp", "Check that the API server runs and that the hub can reach it."),
        _ => (
            "",
            "Check the cluster's API server: it answers, but not that it is well.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(state: State, conditions: &[(&str, &str, &str)]) -> HealthSnapshot {
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        let condition = |(kind, status, reason): &(&str, &str, &str)| Condition {
            kind: (*kind).to_owned(),
            status: (*status).to_owned(),
            reason: (*reason).to_owned(),
            message: format!("{reason} it is"),
            last_transition_time: at,
        };
        HealthSnapshot {
            state,
            ready: false,
            since: at,
            conditions: conditions.iter().map(condition).collect(),
            facts: Default::default(),
            facts_as_of: None,
            latency_ms: None,
            as_of: None,
            credential_expires_at: None,
        }
    }

    #[test]
    fn the_answer_names_reason_stage_and_way_out() {
        let health = health(
            State::Offline,
            &[
                ("Ready", "False", "CertInvalid"),
                ("Offline", "True", "ClusterNotReachable"),
                ("CertInvalid", "True", "CertificateInvalid"),
            ],
        );
        let status = not_ready("eu-1", &health).into_status();
        let details = status.details.unwrap();
        assert_eq!(
            (status.code, details.cluster.as_str(), details.stage.as_str()),
            (503, "eu-1", "tls")
        );
        assert_eq!(
            (details.causes[0].reason.as_str(), details.retry_after_seconds),
            ("CertificateInvalid", Some(10))
        );
        assert!(!details.hint.is_empty());
    }

    #[test]
    fn a_member_that_was_never_probed_is_asked_again_soon() {
        let status = not_ready("eu-1", &health(State::Pending, &[])).into_status();
        assert_eq!(status.details.unwrap().retry_after_seconds, Some(2));
    }
}
