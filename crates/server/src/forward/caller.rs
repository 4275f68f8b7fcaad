//! Who sent a request that is to be forwarded.
//!
//! Plain requests bring a bearer or the session cookie with the page's key. A page cannot add a header to a WebSocket
//! handshake, so there a credential may also stand among the subprotocols: a ticket of the console, or a bearer in the
//! form that Kubernetes itself takes. A handshake that names its page must name one of ours: the cookie would be sent
//! along by any other.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::{self, HeaderValue};

use super::headers::{BEARER_PROTOCOL, UnknownUpgrade, Upgrade};
use crate::auth::ticket::PROTOCOL_PREFIX;
use crate::auth::{self, Caller};
use crate::error::{Error, Result};
use crate::state::AppState;

/// Finds out who asks. `path` is the whole path, which a ticket is bound to.
///
/// # Errors
/// 400 for two credentials, 401 for none or a bad one, 403 for another site's page.
pub(super) async fn authenticate(
    state: &AppState,
    request: &http::Request<()>,
    upgrade: Result<Option<Upgrade>, UnknownUpgrade>,
    path: &str,
) -> Result<Caller> {
    if let Some(caller) = request.extensions().get::<Caller>() {
        return Ok(caller.clone());
    }
    let headers = request.headers();
    let tls = auth::tls(request.extensions());
    if headers.contains_key(header::UPGRADE) {
        check_origin(headers)?;
    }
    if upgrade == Ok(Some(Upgrade::WebSocket))
        && let Some(offered) = Offered::read(headers)?
    {
        if headers.contains_key(header::AUTHORIZATION) {
            return Err(Error::bad_request("a request must carry one credential"));
        }
        return match offered {
            Offered::Ticket(ticket) => state
                .tickets
                .redeem(&ticket, path, state.now())
                .ok_or_else(Error::unauthorized),
            Offered::Bearer(value) => {
                let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
                auth::bearer_caller(&headers, tls, state).await
            }
        };
    }
    auth::any_caller(headers, tls, state).await
}

/// A credential among the subprotocols.
#[derive(Debug, PartialEq, Eq)]
enum Offered {
    /// A ticket of the console.
    Ticket(String),
    /// A bearer, as `Authorization` would carry it.
    Bearer(HeaderValue),
}

impl Offered {
    fn read(headers: &HeaderMap) -> Result<Option<Self>> {
        let malformed = || Error::bad_request("the credential is malformed");
        let mut found = Vec::new();
        for value in headers.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
            let text = value.to_str().map_err(|_| malformed())?;
            for protocol in text.split(',').map(str::trim) {
                if let Some(ticket) = protocol.strip_prefix(PROTOCOL_PREFIX) {
                    found.push(Self::Ticket(ticket.to_owned()));
                } else if let Some(encoded) = protocol.strip_prefix(BEARER_PROTOCOL) {
                    let token = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| malformed())?;
                    let mut value =
                        HeaderValue::from_bytes(&[b"Bearer ", token.as_slice()].concat()).map_err(|_| malformed())?;
                    value.set_sensitive(true);
                    found.push(Self::Bearer(value));
                }
            }
        }
        if found.len() > 1 {
            return Err(Error::bad_request("a request must carry one credential"));
        }
        Ok(found.pop())
    }
}

/// The page that opens a connection, if it is a page, is one of this hub.
fn check_origin(headers: &HeaderMap) -> Result<()> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        let several = headers.contains_key(header::ORIGIN);
        return if several {
            Err(Error::forbidden("the request comes from more than one page"))
        } else {
            Ok(())
        };
    };
    let host = headers.get(header::HOST).map(HeaderValue::as_bytes);
    let named = origin
        .as_bytes()
        .strip_prefix(b"https://")
        .or_else(|| origin.as_bytes().strip_prefix(b"http://"));
    if named.is_some() && named == host {
        Ok(())
    } else {
        Err(Error::forbidden(
            "connections are accepted from pages of this address only",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(protocols: &'static str) -> Result<Option<Offered>> {
        Offered::read(&HeaderMap::from_iter([(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(protocols),
        )]))
    }

    #[test]
    fn a_credential_may_stand_among_the_subprotocols_once() {
        assert_eq!(offered("v5.channel.k8s.io").unwrap(), None);
        assert_eq!(
            offered("v5.channel.k8s.io, ticket.abc").unwrap(),
            Some(Offered::Ticket("abc".into()))
        );
        assert_eq!(
            offered("base64url.bearer.authorization.k8s.io.c2VjcmV0, v4.channel.k8s.io").unwrap(),
            Some(Offered::Bearer(HeaderValue::from_static("Bearer secret")))
        );
        assert_eq!(offered("ticket.a, ticket.b").unwrap_err().code(), 400);
        assert_eq!(
            offered("base64url.bearer.authorization.k8s.io.***").unwrap_err().code(),
            400
        );
    }

    /// AU-22
    #[test]
    fn pages_of_other_sites_open_nothing() {
        let judge = |origins: &[&'static str]| {
            let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("hub.example:8443"))]);
            for origin in origins {
                headers.append(header::ORIGIN, HeaderValue::from_static(origin));
            }
            check_origin(&headers)
        };
        assert!(judge(&[]).is_ok());
        assert!(judge(&["https://hub.example:8443"]).is_ok());
        for bad in [
            "https://evil",
            "null",
            "https://hub.example:8443.evil",
            "https://hub.example",
            "wss://hub.example:8443",
        ] {
            assert_eq!(judge(&[bad]).unwrap_err().code(), 403, "{bad}");
        }
        assert_eq!(
            judge(&["https://hub.example:8443", "https://evil"]).unwrap_err().code(),
            403
        );
    }
}
