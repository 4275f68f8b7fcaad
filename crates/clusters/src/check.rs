//! The staged check: a connection that is not registered, tried step by step, so that people see how far it gets.
//!
//! It quotes nothing of what is not Kubernetes' own: whoever may try addresses must not read what is behind them.

mod explain;
mod stage;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::DropGuard;

pub use stage::{CheckFailure, FailureKind, Findings, Stage, StageReport, StageState};

use crate::connect::{Connector, Network, Stream};
use crate::connection::Connection;
use crate::facts::{ask_identity, ask_nodes, ask_version};
use crate::health::Facts;
use crate::request::{OwnError, OwnRequest};
use crate::tasks::Tasks;
use crate::transport::{Ask as _, Origin, Session};
use explain::{Trouble, explain};

/// What ends sooner than this is worth a word.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);
/// The oldest minor version of Kubernetes that is supported.
const OLDEST_MINOR: u32 = 33;

/// Tries a connection, stage by stage; `report` is told as each starts and ends.
///
/// # Errors
/// At the first stage that does not pass.
pub async fn check(
    connection: &Connection,
    network: &Network,
    report: &mut (dyn FnMut(StageReport) + Send),
) -> Result<Findings, CheckFailure> {
    let mut stages = Stages {
        report,
        warnings: Vec::new(),
    };
    let (mut session, _guard) = reach(connection, network, &mut stages).await?;

    let user = sign_in(connection, &mut session, &mut stages).await?;
    let mut facts = Facts::default();
    let latency = version(&mut session, &mut facts, &mut stages).await?;
    let full_rights = permissions(&mut session, &mut stages).await?;
    nodes(&mut session, &mut facts, &mut stages).await;
    let running = stages.begin(Stage::Identity);
    match ask_identity(&mut session).await {
        Ok(uid) => {
            stages.pass(running, Some(format!("UID {uid}")));
            facts.uid = Some(uid);
        }
        Err(error) => return Err(stages.fail(running, explain(&error))),
    }
    Ok(Findings {
        facts,
        latency_ms: millis(latency),
        user,
        full_rights,
        warnings: stages.warnings,
    })
}

/// Name, address, certificate: up to a verified connection.
async fn reach(
    connection: &Connection,
    network: &Network,
    stages: &mut Stages<'_>,
) -> Result<(Session, DropGuard), CheckFailure> {
    let parts = Connector::new(connection, network).and_then(|connector| Ok((connector, Origin::new(connection)?)));
    let (connector, origin) = match parts {
        Ok(parts) => parts,
        Err(error) => {
            let running = stages.begin(Stage::Kubeconfig);
            return Err(stages.fail(running, Trouble::malformed(&error)));
        }
    };
    let running = stages.begin(Stage::Dns);
    let addresses = match connector.resolve().await {
        Ok(addresses) => addresses,
        Err(error) => return Err(stages.fail(running, Trouble::connect(&error))),
    };
    stages.pass(running, None);

    let running = stages.begin(Stage::Tcp);
    let stream = match connector.dial(&addresses).await {
        Ok(stream) => stream,
        Err(error) => return Err(stages.fail(running, Trouble::connect(&error))),
    };
    stages.pass(running, None);

    let running = stages.begin(Stage::Tls);
    let stream = match connector.secure(stream).await {
        Ok(stream) => stream,
        Err(error) => return Err(stages.fail(running, Trouble::connect(&error))),
    };
    let ends = certificate_end(&stream);
    let (tasks, guard) = Tasks::scoped();
    let mut session = Session::new(connector, origin.without_quotes(), tasks, network.deadlines.question);
    if let Err(error) = session.take(stream).await {
        return Err(stages.fail(running, explain(&error)));
    }
    match ends.filter(|ends| is_soon(*ends)) {
        Some(ends) => {
            let hint = "Renew the certificate of the API server.".to_owned();
            stages.warn(
                running,
                format!("the server's certificate ends on {}", date(ends)),
                Some(hint),
            );
        }
        None => stages.pass(running, None),
    }
    Ok((session, guard))
}

/// Whether the credential is taken, and who for.
async fn sign_in(
    connection: &Connection,
    session: &mut Session,
    stages: &mut Stages<'_>,
) -> Result<Option<String>, CheckFailure> {
    let running = stages.begin(Stage::SignIn);
    let answer = match session.ask(OwnRequest::get("/api")).await {
        Ok(answer) => answer.json(session.scrub()),
        Err(error) => Err(error),
    };
    match answer {
        Ok(value) if value["kind"] == "APIVersions" => {}
        Ok(_) => return Err(stages.fail(running, Trouble::foreign("it does not list the API's versions"))),
        // Who may not see the list of versions is signed in all the same.
        Err(error) if error.is_forbidden() => {}
        Err(error) => return Err(stages.fail(running, explain(&error).with_expiry(&error, connection.expires_at))),
    }
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let user = post(session, "/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
        .await
        .ok();
    let user = user.and_then(|value| {
        let name = value.pointer("/status/userInfo/username")?.as_str()?;
        Some(session.scrub().clean(name, 200))
    });
    if user.as_deref() == Some("system:anonymous") {
        return Err(stages.fail(running, Trouble::anonymous()));
    }
    let message = user.as_ref().map(|user| format!("signed in as {user}"));
    match connection.expires_at.filter(|ends| is_soon(*ends)) {
        Some(ends) => {
            let message = format!("the credential ends on {}", date(ends));
            stages.warn(
                running,
                message,
                Some("Hand in a credential that lasts, before this one ends.".to_owned()),
            );
        }
        None => stages.pass(running, message),
    }
    Ok(user)
}

async fn version(session: &mut Session, facts: &mut Facts, stages: &mut Stages<'_>) -> Result<Duration, CheckFailure> {
    let running = stages.begin(Stage::Version);
    let begun = Instant::now();
    let version = match ask_version(session).await {
        Ok(version) => version,
        Err(error) => return Err(stages.fail(running, explain(&error))),
    };
    let latency = begun.elapsed();
    if minor(&version).is_some_and(|minor| minor < OLDEST_MINOR) {
        let message = format!("Kubernetes {version} is older than 1.{OLDEST_MINOR}, the oldest that is supported");
        stages.warn(running, message, None);
    } else {
        stages.pass(running, Some(format!("Kubernetes {version}")));
    }
    facts.kubernetes_version = Some(version);
    Ok(latency)
}

/// Forwarding cannot work without impersonation; everything else that is missing is only missed when it is needed.
async fn permissions(session: &mut Session, stages: &mut Stages<'_>) -> Result<bool, CheckFailure> {
    let running = stages.begin(Stage::Permissions);
    let mut missing = Vec::new();
    let mut untold = None;
    for resource in ["users", "groups"] {
        match may(session, "impersonate", "", resource).await {
            Ok(true) => {}
            Ok(false) => missing.push(resource),
            Err(error) if is_untold(&error) => untold = Some(error),
            Err(error) => return Err(stages.fail(running, explain(&error))),
        }
    }
    if !missing.is_empty() {
        return Err(stages.fail(running, Trouble::no_impersonation(&missing)));
    }
    let full = match may(session, "*", "*", "*").await {
        Ok(full) => full,
        Err(error) if is_untold(&error) => {
            untold = Some(error);
            false
        }
        Err(error) => return Err(stages.fail(running, explain(&error))),
    };
    match (untold, full) {
        (Some(error), _) => {
            stages.warn(
                running,
                format!("what the credential may do cannot be told: {error}"),
                None,
            );
        }
        (None, false) => stages.warn(
            running,
            "the credential may not do everything; what it may not do fails when it is needed".to_owned(),
            Some("Bind it to the ClusterRole cluster-admin.".to_owned()),
        ),
        (None, true) => stages.pass(running, None),
    }
    Ok(full)
}

/// Nodes are nice to know.
async fn nodes(session: &mut Session, facts: &mut Facts, stages: &mut Stages<'_>) {
    let running = stages.begin(Stage::Nodes);
    match ask_nodes(session, facts).await {
        Ok(()) => match (
            facts.node_count.unwrap_or_default(),
            facts.ready_node_count.unwrap_or_default(),
        ) {
            (0, _) => stages.warn(running, "the cluster has no nodes".to_owned(), None),
            (count, ready) if ready < count => {
                stages.warn(running, format!("{ready} of {count} nodes are ready"), None);
            }
            (count, _) => stages.pass(running, Some(format!("{count} nodes, all ready"))),
        },
        Err(error) => stages.warn(running, format!("the nodes cannot be counted: {error}"), None),
    }
}

async fn may(session: &mut Session, verb: &str, group: &str, resource: &str) -> Result<bool, OwnError> {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": verb, "group": group, "resource": resource}},
    });
    let answer = post(
        session,
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        review,
    )
    .await?;
    let allowed = answer.pointer("/status/allowed").and_then(Value::as_bool);
    allowed.ok_or_else(|| OwnError::NotKubernetes("a review of access without a result".to_owned()))
}

/// A cluster that does not review access, or not for this credential, leaves it open what it would allow.
fn is_untold(error: &OwnError) -> bool {
    error.is_api_missing() || error.is_forbidden()
}

async fn post(session: &mut Session, path: &str, body: Value) -> Result<Value, OwnError> {
    let answer = session.ask(OwnRequest::json(http::Method::POST, path, body)).await?;
    answer.json(session.scrub())
}

fn certificate_end(stream: &Stream) -> Option<Timestamp> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Timestamp::from_second(parsed.validity().not_after.timestamp()).ok()
}

fn is_soon(ends: Timestamp) -> bool {
    ends.duration_since(Timestamp::now()) < SOON
}

fn date(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// The second number of `v1.33.1`.
fn minor(version: &str) -> Option<u32> {
    let (major, rest) = version.strip_prefix('v')?.split_once('.')?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    if major == "1" { digits.parse().ok() } else { None }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Tells about the stages, and keeps what there was to know.
struct Stages<'a> {
    report: &'a mut (dyn FnMut(StageReport) + Send),
    warnings: Vec<String>,
}

struct Running {
    stage: Stage,
    since: Instant,
}

impl Stages<'_> {
    fn begin(&mut self, stage: Stage) -> Running {
        let state = StageState::Running;
        (self.report)(StageReport {
            stage,
            state,
            message: None,
            hint: None,
            duration_ms: None,
        });
        Running {
            stage,
            since: Instant::now(),
        }
    }

    fn pass(&mut self, running: Running, message: Option<String>) {
        self.end(&running, StageState::Ok, message, None);
    }

    fn warn(&mut self, running: Running, message: String, hint: Option<String>) {
        self.warnings.push(message.clone());
        self.end(&running, StageState::Warning, Some(message), hint);
    }

    fn fail(&mut self, running: Running, trouble: Trouble) -> CheckFailure {
        let Trouble { kind, message, hint } = trouble;
        self.end(&running, StageState::Failed, Some(message.clone()), hint.clone());
        CheckFailure {
            stage: running.stage,
            kind,
            message,
            hint,
        }
    }

    fn end(&mut self, running: &Running, state: StageState, message: Option<String>, hint: Option<String>) {
        let duration_ms = Some(millis(running.since.elapsed()));
        (self.report)(StageReport {
            stage: running.stage,
            state,
            message,
            hint,
            duration_ms,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minor_version_is_read_whatever_a_distribution_appends() {
        for (version, expected) in [
            ("v1.33.1", Some(33)),
            ("v1.32.4-eks-1234", Some(32)),
            ("v1.30+", Some(30)),
            ("v2.1.0", None),
            ("1.33", None),
            ("v1", None),
        ] {
            assert_eq!(minor(version), expected, "{version}");
        }
    }
}
