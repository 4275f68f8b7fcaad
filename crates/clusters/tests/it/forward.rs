//! Forwarded requests, as they arrive.

use atoll_clusters::{ConnectStage, Connection, Credential, Endpoint, ForwardClass, ForwardError};
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use serde_json::json;
use tokio::time::timeout;

use crate::fake::{Fake, Reply};
use crate::setup::{
    TOKEN, alice, body, connect_to, eventually, get, hurried, millis, one, options, registration, text_of,
};

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_static(value));
    }
    headers
}

#[tokio::test]
async fn a_request_arrives_as_the_person_with_the_hubs_credential() {
    let fake = Fake::start().await;
    let (_clusters, member) = one(&fake, options());
    let mut request = get("/api/v1/namespaces/a%2Fb/pods", ForwardClass::Short);
    request.query = Some("limit=1&fieldSelector=a%3Db".into());
    request.headers = headers(&[
        ("Accept", "application/json;as=Table"),
        ("User-Agent", "kubectl/v1.36.3"),
        ("Kubectl-Command", "kubectl get"),
    ]);
    member.forward(request, &alice()).await.unwrap();

    let seen = fake.seen("/api/v1/namespaces/a").remove(0);
    assert_eq!(seen.target, "/api/v1/namespaces/a%2Fb/pods?limit=1&fieldSelector=a%3Db");
    let mut names: Vec<_> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(
        names,
        [
            "accept",
            "authorization",
            "host",
            "impersonate-extra-%53copes.example%2fx",
            "impersonate-group",
            "impersonate-uid",
            "impersonate-user",
            "kubectl-command",
            "user-agent",
        ]
    );
    assert_eq!(seen.all("host"), [fake.address.to_string()]);
    assert_eq!(seen.all("authorization"), [format!("Bearer {TOKEN}")]);
    assert_eq!(seen.all("impersonate-user"), ["atoll:alice"]);
    assert_eq!(seen.all("impersonate-uid"), ["u-1"]);
    assert_eq!(seen.all("impersonate-group"), ["atoll:admins", "atoll:grant:1"]);
    assert_eq!(seen.all("impersonate-extra-%53copes.example%2fx"), ["one", "two"]);
}

/// PX-10, PX-11, PX-12
#[tokio::test]
async fn a_caller_can_neither_add_to_nor_take_away_who_is_asking() {
    let fake = Fake::start().await;
    let (_clusters, member) = one(&fake, options());
    let attacks: [&[(&str, &str)]; 6] = [
        &[("Connection", "Impersonate-User, Impersonate-Group, Authorization, Host")],
        &[("connection", "close, impersonate-user"), ("Keep-Alive", "timeout=5")],
        &[
            ("Impersonate-User", "system:admin"),
            ("IMPERSONATE-GROUP", "system:masters"),
        ],
        &[
            ("impersonate-user", "a"),
            ("impersonate-user", "b"),
            ("Impersonate_User", "c"),
            ("impersonate-uid", "0"),
        ],
        &[
            ("Authorization", "Bearer other"),
            ("Cookie", "__Host-atoll=x"),
            ("Host", "evil.example"),
        ],
        &[
            ("X-Remote-User", "admin"),
            ("X-Forwarded-For", "1.2.3.4"),
            ("TE", "trailers"),
            ("Proxy-Authorization", "x"),
        ],
    ];
    for attack in attacks {
        for class in [ForwardClass::Short, ForwardClass::Long] {
            let mut request = get("/api/v1/attacked", class);
            request.headers = headers(attack);
            member.forward(request, &alice()).await.unwrap();
        }
    }
    let seen = fake.seen("/api/v1/attacked");
    assert_eq!(seen.len(), 12);
    for seen in seen {
        assert_eq!(seen.all("impersonate-user"), ["atoll:alice"]);
        assert_eq!(seen.all("impersonate-uid"), ["u-1"]);
        assert_eq!(seen.all("impersonate-group"), ["atoll:admins", "atoll:grant:1"]);
        assert_eq!(seen.all("authorization"), [format!("Bearer {TOKEN}")]);
        assert_eq!(seen.all("host"), [fake.address.to_string()]);
        for (name, _) in &seen.headers {
            let ours = ["authorization", "host"].contains(&name.as_str()) || name.starts_with("impersonate-");
            assert!(ours, "{name}");
        }
    }
}

/// PX-13: a stream of unknown length, then trailers.
#[tokio::test]
async fn bodies_are_streamed_and_trailers_stay_behind() {
    let fake = Fake::start().await;
    fake.script(|seen| (seen.method == "POST").then(|| Reply::json(201, &json!({"length": seen.body.len()}))));
    let (_clusters, member) = one(&fake, options());
    let mut trailers = HeaderMap::new();
    trailers.insert("impersonate-user", HeaderValue::from_static("system:admin"));
    let frames: Vec<_> = (0..100)
        .map(|_| Frame::data(bytes::Bytes::from(vec![b'x'; 10_000])))
        .collect();
    let frames = frames.into_iter().chain([Frame::trailers(trailers)]).map(Ok);
    let mut request = get("/api/v1/upload", ForwardClass::Short);
    request.method = Method::POST;
    request.headers = headers(&[("Trailer", "Impersonate-User"), ("TE", "trailers")]);
    request.body = StreamBody::new(futures::stream::iter(frames)).boxed_unsync();
    let forwarded = member.forward(request, &alice()).await.unwrap();
    assert_eq!(text_of(forwarded.response).await, r#"{"length":1000000}"#);
    let seen = fake.seen("/api/v1/upload").remove(0);
    assert!(seen.all("trailer!").is_empty() && seen.all("trailer").is_empty());
    assert_eq!(seen.all("impersonate-user"), ["atoll:alice"]);
}

#[tokio::test]
async fn the_path_of_the_endpoint_stands_in_front_of_every_request() {
    let fake = Fake::start().await;
    fake.script(|seen| {
        seen.path()
            .ends_with("/healthz")
            .then(|| Reply::text(200, "text/plain", "ok"))
    });
    let clusters = atoll_clusters::Clusters::new(options());
    clusters.apply(vec![registration("a", connect_to(&fake, "/k8s/clusters/c-1"))]);
    let member = clusters.member("a").unwrap();
    member
        .forward(get("/api/v1/pods", ForwardClass::Short), &alice())
        .await
        .unwrap();
    assert_eq!(fake.seen("/k8s/clusters/c-1/api/v1/pods").len(), 1);
    eventually("the probe", || !fake.seen("/k8s/clusters/c-1/healthz").is_empty()).await;
    assert!(fake.seen("/api").is_empty() && fake.seen("/healthz").is_empty());
}

#[tokio::test]
async fn what_a_member_answers_comes_back_as_it_is() {
    let fake = Fake::start().await;
    fake.script(|seen| match seen.path() {
        "/forbidden" => Some(Reply::status(403, "Forbidden", "no", &json!({"kind": "pods"}))),
        "/redirect" => Some(Reply::Raw(
            b"HTTP/1.1 302 Found\r\nlocation: https://169.254.169.254/\r\ncontent-length: 0\r\n\r\n".to_vec(),
        )),
        "/compressed" => Some(Reply::Raw(
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\n\x1f\x8b\x08".to_vec(),
        )),
        _ => None,
    });
    let (_clusters, member) = one(&fake, options());
    let forbidden = member
        .forward(get("/forbidden", ForwardClass::Short), &alice())
        .await
        .unwrap()
        .response;
    assert_eq!(forbidden.status(), 403);
    assert!(text_of(forbidden).await.contains(r#""reason":"Forbidden""#));
    // PX-22
    let redirect = member
        .forward(get("/redirect", ForwardClass::Short), &alice())
        .await
        .unwrap()
        .response;
    assert_eq!((redirect.status().as_u16(), fake.seen("/redirect").len()), (302, 1));
    let compressed = member
        .forward(get("/compressed", ForwardClass::Short), &alice())
        .await
        .unwrap()
        .response;
    assert_eq!(compressed.headers()["content-encoding"], "gzip");
    assert_eq!(
        compressed.into_body().collect().await.unwrap().to_bytes(),
        &b"\x1f\x8b\x08"[..]
    );
}

#[tokio::test]
async fn short_requests_share_a_connection_and_long_ones_get_their_own() {
    let fake = Fake::start().await;
    fake.script(|seen| seen.path().starts_with("/r/").then(|| Reply::json(200, &json!({}))));
    let (_clusters, member) = one(&fake, options());
    for _ in 0..3 {
        let forwarded = member
            .forward(get("/r/short", ForwardClass::Short), &alice())
            .await
            .unwrap();
        text_of(forwarded.response).await;
    }
    let connections: std::collections::BTreeSet<_> = fake.seen("/r/short").iter().map(|seen| seen.connection).collect();
    assert_eq!(connections.len(), 1);
    for _ in 0..3 {
        let forwarded = member
            .forward(get("/r/long", ForwardClass::Long), &alice())
            .await
            .unwrap();
        text_of(forwarded.response).await;
    }
    let long = fake.seen("/r/long");
    let own: std::collections::BTreeSet<_> = long.iter().map(|seen| seen.connection).collect();
    assert!(
        own.len() == 3 && own.is_disjoint(&connections),
        "{own:?} {connections:?}"
    );
    eventually("own connections close", || {
        long.iter().all(|seen| fake.is_closed(seen.connection))
    })
    .await;
}

/// A member that closes idle connections must not make requests fail, nor be sent one twice.
#[tokio::test]
async fn a_stale_pooled_connection_is_replaced_and_nothing_is_sent_twice() {
    let fake = Fake::start().await;
    fake.script(|seen| {
        let last = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec();
        seen.path().starts_with("/r/").then_some(Reply::Last(last))
    });
    let (_clusters, member) = one(&fake, options());
    for number in 0..20 {
        let mut request = get(&format!("/r/{number}"), ForwardClass::Short);
        request.method = Method::POST;
        request.body = body("{}");
        let forwarded = member.forward(request, &alice()).await.unwrap();
        assert_eq!(text_of(forwarded.response).await, "{}");
    }
    assert_eq!(fake.seen("/r/").len(), 20);
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_was_sent_is_not_tried_again() {
    let fake = Fake::start().await;
    fake.script(|seen| (seen.path() == "/breaks").then(|| Reply::Last(b"HTTP/1.1 2".to_vec())));
    let (_clusters, member) = one(&fake, options());
    let broken = member.forward(get("/breaks", ForwardClass::Short), &alice()).await;
    assert!(matches!(broken, Err(ForwardError::Broken(_))), "{broken:?}");
    assert_eq!(fake.seen("/breaks").len(), 1);
}

#[tokio::test]
async fn only_short_requests_have_a_deadline_for_the_head_of_the_answer() {
    let fake = Fake::start().await;
    fake.script(|seen| seen.path().starts_with("/hang").then_some(Reply::Hang));
    let options = hurried();
    let limit = options.network.deadlines.response_header;
    let (_clusters, member) = one(&fake, options);
    let short = member.forward(get("/hang/short", ForwardClass::Short), &alice()).await;
    assert!(
        matches!(short, Err(ForwardError::TimedOut(after)) if after == limit),
        "{short:?}"
    );
    let hung = fake.seen("/hang/short")[0].connection;
    eventually("the connection is given up", || fake.is_closed(hung)).await;
    let identity = alice();
    let long = timeout(
        limit * 2,
        member.forward(get("/hang/long", ForwardClass::Long), &identity),
    )
    .await;
    assert!(long.is_err());
}

#[tokio::test]
async fn a_caller_who_goes_away_ends_the_request_at_the_member() {
    let fake = Fake::start().await;
    let (chunks, stream) = Reply::stream(true);
    let stream = std::sync::Mutex::new(Some(stream));
    fake.script(move |seen| (seen.path() == "/watch").then(|| stream.lock().unwrap().take().unwrap()));
    let (_clusters, member) = one(&fake, options());
    let mut forwarded = member
        .forward(get("/watch", ForwardClass::Long), &alice())
        .await
        .unwrap();
    chunks.send("line\n".into()).await.unwrap();
    let frame = forwarded.response.body_mut().frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "line\n");
    drop(forwarded);
    let connection = fake.seen("/watch")[0].connection;
    eventually("the connection closes", || fake.is_closed(connection)).await;
}

#[tokio::test]
async fn nobody_listening_is_told_from_a_wrong_registration() {
    let fake = Fake::start().await;
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let endpoint = Endpoint::parse(&format!("https://{gone}")).unwrap();
    let credential = Credential::Token(TOKEN.to_owned().into());
    let connection = Connection::new(endpoint, Some(fake.authority.pem()), None, credential).unwrap();
    let clusters = atoll_clusters::Clusters::new(options());
    let mut malformed = registration("m", connection.clone());
    malformed.connection = Err("the Secret has no token".into());
    clusters.apply(vec![registration("a", connection), malformed]);
    let error = clusters
        .member("a")
        .unwrap()
        .forward(get("/", ForwardClass::Short), &alice())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ForwardError::Connect(error) if error.stage == ConnectStage::Tcp),
        "{error:?}"
    );
    assert_eq!(error.stage(), Some("tcp"));
    assert!(error.hint().is_some_and(|hint| hint.contains("firewall")));
    let error = clusters
        .member("m")
        .unwrap()
        .forward(get("/", ForwardClass::Short), &alice())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ForwardError::Malformed(why) if why.contains("no token")),
        "{error:?}"
    );
    assert_eq!(error.stage(), Some("kubeconfig"));
}

/// PX-04, PX-17
#[tokio::test]
async fn requests_and_answers_that_would_be_read_in_two_ways_are_refused() {
    let fake = Fake::start().await;
    fake.script(|seen| match seen.path() {
        "/two" => Some(Reply::Raw(
            b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\naHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nb".to_vec(),
        )),
        "/lengths" => Some(Reply::Raw(
            b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_vec(),
        )),
        "/headers" => {
            let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
            Some(Reply::Raw(
                format!("HTTP/1.1 200 OK\r\n{many}content-length: 0\r\n\r\n").into_bytes(),
            ))
        }
        "/switch" => Some(Reply::Raw(
            b"HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n".to_vec(),
        )),
        _ => None,
    });
    let (_clusters, member) = one(&fake, options());
    for path in ["/lengths", "/headers", "/switch"] {
        let refused = member.forward(get(path, ForwardClass::Short), &alice()).await;
        assert!(matches!(refused, Err(ForwardError::Broken(_))), "{path}: {refused:?}");
    }
    let two = member
        .forward(get("/two", ForwardClass::Short), &alice())
        .await
        .unwrap();
    assert_eq!(text_of(two.response).await, "a");
    let connection = fake.seen("/two")[0].connection;
    tokio::time::sleep(millis(20)).await;
    let after = member
        .forward(get("/version", ForwardClass::Short), &alice())
        .await
        .unwrap();
    assert!(text_of(after.response).await.contains("v1.36.3"));
    assert!(fake.seen("/version").iter().all(|seen| seen.connection != connection));

    for (method, path) in [
        (Method::CONNECT, "/api"),
        (Method::GET, "//evil.example@x/#y"),
        (Method::GET, "api"),
    ] {
        let mut request = get(path, ForwardClass::Short);
        request.method = method;
        assert!(
            matches!(member.forward(request, &alice()).await, Err(ForwardError::Broken(_))),
            "{path}"
        );
    }
}
