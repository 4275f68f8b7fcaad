//! The name a cluster was registered under.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Name of a member cluster: a DNS-1123 label, compared exactly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MemberName(String);

/// The text is no DNS-1123 label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a cluster's name has 1 to 63 lower-case letters, digits and dashes, and starts and ends with a letter or digit"
)]
pub struct InvalidName;

impl MemberName {
    /// Checks the text.
    ///
    /// # Errors
    /// When it is no DNS-1123 label.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte != b'-');
        let bytes = text.as_bytes();
        let fits = (1..=63).contains(&bytes.len())
            && bytes.iter().copied().all(inside)
            && edge(bytes.first().copied())
            && edge(bytes.last().copied());
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName)
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MemberName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for MemberName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for MemberName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for MemberName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<MemberName> for String {
    fn from(name: MemberName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_dns_label_and_nothing_else() {
        for good in ["a", "eu-1", "0", &"a".repeat(63)] {
            assert!(MemberName::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "A",
            "a.b",
            "a_b",
            "-a",
            "a-",
            "a.",
            "ä",
            "а",
            "a/b",
            "..",
            &"a".repeat(64),
        ] {
            assert!(MemberName::parse(bad).is_err(), "{bad}");
        }
    }
}
