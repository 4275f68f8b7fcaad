//! The set of members: exactly what is registered, and nothing goes to what no longer is.

use std::sync::Arc;

use atoll_clusters::{
    Clusters, Connection, Credential, ForwardClass, ForwardError, HealthSnapshot, Options, OwnError, OwnRequest,
    Registration, State, WatchEvent,
};
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::time::timeout;

use crate::fake::{Fake, Reply};
use crate::setup::{alice, connect_to, eventually, get, millis, options, registration};

fn generation(name: &str, connection: Connection, generation: i64) -> Registration {
    Registration {
        generation,
        ..registration(name, connection)
    }
}

#[tokio::test]
async fn the_set_is_exactly_what_is_registered_and_members_that_stay_are_the_same() {
    let fake = Fake::start().await;
    let clusters = Clusters::new(options());
    let mut sets = clusters.subscribe();
    let register = |names: &[&str]| {
        clusters.apply(
            names
                .iter()
                .map(|name| registration(name, connect_to(&fake, "")))
                .collect(),
        );
    };
    register(&["a", "b"]);
    assert!(sets.has_changed().unwrap());
    sets.mark_unchanged();
    let before = clusters.members();
    assert_eq!(before.keys().collect::<Vec<_>>(), ["a", "b"]);

    register(&["b", "a"]);
    assert!(!sets.has_changed().unwrap(), "nothing new was told");
    register(&["b", "c", "b"]);
    assert!(sets.has_changed().unwrap());
    let after = clusters.members();
    assert_eq!(after.keys().collect::<Vec<_>>(), ["b", "c"]);
    assert!(Arc::ptr_eq(&before["b"], &after["b"]));
    assert!(before["a"].ended().is_cancelled() && !before["b"].ended().is_cancelled());
    assert!(clusters.member("a").is_none());
    let left = before["a"].request(OwnRequest::get("/version")).await;
    assert!(matches!(left, Err(OwnError::Broken(_))), "{left:?}");
}

/// PX-08
#[tokio::test]
async fn nothing_goes_to_the_old_endpoint_of_a_member_that_was_replaced() {
    let (old, new) = (Fake::start().await, Fake::start().await);
    for fake in [&old, &new] {
        fake.script(|seen| seen.path().starts_with("/r").then(|| Reply::json(200, &json!({}))));
    }
    for (number, uid) in [(2, None), (1, Some("uid-2"))] {
        let clusters = Clusters::new(options());
        clusters.apply(vec![registration("a", connect_to(&old, ""))]);
        let held = clusters.member("a").unwrap();
        held.forward(get("/r", ForwardClass::Short), &alice()).await.unwrap();
        eventually("nothing more to ask", || held.health().facts_as_of.is_some()).await;
        let count = old.seen("").len();

        // Another generation; or, with the same one, another cluster under the old name.
        let replaced = generation("a", connect_to(&new, ""), number);
        clusters.apply(vec![Registration {
            uid: uid.map(Into::into),
            ..replaced
        }]);
        let member = clusters.member("a").unwrap();
        assert!(!Arc::ptr_eq(&held, &member));
        assert_eq!(
            member.endpoint().unwrap().to_string(),
            format!("https://{}", new.address)
        );
        for class in [ForwardClass::Short, ForwardClass::Long] {
            member.forward(get("/r", class), &alice()).await.unwrap();
            let refused = held.forward(get("/r", class), &alice()).await;
            assert!(matches!(refused, Err(ForwardError::Broken(_))), "{refused:?}");
        }
        held.probe_now();
        tokio::time::sleep(millis(50)).await;
        assert_eq!(old.seen("").len(), count);
        let used = old.seen("/r").last().unwrap().connection;
        eventually("idle connections close", || old.is_closed(used)).await;
    }
}

#[tokio::test]
async fn a_credential_that_differs_replaces_even_when_the_generation_says_nothing() {
    let fake = Fake::start().await;
    let clusters = Clusters::new(options());
    clusters.apply(vec![registration("a", connect_to(&fake, ""))]);
    let before = clusters.member("a").unwrap();
    let mut rotated = connect_to(&fake, "");
    rotated.credential = Credential::Token("canary-token-2".to_owned().into());
    clusters.apply(vec![registration("a", rotated)]);
    let after = clusters.member("a").unwrap();
    assert!(!Arc::ptr_eq(&before, &after));
    after.request(OwnRequest::get("/version?after")).await.unwrap();
    assert_eq!(
        fake.seen("/version?after")[0].all("authorization"),
        ["Bearer canary-token-2"]
    );
}

#[tokio::test]
async fn watches_and_followed_answers_end_with_the_member_and_short_ones_are_finished() {
    let fake = Fake::start().await;
    let (long, long_stream) = Reply::stream(true);
    let (short, short_stream) = Reply::stream(true);
    let streams = std::sync::Mutex::new((Some(long_stream), Some(short_stream)));
    fake.script(move |seen| {
        let mut streams = streams.lock().unwrap();
        match seen.path() {
            "/long" => streams.0.take(),
            "/short" => streams.1.take(),
            _ => None,
        }
    });
    let mut options = options();
    // Only what ends before this ends with the member.
    options.network.deadlines.response_header = millis(20_000);
    let clusters = Clusters::new(options);
    clusters.apply(vec![registration("a", connect_to(&fake, ""))]);
    let member = clusters.member("a").unwrap();
    let mut followed = member
        .forward(get("/long", ForwardClass::Long), &alice())
        .await
        .unwrap()
        .response;
    let mut finished = member
        .forward(get("/short", ForwardClass::Short), &alice())
        .await
        .unwrap()
        .response;
    long.send("1".into()).await.unwrap();
    followed.body_mut().frame().await.unwrap().unwrap();
    let collection = atoll_clusters::Collection {
        group: String::new(),
        version: "v1".into(),
        plural: "pods".into(),
        namespace: None,
    };
    let watch = member.watch(collection, String::new());
    let mut watch = std::pin::pin!(watch);
    assert!(matches!(watch.next().await, Some(WatchEvent::Failed(_))));

    clusters.apply(vec![generation("a", connect_to(&fake, ""), 2)]);
    let broken = timeout(millis(5000), followed.body_mut().frame()).await.unwrap();
    assert!(
        matches!(broken, Some(Err(_))),
        "a watch that is cut must not look as if it had ended"
    );
    assert!(timeout(millis(5000), watch.next()).await.unwrap().is_none());
    short.send("rest".into()).await.unwrap();
    assert_eq!(
        finished.body_mut().frame().await.unwrap().unwrap().into_data().unwrap(),
        "rest"
    );
    drop(short);
    assert!(finished.body_mut().frame().await.is_none());
}

#[tokio::test]
async fn what_was_seen_of_a_cluster_outlives_its_credential_but_not_the_cluster() {
    let fake = Fake::start().await;
    let clusters = Clusters::new(options());
    clusters.apply(vec![registration("a", connect_to(&fake, ""))]);
    let member = clusters.member("a").unwrap();
    eventually("facts", || member.health().facts.node_count == Some(2)).await;
    fake.script(|_| Some(Reply::Hang));

    clusters.apply(vec![generation("a", connect_to(&fake, ""), 2)]);
    let rotated = clusters.member("a").unwrap();
    assert_eq!(rotated.health().state, State::Ready);
    assert_eq!(rotated.health().facts.node_count, Some(2));

    let other = Registration {
        uid: Some("uid-2".into()),
        ..generation("a", connect_to(&fake, ""), 3)
    };
    clusters.apply(vec![other]);
    let other = clusters.member("a").unwrap();
    assert_eq!(other.health().state, State::Pending);
    assert!(!other.is_ready());
}

#[tokio::test]
async fn a_member_begins_with_what_is_on_record() {
    let fake = Fake::start().await;
    fake.script(|_| Some(Reply::Hang));
    let record: HealthSnapshot = serde_json::from_value(json!({
        "state": "Degraded", "ready": true, "since": "2026-01-01T00:00:00Z", "conditions": [],
        "facts": {"kubernetesVersion": "v1.36.3", "nodeCount": 5}, "factsAsOf": null, "latencyMs": 3, "asOf": null,
        "credentialExpiresAt": "2026-01-01T00:00:00Z",
    }))
    .unwrap();
    let clusters = Clusters::new(options());
    clusters.apply(vec![Registration {
        last: Some(record),
        ..registration("a", connect_to(&fake, ""))
    }]);
    let health = clusters.member("a").unwrap().health();
    assert_eq!(
        (health.state, health.ready, health.facts.node_count),
        (State::Degraded, true, Some(5))
    );
    assert_eq!(health.credential_expires_at, None, "that of another credential");
}

#[tokio::test]
async fn closing_ends_everything_and_nothing_opens_afterwards() {
    let fake = Fake::start().await;
    let clusters = Clusters::new(Options {
        period: millis(10),
        ..options()
    });
    let (_chunks, stream) = Reply::stream(true);
    let stream = std::sync::Mutex::new(Some(stream));
    fake.script(move |seen| (seen.path() == "/short").then(|| stream.lock().unwrap().take().unwrap()));
    clusters.apply(vec![registration("a", connect_to(&fake, ""))]);
    let member = clusters.member("a").unwrap();
    let mut open = member
        .forward(get("/short", ForwardClass::Short), &alice())
        .await
        .unwrap()
        .response;
    // Sooner than an open answer would be given up.
    timeout(millis(4000), clusters.close()).await.expect("it ends");
    assert!(matches!(open.body_mut().frame().await, Some(Err(_))));
    assert!(clusters.members().is_empty() && member.ended().is_cancelled());
    let count = fake.seen("").len();
    clusters.apply(vec![registration("a", connect_to(&fake, ""))]);
    tokio::time::sleep(millis(50)).await;
    assert!(clusters.members().is_empty());
    assert_eq!(fake.seen("").len(), count);
}

#[tokio::test]
async fn dropping_the_set_ends_its_members() {
    let fake = Fake::start().await;
    let clusters = Clusters::new(options());
    clusters.apply(vec![registration("a", connect_to(&fake, ""))]);
    let ended = clusters.member("a").unwrap().ended();
    drop(clusters);
    assert!(ended.is_cancelled());
}

/// Handlers and controllers await these on any thread.
#[tokio::test]
async fn calls_can_be_made_from_any_task() {
    fn any_task<T: Send>(future: T) -> T {
        future
    }
    let fake = Fake::start().await;
    let (_clusters, member) = crate::setup::one(&fake, options());
    let identity = alice();
    any_task(member.forward(get("/version", ForwardClass::Short), &identity))
        .await
        .unwrap();
    any_task(member.request(OwnRequest::get("/version"))).await.unwrap();
    let (connection, network) = (connect_to(&fake, ""), crate::setup::network());
    let mut report = |_| {};
    any_task(atoll_clusters::check(&connection, &network, &mut report))
        .await
        .unwrap();
    let target = (&connection, &network);
    assert!(any_task(atoll_clusters::admit_admins(target, "hub-1")).await.is_err());
    assert!(
        any_task(atoll_clusters::dismiss_admins(&*member, "hub-1"))
            .await
            .is_err()
    );
}
