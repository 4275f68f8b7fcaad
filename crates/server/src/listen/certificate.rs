//! The hub's own certificate authority and its server certificate.
//!
//! kubectl sends no credential at all to an `http://` server, so TLS has to work out of the box: the first start
//! makes an authority (kept sealed in the store, so that every replica has the same one) and each process a leaf of
//! its own, which lives 90 days and is replaced at 60. Certificates from files are re-read every 30 s, and the old
//! pair is kept while the new one does not fit.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::{Timestamp, ToSpan};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;

use super::TlsSettings;

const AUTHORITY_DAYS: i64 = 3650;
const LEAF_DAYS: i64 = 90;
const RENEW_AFTER_DAYS: i64 = 60;
const REREAD: Duration = Duration::from_secs(30);
const DAY_SECONDS: i64 = 86_400;

/// Why a certificate cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file holds no certificate or no key.
    #[error("{0}")]
    Pem(String),
    /// Certificate and key do not fit together, or are of a kind that TLS cannot use.
    #[error("certificate and key cannot be used for TLS")]
    Unusable(#[source] rustls::Error),
    /// A certificate could not be made.
    #[error("cannot make a certificate")]
    Make(#[source] rcgen::Error),
}

/// A certificate authority: what kubeconfigs carry, and the key that signs leaves.
pub struct Authority {
    certificate_pem: String,
    key: KeyPair,
}

impl Authority {
    /// Makes a new authority.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn generate(now: Timestamp) -> Result<Self, CertificateError> {
        let key = KeyPair::generate().map_err(CertificateError::Make)?;
        let certificate = authority_parameters(now)
            .self_signed(&key)
            .map_err(CertificateError::Make)?;
        Ok(Self {
            certificate_pem: certificate.pem(),
            key,
        })
    }

    /// The authority that an earlier start made.
    ///
    /// # Errors
    /// When the key is no private key.
    pub fn from_pem(certificate_pem: String, key_pem: &SecretString) -> Result<Self, CertificateError> {
        let key = KeyPair::from_pem(key_pem.expose_secret()).map_err(CertificateError::Make)?;
        Ok(Self { certificate_pem, key })
    }

    /// The certificate, for kubeconfigs.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The key, to be sealed.
    pub fn key_pem(&self) -> SecretString {
        SecretString::from(self.key.serialize_pem())
    }

    /// A server certificate for `names` with a key of its own.
    fn leaf(&self, names: &BTreeSet<String>, now: Timestamp) -> Result<rustls::ServerConfig, CertificateError> {
        let key = KeyPair::generate().map_err(CertificateError::Make)?;
        let mut parameters = CertificateParams::default();
        valid_for(&mut parameters, now, LEAF_DAYS);
        parameters.distinguished_name = common_name("atoll");
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        parameters.use_authority_key_identifier_extension = true;
        parameters.subject_alt_names = names
            .iter()
            .filter_map(|name| match name.parse::<IpAddr>() {
                Ok(address) => Some(SanType::IpAddress(address)),
                Err(_) => name.clone().try_into().ok().map(SanType::DnsName),
            })
            .collect();
        // The issuer's name and key identifier follow from these parameters and the key alone.
        let issuer = Issuer::new(authority_parameters(now), &self.key);
        let certificate = parameters.signed_by(&key, &issuer).map_err(CertificateError::Make)?;
        let chain = vec![certificate.der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|error| CertificateError::Pem(error.into()))?;
        server_config(chain, key)
    }
}

fn authority_parameters(now: Timestamp) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    valid_for(&mut parameters, now, AUTHORITY_DAYS);
    parameters.distinguished_name = common_name("Atoll hub");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// The calendar day `days` after `now`, in UTC: year, month, day.
fn calendar_day(now: Timestamp, days: i64) -> (i32, u8, u8) {
    let moment = now.checked_add((days * DAY_SECONDS).seconds()).unwrap_or(now);
    let date = moment.to_zoned(jiff::tz::TimeZone::UTC).date();
    (
        date.year().into(),
        date.month().unsigned_abs(),
        date.day().unsigned_abs(),
    )
}

/// Makes `parameters` valid from the day before `now`, so that a clock that is behind accepts the certificate too.
fn valid_for(parameters: &mut CertificateParams, now: Timestamp, days: i64) {
    let ((year, month, day), until) = (calendar_day(now, -1), calendar_day(now, days));
    parameters.not_before = rcgen::date_time_ymd(year, month, day);
    parameters.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
}

/// Where the server certificate comes from.
pub enum ServerCertificate {
    /// Leaves of the hub's own authority, for these names and addresses.
    Own {
        /// Who signs.
        authority: Arc<Authority>,
        /// Names and addresses the leaf is for.
        names: BTreeSet<String>,
    },
    /// A chain and a key in PEM files that somebody else keeps fresh.
    Files {
        /// `--tls-cert`.
        certificate: PathBuf,
        /// `--tls-key`.
        key: PathBuf,
    },
}

impl ServerCertificate {
    /// The names an own leaf carries: loopback, the listen address, and what was asked for.
    pub fn names(listen: SocketAddr, extra: impl IntoIterator<Item = String>) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = ["localhost", "127.0.0.1", "::1"].map(String::from).into();
        if !listen.ip().is_unspecified() {
            names.insert(listen.ip().to_string());
        }
        names.extend(extra);
        names
    }

    /// Loads or makes the certificate for the first time.
    ///
    /// # Errors
    /// When files are missing or do not fit together, or no certificate can be made.
    pub fn load(&self, now: Timestamp) -> Result<TlsSettings, CertificateError> {
        Ok(Arc::new(ArcSwap::from_pointee(self.read(now)?)))
    }

    fn read(&self, now: Timestamp) -> Result<rustls::ServerConfig, CertificateError> {
        match self {
            Self::Own { authority, names } => authority.leaf(names, now),
            Self::Files { certificate, key } => {
                let chain = CertificateDer::pem_slice_iter(&read(certificate)?)
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|error| CertificateError::Pem(format!("{}: {error}", certificate.display())))?;
                if chain.is_empty() {
                    return Err(CertificateError::Pem(format!(
                        "{} holds no certificate",
                        certificate.display()
                    )));
                }
                let key = PrivateKeyDer::from_pem_slice(&read(key)?)
                    .map_err(|error| CertificateError::Pem(format!("{}: {error}", key.display())))?;
                server_config(chain, key)
            }
        }
    }

    /// Keeps `settings` fresh until `shutdown`: own leaves are renewed at 60 days, files are re-read every 30 s.
    pub async fn keep_fresh(self, settings: TlsSettings, clock: fn() -> Timestamp, shutdown: CancellationToken) {
        let mut made = clock();
        let mut seen = self.fingerprint();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(REREAD) => {}
            }
            let now = clock();
            let fingerprint = self.fingerprint();
            let due = now.duration_since(made).as_secs() >= RENEW_AFTER_DAYS * DAY_SECONDS;
            if fingerprint == seen && !(due && matches!(self, Self::Own { .. })) {
                continue;
            }
            match self.read(now) {
                Ok(config) => {
                    settings.store(Arc::new(config));
                    made = now;
                    tracing::info!("the server certificate was replaced");
                }
                Err(error) => {
                    tracing::error!(error = %crate::error::chain(&error), "keeping the old server certificate")
                }
            }
            seen = fingerprint;
        }
    }

    /// Changes when one of the files does.
    fn fingerprint(&self) -> Vec<Option<(std::time::SystemTime, u64)>> {
        match self {
            Self::Own { .. } => Vec::new(),
            Self::Files { certificate, key } => [certificate, key]
                .iter()
                .map(|path| {
                    let metadata = std::fs::metadata(path).ok()?;
                    Some((metadata.modified().ok()?, metadata.len()))
                })
                .collect(),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    std::fs::read(path).map_err(|source| CertificateError::Read {
        path: path.to_path_buf(),
        source,
    })
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<rustls::ServerConfig, CertificateError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(CertificateError::Unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_read_back_signs_leaves_for_the_same_certificate() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let made = Authority::generate(now).unwrap();
        let again = Authority::from_pem(made.certificate_pem().to_owned(), &made.key_pem()).unwrap();
        let names = ServerCertificate::names("127.0.0.1:8080".parse().unwrap(), ["hub.example".to_owned()]);
        assert!(again.leaf(&names, now).is_ok());
        assert_eq!(again.certificate_pem(), made.certificate_pem());
    }

    #[test]
    fn the_unspecified_address_is_no_name_of_the_hub() {
        let names = ServerCertificate::names("0.0.0.0:8443".parse().unwrap(), []);
        assert!(!names.contains("0.0.0.0"));
    }
}
