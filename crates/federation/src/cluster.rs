//! A member cluster as planning sees it: a name, labels to be selected by, and whether it can be talked to.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Error;

/// The name of a member cluster: a DNS-1123 label. Clones share the text: with many clusters there are very many.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClusterName(Arc<str>);

impl ClusterName {
    /// Checks the text.
    ///
    /// # Errors
    /// When it is no DNS-1123 label.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let edge = |byte: Option<&u8>| byte.is_some_and(|byte| *byte != b'-');
        let bytes = text.as_bytes();
        let inside = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        if bytes.len() <= 63 && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inside) {
            Ok(Self(text.into()))
        } else {
            Err(Error::ClusterName(text.to_owned()))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ClusterName {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl std::str::FromStr for ClusterName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl From<ClusterName> for String {
    fn from(name: ClusterName) -> Self {
        (*name.0).to_owned()
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl AsRef<str> for ClusterName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

// Ordering and equality are those of the text, so maps may be asked by `&str`.
impl Borrow<str> for ClusterName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A registered cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its name.
    pub name: ClusterName,
    /// Labels of the `KubeFedCluster`; placement selects by them.
    pub labels: BTreeMap<String, String>,
    /// Whether it answers: condition Ready is True.
    pub ready: bool,
    /// Whether it keeps its share of replicas: ready, or not ready for less than `unavailableDelay`.
    pub keeps_share: bool,
    /// Whether it is being unregistered and what the hub manages there is being deleted. Then it is not ready.
    pub leaving: bool,
}

impl Cluster {
    /// A cluster that answers.
    pub fn ready(name: ClusterName, labels: BTreeMap<String, String>) -> Self {
        Self {
            name,
            labels,
            ready: true,
            keeps_share: true,
            leaving: false,
        }
    }
}

/// How far the control plane reaches (`KubeFedConfig.spec.scope`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Every namespace that is federated.
    #[default]
    Cluster,
    /// Only the control plane's own namespace, which counts as federated.
    Namespaced,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_name_is_a_dns_label() {
        let longest = "a".repeat(63);
        for good in ["eu-1", "1", "a--b", longest.as_str()] {
            assert!(ClusterName::parse(good).is_ok(), "{good}");
        }
        let too_long = "a".repeat(64);
        for bad in ["", "-a", "a-", "A", "a.b", "a_b", "ä", "a/b", too_long.as_str()] {
            assert!(ClusterName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_bad_name_is_refused_when_read_from_json_too() {
        let error = serde_json::from_str::<ClusterName>("\"No Name\"").unwrap_err();
        assert!(error.to_string().contains("lower-case"), "{error}");
    }
}
