//! A member object in little room: there is one for each object in each member.
//!
//! Texts that are numbers under the surface are kept as numbers, what is mostly absent is behind a pointer, and what
//! many objects have in common is shared.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoll_federation::{Live, Present};
use serde_json::Value;

use crate::interned::Interned;

/// What objects have in common with others: all objects of a hub carry its marks, and all members have an object with
/// the same labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Marks {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    owners: Vec<String>,
    retained: Value,
}

/// A [`Present`], packed.
#[derive(Debug)]
pub(super) struct Packed {
    uid: Text,
    version: Text,
    managed_hash: Option<Text>,
    generation: i64,
    spec_replicas: Option<i64>,
    marks: Arc<Marks>,
    live: Option<Box<Live>>,
    remote_status: Option<Box<Value>>,
    deleting: bool,
    states_replicas: bool,
    replicas_handed_over: bool,
}

impl Packed {
    pub(super) fn new(present: Present, shared: &Interned<Marks>) -> Self {
        let Present {
            uid,
            resource_version,
            generation,
            labels,
            annotations,
            owners,
            deleting,
            managed_hash,
            states_replicas,
            replicas_handed_over,
            spec_replicas,
            live,
            retained,
            remote_status,
        } = present;
        let marks = Marks {
            labels,
            annotations,
            owners,
            retained,
        };
        Self {
            uid: Text::of(&uid),
            version: Text::of(&resource_version),
            managed_hash: managed_hash.as_deref().map(Text::of),
            generation,
            spec_replicas,
            marks: shared.of(&marks),
            live: (live != Live::default()).then(|| Box::new(live)),
            remote_status,
            deleting,
            states_replicas,
            replicas_handed_over,
        }
    }

    pub(super) fn unpack(&self) -> Present {
        Present {
            uid: self.uid.text(),
            resource_version: self.version.text(),
            generation: self.generation,
            labels: self.marks.labels.clone(),
            annotations: self.marks.annotations.clone(),
            owners: self.marks.owners.clone(),
            deleting: self.deleting,
            managed_hash: self.managed_hash.as_ref().map(Text::text),
            states_replicas: self.states_replicas,
            replicas_handed_over: self.replicas_handed_over,
            spec_replicas: self.spec_replicas,
            live: self.live.as_deref().copied().unwrap_or_default(),
            retained: self.marks.retained.clone(),
            remote_status: self.remote_status.clone(),
        }
    }

    /// Whether the other is a newer version of the same object. Versions are numbers that rise; what is none is taken
    /// for newer.
    pub(super) fn is_newer_than(&self, other: &Present) -> bool {
        let number = |text: &str| text.parse::<u64>().ok();
        let (mine, others) = (number(&self.version.text()), number(&other.resource_version));
        self.uid == Text::of(&other.uid) && matches!((mine, others), (Some(mine), Some(others)) if others < mine)
    }
}

/// A text, as a number if it can be told again from the number.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Text {
    /// Decimal.
    Number(u64),
    /// 32 hexadecimal digits: a hash.
    Hash([u8; 16]),
    /// The same with hyphens: a UID.
    Uid([u8; 16]),
    /// Anything else.
    Other(Box<str>),
}

/// Where the hyphens of a UID are.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

impl Text {
    fn of(text: &str) -> Self {
        let packed = match text.len() {
            36 => {
                let is_uid = HYPHENS.iter().all(|place| text.as_bytes()[*place] == b'-');
                let digits: String = text.chars().filter(|digit| *digit != '-').collect();
                Some(digits)
                    .filter(|_| is_uid)
                    .and_then(|digits| bits(&digits))
                    .map(Self::Uid)
            }
            32 => bits(text).map(Self::Hash),
            _ => text.parse().ok().map(Self::Number),
        };
        // Leading zeros and capital letters are told again only by the text itself.
        packed
            .filter(|packed| packed.text() == text)
            .unwrap_or_else(|| Self::Other(text.into()))
    }

    fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Hash(bits) => digits(bits),
            Self::Uid(bits) => {
                let digits = digits(bits);
                let (a, b, c, d, e) = (
                    &digits[..8],
                    &digits[8..12],
                    &digits[12..16],
                    &digits[16..20],
                    &digits[20..],
                );
                format!("{a}-{b}-{c}-{d}-{e}")
            }
            Self::Other(text) => text.to_string(),
        }
    }
}

fn bits(digits: &str) -> Option<[u8; 16]> {
    let is_hexadecimal = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u128::from_str_radix(digits, 16).ok().filter(|_| is_hexadecimal)?;
    Some(number.to_be_bytes())
}

fn digits(bits: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*bits))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_is_told_again_as_it_was() {
        for text in [
            "",
            "0",
            "007",
            "18446744073709551615",
            "18446744073709551616",
            "-1",
            "+1",
            "u-1",
            "6c62272e07bb014262b821756295c58d",
            "6C62272E07BB014262B821756295C58D",
            "+c62272e07bb014262b821756295c58d",
            "6f2d0a3e-4b1c-4d8e-9f00-0123456789ab",
            "6f2d0a3e-4b1c-4d8e-9f00-0123456789AB",
            "6f2d0a3e4-b1c-4d8e-9f00-0123456789ab",
            "----6f2d0a3e4b1c4d8e9f000123456789ab",
            "ä2d0a3e-4b1c-4d8e-9f00-0123456789ab",
        ] {
            assert_eq!(Text::of(text).text(), text);
        }
        assert!(matches!(Text::of("6f2d0a3e-4b1c-4d8e-9f00-0123456789ab"), Text::Uid(_)));
        assert!(matches!(Text::of("6c62272e07bb014262b821756295c58d"), Text::Hash(_)));
    }

    #[test]
    fn what_is_packed_is_unpacked_as_it_was_and_shares_what_is_common() {
        let shared = Interned::default();
        let full = Present {
            uid: "6f2d0a3e-4b1c-4d8e-9f00-0123456789ab".into(),
            resource_version: "7".into(),
            generation: 3,
            labels: BTreeMap::from([("a".into(), "b".into())]),
            annotations: BTreeMap::from([("c".into(), "d".into())]),
            owners: vec!["ReplicaSet web".into()],
            deleting: true,
            managed_hash: Some("6c62272e07bb014262b821756295c58d".into()),
            states_replicas: true,
            replicas_handed_over: true,
            spec_replicas: Some(4),
            live: Live {
                ready_replicas: Some(2),
                ..Live::default()
            },
            retained: json!({"clusterIP": "10.0.0.1"}),
            remote_status: Some(Box::new(json!({"replicas": 4}))),
        };
        let packed = Packed::new(full.clone(), &shared);
        assert_eq!(packed.unpack(), full);
        let other = Present {
            uid: "u-2".into(),
            ..full.clone()
        };
        assert!(Arc::ptr_eq(&packed.marks, &Packed::new(other.clone(), &shared).marks));
        assert_eq!(Packed::new(other.clone(), &shared).unpack(), other);
        assert_eq!(Packed::new(Present::default(), &shared).unpack(), Present::default());
    }

    #[test]
    fn one_object_is_about_two_cache_lines() {
        assert!(size_of::<Packed>() <= 152, "{}", size_of::<Packed>());
    }
}
