//! Why a connection did not come about, told so that somebody can do something about it.

use std::io;
use std::time::Duration;

use rustls::CertificateError;

use crate::endpoint::AddressRefused;

/// Where a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectStage {
    /// Resolving and judging.
    Dns,
    /// Dialling.
    Tcp,
    /// Handshake and verification.
    Tls,
}

impl ConnectStage {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectFailure {
    /// The name does not resolve.
    #[error("the name {host} cannot be resolved")]
    Unresolved {
        /// The name.
        host: String,
    },
    /// An address that may not be dialled.
    #[error(transparent)]
    Refused(#[from] AddressRefused),
    /// Nobody answered in time.
    #[error("no answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// The peer, or the way to it, said no.
    #[error("the connection failed: {0}")]
    Io(io::ErrorKind),
    /// The certificate is signed by somebody else.
    #[error("the server's certificate is not signed by the given certificate authority")]
    UnknownIssuer,
    /// The certificate is for another name.
    #[error("the server's certificate is for {presented}, not for {expected}")]
    WrongName {
        /// The name that was verified.
        expected: String,
        /// The names it carries.
        presented: String,
    },
    /// The certificate is past its end.
    #[error("the server's certificate has expired")]
    Expired,
    /// The certificate does not hold for another reason.
    #[error("the server's certificate is not valid: {0}")]
    BadCertificate(String),
    /// The peer does not speak TLS as it should.
    #[error("the TLS handshake failed: {0}")]
    Handshake(String),
}

/// A connection that did not come about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct ConnectError {
    /// At which step.
    pub stage: ConnectStage,
    /// What happened.
    pub failure: ConnectFailure,
}

impl ConnectError {
    pub(super) fn new(stage: ConnectStage, failure: impl Into<ConnectFailure>) -> Self {
        Self {
            stage,
            failure: failure.into(),
        }
    }

    pub(super) fn io(stage: ConnectStage, error: &io::Error) -> Self {
        Self::new(stage, ConnectFailure::Io(error.kind()))
    }

    /// What a handshake that failed says about the server.
    pub(super) fn tls(error: &io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let failure = match inner {
            None => ConnectFailure::Io(error.kind()),
            Some(rustls::Error::InvalidCertificate(certificate)) => match certificate {
                CertificateError::UnknownIssuer | CertificateError::BadSignature => ConnectFailure::UnknownIssuer,
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => ConnectFailure::Expired,
                CertificateError::NotValidForNameContext { expected, presented } => ConnectFailure::WrongName {
                    expected: expected.to_str().into_owned(),
                    presented: names(presented),
                },
                other => ConnectFailure::BadCertificate(shorten(&format!("{other:?}"))),
            },
            Some(other) => ConnectFailure::Handshake(shorten(&other.to_string())),
        };
        Self::new(ConnectStage::Tls, failure)
    }

    /// Whether the server's certificate is at fault.
    pub fn is_certificate(&self) -> bool {
        match self.failure {
            ConnectFailure::UnknownIssuer
            | ConnectFailure::WrongName { .. }
            | ConnectFailure::Expired
            | ConnectFailure::BadCertificate(_) => true,
            ConnectFailure::Unresolved { .. }
            | ConnectFailure::Refused(_)
            | ConnectFailure::TimedOut(_)
            | ConnectFailure::Io(_)
            | ConnectFailure::Handshake(_) => false,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match &self.failure {
            ConnectFailure::Unresolved { .. } => "Check the name in the address, and that the hub's own DNS knows it.",
            ConnectFailure::Refused(AddressRefused::Loopback) => {
                "Use an address that the hub can reach; clusters on the hub's own machine need the option \
                 --allow-loopback-members."
            }
            ConnectFailure::Refused(_) => "Give the address of the cluster's API server.",
            ConnectFailure::TimedOut(_) | ConnectFailure::Io(_) => {
                "Check the address and the port, that the API server runs, and that no firewall stands between it and \
                 the hub."
            }
            ConnectFailure::UnknownIssuer => {
                "Put the cluster's own certificate authority into the kubeconfig (certificate-authority-data)."
            }
            ConnectFailure::WrongName { .. } => {
                "Use an address that the certificate names, or put such a name into tls-server-name."
            }
            ConnectFailure::Expired => "Renew the certificate of the API server.",
            ConnectFailure::BadCertificate(_) => "Renew the certificate of the API server, or its authority.",
            ConnectFailure::Handshake(_) => {
                "Check that the port is the API server's, and that it speaks TLS 1.2 or newer."
            }
        }
    }
}

/// The names of a certificate; rustls writes each as `DnsName("a.example")` or `IpAddress(10.0.0.1)`.
fn names(presented: &[String]) -> String {
    let plain = |name: &String| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
        inner.unwrap_or(name).trim_matches('"').to_owned()
    };
    match presented {
        [] => "no name at all".to_owned(),
        names => shorten(&names.iter().map(plain).collect::<Vec<_>>().join(", ")),
    }
}

fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_a_certificate_read_as_names() {
        let presented = ["DnsName(\"a.example\")", "IpAddress(10.0.0.1)", "strange"].map(str::to_owned);
        assert_eq!(names(&presented), "a.example, 10.0.0.1, strange");
        assert_eq!(names(&[]), "no name at all");
    }
}
