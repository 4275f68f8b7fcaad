//! The parts of a kubeconfig that are looked at. Whatever is not named here is skipped while reading.

use serde::Deserialize;
use serde_json::Value;

use super::{KubeconfigError, MAX_BYTES};
use crate::connection::Authentication;

/// More entries than anybody has, and few enough to answer with.
const MAX_ENTRIES: usize = 1000;

/// A kubeconfig.
#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Document {
    pub(super) current_context: Option<String>,
    contexts: Option<Vec<NamedContext>>,
    pub(super) clusters: Option<Vec<NamedCluster>>,
    pub(super) users: Option<Vec<NamedUser>>,
}

#[derive(Deserialize)]
pub(super) struct NamedContext {
    pub(super) name: String,
    pub(super) context: Option<Context>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(super) struct Context {
    pub(super) cluster: Option<String>,
    pub(super) user: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct NamedCluster {
    pub(super) name: String,
    pub(super) cluster: Option<Cluster>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Cluster {
    pub(super) server: Option<String>,
    pub(super) certificate_authority: Option<String>,
    pub(super) certificate_authority_data: Option<String>,
    pub(super) insecure_skip_tls_verify: Option<bool>,
    pub(super) tls_server_name: Option<String>,
    pub(super) proxy_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct NamedUser {
    pub(super) name: String,
    pub(super) user: Option<User>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct User {
    pub(super) token: Option<String>,
    #[serde(rename = "tokenFile")]
    pub(super) token_file: Option<String>,
    pub(super) client_certificate: Option<String>,
    pub(super) client_certificate_data: Option<String>,
    pub(super) client_key: Option<String>,
    pub(super) client_key_data: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) exec: Option<Value>,
    pub(super) auth_provider: Option<Value>,
    r#as: Option<Value>,
    as_uid: Option<Value>,
    as_groups: Option<Value>,
    as_user_extra: Option<Value>,
}

impl User {
    /// What the hub could sign in with.
    pub(super) fn authentication(&self) -> Authentication {
        if self.exec.is_some() || self.auth_provider.is_some() {
            Authentication::None
        } else if present(&self.token).is_some() {
            Authentication::Token
        } else if present(&self.client_certificate_data).is_some() && present(&self.client_key_data).is_some() {
            Authentication::ClientCertificate
        } else {
            Authentication::None
        }
    }

    /// Names of the fields that ask to act as somebody else.
    pub(super) fn impersonation(&self) -> impl Iterator<Item = &'static str> {
        let fields = [
            ("as", self.r#as.is_some()),
            ("as-uid", self.as_uid.is_some()),
            ("as-groups", self.as_groups.is_some()),
            ("as-user-extra", self.as_user_extra.is_some()),
        ];
        fields.into_iter().filter(|(_, there)| *there).map(|(name, _)| name)
    }
}

impl Document {
    /// Reads the text within a budget.
    pub(super) fn read(text: &str) -> Result<Self, KubeconfigError> {
        if text.len() > MAX_BYTES {
            return Err(KubeconfigError::TooLarge);
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! {
                max_depth: 32,
                max_nodes: 60_000,
                max_events: 150_000,
                max_documents: 1,
                max_anchors: 100,
                max_aliases: 100,
                max_recorded_anchor_events: 10_000,
                max_recorded_anchor_bytes: 4 * MAX_BYTES,
                max_total_scalar_bytes: 4 * MAX_BYTES,
                max_merge_keys: 100,
                flow_nesting_limit: 32,
            },
        };
        // The parser's own message quotes the text, and the text holds credentials.
        let document: Self = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let place = error.location().map(|location| (location.line(), location.column()));
            KubeconfigError::Unreadable { place }
        })?;
        let count = |length: Option<usize>| length.unwrap_or_default();
        let entries = count(document.contexts.as_ref().map(Vec::len))
            .max(count(document.clusters.as_ref().map(Vec::len)))
            .max(count(document.users.as_ref().map(Vec::len)));
        if entries > MAX_ENTRIES {
            return Err(KubeconfigError::TooMany { limit: MAX_ENTRIES });
        }
        if document.contexts().next().is_none() {
            return Err(KubeconfigError::NoContexts);
        }
        Ok(document)
    }

    pub(super) fn contexts(&self) -> impl Iterator<Item = &NamedContext> {
        self.contexts.iter().flatten()
    }
}

/// A field that says something: kubectl writes empty ones.
pub(super) fn present(field: &Option<String>) -> Option<&str> {
    field.as_deref().filter(|text| !text.is_empty())
}
