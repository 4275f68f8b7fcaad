//! The credential taken out of texts that a member sends: one that echoes our headers must not publish them.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::connection::Credential;

/// What stands where a credential stood.
const MASK: &str = "[credential]";
/// Shorter ones are no secrets, and taking them out would tear texts apart.
const SHORTEST: usize = 6;
/// Longest excerpt of an answer that is quoted.
const EXCERPT: usize = 200;

/// Cleans texts from one member.
#[derive(Clone)]
pub(crate) struct Scrub {
    secrets: Vec<SecretString>,
    quoting: bool,
}

impl Scrub {
    pub(crate) fn new(credential: &Credential) -> Self {
        let secrets = match credential {
            Credential::Token(token) if token.expose_secret().len() >= SHORTEST => {
                use base64::Engine as _;
                let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(token.expose_secret());
                vec![token.clone(), encoded.into()]
            }
            // A key signs the handshake and is never sent.
            Credential::Token(_) | Credential::ClientCertificate { .. } => Vec::new(),
        };
        Self { secrets, quoting: true }
    }

    /// The same, quoting nothing of what is not Kubernetes': whoever may try addresses must not read what is there.
    pub(crate) fn without_quotes(self) -> Self {
        Self { quoting: false, ..self }
    }

    /// The text in one line, without the credential, and not longer than `limit` characters.
    pub(crate) fn clean(&self, text: &str, limit: usize) -> String {
        let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let masked = self.mask(&line);
        if masked.chars().count() <= limit {
            return masked;
        }
        masked.chars().take(limit).chain(['…']).collect()
    }

    /// What is quoted of an answer that cannot be understood, with what leads up to it.
    pub(crate) fn excerpt(&self, body: &[u8]) -> String {
        if !self.quoting || body.is_empty() {
            return String::new();
        }
        format!(": {}", self.clean(String::from_utf8_lossy(body).trim(), EXCERPT))
    }

    /// Cleans every text inside a value.
    pub(crate) fn clean_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.mask(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean_value(item)),
            Value::Object(fields) => {
                if fields.keys().any(|key| self.holds(key)) {
                    let old = std::mem::take(fields);
                    fields.extend(old.into_iter().map(|(key, field)| (self.mask(&key), field)));
                }
                fields.values_mut().for_each(|field| self.clean_value(field));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn holds(&self, text: &str) -> bool {
        self.secrets.iter().any(|secret| text.contains(secret.expose_secret()))
    }

    fn mask(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret.expose_secret(), MASK)
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scrub(token: &str) -> Scrub {
        Scrub::new(&Credential::Token(token.to_owned().into()))
    }

    /// SE-07
    #[test]
    fn a_credential_that_is_echoed_never_comes_out() {
        let scrub = scrub("canary-token-1");
        assert_eq!(
            scrub.clean("no: Bearer canary-token-1!", 100),
            "no: Bearer [credential]!"
        );
        assert_eq!(scrub.clean("Y2FuYXJ5LXRva2VuLTE=", 100), "[credential]=");
        let mut value = json!({"a": ["x canary-token-1"], "canary-token-1": {"b": "canary-token-1"}, "n": 1});
        scrub.clean_value(&mut value);
        assert_eq!(
            value,
            json!({"a": ["x [credential]"], "[credential]": {"b": "[credential]"}, "n": 1})
        );
    }

    #[test]
    fn cutting_a_text_short_leaves_no_half_of_a_credential() {
        let scrub = scrub("canary-token-1");
        assert_eq!(scrub.clean("abc canary-token-1", 8), "abc [cre…");
    }

    #[test]
    fn excerpts_are_short_and_on_one_line() {
        let text = format!("  <html>\r\n\u{1b}[31m{}", "ä".repeat(500));
        let excerpt = scrub("canary-token-1").excerpt(text.as_bytes());
        assert!(excerpt.starts_with(": <html>   [31mä"), "{excerpt}");
        assert_eq!(excerpt.chars().count(), EXCERPT + 3);
        assert_eq!(scrub("canary-token-1").without_quotes().excerpt(b"<html>"), "");
    }

    #[test]
    fn a_token_that_is_too_short_to_be_one_tears_no_text_apart() {
        assert_eq!(scrub("a").clean("a banana", 100), "a banana");
    }
}
