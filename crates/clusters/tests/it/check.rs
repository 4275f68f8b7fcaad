//! The staged check: how far it gets, and what it says about where it stopped.

use atoll_clusters::{
    AddressPolicy, CheckFailure, Connection, Credential, Endpoint, FailureKind, Findings, Network, Stage, StageReport,
    StageState, check,
};
use serde_json::{Value, json};

use crate::authority::{Authority, Leaf};
use crate::fake::{Fake, Reply, Seen};
use crate::setup::{TOKEN, connect_to, eventually, hurried_network, network};

async fn run(connection: &Connection, network: &Network) -> (Result<Findings, CheckFailure>, Vec<StageReport>) {
    let mut reports = Vec::new();
    let result = check(connection, network, &mut |report| reports.push(report)).await;
    (result, reports)
}

fn words(reports: &[StageReport]) -> Vec<String> {
    let ends = reports.iter().filter(|report| report.state != StageState::Running);
    ends.map(|report| format!("{} {}", report.stage.as_str(), report.state.as_str()))
        .collect()
}

/// The failure of a member that answers like this, with its last report.
async fn failing(script: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static) -> (CheckFailure, StageReport) {
    failing_over(&network(), script).await
}

async fn failing_over(
    network: &Network,
    script: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static,
) -> (CheckFailure, StageReport) {
    let fake = Fake::start().await;
    fake.script(script);
    let (result, reports) = run(&connect_to(&fake, ""), network).await;
    let failure = result.unwrap_err();
    let last = reports.last().unwrap().clone();
    assert_eq!((last.stage, last.state), (failure.stage, StageState::Failed));
    assert_eq!(
        (&last.message, &last.hint),
        (&Some(failure.message.clone()), &failure.hint)
    );
    (failure, last)
}

fn review(allowed: impl Fn(&Value) -> bool) -> impl Fn(&Seen) -> Option<Reply> {
    move |seen| {
        let asked = seen.path().ends_with("selfsubjectaccessreviews").then(|| seen.json())?;
        let attributes = &asked["spec"]["resourceAttributes"];
        Some(Reply::json(201, &json!({"status": {"allowed": allowed(attributes)}})))
    }
}

#[tokio::test]
async fn a_good_connection_passes_every_stage_over_one_connection() {
    let fake = Fake::start().await;
    let (result, reports) = run(&connect_to(&fake, ""), &network()).await;
    let findings = result.unwrap();
    let expected = [
        "dns ok",
        "tcp ok",
        "tls ok",
        "signIn ok",
        "version ok",
        "permissions ok",
        "nodes ok",
        "identity ok",
    ];
    assert_eq!(words(&reports), expected);
    // Each stage is told when it begins, before it ends, and how long it took.
    for pair in reports.chunks(2) {
        assert_eq!((pair[0].stage, pair[0].state), (pair[1].stage, StageState::Running));
        assert!(pair[0].duration_ms.is_none() && pair[1].duration_ms.is_some());
    }
    assert_eq!(findings.facts.uid.as_deref(), Some("uid-1"));
    assert_eq!(findings.facts.kubernetes_version.as_deref(), Some("v1.36.3"));
    assert_eq!(findings.facts.node_count, Some(2));
    assert_eq!(findings.user.as_deref(), Some("system:serviceaccount:a:atoll"));
    assert!(findings.full_rights && findings.warnings.is_empty());
    assert_eq!(fake.accepted(), 1);
    let connection = fake.seen("/")[0].connection;
    eventually("the connection closes", || fake.is_closed(connection)).await;
}

#[tokio::test]
async fn a_member_that_closes_after_each_answer_is_dialled_again() {
    let fake = Fake::start().await;
    fake.script(|seen| {
        let last =
            b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 22\r\n\r\n{\"kind\":\"APIVersions\"}".to_vec();
        (seen.path() == "/api").then_some(Reply::Last(last))
    });
    let (result, _) = run(&connect_to(&fake, ""), &network()).await;
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(fake.accepted(), 2);
}

#[tokio::test]
async fn failures_to_connect_are_told_by_stage() {
    let fake = Fake::start().await;
    let to = |url: String, ca: Option<String>| {
        let credential = Credential::Token(TOKEN.to_owned().into());
        Connection::new(Endpoint::parse(&url).unwrap(), ca, None, credential).unwrap()
    };
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let strict = Network {
        policy: std::sync::Arc::new(AddressPolicy::default()),
        ..network()
    };
    let url = format!("https://{}", fake.address);
    let other = Some(Authority::new().pem());
    for (connection, network, stage, kind, hint) in [
        (
            to(url.clone(), None),
            strict,
            Stage::Dns,
            FailureKind::Address,
            "--allow-loopback-members",
        ),
        (
            to("https://member.invalid".into(), None),
            network(),
            Stage::Dns,
            FailureKind::Unresolved,
            "DNS",
        ),
        (
            to(format!("https://{closed}"), None),
            network(),
            Stage::Tcp,
            FailureKind::Unreachable,
            "firewall",
        ),
        (
            to(url, other),
            network(),
            Stage::Tls,
            FailureKind::Certificate,
            "certificate-authority-data",
        ),
    ] {
        let mut network = network;
        if stage == Stage::Dns {
            network.resolver = std::sync::Arc::new(|_, _| Box::pin(async { Ok(Vec::new()) }));
        }
        let (result, reports) = run(&connection, &network).await;
        let failure = result.unwrap_err();
        assert_eq!((failure.stage, failure.kind), (stage, kind), "{failure:?}");
        assert!(
            failure.hint.as_deref().is_some_and(|text| text.contains(hint)),
            "{failure:?}"
        );
        assert_eq!(reports.last().unwrap().state, StageState::Failed);
    }
    assert!(fake.seen("").is_empty());
}

#[tokio::test]
async fn what_answers_is_told_apart() {
    let at = |path: &'static str, reply: fn() -> Reply| move |seen: &Seen| (seen.path() == path).then(reply);
    let unauthorized = || Reply::status(401, "Unauthorized", "Unauthorized", &Value::Null);
    let (failure, _) = failing(at("/api", unauthorized)).await;
    assert_eq!(
        (failure.stage, failure.kind),
        (Stage::SignIn, FailureKind::Unauthorized)
    );
    assert!(failure.hint.unwrap().contains("kubectl auth whoami"));

    let (failure, _) = failing(at("/api", || Reply::text(200, "text/html", "<html>canary-page"))).await;
    assert_eq!(
        (failure.stage, failure.kind),
        (Stage::SignIn, FailureKind::NotKubernetes)
    );
    assert!(failure.message.contains("200 with text/html"), "{failure:?}");

    let (failure, _) = failing(at("/api", || Reply::json(200, &json!({"hello": "world"})))).await;
    assert_eq!(
        (failure.stage, failure.kind),
        (Stage::SignIn, FailureKind::NotKubernetes)
    );

    let (failure, _) = failing_over(&hurried_network(), at("/api", || Reply::Hang)).await;
    assert_eq!((failure.stage, failure.kind), (Stage::SignIn, FailureKind::TimedOut));

    let (failure, _) = failing(at("/version", || {
        Reply::text(200, "application/json", r#"{"gitVersion": "v1"#)
    }))
    .await;
    assert_eq!(
        (failure.stage, failure.kind),
        (Stage::Version, FailureKind::NotKubernetes)
    );

    let (failure, _) = failing(at("/version", || Reply::Last(Vec::new()))).await;
    assert_eq!((failure.stage, failure.kind), (Stage::Version, FailureKind::Broken));

    let forbidden = || Reply::status(403, "Forbidden", "namespaces \"kube-system\" is forbidden", &json!({}));
    let (failure, _) = failing(at("/api/v1/namespaces/kube-system", forbidden)).await;
    assert_eq!((failure.stage, failure.kind), (Stage::Identity, FailureKind::Forbidden));

    let unavailable = || Reply::status(503, "ServiceUnavailable", "etcd is away", &json!({}));
    let (failure, _) = failing(at("/version", unavailable)).await;
    assert_eq!((failure.stage, failure.kind), (Stage::Version, FailureKind::Refused));
    assert!(failure.message.contains("503") && failure.message.contains("etcd is away"));
}

/// SF: whoever may try addresses must not read what is behind them.
#[tokio::test]
async fn nothing_is_quoted_of_what_is_not_kubernetes() {
    for path in ["/api", "/version", "/api/v1/namespaces/kube-system"] {
        for reply in [
            (|| Reply::text(200, "text/html", "secret-page")) as fn() -> Reply,
            || Reply::text(500, "text/plain", "secret-page"),
            || Reply::text(401, "application/json", r#"{"password": "secret-page"}"#),
            || Reply::json(200, &json!({"password": "secret-page"})),
        ] {
            let (failure, _) = failing(move |seen| (seen.path() == path).then(reply)).await;
            assert_eq!(failure.kind, FailureKind::NotKubernetes, "{path}: {failure:?}");
            assert!(!format!("{failure:?}").contains("secret-page"), "{path}: {failure:?}");
        }
    }
}

#[tokio::test]
async fn nobody_is_no_credential() {
    let anonymous = |seen: &Seen| {
        let reviewed = seen.path().ends_with("selfsubjectreviews");
        reviewed.then(|| Reply::json(201, &json!({"status": {"userInfo": {"username": "system:anonymous"}}})))
    };
    let (failure, _) = failing(anonymous).await;
    assert_eq!(
        (failure.stage, failure.kind),
        (Stage::SignIn, FailureKind::Unauthorized)
    );
}

#[tokio::test]
async fn without_impersonation_nothing_can_be_forwarded() {
    for (denied, named) in [
        (vec!["users"], "users"),
        (vec!["groups"], "groups"),
        (vec!["users", "groups"], "users and groups"),
    ] {
        let script = review(move |attributes| !denied.iter().any(|resource| attributes["resource"] == *resource));
        let (failure, _) = failing(script).await;
        assert_eq!(
            (failure.stage, failure.kind),
            (Stage::Permissions, FailureKind::Forbidden)
        );
        assert!(
            failure.message.contains(&format!("may not impersonate {named},")),
            "{failure:?}"
        );
        assert!(failure.hint.unwrap().contains("cluster-admin"));
    }
}

#[tokio::test]
async fn less_than_everything_is_a_warning() {
    let fake = Fake::start().await;
    let access = review(|attributes| attributes["verb"] == "impersonate");
    fake.script(move |seen| match seen.path() {
        "/api/v1/nodes" => Some(Reply::status(403, "Forbidden", "nodes is forbidden", &json!({}))),
        "/version" => Some(Reply::json(200, &json!({"gitVersion": "v1.27.4+k3s1"}))),
        _ => access(seen),
    });
    let (result, reports) = run(&connect_to(&fake, ""), &network()).await;
    let findings = result.unwrap();
    assert!(!findings.full_rights);
    assert_eq!(findings.facts.node_count, None);
    assert_eq!(
        words(&reports)[4..7],
        ["version warning", "permissions warning", "nodes warning"]
    );
    assert_eq!(findings.warnings.len(), 3, "{:?}", findings.warnings);
    assert!(findings.warnings[0].contains("v1.27.4+k3s1 is older than 1.33"));
    let asked = fake.seen("/apis/authorization.k8s.io");
    let asked: Vec<_> = asked
        .iter()
        .map(|seen| seen.json()["spec"]["resourceAttributes"].clone())
        .collect();
    assert!(
        asked.contains(&json!({"verb": "*", "group": "*", "resource": "*"})),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_member_that_does_not_review_access_leaves_it_open() {
    let fake = Fake::start().await;
    fake.script(|seen| {
        seen.path()
            .starts_with("/apis/")
            .then(|| Reply::text(404, "text/plain", "404 page not found\n"))
    });
    let (result, reports) = run(&connect_to(&fake, ""), &network()).await;
    let findings = result.unwrap();
    assert_eq!(words(&reports)[5], "permissions warning");
    assert_eq!((findings.user, findings.full_rights), (None, false));
}

/// F26, F27, KC-08
#[tokio::test]
async fn what_ends_soon_or_has_ended_is_said() {
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 3);
    let day = soon.to_zoned(jiff::tz::TimeZone::UTC).date();
    let (year, month, number) = (day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs());
    let fake = Fake::with(
        Authority::new(),
        &Leaf {
            ends: (year, month, number),
            ..Leaf::default()
        },
        false,
    )
    .await;
    let mut connection = connect_to(&fake, "");
    connection.expires_at = Some(soon);
    let (result, reports) = run(&connection, &network()).await;
    assert_eq!(words(&reports)[2..4], ["tls warning", "signIn warning"]);
    let warnings = result.unwrap().warnings;
    assert!(
        warnings.iter().all(|text| text.contains(&day.to_string())),
        "{warnings:?}"
    );

    let fake = Fake::start().await;
    fake.script(|_| Some(Reply::status(401, "Unauthorized", "Unauthorized", &Value::Null)));
    let mut connection = connect_to(&fake, "");
    connection.expires_at = Some("2026-01-02T00:00:00Z".parse().unwrap());
    let failure = run(&connection, &network()).await.0.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unauthorized);
    assert!(failure.hint.unwrap().contains("ended on 2026-01-02"));
}
