//! Names as Kubernetes has them.

use serde_json::Value;

/// A text, empty when it is none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A DNS-1035 label: it begins with a letter.
pub(super) fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inside = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    bytes.len() <= 63
        && bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.last() != Some(&b'-')
        && bytes.iter().all(inside)
}

/// A DNS-1123 subdomain.
pub(super) fn is_subdomain(text: &str) -> bool {
    let is_part = |part: &str| {
        let edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let bytes = part.as_bytes();
        edge(bytes.first())
            && edge(bytes.last())
            && bytes
                .iter()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_begins_with_a_letter_and_a_subdomain_need_not() {
        for good in ["a", "v1beta1", "a-b"] {
            assert!(is_label(good), "{good}");
        }
        let long = "a".repeat(64);
        for bad in ["", "1a", "a-", "-a", "A", "a.b", "a_b", &long] {
            assert!(!is_label(bad), "{bad}");
        }
        for good in ["apps", "k8s.io", "1.example"] {
            assert!(is_subdomain(good), "{good}");
        }
        for bad in ["", "a..b", ".a", "a.", "A.b", "a/b", "-a.b"] {
            assert!(!is_subdomain(bad), "{bad}");
        }
    }
}
