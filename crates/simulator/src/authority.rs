//! The certificate authority of simulated members: one a process, since a thousand of them need no more, and a
//! certificate for each member.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::ServerConfig;
use rustls::server::{ServerSessionMemoryCache, StoresServerSessions};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::error::Error;

/// Sessions that clients may take up again, of all members together.
const SESSIONS: usize = 4096;

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    sessions: Arc<dyn StoresServerSessions>,
}

static AUTHORITY: LazyLock<Authority> =
    LazyLock::new(|| Authority::new().expect("a certificate of constant content can always be signed"));

impl Authority {
    fn new() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "kubernetes");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate,
            sessions: ServerSessionMemoryCache::new(SESSIONS),
        })
    }
}

/// The authority's certificate, PEM.
pub(crate) fn certificate() -> &'static str {
    &AUTHORITY.certificate
}

/// TLS for one member, with a certificate of its own.
pub(crate) fn server_config(name: &str) -> Result<Arc<ServerConfig>, Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
    params.distinguished_name.push(DnType::OrganizationalUnitName, name);
    let names = [
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ];
    for name in names {
        let name = name.try_into().map_err(Error::Certificate)?;
        params.subject_alt_names.push(SanType::DnsName(name));
    }
    for address in [Ipv4Addr::LOCALHOST, Ipv4Addr::new(10, 96, 0, 1)] {
        params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(address)));
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().map_err(Error::Certificate)?;
    let leaf = params.signed_by(&key, &AUTHORITY.issuer).map_err(Error::Certificate)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let chain: Vec<CertificateDer<'static>> = vec![leaf.der().clone()];
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::Tls)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(Error::Tls)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.session_storage = AUTHORITY.sessions.clone();
    Ok(Arc::new(config))
}
