//! Clusters with one fake member, and deadlines that nobody meets by accident.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use atoll_clusters::{
    AddressPolicy, Clusters, Connection, Credential, Deadlines, Endpoint, ForwardClass, ForwardRequest, Identity,
    Member, Network, Options, Registration, RequestBody,
};
use http::{HeaderMap, Method};
use http_body_util::{BodyExt as _, Full};
use tokio::time::{Instant, sleep};

use crate::fake::Fake;

/// What the hub signs in with, and what no test may find anywhere else.
pub(crate) const TOKEN: &str = "canary-token-1";

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Loopback allowed, and patience for a machine that is busy: what may take long is not what is tested.
pub(crate) fn network() -> Network {
    let policy = AddressPolicy {
        allow_loopback: true,
        ..AddressPolicy::default()
    };
    let deadlines = Deadlines {
        connect: millis(5000),
        tls: millis(5000),
        response_header: millis(5000),
        own_request: millis(20_000),
        question: millis(5000),
        probe: millis(5000),
        queue: millis(50),
        watch: millis(1000),
        silence: millis(400),
        retry_first: millis(20),
        retry_most: millis(100),
    };
    Network {
        deadlines,
        ..Network::new(policy)
    }
}

/// For tests that wait until an answer is late. Whatever is not late has time for a handshake all the same.
pub(crate) fn hurried_network() -> Network {
    let mut network = network();
    network.deadlines.response_header = millis(1000);
    network.deadlines.own_request = millis(1500);
    network.deadlines.question = millis(1000);
    network
}

/// No probe but the first.
pub(crate) fn options() -> Options {
    Options {
        period: Duration::from_secs(600),
        ..Options::new(network())
    }
}

pub(crate) fn hurried() -> Options {
    Options {
        network: hurried_network(),
        ..options()
    }
}

pub(crate) fn connect_to(fake: &Fake, path: &str) -> Connection {
    let endpoint = Endpoint::parse(&format!("https://{}{path}", fake.address)).unwrap();
    let credential = Credential::Token(TOKEN.to_owned().into());
    Connection::new(endpoint, Some(fake.authority.pem()), None, credential).unwrap()
}

pub(crate) fn registration(name: &str, connection: Connection) -> Registration {
    Registration {
        name: name.into(),
        uid: None,
        generation: 1,
        connection: Ok(connection),
        last: None,
    }
}

/// One member, `a`.
pub(crate) fn one(fake: &Fake, options: Options) -> (Clusters, Arc<Member>) {
    let clusters = Clusters::new(options);
    clusters.apply(vec![registration("a", connect_to(fake, ""))]);
    let member = clusters.member("a").unwrap();
    (clusters, member)
}

pub(crate) fn alice() -> Identity {
    let extra = BTreeMap::from([("Scopes.example/x".to_owned(), vec!["one".to_owned(), "two".to_owned()])]);
    Identity::new(
        "atoll:alice",
        Some("u-1".into()),
        vec!["atoll:admins".into(), "atoll:grant:1".into()],
        extra,
    )
    .unwrap()
}

pub(crate) fn body(text: &str) -> RequestBody {
    Full::new(bytes::Bytes::copy_from_slice(text.as_bytes()))
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A request without a body.
pub(crate) fn get(path: &str, class: ForwardClass) -> ForwardRequest {
    ForwardRequest {
        method: Method::GET,
        path: path.into(),
        query: None,
        headers: HeaderMap::new(),
        body: body(""),
        class,
    }
}

pub(crate) async fn text_of(response: http::Response<atoll_clusters::ForwardedBody>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// Waits for something that happens elsewhere.
pub(crate) async fn eventually(what: &str, mut happened: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < Duration::from_secs(20), "never: {what}");
        sleep(millis(5)).await;
    }
}
