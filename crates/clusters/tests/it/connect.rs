//! Nobody but the member gets a byte of HTTP.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use atoll_clusters::{
    AddressPolicy, Clusters, ConnectError, ConnectFailure, ConnectStage, Connection, Credential, Endpoint,
    ForwardClass, ForwardError, Network, Options, OwnError, OwnRequest,
};

use crate::authority::{Authority, Leaf};
use crate::fake::Fake;
use crate::setup::{TOKEN, alice, connect_to, eventually, get, network, options, registration};

async fn refused(network: Network, connection: Connection) -> ConnectError {
    let clusters = Clusters::new(Options { network, ..options() });
    clusters.apply(vec![registration("a", connection)]);
    let member = clusters.member("a").unwrap();
    let forwarded = member.forward(get("/api", ForwardClass::Short), &alice()).await;
    let own = member.request(OwnRequest::get("/api")).await;
    clusters.close().await;
    match (forwarded, own) {
        (Err(ForwardError::Connect(one)), Err(OwnError::Connect(other))) if one == other => one,
        other => panic!("{other:?}"),
    }
}

fn named(fake: &Fake, host: &str, tls_server_name: Option<&str>) -> Connection {
    let endpoint = Endpoint::parse(&format!("https://{host}:{}", fake.address.port())).unwrap();
    let credential = Credential::Token(TOKEN.to_owned().into());
    Connection::new(
        endpoint,
        Some(fake.authority.pem()),
        tls_server_name.map(Into::into),
        credential,
    )
    .unwrap()
}

/// SF-09
#[tokio::test]
async fn a_certificate_that_does_not_hold_gets_no_byte_of_http() {
    let wrong_name = Leaf {
        names: vec!["other.test".into()],
        ..Leaf::default()
    };
    let expired = Leaf {
        ends: (2021, 1, 1),
        ..Leaf::default()
    };
    for (leaf, foreign, expected) in [
        (Leaf::default(), true, ConnectFailure::UnknownIssuer),
        (
            wrong_name,
            false,
            ConnectFailure::WrongName {
                expected: "127.0.0.1".into(),
                presented: String::new(),
            },
        ),
        (expired, false, ConnectFailure::Expired),
    ] {
        let fake = Fake::with(Authority::new(), &leaf, false).await;
        let mut connection = connect_to(&fake, "");
        if foreign {
            connection.ca = Some(Authority::new().pem());
        }
        let error = refused(network(), connection).await;
        assert_eq!(error.stage, ConnectStage::Tls);
        match (&error.failure, &expected) {
            (ConnectFailure::WrongName { expected, presented }, ConnectFailure::WrongName { expected: meant, .. }) => {
                assert_eq!(expected, meant);
                assert_eq!(presented, "other.test");
            }
            (failure, expected) => assert_eq!(failure, expected),
        }
        assert!(error.is_certificate() && !error.hint().is_empty());
        assert!(fake.accepted() > 0);
        eventually("every handshake is given up", || fake.refused() == fake.accepted()).await;
        assert!(fake.seen("").is_empty());
    }
}

#[tokio::test]
async fn without_an_authority_the_systems_are_asked_and_do_not_know_the_member() {
    let fake = Fake::start().await;
    let mut connection = connect_to(&fake, "");
    connection.ca = None;
    assert_eq!(
        refused(network(), connection).await.failure,
        ConnectFailure::UnknownIssuer
    );
    assert!(fake.seen("").is_empty());
}

#[tokio::test]
async fn the_name_to_verify_may_be_another_than_the_address() {
    let fake = Fake::with(
        Authority::new(),
        &Leaf {
            names: vec!["member.test".into()],
            ..Leaf::default()
        },
        false,
    )
    .await;
    let clusters = Clusters::new(options());
    clusters.apply(vec![registration("a", named(&fake, "127.0.0.1", Some("member.test")))]);
    assert!(
        clusters
            .member("a")
            .unwrap()
            .request(OwnRequest::get("/version"))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_client_certificate_signs_in_and_no_header_does() {
    let authority = Authority::new();
    let (certificate, key) = authority.client();
    let fake = Fake::with(authority, &Leaf::default(), true).await;
    let credential = Credential::ClientCertificate {
        certificate,
        key: key.into(),
    };
    let endpoint = Endpoint::parse(&format!("https://{}", fake.address)).unwrap();
    let connection = Connection::new(endpoint, Some(fake.authority.pem()), None, credential).unwrap();
    let clusters = Clusters::new(options());
    clusters.apply(vec![registration("a", connection)]);
    let member = clusters.member("a").unwrap();
    assert!(member.request(OwnRequest::get("/version")).await.is_ok());
    let mut request = get("/version", ForwardClass::Short);
    request.headers.insert("authorization", "Bearer other".parse().unwrap());
    member.forward(request, &alice()).await.unwrap();
    assert!(
        fake.seen("/version")
            .iter()
            .all(|seen| seen.all("authorization").is_empty())
    );

    let without = refused_or_broken(&fake).await;
    assert!(without, "a member that wants a certificate lets in who has none");
}

/// TLS 1.3 tells a client only afterwards that its certificate was missing.
async fn refused_or_broken(fake: &Fake) -> bool {
    let clusters = Clusters::new(options());
    clusters.apply(vec![registration("b", connect_to(fake, ""))]);
    let answer = clusters.member("b").unwrap().request(OwnRequest::get("/version")).await;
    matches!(answer, Err(OwnError::Connect(_) | OwnError::Broken(_)))
}

/// SF-02, SF-04: names are judged by what they resolve to, each time, and all of it.
#[tokio::test]
async fn a_name_that_resolves_to_a_forbidden_address_is_not_dialled() {
    let fake = Fake::start().await;
    let resolving = |answers: &'static [&'static str], allow_loopback: bool| {
        let policy = AddressPolicy {
            allow_loopback,
            ..AddressPolicy::default()
        };
        let mut network = Network {
            policy: Arc::new(policy),
            ..network()
        };
        network.resolver = Arc::new(move |host, _| {
            assert_eq!(host, "member.test");
            let found: Vec<IpAddr> = answers.iter().map(|ip| ip.parse().unwrap()).collect();
            Box::pin(async move { Ok(found) })
        });
        network
    };
    for (answers, loopback) in [
        (&["169.254.169.254"][..], true),
        (&["::ffff:169.254.169.254"], true),
        (&["127.0.0.1", "169.254.169.254"], true),
        (&["127.0.0.1"], false),
        (&["::ffff:127.0.0.1"], false),
    ] {
        let error = refused(resolving(answers, loopback), named(&fake, "member.test", None)).await;
        assert_eq!(error.stage, ConnectStage::Dns, "{answers:?}");
        assert!(
            matches!(error.failure, ConnectFailure::Refused(_)),
            "{answers:?}: {error:?}"
        );
    }
    let nothing = refused(resolving(&[], true), named(&fake, "member.test", None)).await;
    assert!(matches!(nothing.failure, ConnectFailure::Unresolved { .. }));
    assert_eq!(fake.accepted(), 0);

    let clusters = Clusters::new(Options {
        network: resolving(&["::ffff:127.0.0.1"], true),
        ..options()
    });
    clusters.apply(vec![registration("a", named(&fake, "member.test", None))]);
    let member = clusters.member("a").unwrap();
    assert!(member.request(OwnRequest::get("/version")).await.is_ok());
    let host = format!("member.test:{}", fake.address.port());
    assert!(
        fake.seen("/version")
            .iter()
            .all(|seen| seen.all("host") == [host.clone()])
    );
}

/// SF-04: a name that led to the member may lead elsewhere at the next connection.
#[tokio::test]
async fn a_name_is_judged_again_at_each_new_connection() {
    let fake = Fake::start().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let mut network = network();
    let count = asked.clone();
    network.resolver = Arc::new(move |_, _| {
        let first = count.fetch_add(1, Ordering::SeqCst) < 2;
        let ip: IpAddr = if first { "127.0.0.1" } else { "169.254.169.254" }.parse().unwrap();
        Box::pin(async move { Ok(vec![ip]) })
    });
    let clusters = Clusters::new(Options { network, ..options() });
    clusters.apply(vec![registration("a", named(&fake, "member.test", None))]);
    let member = clusters.member("a").unwrap();
    // One connection is the probe's.
    eventually("the probe", || member.is_ready()).await;
    eventually("the name leads elsewhere", || asked.load(Ordering::SeqCst) >= 2).await;
    let error = member
        .forward(get("/api", ForwardClass::Long), &alice())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ForwardError::Connect(error) if error.stage == ConnectStage::Dns),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_peer_that_takes_connections_and_says_nothing_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::parse(&format!("https://{}", listener.local_addr().unwrap())).unwrap();
    let credential = Credential::Token(TOKEN.to_owned().into());
    let connection = Connection::new(endpoint, Some(Authority::new().pem()), None, credential).unwrap();
    let mut network = network();
    network.deadlines.tls = crate::setup::millis(100);
    let limit = network.deadlines.tls;
    let error = refused(network, connection).await;
    assert_eq!(
        error,
        ConnectError {
            stage: ConnectStage::Tls,
            failure: ConnectFailure::TimedOut(limit)
        }
    );
}
