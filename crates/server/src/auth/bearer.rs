//! Which credential a request presents: exactly one, or none.
//!
//! Pure: headers in, one [`Presented`] out. Two credentials are refused rather than ranked, because a ranking is
//! how one person ends up acting as another.

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, ORIGIN};
use secrecy::SecretString;

/// Cookie of a session over TLS; the prefix makes browsers insist on `Secure`, `Path=/` and no `Domain`.
pub const SECURE_COOKIE: &str = "__Host-atoll";
/// Cookie of a session over plain HTTP on loopback, where a browser would refuse the other one.
pub const LOOPBACK_COOKIE: &str = "atoll-session";
/// Header that a page of our own origin adds to each call: cookies are shared by all ports of a host, this key is not.
pub const KEY_HEADER: &str = "x-atoll-key";
/// Longest credential that is looked at, in bytes.
const MAX_LENGTH: usize = 4096;

/// The credential of a request.
#[derive(Debug)]
pub enum Presented {
    /// None at all.
    Nothing,
    /// `Authorization: Bearer`.
    Bearer(SecretString),
    /// A session cookie with the page's key.
    Cookie {
        /// The session token.
        token: SecretString,
        /// `X-Atoll-Key`, if the request has one.
        key: Option<SecretString>,
    },
}

/// Why no credential can be read from a request.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unreadable {
    /// More than one credential.
    #[error("a request must carry one credential: either one Authorization header or the session cookie")]
    Several,
    /// Something other than a bearer token.
    #[error("only bearer tokens are accepted in the Authorization header")]
    Scheme,
    /// Empty, too long, or not text.
    #[error("the credential is malformed")]
    Malformed,
    /// A cookie from a page of another site.
    #[error("the session cookie is accepted from pages of this address only")]
    CrossSite,
}

/// Reads the credential of a request with these headers, which came over TLS or not.
///
/// # Errors
/// When there are two, or one that cannot be used.
pub fn read(headers: &HeaderMap, tls: bool) -> Result<Presented, Unreadable> {
    let mut authorizations = headers.get_all(AUTHORIZATION).iter();
    let authorization = authorizations.next();
    if authorizations.next().is_some() {
        return Err(Unreadable::Several);
    }
    let name = if tls { SECURE_COOKIE } else { LOOPBACK_COOKIE };
    let cookie = session_cookie(headers, name)?;
    match (authorization, cookie) {
        (Some(_), Some(_)) => Err(Unreadable::Several),
        (Some(value), None) => bearer(value).map(Presented::Bearer),
        (None, Some(token)) => {
            same_origin(headers)?;
            let key = headers
                .get(KEY_HEADER)
                .and_then(|key| key.to_str().ok())
                .map(SecretString::from);
            Ok(Presented::Cookie { token, key })
        }
        (None, None) => Ok(Presented::Nothing),
    }
}

fn bearer(value: &http::HeaderValue) -> Result<SecretString, Unreadable> {
    let text = value.to_str().map_err(|_| Unreadable::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(Unreadable::Scheme)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Unreadable::Scheme);
    }
    let token = token.trim();
    if token.is_empty() || token.len() > MAX_LENGTH {
        return Err(Unreadable::Malformed);
    }
    Ok(SecretString::from(token))
}

fn session_cookie(headers: &HeaderMap, name: &str) -> Result<Option<SecretString>, Unreadable> {
    let mut found = None;
    for header in headers.get_all(COOKIE) {
        let text = header.to_str().map_err(|_| Unreadable::Malformed)?;
        for pair in text.split(';') {
            let Some((key, value)) = pair.trim().split_once('=') else {
                continue;
            };
            if key != name {
                continue;
            }
            if found.is_some() {
                return Err(Unreadable::Several);
            }
            if value.is_empty() || value.len() > MAX_LENGTH {
                return Err(Unreadable::Malformed);
            }
            found = Some(SecretString::from(value));
        }
    }
    Ok(found)
}

/// A cookie counts only when our own page asks: `Sec-Fetch-Site` says so in every current browser, and `Origin`, where
/// it is sent, must name the host that was asked.
///
/// # Errors
/// When a page of another site asks.
pub fn same_origin(headers: &HeaderMap) -> Result<(), Unreadable> {
    if let Some(site) = headers.get("sec-fetch-site")
        && !matches!(site.as_bytes(), b"same-origin" | b"none")
    {
        return Err(Unreadable::CrossSite);
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return Ok(());
    };
    let host = headers.get(http::header::HOST).map(http::HeaderValue::as_bytes);
    let named = origin
        .as_bytes()
        .strip_prefix(b"https://")
        .or_else(|| origin.as_bytes().strip_prefix(b"http://"));
    if named.is_some() && named == host {
        Ok(())
    } else {
        Err(Unreadable::CrossSite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, http::HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_bearer_token_is_read() {
        match read(&headers(&[("authorization", "Bearer abc")]), true).unwrap() {
            Presented::Bearer(token) => assert_eq!(token.expose_secret(), "abc"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn odd_credentials_are_refused_and_never_fall_back() {
        let cases: [(&[(&'static str, &'static str)], Unreadable); 6] = [
            (&[("authorization", "Bearer ")], Unreadable::Malformed),
            (&[("authorization", "Basic YTpi")], Unreadable::Scheme),
            (
                &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
                Unreadable::Several,
            ),
            (
                &[("authorization", "Bearer a"), ("cookie", "__Host-atoll=b")],
                Unreadable::Several,
            ),
            (&[("cookie", "__Host-atoll=a; __Host-atoll=b")], Unreadable::Several),
            (&[("cookie", "__Host-atoll=")], Unreadable::Malformed),
        ];
        for (pairs, expected) in cases {
            assert_eq!(read(&headers(pairs), true).unwrap_err(), expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_cookie_of_another_site_s_page_is_refused() {
        let cookie = ("cookie", "__Host-atoll=a");
        for bad in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "https://hub.example.evil"),
            ("origin", "https://hub.example:444"),
        ] {
            let headers = headers(&[cookie, ("host", "hub.example"), bad]);
            assert_eq!(read(&headers, true).unwrap_err(), Unreadable::CrossSite, "{bad:?}");
        }
        let own = headers(&[
            cookie,
            ("host", "hub.example"),
            ("origin", "https://hub.example"),
            ("sec-fetch-site", "same-origin"),
        ]);
        assert!(matches!(read(&own, true), Ok(Presented::Cookie { key: None, .. })));
    }

    #[test]
    fn the_loopback_cookie_is_no_credential_over_tls() {
        assert!(matches!(
            read(&headers(&[("cookie", "atoll-session=a")]), true),
            Ok(Presented::Nothing)
        ));
        assert!(matches!(
            read(&headers(&[("cookie", "atoll-session=a")]), false),
            Ok(Presented::Cookie { .. })
        ));
    }
}
