//! Whether a tunnel is the one that was asked for.
//!
//! An upgrade ends in the 101 that belongs to it, or in an ordinary answer over a connection that is closed
//! (CVE-2018-1002105). A 101 to something else is no tunnel: what follows it would be read as something it is not.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// RFC 6455, section 1.3.
const ACCEPT_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// A WebSocket subprotocol that carries a bearer token: a credential for the hub, not for members.
const BEARER_PROTOCOL: &str = "base64url.bearer.authorization.k8s.io.";
/// How SPDY names its subprotocols.
const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");

/// Protocols that are tunnelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    WebSocket,
    Spdy,
}

impl Protocol {
    fn token(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Spdy => "SPDY/3.1",
        }
    }
}

/// The upgrade that a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    protocol: Protocol,
    accept: Option<String>,
    offered: Vec<String>,
    extensions: bool,
}

impl Asked {
    /// Reads what is asked for.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, &'static str> {
        let token = only(headers, &header::UPGRADE).ok_or("an upgrade names one protocol")?;
        let protocol = [Protocol::WebSocket, Protocol::Spdy]
            .into_iter()
            .find(|protocol| protocol.token().eq_ignore_ascii_case(token))
            .ok_or("only WebSocket and SPDY are tunnelled")?;
        let (accept, names) = match protocol {
            Protocol::WebSocket => {
                let key = only(headers, &header::SEC_WEBSOCKET_KEY).ok_or("a WebSocket is asked for with one key")?;
                (Some(accept_of(key)), header::SEC_WEBSOCKET_PROTOCOL)
            }
            Protocol::Spdy => (None, STREAM_PROTOCOL),
        };
        let offered = listed(headers, &names).filter(|name| !name.starts_with(BEARER_PROTOCOL));
        Ok(Self {
            protocol,
            accept,
            offered: offered.map(str::to_owned).collect(),
            extensions: headers.contains_key(header::SEC_WEBSOCKET_EXTENSIONS),
        })
    }

    /// Value of the header `Upgrade`.
    pub(super) fn protocol(&self) -> HeaderValue {
        HeaderValue::from_static(self.protocol.token())
    }

    /// Value of the header `Sec-WebSocket-Protocol`, when there is one.
    pub(super) fn subprotocols(&self) -> impl Iterator<Item = HeaderValue> {
        let offered = match self.protocol {
            Protocol::WebSocket if !self.offered.is_empty() => Some(self.offered.join(", ")),
            Protocol::WebSocket | Protocol::Spdy => None,
        };
        offered
            .and_then(|offered| HeaderValue::try_from(offered).ok())
            .into_iter()
    }

    /// Judges the headers of a 101.
    pub(super) fn judge(&self, answer: &HeaderMap) -> Result<(), &'static str> {
        let upgraded = only(answer, &header::UPGRADE).is_some_and(|to| to.eq_ignore_ascii_case(self.protocol.token()));
        if !upgraded || !listed(answer, &header::CONNECTION).any(|word| word.eq_ignore_ascii_case("upgrade")) {
            return Err("the cluster switched to another protocol than was asked for");
        }
        if self.accept.is_some() && only(answer, &header::SEC_WEBSOCKET_ACCEPT) != self.accept.as_deref() {
            return Err("the cluster did not answer this WebSocket's key");
        }
        let names = match self.protocol {
            Protocol::WebSocket => header::SEC_WEBSOCKET_PROTOCOL,
            Protocol::Spdy => STREAM_PROTOCOL,
        };
        if !listed(answer, &names).all(|chosen| self.offered.iter().any(|offered| offered == chosen)) {
            return Err("the cluster chose a subprotocol that was not offered");
        }
        if !self.extensions && answer.contains_key(header::SEC_WEBSOCKET_EXTENSIONS) {
            return Err("the cluster chose an extension that was not offered");
        }
        Ok(())
    }
}

fn accept_of(key: &str) -> String {
    let mut hash = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(key.as_bytes());
    hash.update(ACCEPT_SUFFIX);
    STANDARD.encode(hash.finish())
}

/// The one value of a header.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?.trim();
    values.next().is_none().then_some(value)
}

/// The words of a header that is a list.
fn listed<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn websocket() -> Asked {
        Asked::read(&headers(&[
            ("upgrade", "WebSocket"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            (
                "sec-websocket-protocol",
                "v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0",
            ),
            ("sec-websocket-protocol", "v4.channel.k8s.io"),
        ]))
        .unwrap()
    }

    /// PX-23
    #[test]
    fn only_websocket_and_spdy_are_asked_for() {
        for refused in [
            headers(&[]),
            headers(&[("upgrade", "h2c")]),
            headers(&[("upgrade", "TLS/1.0")]),
            headers(&[("upgrade", "websocket, h2c"), ("sec-websocket-key", "x")]),
            headers(&[
                ("upgrade", "websocket"),
                ("upgrade", "SPDY/3.1"),
                ("sec-websocket-key", "x"),
            ]),
            headers(&[("upgrade", "websocket")]),
        ] {
            assert!(Asked::read(&refused).is_err(), "{refused:?}");
        }
        assert_eq!(
            Asked::read(&headers(&[("upgrade", "spdy/3.1")])).unwrap().protocol(),
            "SPDY/3.1"
        );
    }

    #[test]
    fn a_token_for_the_hub_is_not_offered_to_a_member() {
        let offered: Vec<_> = websocket().subprotocols().collect();
        assert_eq!(offered, ["v5.channel.k8s.io, v4.channel.k8s.io"]);
    }

    /// PX-21; key and answer are RFC 6455's own example.
    #[test]
    fn a_tunnel_is_the_one_that_was_asked_for() {
        let good = [
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
            ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ("sec-websocket-protocol", "v4.channel.k8s.io"),
        ];
        assert_eq!(websocket().judge(&headers(&good)), Ok(()));
        assert_eq!(websocket().judge(&headers(&good[..3])), Ok(()));
        for (place, value) in [
            (0, "SPDY/3.1"),
            (1, "close"),
            (2, "s3pPLMBiTxaQ9kYGzzhZRbK+xOp="),
            (3, "v3.channel.k8s.io"),
            (3, "base64url.bearer.authorization.k8s.io.c2VjcmV0"),
        ] {
            let mut bad = good;
            bad[place].1 = value;
            assert!(websocket().judge(&headers(&bad)).is_err(), "{bad:?}");
        }
        let mut compressed = headers(&good);
        compressed.insert(
            "sec-websocket-extensions",
            HeaderValue::from_static("permessage-deflate"),
        );
        assert!(websocket().judge(&compressed).is_err());
    }
}
