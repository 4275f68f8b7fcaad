//! Certificates for fake members.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;

/// A certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

/// What a server's certificate says.
pub(crate) struct Leaf {
    pub(crate) names: Vec<String>,
    pub(crate) ends: (i32, u8, u8),
}

impl Default for Leaf {
    fn default() -> Self {
        Self {
            names: vec!["127.0.0.1".into(), "member.test".into()],
            ends: (2040, 1, 1),
        }
    }
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    fn sign(&self, leaf: &Leaf) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(leaf.names.clone()).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(leaf.ends.0, leaf.ends.1, leaf.ends.2);
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// A client's certificate and key, PEM.
    pub(crate) fn client(&self) -> (String, String) {
        let (certificate, key) = self.sign(&Leaf {
            names: vec!["admin".into()],
            ..Leaf::default()
        });
        (certificate.pem(), key.serialize_pem())
    }

    /// The configuration of a server; with `clients`, only those that this authority signed may connect.
    pub(crate) fn server(&self, leaf: &Leaf, clients: bool) -> ServerConfig {
        let (certificate, key) = self.sign(leaf);
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let builder = builder.unwrap();
        let builder = if clients {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(self.certificate.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .unwrap();
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        builder.with_single_cert(chain, key).unwrap()
    }
}
