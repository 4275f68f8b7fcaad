//! What a `KubeFedCluster` and a Secret say, as the parts of a connection. Functions of values.

use atoll_clusters::{Credential, Endpoint};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Why a row holds no credential. It is sealed in the credential's place, where it opens as no credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unusable {
    /// The Secret is missing, or holds nothing that can be used; the text says which.
    Missing(String),
    /// The address has changed since the Secret was written.
    AddressChanged(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    unusable: Unusable,
}

impl Unusable {
    /// Reads what stands in a credential's place; `None` when it is a credential.
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Marker>(bytes)
            .ok()
            .map(|marker| marker.unusable)
    }

    /// For people.
    pub fn message(&self) -> &str {
        match self {
            Self::Missing(message) | Self::AddressChanged(message) => message,
        }
    }
}

/// The bytes to seal.
pub(super) fn stored(credential: Result<&Credential, &Unusable>) -> SecretSlice<u8> {
    match credential {
        Ok(credential) => credential.to_stored(),
        Err(unusable) => SecretSlice::from(json!({ "unusable": unusable }).to_string().into_bytes()),
    }
}

/// The part of a `KubeFedCluster` that its row follows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) endpoint: String,
    pub(super) ca: String,
    pub(super) secret: String,
}

impl Shape {
    /// Reads an object. Admission has judged it; what cannot be read nevertheless stands in the row as it is, where
    /// it makes no connection.
    pub(super) fn of(object: &Value) -> Self {
        let endpoint = object["spec"]["apiEndpoint"].as_str().unwrap_or_default();
        let ca = object["spec"]["caBundle"].as_str().unwrap_or_default();
        Self {
            endpoint: parse_endpoint(endpoint).map_or_else(|_| endpoint.to_owned(), |endpoint| endpoint.to_string()),
            ca: parse_ca(ca).map_or_else(|_| ca.to_owned(), Option::unwrap_or_default),
            secret: secret_name(object).to_owned(),
        }
    }
}

/// The Secret that a `KubeFedCluster` names.
pub fn secret_name(object: &Value) -> &str {
    object["spec"]["secretRef"]["name"].as_str().unwrap_or_default()
}

/// Reads `spec.apiEndpoint`: a host, an address, either with a port, or an https URL. A path needs the scheme.
///
/// # Errors
/// What is wrong with it.
pub fn parse_endpoint(text: &str) -> Result<Endpoint, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("says where the API server is: a host, host:port or https URL".to_owned());
    }
    let url = if text.contains("://") {
        text.to_owned()
    } else if text.trim_end_matches('/').contains('/') {
        return Err(format!("a path needs the scheme: write https://{text}"));
    } else if text.parse::<std::net::Ipv6Addr>().is_ok() {
        format!("https://[{text}]")
    } else {
        format!("https://{text}")
    };
    Endpoint::parse(&url).map_err(|error| error.to_string())
}

/// Reads `spec.caBundle`: base64 of PEM. `None` for the authorities of the system.
///
/// # Errors
/// What is wrong with it.
pub fn parse_ca(text: &str) -> Result<Option<String>, String> {
    let compact: String = text.split_ascii_whitespace().collect();
    if compact.is_empty() {
        return Ok(None);
    }
    let bytes = STANDARD.decode(compact).map_err(|_| "is not base64".to_owned())?;
    let pem = String::from_utf8(bytes).map_err(|_| "is not the base64 of a PEM certificate".to_owned())?;
    Ok(Some(pem))
}

/// The credential in a Secret: the key `token`, or `tls.crt` with `tls.key`.
pub(super) fn credential(name: &str, secret: Option<&Value>) -> Result<Credential, Unusable> {
    let missing = |why: String| Unusable::Missing(why);
    let Some(secret) = secret else {
        return Err(missing(format!(
            "the Secret {name} is missing in kube-federation-system"
        )));
    };
    let value = |key: &str| {
        let encoded = secret["data"][key].as_str().filter(|text| !text.is_empty())?;
        String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
    };
    // Files end with a line break, tokens do not.
    if let Some(token) = value("token")
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
    {
        return Ok(Credential::Token(SecretString::from(token)));
    }
    match (value("tls.crt"), value("tls.key")) {
        (Some(certificate), Some(key)) => Ok(Credential::ClientCertificate {
            certificate,
            key: SecretString::from(key),
        }),
        _ => Err(missing(format!("the Secret {name} has no key token that can be used"))),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn an_address_may_be_written_as_in_kubefed() {
        for (text, url) in [
            ("api.example", "https://api.example"),
            ("api.example:6443", "https://api.example:6443"),
            ("10.0.0.1", "https://10.0.0.1"),
            ("10.0.0.1:6443/", "https://10.0.0.1:6443"),
            ("fd00::1", "https://[fd00::1]"),
            (
                "https://api.example:6443/clusters/a",
                "https://api.example:6443/clusters/a",
            ),
            ("https://api.example/", "https://api.example"),
        ] {
            assert_eq!(parse_endpoint(text).unwrap().to_string(), url, "{text}");
        }
        for bad in [
            "",
            "http://api.example",
            "api.example/path",
            "https://u:p@api.example",
            "https://a?b",
            "a b",
            "host:99999",
        ] {
            assert!(parse_endpoint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_token_is_read_without_the_line_break_of_its_file() {
        let secret = json!({"data": {"token": STANDARD.encode("abc\n")}});
        match credential("s", Some(&secret)) {
            Ok(Credential::Token(token)) => assert_eq!(token.expose_secret(), "abc"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_secret_that_holds_no_credential_says_so_and_opens_as_none() {
        for secret in [
            None,
            Some(json!({})),
            Some(json!({"data": {"token": ""}})),
            Some(json!({"data": {"tls.crt": "YQ=="}})),
        ] {
            let unusable = credential("eu-1", secret.as_ref()).unwrap_err();
            assert!(unusable.message().contains("eu-1"));
            let bytes = stored(Err(&unusable));
            assert!(Credential::from_stored(bytes.expose_secret()).is_err());
            assert_eq!(Unusable::from_stored(bytes.expose_secret()), Some(unusable));
        }
    }

    #[test]
    fn a_credential_is_not_taken_for_a_marker() {
        let bytes = Credential::Token("x".to_owned().into()).to_stored();
        assert_eq!(Unusable::from_stored(bytes.expose_secret()), None);
    }

    #[test]
    fn spellings_of_the_same_address_are_the_same() {
        let object = |endpoint: &str| json!({"spec": {"apiEndpoint": endpoint, "secretRef": {"name": "s"}}});
        assert_eq!(
            Shape::of(&object("api.example")),
            Shape::of(&object("https://api.example:443/"))
        );
        assert_ne!(
            Shape::of(&object("api.example")),
            Shape::of(&object("api.example:6443"))
        );
    }
}
