//! Why a kubeconfig is not taken, and what to do about it.

use crate::connection::ConnectionError;
use crate::endpoint::{AddressRefused, EndpointError};

/// What makes a plain credential on the member, for kubeconfigs that only work on somebody's own machine.
const SERVICE_ACCOUNT: &str = "\
Give the hub a credential of its own, with a kubectl that works on this cluster:
  kubectl create namespace atoll-system
  kubectl -n atoll-system create serviceaccount atoll
  kubectl create clusterrolebinding atoll --clusterrole=cluster-admin --serviceaccount=atoll-system:atoll
  kubectl -n atoll-system apply -f - <<'EOF'
  {\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"type\": \"kubernetes.io/service-account-token\",
   \"metadata\": {\"name\": \"atoll\", \"annotations\": {\"kubernetes.io/service-account.name\": \"atoll\"}}}
  EOF
  kubectl config set-credentials atoll --token=\"$(kubectl -n atoll-system get secret atoll -o jsonpath='{.data.token}' | base64 -d)\"
  kubectl config set-context --current --user=atoll
  kubectl config view --raw --minify --flatten
and hand in what the last line prints.";

const FLATTEN: &str =
    "Hand in what `kubectl config view --raw --minify --flatten` prints: it carries the content of files.";

/// What is refused in a kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// `exec`: a program to run.
    #[error("runs the program {} to sign in, and the hub runs no programs", command.as_deref().unwrap_or("of an exec plugin"))]
    Exec {
        /// The program.
        command: Option<String>,
    },
    /// `auth-provider`: a program to run, or a flow for a person.
    #[error("signs in by the provider {}, and the hub runs no providers", name.as_deref().unwrap_or("of a plugin"))]
    AuthProvider {
        /// The provider.
        name: Option<String>,
    },
    /// A path on somebody's disk.
    #[error("names a file, and the hub reads no files but its own")]
    File,
    /// Basic authentication, which Kubernetes dropped in 1.19.
    #[error("is for basic authentication, which Kubernetes no longer has")]
    Password,
    /// `insecure-skip-tls-verify`.
    #[error("switches off the check of the server's certificate, so that anybody could take the credential")]
    Insecure,
    /// `proxy-url`.
    #[error("asks for a proxy, and the hub connects directly")]
    Proxy,
    /// A token beside a client certificate.
    #[error("stands beside a client certificate, and which one counts cannot be told")]
    TwoCredentials,
}

/// Why a kubeconfig is not taken. No variant holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum KubeconfigError {
    /// Larger than [`super::MAX_BYTES`].
    #[error("the kubeconfig is larger than 1 MiB")]
    TooLarge,
    /// More entries than are read.
    #[error("the kubeconfig has more than {limit} entries")]
    TooMany {
        /// How many are read.
        limit: usize,
    },
    /// Not YAML, not of this shape, or over the budget for nesting and aliases.
    #[error("this is not a kubeconfig{}", match place { Some((line, column)) => format!(": it cannot be read at line {line}, column {column}"), None => String::new() })]
    Unreadable {
        /// Line and column.
        place: Option<(u64, u64)>,
    },
    /// No context at all.
    #[error("the kubeconfig has no contexts")]
    NoContexts,
    /// Several, none current, none chosen.
    #[error("the kubeconfig has several contexts and none is current: choose one")]
    ContextRequired {
        /// Their names.
        names: Vec<String>,
    },
    /// No such context.
    #[error("the kubeconfig has no context {name:?}")]
    UnknownContext {
        /// The name.
        name: String,
    },
    /// A context names an entry that is not there.
    #[error("the context {context:?} names {name:?}, which is not in {list}")]
    MissingEntry {
        /// `clusters` or `users`.
        list: &'static str,
        /// What is not there.
        name: String,
        /// Who names it.
        context: String,
    },
    /// A field that is needed is empty.
    #[error("{field} is missing")]
    Missing {
        /// The field.
        field: String,
    },
    /// No token and no certificate.
    #[error("the context has neither a token nor a client certificate")]
    NoCredential {
        /// Where one is expected.
        field: String,
    },
    /// A field that the hub refuses.
    #[error("{field} {refusal}")]
    Refused {
        /// The field.
        field: String,
        /// Why.
        refusal: Refusal,
    },
    /// Not base64, or not PEM text inside.
    #[error("{field} is not base64 of PEM text")]
    Encoding {
        /// The field.
        field: String,
    },
    /// `server` is no endpoint.
    #[error("{field} {source}")]
    Endpoint {
        /// The field.
        field: String,
        /// Why.
        source: EndpointError,
    },
    /// `server` may not be dialled.
    #[error("{field} cannot be used: {source}")]
    Address {
        /// The field.
        field: String,
        /// Why.
        source: AddressRefused,
    },
    /// A part is not what it should be.
    #[error("{field} cannot be used: {source}")]
    Unusable {
        /// The field.
        field: String,
        /// Why.
        source: ConnectionError,
    },
}

impl KubeconfigError {
    pub(super) fn unusable(cluster: &str, user: &str, source: ConnectionError) -> Self {
        let (cluster, user) = (super::shown(cluster), super::shown(user));
        let field = match source {
            ConnectionError::CertificateAuthority => {
                format!("clusters[{cluster}].cluster.certificate-authority-data")
            }
            ConnectionError::TlsServerName => {
                format!("clusters[{cluster}].cluster.tls-server-name")
            }
            ConnectionError::Token | ConnectionError::Stored => format!("users[{user}].user.token"),
            ConnectionError::ClientCertificate => {
                format!("users[{user}].user.client-certificate-data")
            }
            ConnectionError::EncryptedKey
            | ConnectionError::ClientKey
            | ConnectionError::UnsupportedKey
            | ConnectionError::KeyMismatch => format!("users[{user}].user.client-key-data"),
        };
        Self::Unusable { field, source }
    }

    /// The field of the kubeconfig that is at fault, when it is one.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::TooLarge
            | Self::TooMany { .. }
            | Self::Unreadable { .. }
            | Self::NoContexts
            | Self::ContextRequired { .. }
            | Self::UnknownContext { .. }
            | Self::MissingEntry { .. } => None,
            Self::Missing { field }
            | Self::NoCredential { field }
            | Self::Refused { field, .. }
            | Self::Encoding { field }
            | Self::Endpoint { field, .. }
            | Self::Address { field, .. }
            | Self::Unusable { field, .. } => Some(field),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Refused { refusal: Refusal::Exec { .. } | Refusal::AuthProvider { .. } | Refusal::Password, .. }
            | Self::NoCredential { .. } => SERVICE_ACCOUNT.to_owned(),
            Self::Refused { refusal: Refusal::File, .. } => FLATTEN.to_owned(),
            Self::Refused { refusal: Refusal::Insecure, .. } => {
                "Remove the field and put the cluster's certificate authority into certificate-authority-data; when the \
                 certificate is for another name, put that name into tls-server-name."
                    .to_owned()
            }
            Self::Refused { refusal: Refusal::Proxy, .. } => {
                "Remove the field when the hub reaches the cluster directly.".to_owned()
            }
            Self::Refused { refusal: Refusal::TwoCredentials, .. } => {
                "Remove either the token or the client certificate.".to_owned()
            }
            Self::Address { source: AddressRefused::Loopback, .. } => {
                "Use an address that the hub can reach from where it runs; clusters on the hub's own machine need the \
                 option --allow-loopback-members."
                    .to_owned()
            }
            Self::Address { .. } | Self::Endpoint { .. } => {
                "Give the address of the cluster's API server, such as https://10.0.0.1:6443.".to_owned()
            }
            Self::ContextRequired { names } => {
                let names: Vec<_> = names.iter().take(20).map(|name| super::shown(name)).collect();
                format!("Choose one of: {}.", names.join(", "))
            }
            Self::UnknownContext { .. } => "Choose one of the contexts of the kubeconfig.".to_owned(),
            Self::TooLarge | Self::TooMany { .. } => {
                "Hand in one context: `kubectl config view --raw --minify --flatten`.".to_owned()
            }
            Self::Unreadable { .. }
            | Self::NoContexts
            | Self::MissingEntry { .. }
            | Self::Missing { .. }
            | Self::Encoding { .. }
            | Self::Unusable { .. } => FLATTEN.to_owned(),
        }
    }
}
