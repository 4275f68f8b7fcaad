//! Who waits for whom: nobody for a member that hangs.

use atoll_clusters::{Clusters, ForwardClass, ForwardError, Limits, Options};
use futures::StreamExt as _;
use serde_json::json;
use tokio::time::Instant;

use crate::fake::{Fake, Reply};
use crate::setup::{alice, connect_to, eventually, get, millis, network, one, options, registration};

/// DS-12, DS-13: places are held until the body is dropped, and each class has its own.
#[tokio::test]
async fn who_finds_no_place_waits_a_moment_and_is_told_so() {
    let fake = Fake::start().await;
    fake.script(|seen| seen.path().starts_with("/r").then(|| Reply::json(200, &json!({}))));
    let limits = Limits {
        short: 2,
        long: 1,
        upgrade: 1,
        own: 1,
    };
    let (_clusters, member) = one(&fake, Options { limits, ..options() });
    let first = member.forward(get("/r", ForwardClass::Short), &alice()).await.unwrap();
    let _second = member.forward(get("/r", ForwardClass::Short), &alice()).await.unwrap();
    let begun = Instant::now();
    let third = member.forward(get("/r", ForwardClass::Short), &alice()).await;
    assert!(matches!(third, Err(ForwardError::Busy)), "{third:?}");
    assert!(begun.elapsed() >= network().deadlines.queue);
    assert_eq!(fake.seen("/r").len(), 2);
    member.forward(get("/r", ForwardClass::Long), &alice()).await.unwrap();
    drop(first);
    member.forward(get("/r", ForwardClass::Short), &alice()).await.unwrap();
}

/// F13, F14: one member that hangs takes nothing from another.
#[tokio::test]
async fn a_member_that_hangs_delays_nobody_else() {
    let (hanging, healthy) = (Fake::start().await, Fake::start().await);
    hanging.script(|_| Some(Reply::Hang));
    healthy.script(|seen| (seen.path() == "/r").then(|| Reply::json(200, &json!({}))));
    let mut options = options();
    // A hundred handshakes come first.
    options.network.deadlines.response_header = millis(8000);
    options.network.deadlines.probe = millis(8000);
    let clusters = Clusters::new(options);
    clusters.apply(vec![
        registration("h", connect_to(&hanging, "")),
        registration("a", connect_to(&healthy, "")),
    ]);
    let stuck = clusters.member("h").unwrap();
    let identity = alice();
    let mut hung: futures::stream::FuturesUnordered<_> = (0..150)
        .map(|_| stuck.forward(get("/r", ForwardClass::Short), &identity))
        .collect();
    let member = clusters.member("a").unwrap();
    let work = async {
        for _ in 0..20 {
            member.forward(get("/r", ForwardClass::Short), &identity).await.unwrap();
        }
    };
    tokio::select! {
        () = work => {}
        () = async { while hung.next().await.is_some() {} } => panic!("the hanging member answered first"),
    }
    eventually("the healthy member is ready", || member.is_ready()).await;
    assert!(!stuck.is_ready());
}
