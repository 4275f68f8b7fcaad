use std::collections::BTreeSet;

use serde_json::json;

use super::*;

fn key(name: &str) -> Key {
    Key::config_map(name)
}

fn object(name: &str, version: u64, hash: &str) -> Box<Value> {
    let ours = json!({"manager": "atoll", "operation": "Apply", "fieldsV1": {hash: {}}});
    Box::new(json!({"metadata": {
        "namespace": "shop", "name": name, "uid": "u", "resourceVersion": version.to_string(),
        "labels": {"kubefed.io/managed": "true"}, "managedFields": [ours],
    }}))
}

fn eu() -> ClusterName {
    ClusterName::parse("eu-1").unwrap()
}

fn intake() -> Intake {
    Intake {
        cluster: eu(),
        kind: key("web").kind,
        shelf: Arc::new(Mutex::new(Shelf::new(Arc::default(), Instant::now()))),
        reasons: Reasons {
            queue: Queue::new(100),
            concerns: Arc::default(),
            fights: Arc::default(),
        },
    }
}

fn looks(intake: &Intake, name: &str) -> Look {
    lock(&intake.shelf).look(&key(name), Instant::now())
}

fn concern(intake: &Intake, name: &str) {
    intake.reasons.concerns.set(&key(name), BTreeSet::from([eu()]));
}

#[test]
fn of_what_does_not_concern_the_hub_nothing_is_kept_whatever_a_member_sends() {
    let intake = intake();
    concern(&intake, "web");
    intake.take(WatchEvent::Restarted);
    for number in 0..500 {
        intake.take(WatchEvent::Present(object(&format!("o-{number}"), 1, "a")));
    }
    intake.take(WatchEvent::Present(object("web", 1, "a")));
    assert!(intake.take(WatchEvent::Synced));
    for number in 0..500 {
        intake.take(WatchEvent::Present(object(&format!("p-{number}"), 2, "a")));
        intake.take(WatchEvent::Gone(object(&format!("o-{number}"), 2, "a")));
    }
    assert_eq!(lock(&intake.shelf).len(), (1, 0));
    assert!(matches!(looks(&intake, "web"), Look::Present(_)));
    intake.take(WatchEvent::Gone(object("web", 3, "a")));
    assert_eq!(lock(&intake.shelf).len(), (0, 1));
}

/// After a restart the list comes before most objects have been looked at.
#[test]
fn what_is_about_to_be_looked_at_is_not_asked_for_by_name() {
    let intake = intake();
    intake.reasons.concerns.expect([&key("web")]);
    intake.take(WatchEvent::Restarted);
    intake.take(WatchEvent::Present(object("web", 1, "a")));
    intake.take(WatchEvent::Synced);
    concern(&intake, "web");
    assert!(matches!(looks(&intake, "web"), Look::Present(_)));
}

/// It may be there: only the member itself can say that it is not.
#[test]
fn what_comes_to_concern_the_hub_after_the_list_is_asked_for_by_name() {
    let intake = intake();
    intake.take(WatchEvent::Restarted);
    intake.take(WatchEvent::Present(object("web", 1, "a")));
    concern(&intake, "web");
    assert_eq!(looks(&intake, "web"), Look::Unsynced);
    intake.take(WatchEvent::Synced);
    assert_eq!(looks(&intake, "web"), Look::Unlisted);
    intake.take(WatchEvent::Present(object("web", 2, "a")));
    assert!(matches!(looks(&intake, "web"), Look::Present(_)));
}

/// Else what it was long ago would be taken for what it is.
#[test]
fn what_concerned_the_hub_once_is_not_known_as_it_was_then() {
    let intake = intake();
    concern(&intake, "web");
    intake.take(WatchEvent::Restarted);
    intake.take(WatchEvent::Present(object("web", 1, "a")));
    intake.take(WatchEvent::Synced);
    intake.reasons.concerns.set(&key("web"), BTreeSet::new());
    intake.take(WatchEvent::Present(object("web", 2, "b")));
    concern(&intake, "web");
    assert_eq!(looks(&intake, "web"), Look::Unlisted);
}

#[tokio::test(start_paused = true)]
async fn news_of_a_fight_waits_and_an_end_does_not() {
    let intake = intake();
    concern(&intake, "web");
    intake.take(WatchEvent::Restarted);
    intake.take(WatchEvent::Synced);
    for _ in 0..3 {
        intake.reasons.fights.put_back(&key("web"), &eu(), Timestamp::now());
    }
    intake.take(WatchEvent::Present(object("web", 1, "a")));
    assert_eq!(intake.reasons.queue.len(), 0);
    let begun = Instant::now();
    let next = intake.reasons.queue.next().await;
    assert!(begun.elapsed() >= FOUGHT_OVER, "{:?}", begun.elapsed());
    intake.reasons.queue.finish(&next, crate::queue::Verdict::Settled(None));
    intake.take(WatchEvent::Gone(object("web", 2, "a")));
    assert_eq!(intake.reasons.queue.len(), 1);
}
