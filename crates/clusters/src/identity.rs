//! Who a forwarded request is made as.
//!
//! The member decides what a person may do there, so each request carries the person. An identity that Kubernetes
//! reserves for itself can never be one, or whoever may name a user could be the cluster.

use std::collections::BTreeMap;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything that is no lower-case token character is encoded: header names have no case, keys of extra do.
const EXTRA_KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Most groups, and most values of extra, that travel with a request.
const MAX_VALUES: usize = 128;
/// Longest value.
const MAX_LENGTH: usize = 1024;

/// Why somebody cannot be impersonated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// No user name.
    #[error("the identity has no user name")]
    Empty,
    /// A user or group that starts with `system:`.
    #[error("users and groups that start with system: are Kubernetes' own")]
    Reserved,
    /// Control characters, or white space at an end, which the member would cut off.
    #[error("the identity has characters that no header carries unchanged")]
    Characters,
    /// Too many groups or values, or too long ones.
    #[error("the identity has too many groups or values, or too long ones")]
    TooLarge,
}

/// A checked identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    user: String,
    uid: Option<String>,
    groups: Vec<String>,
    extra: BTreeMap<String, Vec<String>>,
}

impl Identity {
    /// Checks the parts.
    ///
    /// # Errors
    /// When the user is empty, anything is reserved, or a header could not carry it.
    pub fn new(
        user: impl Into<String>,
        uid: Option<String>,
        groups: Vec<String>,
        extra: BTreeMap<String, Vec<String>>,
    ) -> Result<Self, IdentityError> {
        let user = user.into();
        if user.is_empty() {
            return Err(IdentityError::Empty);
        }
        let values = || extra.values().flatten();
        if groups.len() > MAX_VALUES || values().count() > MAX_VALUES {
            return Err(IdentityError::TooLarge);
        }
        let uid = uid.filter(|uid| !uid.is_empty());
        for text in groups.iter().chain(std::iter::once(&user)) {
            if text.to_ascii_lowercase().starts_with("system:") {
                return Err(IdentityError::Reserved);
            }
        }
        for text in groups.iter().chain([&user]).chain(uid.iter()) {
            check_value(text)?;
            if text.is_empty() {
                return Err(IdentityError::Empty);
            }
        }
        values().try_for_each(|text| check_value(text))?;
        for key in extra.keys() {
            if key.is_empty() || key.len() > 256 {
                return Err(IdentityError::TooLarge);
            }
        }
        Ok(Self {
            user,
            uid,
            groups,
            extra,
        })
    }

    /// The user name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The groups.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Writes the headers over whatever stands there.
    pub(crate) fn write(&self, headers: &mut HeaderMap) -> Result<(), IdentityError> {
        let value = |text: &str| HeaderValue::from_bytes(text.as_bytes()).map_err(|_| IdentityError::Characters);
        headers.insert("impersonate-user", value(&self.user)?);
        if let Some(uid) = &self.uid {
            headers.insert("impersonate-uid", value(uid)?);
        }
        for group in &self.groups {
            headers.append("impersonate-group", value(group)?);
        }
        for (key, values) in &self.extra {
            let name = extra_header(key).ok_or(IdentityError::Characters)?;
            for text in values {
                headers.append(name.clone(), value(text)?);
            }
        }
        Ok(())
    }
}

fn check_value(text: &str) -> Result<(), IdentityError> {
    if text.len() > MAX_LENGTH {
        return Err(IdentityError::TooLarge);
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(IdentityError::Characters);
    }
    Ok(())
}

fn extra_header(key: &str) -> Option<HeaderName> {
    let mut encoded = String::from("impersonate-extra-");
    for piece in utf8_percent_encode(key, EXTRA_KEY) {
        if piece.starts_with('%') {
            encoded.push_str(&piece.to_ascii_lowercase());
            continue;
        }
        for c in piece.chars() {
            if c.is_ascii_uppercase() {
                encoded.push_str(&format!("%{:02x}", u32::from(c)));
            } else {
                encoded.push(c);
            }
        }
    }
    HeaderName::from_bytes(encoded.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    fn identity(user: &str, groups: &[&str]) -> Result<Identity, IdentityError> {
        Identity::new(
            user,
            None,
            groups.iter().map(ToString::to_string).collect(),
            BTreeMap::new(),
        )
    }

    /// AZ-10
    #[test]
    fn nobody_and_kubernetes_own_names_are_never_impersonated() {
        assert_eq!(identity("", &[]), Err(IdentityError::Empty));
        for reserved in [
            "system:admin",
            "system:masters",
            "System:Masters",
            "system:serviceaccount:a:b",
        ] {
            assert_eq!(identity(reserved, &[]), Err(IdentityError::Reserved), "{reserved}");
            assert_eq!(
                identity("atoll:a", &[reserved]),
                Err(IdentityError::Reserved),
                "{reserved}"
            );
        }
        for changed in [
            " system:masters",
            "atoll:a\r\nx",
            "a\0",
            "atoll:a ",
            "\tatoll:a",
            "\u{a0}system:masters",
        ] {
            assert_eq!(
                identity("atoll:a", &[changed]),
                Err(IdentityError::Characters),
                "{changed:?}"
            );
        }
        assert_eq!(identity("atoll:a", &[""]), Err(IdentityError::Empty));
        assert_eq!(identity("atoll:a", &["g"; 129]), Err(IdentityError::TooLarge));
    }

    #[test]
    fn what_stood_in_the_headers_before_is_replaced() {
        let mut headers = HeaderMap::new();
        headers.append("Impersonate-User", HeaderValue::from_static("system:admin"));
        headers.append("impersonate-user", HeaderValue::from_static("x"));
        identity("atoll:a", &["g1", "g2"]).unwrap().write(&mut headers).unwrap();
        assert_eq!(
            headers.get_all("impersonate-user").iter().collect::<Vec<_>>(),
            ["atoll:a"]
        );
        assert_eq!(
            headers.get_all("impersonate-group").iter().collect::<Vec<_>>(),
            ["g1", "g2"]
        );
    }

    proptest! {
        /// The member lower-cases the header's name, then decodes it: the key must come out as it went in.
        #[test]
        fn keys_of_extra_arrive_unchanged(key in "\\PC{1,40}") {
            let name = extra_header(&key).unwrap();
            let encoded = name.as_str().strip_prefix("impersonate-extra-").unwrap().to_ascii_lowercase();
            prop_assert_eq!(percent_decode_str(&encoded).decode_utf8().unwrap(), key);
        }

        #[test]
        fn whatever_is_accepted_can_be_written(user in "\\PC{0,60}", groups in proptest::collection::vec("\\PC{0,60}", 0..5)) {
            if let Ok(identity) = Identity::new(user.clone(), None, groups.clone(), BTreeMap::new()) {
                let mut headers = HeaderMap::new();
                identity.write(&mut headers).unwrap();
                prop_assert_eq!(headers["impersonate-user"].as_bytes(), user.as_bytes());
                prop_assert_eq!(headers.get_all("impersonate-group").iter().count(), groups.len());
            }
        }
    }
}
