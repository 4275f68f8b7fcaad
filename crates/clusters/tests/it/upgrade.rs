//! Tunnels: a 101 that belongs to the request, or the end of the connection.

use atoll_clusters::{ForwardClass, ForwardError, ForwardRequest, Limits, Options};
use http::Method;
use http::header::{HeaderName, HeaderValue};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::fake::{Fake, Reply};
use crate::setup::{alice, body, eventually, get, millis, one, options, text_of};

const PATH: &str = "/api/v1/namespaces/a/pods/p/exec";
/// Key and answer of RFC 6455.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nsec-websocket-protocol: v5.channel.k8s.io\r\n\r\n";

fn exec(headers: &[(&'static str, &'static str)]) -> ForwardRequest {
    let mut request = get(PATH, ForwardClass::Upgrade);
    request.query = Some("command=sh".into());
    for (name, value) in headers {
        request
            .headers
            .append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    request
}

fn websocket() -> ForwardRequest {
    exec(&[
        ("connection", "upgrade, impersonate-user"),
        ("upgrade", "websocket"),
        ("sec-websocket-key", KEY),
        ("sec-websocket-version", "13"),
        (
            "sec-websocket-protocol",
            "v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.Y2FuYXJ5",
        ),
    ])
}

fn spdy() -> ForwardRequest {
    let mut request = exec(&[
        ("upgrade", "SPDY/3.1"),
        ("x-stream-protocol-version", "v4.channel.k8s.io"),
        ("x-stream-protocol-version", "v3.channel.k8s.io"),
        ("content-length", "5"),
    ]);
    request.method = Method::POST;
    request.body = body("bytes");
    request
}

#[tokio::test]
async fn a_tunnel_carries_bytes_both_ways_and_holds_its_place() {
    let fake = Fake::start().await;
    fake.script(|seen| (seen.path() == PATH).then(|| Reply::Echo(GOOD.as_bytes().to_vec())));
    let limits = Limits {
        upgrade: 1,
        ..Limits::default()
    };
    let (_clusters, member) = one(&fake, Options { limits, ..options() });
    let forwarded = member.forward(websocket(), &alice()).await.unwrap();
    assert_eq!(forwarded.response.status(), 101);
    let mut tunnel = TokioIo::new(forwarded.upgrade.unwrap().await.unwrap());
    for text in ["hello", "world"] {
        tunnel.write_all(text.as_bytes()).await.unwrap();
        tunnel.flush().await.unwrap();
        let mut echo = [0; 5];
        tunnel.read_exact(&mut echo).await.unwrap();
        assert_eq!(echo, text.as_bytes());
    }
    let seen = fake.seen(PATH).remove(0);
    assert_eq!(seen.all("connection"), ["Upgrade"]);
    assert_eq!(seen.all("upgrade"), ["websocket"]);
    assert_eq!(seen.all("sec-websocket-protocol"), ["v5.channel.k8s.io"]);
    assert_eq!(seen.all("impersonate-user"), ["atoll:alice"]);

    let busy = member.forward(websocket(), &alice()).await;
    assert!(matches!(busy, Err(ForwardError::Busy)), "{busy:?}");
    drop(tunnel);
    eventually("the tunnel's connection closes", || fake.is_closed(seen.connection)).await;
    drop(forwarded.response);
    member.forward(websocket(), &alice()).await.unwrap();
}

#[tokio::test]
async fn spdy_is_tunnelled_too_and_begins_without_a_body() {
    let fake = Fake::start().await;
    let head = "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n";
    fake.script(move |seen| (seen.path() == PATH).then(|| Reply::Echo(head.as_bytes().to_vec())));
    let (_clusters, member) = one(&fake, options());
    let forwarded = member.forward(spdy(), &alice()).await.unwrap();
    let mut tunnel = TokioIo::new(forwarded.upgrade.unwrap().await.unwrap());
    tunnel.write_all(b"frame").await.unwrap();
    tunnel.flush().await.unwrap();
    let mut echo = [0; 5];
    tunnel.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"frame");
    let seen = fake.seen(PATH).remove(0);
    assert_eq!(
        seen.all("x-stream-protocol-version"),
        ["v4.channel.k8s.io", "v3.channel.k8s.io"]
    );
    assert!(seen.body.is_empty() && !seen.all("content-length").contains(&"5"));
}

/// PX-20, CVE-2018-1002105: the member gets one request, then the end of the connection.
#[tokio::test]
async fn a_refused_upgrade_is_an_ordinary_answer_and_its_connection_ends() {
    let fake = Fake::start().await;
    fake.script(|seen| match (seen.path(), seen.all("upgrade").as_slice()) {
        (PATH, ["websocket"]) => Some(Reply::status(
            400,
            "BadRequest",
            "you must specify a container",
            &json!({}),
        )),
        (PATH, _) => Some(Reply::text(200, "text/plain", "no tunnel here")),
        _ => None,
    });
    let (_clusters, member) = one(&fake, options());
    for (request, status, text) in [(websocket(), 400, "container"), (spdy(), 200, "no tunnel here")] {
        let forwarded = member.forward(request, &alice()).await.unwrap();
        assert!(forwarded.upgrade.is_none());
        assert_eq!(forwarded.response.status(), status);
        assert!(text_of(forwarded.response).await.contains(text));
    }
    for _ in 0..3 {
        member
            .forward(get("/version", ForwardClass::Short), &alice())
            .await
            .unwrap();
        member
            .forward(get("/version", ForwardClass::Long), &alice())
            .await
            .unwrap();
    }
    for refused in fake.seen(PATH) {
        eventually("the connection ends", || fake.is_closed(refused.connection)).await;
        let over_it = fake
            .seen("/")
            .into_iter()
            .filter(|seen| seen.connection == refused.connection);
        assert_eq!(over_it.count(), 1);
    }
}

/// PX-21
#[tokio::test]
async fn a_switch_to_something_else_is_broken_off() {
    for answer in [
        GOOD.replace("websocket\r\n", "h2c\r\n"),
        GOOD.replace("xOo=", "xOp="),
        GOOD.replace("v5.channel", "v1.channel"),
        GOOD.replace("connection: Upgrade\r\n", ""),
    ] {
        let fake = Fake::start().await;
        let head = answer.clone().into_bytes();
        fake.script(move |seen| (seen.path() == PATH).then(|| Reply::Echo(head.clone())));
        let (_clusters, member) = one(&fake, options());
        let refused = member.forward(websocket(), &alice()).await;
        assert!(matches!(refused, Err(ForwardError::Broken(_))), "{answer}: {refused:?}");
        let connection = fake.seen(PATH)[0].connection;
        eventually("the connection closes", || fake.is_closed(connection)).await;
    }
}

/// PX-23
#[tokio::test]
async fn an_upgrade_to_anything_else_is_not_asked_for() {
    let fake = Fake::start().await;
    let (_clusters, member) = one(&fake, options());
    for protocol in ["h2c", "TLS/1.0", "foo", "websocket, h2c"] {
        let refused = member
            .forward(exec(&[("upgrade", protocol), ("sec-websocket-key", KEY)]), &alice())
            .await;
        assert!(
            matches!(refused, Err(ForwardError::Broken(_))),
            "{protocol}: {refused:?}"
        );
    }
    // An upgrade that is not announced as one is an ordinary request.
    let mut request = websocket();
    request.class = ForwardClass::Short;
    member.forward(request, &alice()).await.unwrap();
    tokio::time::sleep(millis(20)).await;
    let seen = fake.seen(PATH);
    assert_eq!(seen.len(), 1);
    assert!(seen[0].all("upgrade").is_empty() && seen[0].all("connection").is_empty());
}
