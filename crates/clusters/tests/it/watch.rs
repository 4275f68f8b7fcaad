//! List and watch, over everything that breaks them.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use atoll_clusters::{Clusters, Collection, Member, Options, OwnError, WatchEvent};
use futures::{Stream, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::fake::{Fake, Reply, Seen};
use crate::setup::{eventually, millis, one, options};

const PODS: &str = "/api/v1/pods";
const SELECTOR: &str = "kubefed.io/managed=true";

fn pods() -> Collection {
    Collection {
        group: String::new(),
        version: "v1".into(),
        plural: "pods".into(),
        namespace: None,
    }
}

fn pod(name: &str, revision: u64) -> Value {
    json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name, "namespace": "n",
        "resourceVersion": revision.to_string(), "managedFields": [{"manager": "atoll"}]}})
}

fn event(kind: &str, name: &str, revision: u64) -> String {
    format!("{}\n", json!({"type": kind, "object": pod(name, revision)}))
}

fn list(names: &[&str], revision: u64, next: &str) -> Reply {
    let items: Vec<_> = names.iter().map(|name| pod(name, 1)).collect();
    let metadata = json!({"resourceVersion": revision.to_string(), "continue": next});
    Reply::json(
        200,
        &json!({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": items}),
    )
}

/// A value of the query.
fn query(seen: &Seen, key: &str) -> Option<String> {
    let (_, query) = seen.target.split_once('?')?;
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .into_iter()
        .find(|(name, _)| *name == key)
        .map(|(_, value)| value.to_owned())
}

fn is_watch(seen: &Seen) -> bool {
    query(seen, "watch").as_deref() == Some("true")
}

/// A watch whose end closes the connection without a word.
fn broken(lines: &str) -> Reply {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    Reply::Last(format!("{head}{:x}\r\n{lines}\r\n", lines.len()).into_bytes())
}

/// A watch that says this and then nothing.
fn silent(lines: &str) -> Reply {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = if lines.is_empty() {
        String::new()
    } else {
        format!("{:x}\r\n{lines}\r\n", lines.len())
    };
    Reply::Raw(format!("{head}{chunk}").into_bytes())
}

/// Answers requests for pods with these, one after the other, and then no more.
fn in_turn(fake: &Fake, replies: Vec<Reply>) {
    let replies = Mutex::new(replies.into_iter());
    fake.script(move |seen| (seen.path() == PODS).then(|| replies.lock().unwrap().next().unwrap_or(Reply::Hang)));
}

struct Watched {
    fake: Fake,
    clusters: Clusters,
    stream: Pin<Box<dyn Stream<Item = WatchEvent> + Send>>,
}

impl Watched {
    async fn new(replies: Vec<Reply>) -> Self {
        let fake = Fake::start().await;
        in_turn(&fake, replies);
        Self::of(fake, options())
    }

    fn of(fake: Fake, options: Options) -> Self {
        let (clusters, member): (Clusters, Arc<Member>) = one(&fake, options);
        let stream = Box::pin(member.watch(pods(), SELECTOR.into()));
        Self { fake, clusters, stream }
    }

    async fn next(&mut self) -> WatchEvent {
        timeout(millis(60_000), self.stream.next())
            .await
            .expect("an event")
            .expect("it does not end by itself")
    }

    /// The next events, as words.
    async fn words(&mut self, count: usize) -> Vec<String> {
        let mut words = Vec::new();
        for _ in 0..count {
            let name = |object: &Value| object["metadata"]["name"].as_str().unwrap().to_owned();
            words.push(match self.next().await {
                WatchEvent::Restarted => "restarted".to_owned(),
                WatchEvent::Present(object) => format!("+{}", name(&object)),
                WatchEvent::Synced => "synced".to_owned(),
                WatchEvent::Gone(object) => format!("-{}", name(&object)),
                WatchEvent::Failed(error) => format!("failed: {error}"),
            });
        }
        words
    }

    fn requests(&self) -> Vec<Seen> {
        self.fake.seen(PODS)
    }
}

#[tokio::test]
async fn a_list_comes_in_pages_and_the_watch_goes_on_from_it() {
    let mut watched = Watched::new(vec![
        list(&["a", "b"], 7, "next/+"),
        list(&["c"], 7, ""),
        silent(&(event("ADDED", "d", 8) + &event("MODIFIED", "a", 9) + &event("DELETED", "b", 10))),
    ])
    .await;
    assert_eq!(
        watched.words(8).await,
        ["restarted", "+a", "+b", "+c", "synced", "+d", "+a", "-b"]
    );
    let requests = watched.requests();
    let targets: Vec<_> = requests.iter().map(|seen| seen.target.as_str()).collect();
    let selector = "labelSelector=kubefed.io%2Fmanaged%3Dtrue";
    assert_eq!(targets[0], format!("{PODS}?limit=500&{selector}"));
    assert_eq!(targets[1], format!("{PODS}?limit=500&continue=next%2F%2B&{selector}"));
    assert!(
        is_watch(&requests[2]) && targets[2].ends_with(selector),
        "{}",
        targets[2]
    );
    assert_eq!(query(&requests[2], "resourceVersion").as_deref(), Some("7"));
    assert_eq!(query(&requests[2], "allowWatchBookmarks").as_deref(), Some("true"));
    assert_eq!(query(&requests[2], "timeoutSeconds").as_deref(), Some("1"));
    assert_eq!(requests[2].all("accept-encoding"), ["identity"]);
    assert_ne!(
        requests[2].connection, requests[0].connection,
        "a watch has its own connection"
    );
}

#[tokio::test]
async fn objects_come_whole() {
    let mut watched = Watched::new(vec![list(&["a"], 7, ""), silent("")]).await;
    watched.next().await;
    let WatchEvent::Present(object) = watched.next().await else {
        panic!()
    };
    assert_eq!(*object, pod("a", 1));
}

/// F21
#[tokio::test]
async fn a_watch_that_is_cut_goes_on_where_it_was() {
    let half = event("ADDED", "c", 9);
    let mut watched = Watched::new(vec![
        list(&["a"], 7, ""),
        broken(&(event("ADDED", "b", 8) + &half[..half.len() / 2])),
        silent(&event("ADDED", "c", 9)),
    ])
    .await;
    assert_eq!(watched.words(5).await, ["restarted", "+a", "synced", "+b", "+c"]);
    let resumed: Vec<_> = watched.requests()[1..]
        .iter()
        .map(|seen| query(seen, "resourceVersion").unwrap())
        .collect();
    assert_eq!(resumed, ["7", "8"]);
}

#[tokio::test]
async fn a_bookmark_moves_the_place_to_go_on_from_and_is_no_event() {
    let bookmark = json!({"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": {"resourceVersion": "50"}}});
    let mut watched = Watched::new(vec![
        list(&["a"], 7, ""),
        broken(&format!("{bookmark}\n")),
        silent(&event("ADDED", "b", 51)),
    ])
    .await;
    assert_eq!(watched.words(4).await, ["restarted", "+a", "synced", "+b"]);
    assert_eq!(query(&watched.requests()[2], "resourceVersion").as_deref(), Some("50"));
}

/// F22: in both forms in which a member says that it has compacted a revision.
#[tokio::test]
async fn what_is_compacted_is_listed_anew() {
    let expired = json!({"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "status": "Failure",
        "reason": "Expired", "message": "too old", "code": 410}});
    let mut watched = Watched::new(vec![
        list(&["a", "b"], 7, ""),
        broken(&format!("{expired}\n")),
        list(&["b"], 20, ""),
        Reply::status(410, "Expired", "too old", &json!({})),
        list(&["c"], 30, ""),
        silent(""),
    ])
    .await;
    let expected = [
        "restarted",
        "+a",
        "+b",
        "synced",
        "restarted",
        "+b",
        "synced",
        "restarted",
        "+c",
        "synced",
    ];
    assert_eq!(watched.words(10).await, expected);
}

/// F24: a member restored from a backup has not seen the revision yet.
#[tokio::test]
async fn a_revision_from_the_future_is_listed_anew() {
    let mut watched = Watched::new(vec![
        list(&["a"], 700, ""),
        {
            let causes =
                json!({"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]});
            Reply::status(504, "Timeout", "Too large resource version: 700, current: 7", &causes)
        },
        list(&["b"], 7, ""),
        silent(""),
    ])
    .await;
    assert_eq!(
        watched.words(6).await,
        ["restarted", "+a", "synced", "restarted", "+b", "synced"]
    );
}

/// F20
#[tokio::test]
async fn a_list_that_breaks_off_is_begun_again_and_never_synced() {
    let mut watched = Watched::new(vec![
        list(&["a"], 7, "x"),
        Reply::status(410, "Expired", "the continue token is too old", &json!({})),
        list(&["a"], 8, "y"),
        Reply::Last(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"kind\":".to_vec()),
        list(&["a", "b"], 9, ""),
        silent(""),
    ])
    .await;
    let words = watched.words(10).await;
    assert!(
        words[2].starts_with("failed") && words[5].starts_with("failed"),
        "{words:?}"
    );
    assert_eq!(words[..2], ["restarted", "+a"]);
    assert_eq!(words[3..5], ["restarted", "+a"]);
    assert_eq!(words[6..], ["restarted", "+a", "+b", "synced"]);
}

#[tokio::test]
async fn a_list_that_gives_the_same_token_again_is_no_list() {
    let mut watched = Watched::new(vec![
        list(&["a"], 7, "x"),
        list(&["b"], 7, "x"),
        list(&["a"], 8, ""),
        silent(""),
    ])
    .await;
    let words = watched.words(6).await;
    assert_eq!(words[..2], ["restarted", "+a"]);
    assert!(words[2].contains("in circles"), "{words:?}");
    assert_eq!(words[3..], ["restarted", "+a", "synced"]);
}

/// Nobody holds the hub in a list for ever.
/// Whoever always asked for the same page would never read it.
#[tokio::test]
async fn a_page_that_is_too_large_is_asked_for_in_smaller_ones() {
    let fake = Fake::start().await;
    let large = "x".repeat(200 << 10);
    fake.script(move |seen| {
        if seen.path() != PODS || is_watch(seen) {
            return None;
        }
        let limit: usize = query(seen, "limit")?.parse().ok()?;
        let from: usize = query(seen, "continue").map_or(0, |token| token.parse().unwrap());
        let to = (from + limit).min(100);
        let items: Vec<_> = (from..to).map(|number| json!({"metadata": {"name": number.to_string()}, "data": large})).collect();
        let next = if to < 100 { to.to_string() } else { String::new() };
        Some(Reply::json(200, &json!({
            "kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "7", "continue": next}, "items": items,
        })))
    });
    let mut watched = Watched::of(fake, options());
    let words = watched.words(102).await;
    assert_eq!((words[0].as_str(), words[101].as_str()), ("restarted", "synced"));
    let names: BTreeSet<&str> = words[1..101].iter().map(String::as_str).collect();
    assert_eq!(names.len(), 100);
}

#[tokio::test]
async fn a_list_without_end_is_given_up() {
    let fake = Fake::start().await;
    let asked = Mutex::new(0);
    fake.script(move |seen| {
        (seen.path() == PODS).then(|| {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            list(&[], 7, &format!("x{asked}"))
        })
    });
    let mut watched = Watched::of(fake, options());
    let words = watched.words(2).await;
    assert_eq!(words[0], "restarted");
    assert!(words[1].contains("more than 500000 objects"), "{words:?}");
    assert_eq!(watched.requests().len(), 1000);
}

/// F19, F28, F44: whatever is wrong is told, nothing is gone, and it is tried again.
#[tokio::test]
async fn what_cannot_be_listed_is_unknown_until_it_can() {
    let mut watched = Watched::new(vec![
        Reply::text(404, "text/plain", "404 page not found\n"),
        Reply::status(403, "Forbidden", "pods is forbidden", &json!({"kind": "pods"})),
        Reply::text(200, "text/html", "<html>"),
        Reply::json(200, &json!({"kind": "Status", "apiVersion": "v1", "status": "Success"})),
        Reply::Last(Vec::new()),
        list(&["a"], 7, ""),
        Reply::text(200, "text/html", "<html>\n"),
        silent(&event("ADDED", "b", 8)),
    ])
    .await;
    let failed = |event: WatchEvent| match event {
        WatchEvent::Failed(error) => error,
        other => panic!("{other:?}"),
    };
    assert!(failed(watched.next().await).is_api_missing());
    assert!(failed(watched.next().await).is_forbidden());
    assert!(matches!(failed(watched.next().await), OwnError::NotKubernetes(_)));
    assert!(matches!(failed(watched.next().await), OwnError::NotKubernetes(_)));
    assert!(matches!(failed(watched.next().await), OwnError::Broken(_)));
    assert_eq!(watched.words(3).await, ["restarted", "+a", "synced"]);
    assert!(matches!(failed(watched.next().await), OwnError::NotKubernetes(_)));
    assert_eq!(watched.words(1).await, ["+b"]);
}

/// F23
#[tokio::test]
async fn a_watch_that_falls_silent_is_taken_for_dead_and_goes_on_where_it_was() {
    let begun = Instant::now();
    let mut watched = Watched::new(vec![
        list(&["a"], 7, ""),
        silent(&event("ADDED", "b", 8)),
        silent(&event("ADDED", "c", 9)),
    ])
    .await;
    assert_eq!(watched.words(5).await, ["restarted", "+a", "synced", "+b", "+c"]);
    assert!(begun.elapsed() >= options().network.deadlines.silence);
    let requests = watched.requests();
    assert_eq!(query(&requests[2], "resourceVersion").as_deref(), Some("8"));
    eventually("the silent one is closed", || {
        watched.fake.is_closed(requests[1].connection)
    })
    .await;
}

/// Neither a member that ends each watch at once, nor one that has always just compacted, makes a storm.
#[tokio::test]
async fn what_fails_again_and_again_is_tried_less_and_less_often() {
    for (reply, told) in [
        ((|| broken("")) as fn() -> Reply, true),
        (|| Reply::status(410, "Expired", "x", &json!({})), false),
        (|| Reply::status(500, "InternalError", "x", &json!({})), true),
    ] {
        let fake = Fake::start().await;
        fake.script(move |seen| {
            let answer = || if is_watch(seen) { reply() } else { list(&["a"], 7, "") };
            (seen.path() == PODS).then(answer)
        });
        let mut watched = Watched::of(fake, options());
        let mut failures = 0;
        let deadline = Instant::now() + millis(900);
        while let Ok(Some(event)) = tokio::time::timeout_at(deadline, watched.stream.next()).await {
            failures += usize::from(matches!(event, WatchEvent::Failed(_)));
        }
        let attempts = watched.requests().iter().filter(|seen| is_watch(seen)).count();
        assert!(
            (2..=30).contains(&attempts),
            "{attempts} attempts in 900 ms, told: {told}"
        );
        assert_eq!(failures > 0, told);
    }
}

/// F17
#[tokio::test]
async fn a_member_that_asks_for_time_gets_it() {
    let mut watched = Watched::new(vec![
        Reply::Raw(b"HTTP/1.1 429 X\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n".to_vec()),
        list(&["a"], 7, ""),
        silent(""),
    ])
    .await;
    let begun = Instant::now();
    let words = watched.words(4).await;
    assert!(words[0].starts_with("failed"));
    assert_eq!(words[1..], ["restarted", "+a", "synced"]);
    assert!(begun.elapsed() >= millis(1000));
}

#[tokio::test]
async fn a_watch_ends_with_the_member_and_not_before() {
    let fake = Fake::start().await;
    in_turn(&fake, vec![list(&["a"], 7, ""), silent("")]);
    let mut options = options();
    options.network.deadlines.silence = millis(60_000);
    let mut watched = Watched::of(fake, options);
    watched.words(3).await;
    let fake = &watched.fake;
    let begun = eventually("the watch begins", || fake.seen(PODS).iter().any(is_watch));
    tokio::select! {
        () = begun => {}
        event = watched.stream.next() => panic!("{event:?}"),
    }
    let reading = timeout(millis(100), watched.stream.next()).await;
    assert!(reading.is_err());
    let connection = watched
        .requests()
        .iter()
        .find(|seen| is_watch(seen))
        .unwrap()
        .connection;
    assert!(!watched.fake.is_closed(connection));
    watched.clusters.apply(Vec::new());
    assert!(timeout(millis(5000), watched.stream.next()).await.unwrap().is_none());
    eventually("its connection closes", || watched.fake.is_closed(connection)).await;
}

/// One member that hangs must not keep others from listing.
#[tokio::test]
async fn lists_of_members_that_hang_do_not_stop_those_of_others() {
    let hanging = Fake::start().await;
    hanging.script(|seen| (seen.path() == PODS).then_some(Reply::Hang));
    let healthy = Fake::start().await;
    in_turn(&healthy, vec![list(&["a"], 7, ""), silent("")]);
    let clusters = Clusters::new(options());
    let mut registrations: Vec<_> = (0..3)
        .map(|n| crate::setup::registration(&format!("h{n}"), crate::setup::connect_to(&hanging, "")))
        .collect();
    registrations.push(crate::setup::registration("a", crate::setup::connect_to(&healthy, "")));
    clusters.apply(registrations);
    let mut hung: futures::stream::SelectAll<_> = (0..30)
        .map(|n| {
            Box::pin(
                clusters
                    .member(&format!("h{}", n % 3))
                    .unwrap()
                    .watch(pods(), String::new()),
            )
        })
        .collect();
    let mut stream = Box::pin(clusters.member("a").unwrap().watch(pods(), String::new()));
    let synced = async { while !matches!(stream.next().await, Some(WatchEvent::Synced)) {} };
    tokio::select! {
        () = synced => {}
        () = async { while hung.next().await.is_some() {} } => unreachable!("watches do not end"),
    }
}
