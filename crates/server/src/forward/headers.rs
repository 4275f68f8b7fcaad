//! Which headers cross the hub, in both directions.
//!
//! Outgoing headers are built from an allow-list, never copied and pruned: a caller who names one of our own headers
//! in `Connection` must not be able to have it removed (CVE-2021-31999). Who the caller is gets added later, by the
//! transport, from the session alone.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::auth::ticket::PROTOCOL_PREFIX;

/// Request headers that are forwarded as they are.
const REQUEST: [HeaderName; 10] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::USER_AGENT,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::RANGE,
];

/// Request headers that are forwarded on an upgrade.
const UPGRADE: [&str; 4] = [
    "x-stream-protocol-version",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
];

/// Prefix of the WebSocket subprotocol that carries a bearer token for the API server, here for the hub.
pub(super) const BEARER_PROTOCOL: &str = "base64url.bearer.authorization.k8s.io.";

/// Response headers that stay behind: hop by hop, or an order to the browser about our own origin.
const RESPONSE_DROPPED: [&str; 18] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "set-cookie",
    "alt-svc",
    "strict-transport-security",
    "clear-site-data",
    "content-security-policy",
    "content-security-policy-report-only",
    "refresh",
    "location",
    "www-authenticate",
    "x-content-type-options",
];

/// Whom a request wants to act as (`kubectl --as`, `--as-group`), if it does. The hub acts as the person who signed in
/// and as nobody else; a request that were carried out without these headers would do something else than was asked.
pub fn impersonated(headers: &HeaderMap) -> Option<String> {
    let (name, value) = headers
        .iter()
        .find(|(name, _)| name.as_str().starts_with("impersonate-"))?;
    let value = headers.get("impersonate-user").unwrap_or(value);
    let shown: String = String::from_utf8_lossy(value.as_bytes()).chars().take(100).collect();
    Some(if shown.is_empty() { name.to_string() } else { shown })
}

/// The upgrades that are forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upgrade {
    /// RFC 6455.
    WebSocket,
    /// What kubectl spoke before WebSocket.
    Spdy,
}

impl Upgrade {
    /// The value of the `Upgrade` header.
    pub fn token(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Spdy => "SPDY/3.1",
        }
    }
}

/// An upgrade that is not forwarded, such as `h2c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("only upgrades to WebSocket and SPDY/3.1 are forwarded, one at a time")]
pub struct UnknownUpgrade;

/// The upgrade that a request asks for.
///
/// # Errors
/// When the protocol is unknown or named more than once.
pub fn requested_upgrade(headers: &HeaderMap) -> Result<Option<Upgrade>, UnknownUpgrade> {
    let mut values = headers.get_all(header::UPGRADE).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(UnknownUpgrade);
    }
    let value = value.to_str().map_err(|_| UnknownUpgrade)?;
    [Upgrade::WebSocket, Upgrade::Spdy]
        .into_iter()
        .find(|upgrade| upgrade.token().eq_ignore_ascii_case(value))
        .map(Some)
        .ok_or(UnknownUpgrade)
}

/// The headers that a member gets.
pub fn forwarded(headers: &HeaderMap, upgrade: Option<Upgrade>) -> HeaderMap {
    let mut allowed = HeaderMap::with_capacity(12);
    for name in &REQUEST {
        for value in headers.get_all(name) {
            allowed.append(name, value.clone());
        }
    }
    for (name, value) in headers {
        if name.as_str().starts_with("kubectl-") {
            allowed.append(name, value.clone());
        }
    }
    if let Some(upgrade) = upgrade {
        for name in UPGRADE {
            for value in headers.get_all(name) {
                allowed.append(HeaderName::from_static(name), value.clone());
            }
        }
        for value in headers.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
            if let Some(value) = without_credentials(value) {
                allowed.append(header::SEC_WEBSOCKET_PROTOCOL, value);
            }
        }
        allowed.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        allowed.insert(header::UPGRADE, HeaderValue::from_static(upgrade.token()));
    }
    allowed
}

/// The subprotocols that are offered to the member: all but those that are a credential for the hub.
fn without_credentials(value: &HeaderValue) -> Option<HeaderValue> {
    let text = value.to_str().ok()?;
    let is_credential = |protocol: &str| protocol.starts_with(BEARER_PROTOCOL) || protocol.starts_with(PROTOCOL_PREFIX);
    let offered: Vec<&str> = text
        .split(',')
        .map(str::trim)
        .filter(|protocol| !is_credential(protocol))
        .collect();
    if offered.is_empty() {
        None
    } else {
        HeaderValue::from_str(&offered.join(", ")).ok()
    }
}

/// The headers that the caller gets of a member's answer; with `upgraded` also those that complete the handshake.
pub fn relayed(headers: &HeaderMap, upgraded: bool) -> HeaderMap {
    let mut allowed = HeaderMap::with_capacity(headers.len() + 2);
    for (name, value) in headers {
        let text = name.as_str();
        let handshake = upgraded && matches!(text, "connection" | "upgrade");
        let cors = text.starts_with("access-control-");
        if handshake || !(cors || RESPONSE_DROPPED.contains(&text)) {
            allowed.append(name, value.clone());
        }
    }
    if !upgraded {
        // A member's answer must not run as script of our origin.
        allowed.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        allowed.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; sandbox"),
        );
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn only_allowed_headers_reach_a_member() {
        let incoming = headers(&[
            ("accept", "application/json"),
            ("kubectl-command", "kubectl get"),
            ("authorization", "Bearer secret"),
            ("cookie", "__Host-atoll=secret"),
            ("impersonate-user", "system:admin"),
            ("impersonate-group", "system:masters"),
            ("x-remote-user", "root"),
            ("x-forwarded-for", "192.0.2.1"),
            ("forwarded", "for=192.0.2.1"),
            ("via", "1.1 x"),
            ("proxy-authorization", "Basic x"),
            ("te", "trailers"),
            ("connection", "Impersonate-User, Authorization"),
            ("x-atoll-key", "secret"),
            ("expect", "100-continue"),
        ]);
        let names: Vec<String> = forwarded(&incoming, None).keys().map(ToString::to_string).collect();
        assert_eq!(names, ["accept", "kubectl-command"]);
    }

    #[test]
    fn upgrades_other_than_the_two_are_refused() {
        assert_eq!(requested_upgrade(&headers(&[])), Ok(None));
        assert_eq!(
            requested_upgrade(&headers(&[("upgrade", "WebSocket")])),
            Ok(Some(Upgrade::WebSocket))
        );
        assert_eq!(
            requested_upgrade(&headers(&[("upgrade", "SPDY/3.1")])),
            Ok(Some(Upgrade::Spdy))
        );
        for bad in ["h2c", "TLS/1.0", "foo", "websocket, h2c"] {
            assert_eq!(
                requested_upgrade(&headers(&[("upgrade", bad)])),
                Err(UnknownUpgrade),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_token_among_the_subprotocols_stays_here() {
        let incoming = headers(&[(
            "sec-websocket-protocol",
            "v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0, ticket.c2VjcmV0, v4.channel.k8s.io",
        )]);
        let sent = forwarded(&incoming, Some(Upgrade::WebSocket));
        assert_eq!(sent["sec-websocket-protocol"], "v5.channel.k8s.io, v4.channel.k8s.io");
        assert_eq!(sent["connection"], "Upgrade");
    }

    #[test]
    fn a_member_gives_no_orders_to_the_browser() {
        let answer = headers(&[
            ("content-type", "text/html"),
            ("set-cookie", "__Host-atoll=x"),
            ("access-control-allow-origin", "*"),
            ("location", "https://evil.example"),
            ("clear-site-data", "\"*\""),
            ("audit-id", "1"),
            ("warning", "299 - \"x\""),
            ("transfer-encoding", "chunked"),
        ]);
        let relayed = relayed(&answer, false);
        let mut names: Vec<&str> = relayed.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "audit-id",
                "content-security-policy",
                "content-type",
                "warning",
                "x-content-type-options"
            ]
        );
    }
}
