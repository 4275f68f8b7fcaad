//! Reading a kubeconfig without running it.
//!
//! To most clients a kubeconfig is a program: it names commands to run, files to read and proxies to use. Here it is a
//! document from a stranger. Only inline fields on a short list are copied out of one context; everything that would
//! reach outside of the text is refused, with the field and the way out, rather than skipped.

mod document;
mod error;

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use error::{KubeconfigError, Refusal};

use crate::connection::{Authentication, Connection, Credential};
use crate::endpoint::{AddressPolicy, Endpoint};
use document::{Document, NamedCluster, NamedUser, present};

/// Longest kubeconfig that is read, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;

/// One context, for people to choose from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ContextSummary {
    /// Its name.
    pub name: String,
    /// The cluster entry it names.
    pub cluster: String,
    /// The user entry it names.
    pub user: String,
    /// URL of the API server; empty when the entry has none.
    pub server: String,
    /// What it signs in with, among what the hub can use.
    pub authentication: Authentication,
    /// Whether it is the current one.
    pub current: bool,
}

/// What a kubeconfig says about one context.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// All contexts.
    pub contexts: Vec<ContextSummary>,
    /// The one that was chosen.
    pub context: String,
    /// How its cluster is reached.
    pub connection: Connection,
    /// Fields that were left out on purpose (`as`, `as-groups`, …): the hub acts as the person who asks.
    pub dropped: Vec<String>,
}

/// Lists the contexts of a kubeconfig; none is judged.
///
/// # Errors
/// When the text is no kubeconfig.
pub fn list_contexts(text: &str) -> Result<Vec<ContextSummary>, KubeconfigError> {
    Ok(summarise(&Document::read(text)?))
}

/// Reads one context: the named one, else the current one, else the only one.
///
/// # Errors
/// When the text is no kubeconfig, the context cannot be told, or it needs something that the hub refuses.
pub fn parse(text: &str, context: Option<&str>, policy: &AddressPolicy) -> Result<Parsed, KubeconfigError> {
    let document = Document::read(text)?;
    let contexts = summarise(&document);
    let context = choose(&document, context)?;
    let entry = contexts.iter().find(|summary| summary.name == context).cloned();
    let entry = entry.ok_or_else(|| KubeconfigError::UnknownContext { name: context.clone() })?;

    let cluster = one(&document.clusters, |cluster: &NamedCluster| {
        cluster.name == entry.cluster
    });
    let cluster = cluster.ok_or_else(|| missing_entry("clusters", &entry.cluster, &context))?;
    let user = one(&document.users, |user: &NamedUser| user.name == entry.user);
    let user = user.ok_or_else(|| missing_entry("users", &entry.user, &context))?;

    let (endpoint, ca, tls_server_name) = read_cluster(cluster, policy)?;
    let (credential, dropped) = read_user(user)?;
    let connection = Connection::new(endpoint, ca, tls_server_name, credential)
        .map_err(|source| KubeconfigError::unusable(&cluster.name, &user.name, source))?;
    Ok(Parsed {
        contexts,
        context,
        connection,
        dropped,
    })
}

fn missing_entry(list: &'static str, name: &str, context: &str) -> KubeconfigError {
    KubeconfigError::MissingEntry {
        list,
        name: name.to_owned(),
        context: context.to_owned(),
    }
}

/// The first match: kubectl takes the first as well.
fn one<T>(list: &Option<Vec<T>>, wanted: impl Fn(&T) -> bool) -> Option<&T> {
    list.as_ref()?.iter().find(|item| wanted(item))
}

fn choose(document: &Document, wanted: Option<&str>) -> Result<String, KubeconfigError> {
    let names: Vec<&str> = document.contexts().map(|context| context.name.as_str()).collect();
    if let Some(name) = wanted.filter(|name| !name.is_empty()) {
        return if names.contains(&name) {
            Ok(name.to_owned())
        } else {
            Err(KubeconfigError::UnknownContext { name: name.to_owned() })
        };
    }
    match (present(&document.current_context), names.as_slice()) {
        (Some(current), names) if names.contains(&current) => Ok(current.to_owned()),
        (Some(current), _) => Err(KubeconfigError::UnknownContext {
            name: current.to_owned(),
        }),
        (None, [only]) => Ok((*only).to_owned()),
        (None, []) => Err(KubeconfigError::NoContexts),
        (None, names) => Err(KubeconfigError::ContextRequired {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        }),
    }
}

fn summarise(document: &Document) -> Vec<ContextSummary> {
    let current = present(&document.current_context);
    let summary = |context: &document::NamedContext| {
        let inner = context.context.clone().unwrap_or_default();
        let cluster = inner.cluster.unwrap_or_default();
        let user = inner.user.unwrap_or_default();
        let server = one(&document.clusters, |entry: &NamedCluster| entry.name == cluster)
            .and_then(|entry| entry.cluster.as_ref())
            .and_then(|entry| present(&entry.server))
            .unwrap_or_default()
            .to_owned();
        let authentication = one(&document.users, |entry: &NamedUser| entry.name == user)
            .and_then(|entry| entry.user.as_ref())
            .map_or(Authentication::None, document::User::authentication);
        let current = current == Some(context.name.as_str());
        ContextSummary {
            name: context.name.clone(),
            cluster,
            user,
            server,
            authentication,
            current,
        }
    };
    document.contexts().map(summary).collect()
}

type ClusterPart = (Endpoint, Option<String>, Option<String>);

fn read_cluster(entry: &NamedCluster, policy: &AddressPolicy) -> Result<ClusterPart, KubeconfigError> {
    let field = |name: &str| format!("clusters[{}].cluster.{name}", shown(&entry.name));
    let cluster = entry.cluster.clone().unwrap_or_default();
    let refuse = |name: &str, refusal: Refusal| {
        Err(KubeconfigError::Refused {
            field: field(name),
            refusal,
        })
    };

    if present(&cluster.certificate_authority).is_some() {
        return refuse("certificate-authority", Refusal::File);
    }
    if cluster.insecure_skip_tls_verify == Some(true) {
        return refuse("insecure-skip-tls-verify", Refusal::Insecure);
    }
    if present(&cluster.proxy_url).is_some() {
        return refuse("proxy-url", Refusal::Proxy);
    }
    let Some(server) = present(&cluster.server) else {
        return Err(KubeconfigError::Missing { field: field("server") });
    };
    let endpoint = Endpoint::parse(server).map_err(|source| KubeconfigError::Endpoint {
        field: field("server"),
        source,
    })?;
    policy
        .judge_endpoint(&endpoint)
        .map_err(|source| KubeconfigError::Address {
            field: field("server"),
            source,
        })?;
    let ca = present(&cluster.certificate_authority_data)
        .map(|data| decode(data, || field("certificate-authority-data")))
        .transpose()?;
    Ok((endpoint, ca, cluster.tls_server_name))
}

fn read_user(entry: &NamedUser) -> Result<(Credential, Vec<String>), KubeconfigError> {
    let field = |name: &str| format!("users[{}].user.{name}", shown(&entry.name));
    let user = entry.user.clone().unwrap_or_default();
    let refuse = |name: &str, refusal: Refusal| {
        Err(KubeconfigError::Refused {
            field: field(name),
            refusal,
        })
    };

    if let Some(exec) = &user.exec {
        let command = exec.get("command").and_then(serde_json::Value::as_str).map(shown);
        return refuse("exec", Refusal::Exec { command });
    }
    if let Some(provider) = &user.auth_provider {
        let name = provider.get("name").and_then(serde_json::Value::as_str).map(shown);
        return refuse("auth-provider", Refusal::AuthProvider { name });
    }
    for (name, value) in [
        ("tokenFile", &user.token_file),
        ("client-certificate", &user.client_certificate),
        ("client-key", &user.client_key),
    ] {
        if present(value).is_some() {
            return refuse(name, Refusal::File);
        }
    }
    for (name, value) in [("username", &user.username), ("password", &user.password)] {
        if present(value).is_some() {
            return refuse(name, Refusal::Password);
        }
    }
    let dropped = user.impersonation().map(field).collect();

    let certificate = present(&user.client_certificate_data);
    let key = present(&user.client_key_data);
    let credential = match (present(&user.token), certificate, key) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
            return refuse("token", Refusal::TwoCredentials);
        }
        (Some(token), None, None) => Credential::Token(token.to_owned().into()),
        (None, Some(certificate), Some(key)) => Credential::ClientCertificate {
            certificate: decode(certificate, || field("client-certificate-data"))?,
            key: decode(key, || field("client-key-data"))?.into(),
        },
        (None, Some(_), None) => {
            return Err(KubeconfigError::Missing {
                field: field("client-key-data"),
            });
        }
        (None, None, Some(_)) => {
            return Err(KubeconfigError::Missing {
                field: field("client-certificate-data"),
            });
        }
        (None, None, None) => {
            return Err(KubeconfigError::NoCredential { field: field("token") });
        }
    };
    Ok((credential, dropped))
}

fn decode(data: &str, field: impl Fn() -> String) -> Result<String, KubeconfigError> {
    let compact: String = data.split_ascii_whitespace().collect();
    let bytes = STANDARD
        .decode(compact)
        .map_err(|_| KubeconfigError::Encoding { field: field() })?;
    String::from_utf8(bytes).map_err(|_| KubeconfigError::Encoding { field: field() })
}

/// A name from a stranger's document, short and on one line.
fn shown(name: &str) -> String {
    let short: String = name.chars().take(80).collect();
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    short.chars().map(clean).collect()
}
