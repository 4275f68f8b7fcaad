//! Which headers of a caller go to a member: those on a list, and no other.
//!
//! Hop-by-hop headers are never among them, so what a caller names in `Connection` changes nothing (CVE-2021-31999).
//! Host, credential and identity are not here either: they are the hub's to say, and are set afterwards.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::upgrade::Asked;

/// Sent as they are.
const ALLOWED: [HeaderName; 10] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CONTENT_TYPE,
    header::USER_AGENT,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
    header::RANGE,
];

/// Sent with an upgrade.
const ALLOWED_WITH_UPGRADE: [HeaderName; 4] = [
    HeaderName::from_static("x-stream-protocol-version"),
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::SEC_WEBSOCKET_EXTENSIONS,
];

/// What kubectl says about itself, such as `Kubectl-Command`.
const KUBECTL: &str = "kubectl-";

/// The headers that a member gets, but for the hub's own.
pub(super) fn outgoing(headers: &HeaderMap, upgrade: Option<&Asked>) -> HeaderMap {
    // Room for the hub's own.
    let mut sent = HeaderMap::with_capacity(24);
    copy(headers, &ALLOWED, &mut sent);
    for (name, value) in headers {
        if name.as_str().starts_with(KUBECTL) {
            sent.append(name, value.clone());
        }
    }
    match upgrade {
        Some(asked) => {
            copy(headers, &ALLOWED_WITH_UPGRADE, &mut sent);
            sent.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
            sent.insert(header::UPGRADE, asked.protocol());
            sent.extend(
                asked
                    .subprotocols()
                    .map(|offered| (header::SEC_WEBSOCKET_PROTOCOL, offered)),
            );
        }
        // A tunnel begins without a body.
        None => {
            if let Some(length) = headers.get(header::CONTENT_LENGTH) {
                sent.insert(header::CONTENT_LENGTH, length.clone());
            }
        }
    }
    sent
}

fn copy(from: &HeaderMap, names: &[HeaderName], to: &mut HeaderMap) {
    for name in names {
        for value in from.get_all(name) {
            to.append(name, value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    /// PX-10 to PX-12
    #[test]
    fn what_is_not_on_the_list_does_not_go_out() {
        let mut headers = HeaderMap::new();
        for name in [
            "accept",
            "kubectl-command",
            "content-length",
            "impersonate-user",
            "impersonate-group",
            "impersonate-uid",
            "impersonate-extra-scopes",
            "impersonate_user",
            "authorization",
            "cookie",
            "connection",
            "keep-alive",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "expect",
            "host",
            "x-remote-user",
            "x-remote-group",
            "x-remote-extra-a",
            "x-forwarded-for",
            "x-real-ip",
            "forwarded",
            "via",
            "origin",
            "referer",
            "proxy-authorization",
            "x-atoll-key",
            "sec-websocket-protocol",
            "sec-websocket-key",
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
        }
        assert_eq!(
            names(&outgoing(&headers, None)),
            ["accept", "content-length", "kubectl-command"]
        );
    }

    proptest! {
        #[test]
        fn no_spelling_and_no_number_of_a_header_brings_it_through(
            name in "impersonate-(user|group|uid|extra-[a-z]{1,8})|authorization|x-remote-user|connection|cookie|te",
            upper in proptest::collection::vec(any::<bool>(), 32),
            count in 1_usize..4,
        ) {
            let spell = |(c, upper): (char, &bool)| if *upper { c.to_ascii_uppercase() } else { c };
            let name: String = name.chars().zip(upper.iter().cycle()).map(spell).collect();
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            let mut headers = HeaderMap::new();
            for _ in 0..count {
                headers.append(&name, HeaderValue::from_static("system:admin"));
            }
            prop_assert!(outgoing(&headers, None).is_empty());
        }
    }
}
