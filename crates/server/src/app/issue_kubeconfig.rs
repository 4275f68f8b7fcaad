//! One kubeconfig for the hub and its clusters, with a token made for it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::ToSpan;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::issue_token::issue_token;
use crate::auth::Caller;
use crate::authz::{Action, Decision, Resource, Verb, decide};
use crate::error::{Error, Result};
use crate::state::{AppState, Hub};

/// Life of the token in a kubeconfig, in days.
const TOKEN_DAYS: i64 = 365;

/// Makes a kubeconfig for the caller: the context `hub`, and one for each of these clusters (all of them when none is
/// named) that the caller may reach.
///
/// # Errors
/// When a named cluster is not registered, or no token can be made.
pub async fn issue_kubeconfig(
    state: &AppState,
    caller: &Caller,
    clusters: Option<Vec<String>>,
) -> Result<SecretString> {
    let names = reachable(state, caller, clusters).await?;
    let now = state.now();
    let expires_at = now.checked_add((TOKEN_DAYS * 24).hours()).map_err(Error::internal)?;
    let label = format!("kubeconfig {}", now.strftime("%Y-%m-%d %H:%M"));
    let (_, token) = issue_token(&state.store, &caller.subject.user, &label, Some(expires_at), now).await?;
    let document = kubeconfig(&state.hub, &caller.subject.user, &names, &token);
    // One line for each value, however long, as kubectl writes it.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(&document, options)
        .map(SecretString::from)
        .map_err(Error::internal)
}

async fn reachable(state: &AppState, caller: &Caller, wanted: Option<Vec<String>>) -> Result<Vec<String>> {
    let may =
        |name: &str| decide(&caller.subject, &Action::named(Resource::Clusters, Verb::Get, name)) == Decision::Allow;
    let listing = state
        .store
        .objects(
            "core.kubefed.io",
            "kubefedclusters",
            Some(atoll_federation::types::SYSTEM_NAMESPACE),
        )
        .await?;
    let all: Vec<String> = listing
        .objects
        .into_iter()
        .map(|object| object.key.name)
        .filter(|name| may(name))
        .collect();
    let Some(mut wanted) = wanted else { return Ok(all) };
    wanted.sort_unstable();
    wanted.dedup();
    match wanted.iter().find(|name| !all.contains(name)) {
        Some(unknown) => Err(Error::no_cluster(unknown)),
        None => Ok(wanted),
    }
}

/// The document. Entries are named after the hub, so that merging two hubs' files does not mix them up.
fn kubeconfig(hub: &Hub, user: &str, clusters: &[String], token: &SecretString) -> Value {
    let ca = hub.authority_certificate.as_ref().map(|pem| STANDARD.encode(pem));
    let server = |path: &str| {
        let mut cluster = json!({"server": format!("{}{path}", hub.public_url)});
        if let Some(ca) = &ca {
            cluster["certificate-authority-data"] = ca.as_str().into();
        }
        cluster
    };
    let user_name = format!("atoll-{user}");
    let hub_entry = ("hub".to_owned(), "atoll-hub".to_owned(), "/k8s/hub".to_owned());
    let of_cluster = |name: &String| {
        // A cluster that is itself called `hub` must not hide the hub.
        let context = if name == "hub" { "cluster-hub" } else { name };
        (
            context.to_owned(),
            format!("atoll-cluster-{name}"),
            format!("/k8s/clusters/{name}"),
        )
    };
    let (mut entries, mut contexts) = (Vec::new(), Vec::new());
    for (context, entry, path) in std::iter::once(hub_entry).chain(clusters.iter().map(of_cluster)) {
        entries.push(json!({"name": entry, "cluster": server(&path)}));
        contexts.push(json!({"name": context, "context": {"cluster": entry, "user": user_name}}));
    }
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "hub",
        "clusters": entries,
        "users": [{"name": user_name, "user": {"token": token.expose_secret()}}],
        "contexts": contexts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn hub(authority: Option<&str>) -> Hub {
        Hub {
            uid: uuid::Uuid::nil(),
            public_url: "https://hub.example:8443".into(),
            host_names: BTreeSet::new(),
            any_address: false,
            authority_certificate: authority.map(str::to_owned),
            session_hours: 12,
            demo: false,
        }
    }

    fn contexts(document: &Value) -> Vec<&str> {
        let contexts = document["contexts"].as_array().unwrap();
        contexts
            .iter()
            .map(|context| context["name"].as_str().unwrap())
            .collect()
    }

    #[test]
    fn every_server_is_a_path_of_the_public_url_and_trusts_the_hub_s_authority() {
        let token = SecretString::from("atoll_x");
        let document = kubeconfig(&hub(Some("PEM")), "ada", &["eu-1".into()], &token);
        assert_eq!(contexts(&document), ["hub", "eu-1"]);
        let servers: Vec<_> = document["clusters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| &entry["cluster"])
            .collect();
        assert_eq!(servers[0]["server"], "https://hub.example:8443/k8s/hub");
        assert_eq!(servers[1]["server"], "https://hub.example:8443/k8s/clusters/eu-1");
        assert!(
            servers
                .iter()
                .all(|server| server["certificate-authority-data"] == "UEVN")
        );
        assert_eq!(document["users"][0]["user"]["token"], "atoll_x");
    }

    #[test]
    fn a_cluster_called_hub_does_not_hide_the_hub() {
        let document = kubeconfig(&hub(None), "ada", &["hub".into()], &SecretString::from("t"));
        assert_eq!(contexts(&document), ["hub", "cluster-hub"]);
        assert_eq!(document["current-context"], "hub");
        assert!(
            document["clusters"][0]["cluster"]
                .get("certificate-authority-data")
                .is_none()
        );
    }
}
