//! Tunnels: both protocols, both ends, and everything that is no tunnel.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

use super::forward_fixture::{FakeMember, Got, MemberStream, Reply, Served, Wire, json_response, response};
use super::hub_fixture::Hub;

const EXEC: &str = "/k8s/clusters/eu-1/api/v1/namespaces/shop/pods/web-0/exec?command=sh&stdin=true";
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// For that key (RFC 6455, section 1.3).
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

fn websocket(hub: &Hub, path: &str, more: &str) -> Vec<u8> {
    let authorization = format!("Authorization: Bearer {}\r\n", hub.token);
    handshake(path, &format!("{authorization}{more}"))
}

fn handshake(path: &str, more: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Protocol: v5.channel.k8s.io, v4.channel.k8s.io\r\n{more}\r\n"
    )
    .into_bytes()
}

fn spdy(hub: &Hub, method: &str, path: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\
         X-Stream-Protocol-Version: v4.channel.k8s.io\r\nX-Stream-Protocol-Version: channel.k8s.io\r\nContent-Length: 0\r\n\r\n",
        hub.token
    )
    .into_bytes()
}

fn agreed(more: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {ACCEPT}\r\n{more}\r\n"
    )
}

/// Sends a head, then sends back whatever comes.
async fn echo(mut stream: MemberStream, head: String) {
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut buffer = [0; 4096];
    while let Ok(count) = stream.read(&mut buffer).await {
        if count == 0 || stream.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    let _ = stream.shutdown().await;
}

/// A member that agrees to everything and echoes; the receiver tells when a tunnel has ended.
fn echoing(member: &FakeMember) -> tokio::sync::mpsc::Receiver<()> {
    let (ended, is_ended) = tokio::sync::mpsc::channel(8);
    member.answer(move |got: &Got| {
        let head = if got.values("upgrade") == ["SPDY/3.1"] {
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n".to_owned()
        } else {
            agreed("Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n")
        };
        let ended = ended.clone();
        Reply::drive(move |stream, _| async move {
            echo(stream, head).await;
            let _ = ended.send(()).await;
        })
    });
    is_ended
}

async fn echoes(wire: &mut Wire, text: &str) {
    wire.send(text.as_bytes()).await;
    wire.until(text).await;
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .unwrap_or_else(|_| panic!("not soon: {what}"))
}

#[tokio::test]
async fn a_websocket_is_joined_byte_for_byte() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    let mut ended = echoing(&member);
    let mut wire = served.connect(&websocket(&hub, EXEC, "")).await;
    let head = wire.head().await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert!(head.contains(ACCEPT) && head.contains("v5.channel.k8s.io"), "{head}");
    for text in ["hello", "\u{1}binary\u{0}", &"x".repeat(100_000)] {
        echoes(&mut wire, text).await;
    }
    let got = member.last();
    assert_eq!(
        got.line(),
        "GET /api/v1/namespaces/shop/pods/web-0/exec?command=sh&stdin=true HTTP/1.1"
    );
    assert_eq!(got.values("sec-websocket-key"), [KEY]);
    assert_eq!(
        got.values("sec-websocket-protocol"),
        ["v5.channel.k8s.io, v4.channel.k8s.io"]
    );
    assert_eq!(got.values("impersonate-user"), ["atoll:ada"]);
    // The client's end is the member's end.
    drop(wire);
    soon("the member sees the end", ended.recv()).await.unwrap();
}

#[tokio::test]
async fn spdy_is_joined_as_well_by_post_and_by_get() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    let _ended = echoing(&member);
    for (method, path) in [
        ("POST", EXEC),
        ("GET", EXEC),
        (
            "POST",
            "/k8s/clusters/eu-1/api/v1/namespaces/shop/pods/web-0/portforward",
        ),
    ] {
        let mut wire = served.connect(&spdy(&hub, method, path)).await;
        let head = wire.head().await;
        assert!(
            head.starts_with("HTTP/1.1 101") && head.to_lowercase().contains("upgrade: spdy/3.1"),
            "{head}"
        );
        echoes(&mut wire, "frames").await;
        assert!(member.last().line().starts_with(method));
    }
}

#[tokio::test]
async fn what_the_member_says_first_is_not_lost_and_its_end_is_the_clients() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    member.answer(|_| {
        Reply::drive(|mut stream, _| async move {
            stream
                .write_all(format!("{}early bytes", agreed("")).as_bytes())
                .await
                .unwrap();
            stream.shutdown().await.unwrap();
        })
    });
    let mut wire = served.connect(&websocket(&hub, EXEC, "")).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 101"));
    assert_eq!(soon("the end", wire.rest()).await, b"early bytes");
}

/// PX-20
#[tokio::test]
async fn a_refused_upgrade_is_an_error_on_a_closed_connection() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    for code in [400, 403, 404, 500] {
        let (rest, got_rest) = oneshot::channel();
        let once = std::sync::Mutex::new(Some(rest));
        member.answer(move |_| {
            let rest = once.lock().unwrap().take().unwrap();
            Reply::drive(move |mut stream, mut read| async move {
                stream
                    .write_all(&json_response(code, r#"{"kind":"Status","reason":"own"}"#))
                    .await
                    .unwrap();
                let _ = stream.read_to_end(&mut read).await;
                rest.send(read).unwrap();
            })
        });
        let before = member.got().len();
        let mut bytes = websocket(&hub, EXEC, "");
        bytes.extend_from_slice(b"GET /api/v1/secrets HTTP/1.1\r\nHost: member\r\n\r\n");
        let mut wire = served.connect(&bytes).await;
        let answer = String::from_utf8_lossy(&soon("the end", wire.rest()).await).into_owned();
        assert!(answer.starts_with(&format!("HTTP/1.1 {code}")), "{answer}");
        assert!(answer.contains(r#""reason":"own""#), "the member's own words: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "one answer: {answer}");
        assert_eq!(
            soon("the member sees the end", got_rest).await.unwrap(),
            b"",
            "nothing more reached the member"
        );
        assert_eq!(member.got().len(), before + 1);
    }
}

/// PX-21
#[tokio::test]
async fn what_is_no_upgrade_that_was_asked_for_is_502_and_closed() {
    let (hub, member, evil) = (Hub::live().await, FakeMember::start().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    let bad: [(&str, Vec<u8>); 8] = [
        ("200", json_response(200, "{}")),
        (
            "302",
            response(302, &format!("location: https://{}/\r\n", evil.address), ""),
        ),
        (
            "307",
            response(307, &format!("location: https://{}/\r\n", evil.address), ""),
        ),
        (
            "wrong accept",
            agreed("").replace(ACCEPT, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=").into_bytes(),
        ),
        (
            "no accept",
            b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".to_vec(),
        ),
        (
            "other protocol",
            agreed("")
                .replace("Upgrade: websocket", "Upgrade: SPDY/3.1")
                .into_bytes(),
        ),
        (
            "other subprotocol",
            agreed("Sec-WebSocket-Protocol: v1.evil\r\n").into_bytes(),
        ),
        (
            "no connection header",
            agreed("").replace("Connection: Upgrade\r\n", "").into_bytes(),
        ),
    ];
    for (what, bytes) in bad {
        let (over, is_over) = oneshot::channel();
        let once = std::sync::Mutex::new(Some((bytes, over)));
        member.answer(move |_| {
            let (bytes, over) = once.lock().unwrap().take().unwrap();
            Reply::drive(move |mut stream, mut read| async move {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.read_to_end(&mut read).await;
                let _ = over.send(read);
            })
        });
        let mut request = websocket(&hub, EXEC, "");
        request.extend_from_slice(b"frames that go nowhere");
        let mut wire = served.connect(&request).await;
        let answer = String::from_utf8_lossy(&soon(what, wire.rest()).await).into_owned();
        assert!(answer.starts_with("HTTP/1.1 502"), "{what}: {answer}");
        assert!(
            answer.contains(r#""cluster":"eu-1""#) && !answer.to_lowercase().contains("location"),
            "{what}: {answer}"
        );
        assert_eq!(soon(what, is_over).await.unwrap(), b"", "{what}");
    }
    assert!(evil.got().is_empty());
}

/// PX-23, AZ-07
#[tokio::test]
async fn other_upgrades_and_other_places_are_400() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    let asked = String::from_utf8(websocket(&hub, EXEC, "")).unwrap();
    for (what, request) in [
        ("h2c", asked.replace("Upgrade: websocket", "Upgrade: h2c")),
        ("TLS", asked.replace("Upgrade: websocket", "Upgrade: TLS/1.0")),
        ("foo", asked.replace("Upgrade: websocket", "Upgrade: foo")),
        ("two", asked.replace("Upgrade: websocket", "Upgrade: websocket, h2c")),
        ("elsewhere", asked.replace("/exec", "/log")),
        ("discovery", asked.replace(EXEC, "/k8s/clusters/eu-1/api")),
        (
            "not named in Connection",
            asked.replace("Connection: Upgrade", "Connection: keep-alive"),
        ),
    ] {
        let mut wire = served.connect(request.as_bytes()).await;
        let answer = String::from_utf8_lossy(&soon(what, wire.rest()).await).into_owned();
        assert!(answer.starts_with("HTTP/1.1 400"), "{what}: {answer}");
    }
    let posted = asked.replace("GET ", "POST ");
    let mut wire = served.connect(posted.as_bytes()).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 405"));
    let bob = hub.person("bob", false).await;
    let mut wire = served.connect(asked.replace(&hub.token, &bob).as_bytes()).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 404"));
    assert!(member.got().is_empty());
}

/// AU-21, AU-22
#[tokio::test]
async fn a_page_opens_a_shell_with_a_ticket_of_its_own_site_once() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    let _ended = echoing(&member);
    let path = EXEC.split('?').next().unwrap();
    let headers = [("authorization", format!("Bearer {}", hub.token))];
    let headers = headers
        .into_iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
    let caller = atoll_server::auth::any_caller(&headers, true, &hub.state)
        .await
        .unwrap();
    let ticket = || hub.state.tickets.issue(&caller, path, jiff::Timestamp::now()).0;
    let with = |ticket: &str, origin: &str| {
        let protocols = format!("v5.channel.k8s.io, ticket.{ticket}");
        let request = String::from_utf8(handshake(
            EXEC,
            &format!("Origin: {origin}\r\nCookie: atoll-session=x\r\n"),
        ))
        .unwrap();
        request.replace("v5.channel.k8s.io, v4.channel.k8s.io", &protocols)
    };
    let one = ticket();
    let mut wire = served.connect(with(&one, "http://localhost").as_bytes()).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 101"));
    echoes(&mut wire, "hello").await;
    assert_eq!(
        member.last().values("sec-websocket-protocol"),
        ["v5.channel.k8s.io"],
        "the ticket stays here"
    );
    let mut again = served.connect(with(&one, "http://localhost").as_bytes()).await;
    assert!(again.head().await.starts_with("HTTP/1.1 401"));
    for origin in ["https://evil", "null", "http://localhost.evil"] {
        let mut wire = served.connect(with(&ticket(), origin).as_bytes()).await;
        assert!(wire.head().await.starts_with("HTTP/1.1 403"), "{origin}");
    }
    assert_eq!(member.got().len(), 1);
}

#[tokio::test]
async fn a_bearer_among_the_subprotocols_is_a_credential_for_the_hub_alone() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    let _ended = echoing(&member);
    let encoded = URL_SAFE_NO_PAD.encode(&hub.token);
    let request = String::from_utf8(handshake(EXEC, "")).unwrap();
    let request = request.replace(
        "v4.channel.k8s.io",
        &format!("base64url.bearer.authorization.k8s.io.{encoded}"),
    );
    let mut wire = served.connect(request.as_bytes()).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 101"));
    let got = member.last();
    assert_eq!(got.values("sec-websocket-protocol"), ["v5.channel.k8s.io"]);
    for spelling in [hub.token.clone(), encoded, STANDARD.encode(&hub.token)] {
        assert!(!got.head.contains(&spelling));
    }
}

#[tokio::test]
async fn a_tunnel_ends_with_the_callers_access_the_cluster_and_the_hub() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    let mut ended = echoing(&member);
    let open = async |hub: &Hub| {
        let mut wire = served.connect(&websocket(hub, EXEC, "")).await;
        assert!(wire.head().await.starts_with("HTTP/1.1 101"));
        echoes(&mut wire, "hello").await;
        wire
    };
    let mut wire = open(&hub).await;
    // The cluster gets another credential, and with it another connection.
    let secret = serde_json::json!({"stringData": {"token": "renewed"}});
    hub.patch(
        &format!("{}/eu-1", super::hub_fixture::SECRETS),
        super::hub_fixture::MERGE,
        &secret,
    )
    .await
    .ok();
    soon("the client's end", wire.rest()).await;
    soon("the member's end", ended.recv()).await.unwrap();
    let state = hub.state.clone();
    super::hub_fixture::eventually("the member is ready again", || async {
        state
            .clusters
            .member("eu-1")
            .is_some_and(|member| member.is_ready() && member.generation() > 1)
    })
    .await;

    let mut wire = open(&hub).await;
    hub.state.store.delete_token("ada", hub.token_id).await.unwrap();
    soon("the client's end", wire.rest()).await;
    soon("the member's end", ended.recv()).await.unwrap();

    let mut other = Hub::live().await;
    other.token = other.person("eve", true).await;
    member.join(&other, "eu-1").await;
    let served = Served::start(&other).await;
    let mut wire = served.connect(&websocket(&other, EXEC, "")).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 101"));
    echoes(&mut wire, "hello").await;
    other.state.tunnels.cancel();
    soon("the client's end", wire.rest()).await;
    soon("the member's end", ended.recv()).await.unwrap();
    other.state.tasks.close();
}
