//! Kubeconfig documents with everything inline, as users paste them.

use anyhow::Result;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::certificates::Identity;

/// One cluster, one user and one context, all called `cluster` and `user`.
pub(super) struct Kubeconfig<'a> {
    pub(super) cluster: &'a str,
    pub(super) endpoint: &'a str,
    pub(super) authority: &'a str,
}

impl Kubeconfig<'_> {
    /// With a client certificate.
    pub(super) fn with_certificate(&self, user: &str, identity: &Identity) -> Result<String> {
        self.document(
            user,
            json!({
                "client-certificate-data": BASE64_STANDARD.encode(&identity.certificate),
                "client-key-data": BASE64_STANDARD.encode(&identity.key),
            }),
        )
    }

    /// With a bearer token.
    pub(super) fn with_token(&self, user: &str, token: &str) -> Result<String> {
        self.document(user, json!({ "token": token }))
    }

    fn document(&self, user: &str, credentials: Value) -> Result<String> {
        let context = format!("{user}@{}", self.cluster);
        let document = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": self.cluster,
                "cluster": {
                    "server": self.endpoint,
                    "certificate-authority-data": BASE64_STANDARD.encode(self.authority),
                },
            }],
            "users": [{ "name": user, "user": credentials }],
            "contexts": [{
                "name": context,
                "context": { "cluster": self.cluster, "user": user },
            }],
            "current-context": context,
        });
        // One line for each value, however long, as kubectl writes it.
        let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
        Ok(serde_saphyr::to_string_with_options(&document, options)?)
    }
}
