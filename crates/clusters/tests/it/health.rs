//! Probes over real connections, with short periods.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use atoll_clusters::{Clusters, Member, Options, Registration, State, Thresholds};
use serde_json::json;
use tokio::time::sleep;

use crate::authority::{Authority, Leaf};
use crate::fake::{Fake, Reply, Seen};
use crate::setup::{connect_to, eventually, millis, one, options, registration};

fn frequent() -> Options {
    Options {
        period: millis(40),
        ..options()
    }
}

fn has(member: &Member, kind: &str, status: &str) -> bool {
    member
        .health()
        .conditions
        .iter()
        .any(|condition| condition.kind == kind && condition.status == status)
}

fn reason(member: &Member) -> String {
    member
        .health()
        .conditions
        .first()
        .map(|condition| condition.reason.clone())
        .unwrap_or_default()
}

/// A switch that a script looks at.
fn switch() -> (Arc<AtomicBool>, Arc<AtomicBool>) {
    let switch = Arc::new(AtomicBool::new(false));
    (switch.clone(), switch)
}

#[tokio::test]
async fn a_healthy_member_is_ready_at_once_and_tells_about_itself() {
    let fake = Fake::start().await;
    let (clusters, member) = one(&fake, options());
    assert_eq!(member.health().state, State::Pending);
    let mut news = clusters.health();
    news.changed().await.unwrap();
    assert!(member.is_ready());
    eventually("facts", || member.health().facts_as_of.is_some()).await;
    let health = member.health();
    assert_eq!(health.facts.kubernetes_version.as_deref(), Some("v1.36.3"));
    assert_eq!(health.facts.uid.as_deref(), Some("uid-1"));
    assert_eq!(
        (health.facts.node_count, health.facts.ready_node_count),
        (Some(2), Some(2))
    );
    assert_eq!(health.facts.capacity.unwrap().cpu_millis, 8000);
    assert_eq!(member.uid().as_deref(), Some("uid-1"));
    assert!(health.latency_ms.is_some() && health.as_of.is_some());
    assert_eq!(reason(&member), "ClusterReady");
}

#[tokio::test]
async fn nodes_are_counted_page_by_page() {
    let fake = Fake::start().await;
    fake.script(|seen| {
        let page = |next: &str, count: usize| {
            let items = vec![json!({"metadata": {"name": "n"}}); count];
            let metadata = json!({"continue": next, "resourceVersion": "1"});
            Reply::json(
                200,
                &json!({"kind": "NodeList", "apiVersion": "v1", "metadata": metadata, "items": items}),
            )
        };
        match seen.target.as_str() {
            "/api/v1/nodes?limit=200" => Some(page("to ken/+", 200)),
            "/api/v1/nodes?limit=200&continue=to%20ken%2F%2B" => Some(page("", 50)),
            _ => None,
        }
    });
    let (_clusters, member) = one(&fake, options());
    eventually("facts", || member.health().facts.node_count == Some(250)).await;
    assert_eq!(member.health().state, State::Degraded, "no node says that it is ready");
    assert!(member.is_ready());
}

/// Nothing is opened anew for it, and nobody waits for the end of the old period.
#[tokio::test]
async fn another_health_check_counts_at_once() {
    let fake = Fake::start().await;
    let (fails, down) = switch();
    fake.script(move |seen| {
        let is_down = seen.path() == "/healthz" && down.load(Ordering::SeqCst);
        is_down.then(|| Reply::text(500, "text/plain", "etcd failed"))
    });
    let (clusters, member) = one(
        &fake,
        Options {
            period: millis(3_600_000),
            ..options()
        },
    );
    eventually("ready", || member.is_ready()).await;
    fails.store(true, Ordering::SeqCst);
    sleep(millis(200)).await;
    assert!(
        member.is_ready(),
        "it was probed although the next probe is an hour away"
    );
    let before = clusters.health_check();
    clusters.set_health_check(atoll_clusters::HealthCheck {
        period: millis(40),
        thresholds: Thresholds {
            failures: 2,
            ..before.thresholds
        },
        ..before
    });
    eventually("not ready", || !member.is_ready()).await;
    fails.store(false, Ordering::SeqCst);
    eventually("ready again", || member.is_ready()).await;
    assert!(Arc::ptr_eq(&member, &clusters.member(member.name()).unwrap()));
}

/// F13, F16: three failures in a row, and one success.
#[tokio::test]
async fn single_failures_flip_nothing_and_three_in_a_row_do() {
    let fake = Fake::start().await;
    let (fails, down) = switch();
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let probes = count.clone();
    fake.script(move |seen| {
        if seen.path() != "/healthz" {
            return None;
        }
        let odd = probes.fetch_add(1, Ordering::SeqCst) % 2 == 1;
        (odd || down.load(Ordering::SeqCst)).then(|| Reply::text(500, "text/plain", "etcd failed"))
    });
    let (clusters, member) = one(&fake, frequent());
    eventually("ready", || member.is_ready()).await;
    eventually("facts", || member.health().facts_as_of.is_some()).await;
    let news = clusters.health();
    let begun = count.load(Ordering::SeqCst);
    eventually("ten probes", || count.load(Ordering::SeqCst) >= begun + 10).await;
    assert!(member.is_ready());
    assert!(
        !news.has_changed().unwrap(),
        "every second probe failed, and nobody was told"
    );

    fails.store(true, Ordering::SeqCst);
    eventually("not ready", || !member.is_ready()).await;
    assert_eq!(reason(&member), "ClusterNotReady");
    assert!(
        member.health().conditions[0].message.contains("500: etcd failed"),
        "{:?}",
        member.health()
    );
    assert_eq!(member.health().state, State::Degraded);
    assert_eq!(member.health().facts.node_count, Some(2), "what was seen is kept");
}

#[tokio::test]
async fn a_member_that_is_away_is_offline_and_back_with_its_first_answer() {
    let fake = Fake::start().await;
    let (hangs, hang) = switch();
    fake.script(move |_| hang.load(Ordering::SeqCst).then_some(Reply::Hang));
    let mut options = frequent();
    options.network.deadlines.probe = millis(200);
    let (_clusters, member) = one(&fake, options);
    eventually("ready", || member.is_ready()).await;
    hangs.store(true, Ordering::SeqCst);
    eventually("offline", || member.health().state == State::Offline).await;
    assert!(
        member.health().conditions[0].message.contains("no answer within 0.2 s"),
        "{:?}",
        member.health()
    );
    hangs.store(false, Ordering::SeqCst);
    eventually("ready again", || member.is_ready()).await;
}

/// F27: no storm of attempts with a credential that is refused.
#[tokio::test]
async fn a_refused_credential_is_told_and_tried_less_often() {
    let fake = Fake::start().await;
    let (refuses, refuse) = switch();
    let unauthorized = |_: &Seen| Reply::status(401, "Unauthorized", "Unauthorized", &json!(null));
    fake.script(move |seen| refuse.load(Ordering::SeqCst).then(|| unauthorized(seen)));
    let (_clusters, member) = one(&fake, frequent());
    eventually("ready", || member.is_ready()).await;
    refuses.store(true, Ordering::SeqCst);
    eventually("refused", || has(&member, "AuthFailed", "True")).await;
    assert_eq!(
        (reason(&member).as_str(), member.health().state),
        ("AuthFailed", State::Offline)
    );
    let before = fake.seen("/healthz").len();
    sleep(millis(480)).await;
    let attempts = fake.seen("/healthz").len() - before;
    assert!(attempts <= 3, "{attempts} attempts in twelve periods");
    eventually("another attempt", || fake.seen("/healthz").len() > before).await;
    refuses.store(false, Ordering::SeqCst);
    member.probe_now();
    eventually("ready again", || member.is_ready()).await;
}

/// F26
#[tokio::test]
async fn a_certificate_that_does_not_hold_is_a_condition_of_its_own() {
    let leaf = Leaf {
        ends: (2021, 1, 1),
        ..Leaf::default()
    };
    let fake = Fake::with(Authority::new(), &leaf, false).await;
    let (_clusters, member) = one(&fake, options());
    eventually("told", || has(&member, "CertInvalid", "True")).await;
    assert_eq!(reason(&member), "CertInvalid");
    assert!(member.health().conditions[0].message.contains("expired"));
}

#[tokio::test]
async fn another_cluster_behind_the_address_is_noticed_before_it_is_ready() {
    let fake = Fake::start().await;
    let clusters = Clusters::new(frequent());
    clusters.apply(vec![Registration {
        uid: Some("uid-0".into()),
        ..registration("a", connect_to(&fake, ""))
    }]);
    let member = clusters.member("a").unwrap();
    eventually("told", || has(&member, "WrongIdentity", "True")).await;
    assert!(!member.is_ready());
    assert_eq!(member.uid().as_deref(), Some("uid-0"));
    // It stays so however healthy that other cluster is.
    for _ in 0..20 {
        sleep(millis(10)).await;
        assert!(has(&member, "WrongIdentity", "True"));
    }
    fake.set_uid("uid-0");
    eventually("ready", || member.is_ready()).await;
    assert!(!has(&member, "WrongIdentity", "True"));
}

#[tokio::test]
async fn the_first_cluster_that_is_seen_is_the_one_that_is_meant() {
    let fake = Fake::start().await;
    let (_clusters, member) = one(&fake, frequent());
    eventually("ready", || member.uid().as_deref() == Some("uid-1")).await;
    fake.set_uid("uid-2");
    eventually("told", || has(&member, "WrongIdentity", "True")).await;
    let message = member.health().conditions[0].message.clone();
    assert!(message.contains("uid-2, not uid-1"), "{message}");
}

#[tokio::test]
async fn slow_answers_degrade_a_member() {
    let fake = Fake::start().await;
    let mut options = frequent();
    options.thresholds.slow_ms = 0;
    let (slows, slow) = switch();
    slows.store(true, Ordering::SeqCst);
    fake.script(move |seen| {
        if seen.path() == "/healthz" && slow.load(Ordering::SeqCst) {
            std::thread::sleep(millis(5));
        }
        None
    });
    let (_clusters, member) = one(&fake, options);
    eventually("slow", || has(&member, "Degraded", "True")).await;
    assert!(member.is_ready());
    assert_eq!(member.health().state, State::Degraded);
}

#[tokio::test]
async fn what_is_registered_wrongly_is_told_without_dialling() {
    let fake = Fake::start().await;
    let clusters = Clusters::new(frequent());
    let malformed = Registration {
        connection: Err("the Secret has no token".into()),
        ..registration("a", connect_to(&fake, ""))
    };
    clusters.apply(vec![malformed]);
    let member = clusters.member("a").unwrap();
    eventually("told", || has(&member, "ConfigMalformed", "True")).await;
    assert!(member.health().conditions[0].message.contains("no token"));
    assert!(member.endpoint().is_none());
    assert_eq!(fake.accepted(), 0);
}

#[tokio::test]
async fn who_may_not_count_nodes_has_no_numbers_and_is_ready_all_the_same() {
    let fake = Fake::start().await;
    let (forbids, forbid) = switch();
    fake.script(move |seen| {
        let forbidden = seen.path() == "/api/v1/nodes" && forbid.load(Ordering::SeqCst);
        forbidden.then(|| Reply::status(403, "Forbidden", "no", &json!({})))
    });
    let (_clusters, member) = one(&fake, frequent());
    eventually("facts", || member.health().facts.node_count == Some(2)).await;
    forbids.store(true, Ordering::SeqCst);
    eventually("no numbers", || member.health().facts.node_count.is_none()).await;
    assert_eq!(member.health().facts.kubernetes_version.as_deref(), Some("v1.36.3"));
    assert!(member.is_ready());
}

#[tokio::test]
async fn a_probe_that_is_asked_for_does_not_wait_for_its_turn() {
    let fake = Fake::start().await;
    let (_clusters, member) = one(&fake, options());
    eventually("ready", || member.is_ready()).await;
    let before = fake.seen("/healthz").len();
    member.probe_now();
    eventually("another probe", || fake.seen("/healthz").len() > before).await;
}

/// A connection that is kept open would never show that the certificate ended or the name moved.
#[tokio::test]
async fn some_probes_are_made_over_new_connections() {
    let fake = Fake::start().await;
    let (_clusters, member) = one(&fake, frequent());
    eventually("ready", || member.is_ready()).await;
    eventually("twenty probes", || fake.seen("/healthz").len() >= 20).await;
    let probes = fake.seen("/healthz");
    let connections: std::collections::BTreeSet<_> = probes.iter().map(|seen| seen.connection).collect();
    assert!(
        connections.len() >= 3 && connections.len() < probes.len(),
        "{} connections for {} probes",
        connections.len(),
        probes.len()
    );
}
