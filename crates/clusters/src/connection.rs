//! How a member is reached: endpoint, certificate authority, credential. Checked when it is made, so that whoever
//! holds one can dial.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::Deserialize;

use crate::endpoint::Endpoint;

/// What the hub shows to a member. Never printable, never serialisable by accident.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A bearer token.
    Token(SecretString),
    /// A client certificate with its key, both PEM.
    ClientCertificate {
        /// The certificate and its intermediates.
        certificate: String,
        /// Its private key.
        key: SecretString,
    },
}

/// Kinds of credential, as the console names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Authentication {
    /// A bearer token.
    Token,
    /// A client certificate.
    ClientCertificate,
    /// None that the hub can use.
    None,
}

impl Authentication {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::ClientCertificate => "clientCertificate",
            Self::None => "none",
        }
    }
}

/// Why parts do not make a connection. Each names the part.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// No certificate in the certificate authority, or not PEM.
    #[error("the certificate authority is not a PEM certificate")]
    CertificateAuthority,
    /// The name to verify is no host name or address.
    #[error("the TLS server name is neither a host name nor an IP address")]
    TlsServerName,
    /// Empty, or with characters that no header can carry.
    #[error("the token is empty or has characters that no token has")]
    Token,
    /// No certificate, or not PEM.
    #[error("the client certificate is not a PEM certificate")]
    ClientCertificate,
    /// Encrypted with a passphrase.
    #[error("the client key is encrypted with a passphrase; store it unencrypted")]
    EncryptedKey,
    /// No private key, or not PEM.
    #[error("the client key is not a PEM private key")]
    ClientKey,
    /// The key is of a kind or size that TLS does not accept.
    #[error("the client key is of a kind or size that is not accepted for TLS")]
    UnsupportedKey,
    /// The key belongs to another certificate.
    #[error("the client key does not belong to the client certificate")]
    KeyMismatch,
    /// The stored form cannot be read.
    #[error("the stored credential cannot be read")]
    Stored,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Stored {
    Token(String),
    ClientCertificate { certificate: String, key: String },
}

impl Credential {
    /// Its kind.
    pub fn authentication(&self) -> Authentication {
        match self {
            Self::Token(_) => Authentication::Token,
            Self::ClientCertificate { .. } => Authentication::ClientCertificate,
        }
    }

    /// When it ends, as far as the credential itself tells: `notAfter` of a certificate, `exp` of a JWT.
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Token(token) => jwt_expiry(token.expose_secret()),
            Self::ClientCertificate { certificate, .. } => {
                let first = CertificateDer::from_pem_slice(certificate.as_bytes()).ok()?;
                let (_, parsed) = x509_parser::parse_x509_certificate(&first).ok()?;
                Timestamp::from_second(parsed.validity().not_after.timestamp()).ok()
            }
        }
    }

    /// The bytes to seal and store.
    pub fn to_stored(&self) -> SecretSlice<u8> {
        let value = match self {
            Self::Token(token) => serde_json::json!({"token": token.expose_secret()}),
            Self::ClientCertificate { certificate, key } => {
                serde_json::json!({"clientCertificate": {"certificate": certificate, "key": key.expose_secret()}})
            }
        };
        SecretSlice::from(value.to_string().into_bytes())
    }

    /// Reads what [`Credential::to_stored`] wrote.
    ///
    /// # Errors
    /// When it is something else.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, ConnectionError> {
        match serde_json::from_slice(bytes).map_err(|_| ConnectionError::Stored)? {
            Stored::Token(token) => Ok(Self::Token(token.into())),
            Stored::ClientCertificate { certificate, key } => Ok(Self::ClientCertificate {
                certificate,
                key: key.into(),
            }),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Token(one), Self::Token(other)) => one.expose_secret() == other.expose_secret(),
            (
                Self::ClientCertificate { certificate, key },
                Self::ClientCertificate {
                    certificate: other_certificate,
                    key: other_key,
                },
            ) => certificate == other_certificate && key.expose_secret() == other_key.expose_secret(),
            (Self::Token(_), Self::ClientCertificate { .. }) | (Self::ClientCertificate { .. }, Self::Token(_)) => {
                false
            }
        }
    }

    fn check(&self) -> Result<(), ConnectionError> {
        match self {
            Self::Token(token) => {
                let token = token.expose_secret();
                let clean = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
                if clean { Ok(()) } else { Err(ConnectionError::Token) }
            }
            Self::ClientCertificate { .. } => self.certified_key().map(drop),
        }
    }

    /// Certificate chain and key in the form that TLS takes.
    pub(crate) fn certified_key(&self) -> Result<Option<Arc<CertifiedKey>>, ConnectionError> {
        let Self::ClientCertificate { certificate, key } = self else {
            return Ok(None);
        };
        let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| ConnectionError::ClientCertificate)?;
        let readable = chain
            .first()
            .is_some_and(|first| x509_parser::parse_x509_certificate(first).is_ok());
        if !readable {
            return Err(ConnectionError::ClientCertificate);
        }
        let pem = key.expose_secret();
        if pem.contains("ENCRYPTED") {
            return Err(ConnectionError::EncryptedKey);
        }
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| ConnectionError::ClientKey)?;
        match CertifiedKey::from_der(chain, key, &rustls::crypto::aws_lc_rs::default_provider()) {
            Ok(pair) => Ok(Some(Arc::new(pair))),
            Err(rustls::Error::InconsistentKeys(_)) => Err(ConnectionError::KeyMismatch),
            Err(_) => Err(ConnectionError::UnsupportedKey),
        }
    }
}

/// Reads `exp` without believing the token: it is shown to people, nothing is decided by it.
fn jwt_expiry(token: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast from float saturates, and the bound is checked next"
    )]
    Timestamp::from_second(claims.exp as i64).ok()
}

/// How a member is reached.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Where its API server is.
    pub endpoint: Endpoint,
    /// Certificate authority in PEM; `None` for the certificate authorities of the system.
    pub ca: Option<String>,
    /// What the hub shows.
    pub credential: Credential,
    /// The name that the server's certificate must carry, when it is not the endpoint's host.
    pub tls_server_name: Option<String>,
    /// When the credential ends, when that can be told.
    pub expires_at: Option<Timestamp>,
}

impl Connection {
    /// Puts the parts together and checks each.
    ///
    /// # Errors
    /// When a part cannot be used.
    pub fn new(
        endpoint: Endpoint,
        ca: Option<String>,
        tls_server_name: Option<String>,
        credential: Credential,
    ) -> Result<Self, ConnectionError> {
        let ca = ca.filter(|ca| !ca.trim().is_empty());
        let tls_server_name = tls_server_name.filter(|name| !name.is_empty());
        let expires_at = credential.expires_at();
        let connection = Self {
            endpoint,
            ca,
            credential,
            tls_server_name,
            expires_at,
        };
        connection.ca_certificates()?;
        connection.server_name()?;
        connection.credential.check()?;
        Ok(connection)
    }

    /// Whether the other leads to the same place with the same credential.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.endpoint == other.endpoint
            && self.ca == other.ca
            && self.tls_server_name == other.tls_server_name
            && self.credential.is_same(&other.credential)
    }

    /// The certificate authority, decoded; `None` for the system's.
    pub(crate) fn ca_certificates(&self) -> Result<Option<Vec<CertificateDer<'static>>>, ConnectionError> {
        let Some(ca) = &self.ca else { return Ok(None) };
        let certificates = CertificateDer::pem_slice_iter(ca.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| ConnectionError::CertificateAuthority)?;
        let readable = |der: &CertificateDer<'_>| x509_parser::parse_x509_certificate(der).is_ok();
        if certificates.is_empty() || !certificates.iter().all(readable) {
            return Err(ConnectionError::CertificateAuthority);
        }
        Ok(Some(certificates))
    }

    /// The name that the server's certificate must carry.
    pub(crate) fn server_name(&self) -> Result<ServerName<'static>, ConnectionError> {
        if let Some(name) = &self.tls_server_name {
            return ServerName::try_from(name.clone()).map_err(|_| ConnectionError::TlsServerName);
        }
        match self.endpoint.ip() {
            Some(ip) => Ok(ServerName::from(ip)),
            // Certificates carry names without the dot that makes them absolute.
            None => ServerName::try_from(self.endpoint.host().trim_end_matches('.').to_owned())
                .map_err(|_| ConnectionError::TlsServerName),
        }
    }
}
