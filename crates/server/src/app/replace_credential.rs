//! A cluster gets another credential, or is reached another way. It must stay the same cluster.

use std::sync::Arc;

use atoll_clusters::{Connection, StageReport};
use atoll_store::{Cluster, Object, Transaction, Write};
use serde_json::Value;

use super::cluster_objects as objects;
use super::connect::{check_kubeconfig, wait_until_open};
use super::update_cluster::{ATTEMPTS, find};
use crate::error::{Error, Reason, Result};
use crate::state::AppState;

/// Replaces the credential (and the endpoint) of a cluster by those of a kubeconfig, once its connection has been
/// tried and leads to the same cluster.
///
/// # Errors
/// When the kubeconfig cannot be used, or leads elsewhere; then everything stays as it was.
pub async fn replace_credential(
    state: &AppState,
    user: &str,
    name: &str,
    text: &str,
    context: Option<&str>,
) -> Result<()> {
    let (row, _) = find(state, name).await?;
    let mut ignore = |_: StageReport| {};
    let checked = check_kubeconfig(state, text, context, &mut ignore)
        .await
        .map_err(|unusable| unusable.error.in_cluster(name))?;
    let found = checked.findings.facts.uid.as_deref();
    if row.uid.is_some() && row.uid.as_deref() != found {
        let message = "the kubeconfig leads to another cluster than the one that is registered";
        return Err(Error::new(Reason::Conflict, message)
            .in_cluster(name)
            .at_stage("identity")
            .with_hint("Register the other cluster under a name of its own."));
    }
    for attempt in 1.. {
        let (row, object) = find(state, name).await?;
        let revision = row.credential_revision + 1;
        match save(state, row, &object, &checked.connection, found).await {
            Err(atoll_store::Error::Conflict { .. } | atoll_store::Error::AlreadyExists(_)) if attempt < ATTEMPTS => {}
            outcome => {
                outcome?;
                wait_until_open(state, name, revision).await;
                break;
            }
        }
    }
    tracing::info!(
        cluster.name = name,
        user.name = user,
        "the credential of a cluster was replaced"
    );
    Ok(())
}

async fn save(
    state: &AppState,
    row: Cluster,
    object: &Object,
    connection: &Connection,
    uid: Option<&str>,
) -> atoll_store::Result<()> {
    let name = row.name.clone();
    let (secret_name, secret) = secret_write(state, object, connection).await?;
    let row = Cluster {
        uid: row.uid.or_else(|| uid.map(str::to_owned)),
        endpoint: connection.endpoint.to_string(),
        ca: connection.ca.clone().unwrap_or_default(),
        tls_server_name: connection.tls_server_name.clone().unwrap_or_default(),
        credential: state.store.seal_credential(&name, &connection.credential.to_stored())?,
        credential_revision: row.credential_revision + 1,
        credential_expires_at: connection.expires_at,
        ..row
    };
    let mut spec = object.body["spec"].clone();
    if let (Value::Object(spec), Value::Object(new)) = (&mut spec, objects::spec(connection, &secret_name)) {
        spec.remove("caBundle");
        spec.extend(new);
    }
    let writes = vec![
        secret,
        objects::update(object, objects::with_spec(&object.body, spec)),
        Write::PutCluster(Box::new(row)),
    ];
    state.store.write(Transaction { writes, lease: None }).await.map(drop)
}

/// The Secret that the cluster names, with the new credential in it; a new one when there is none.
async fn secret_write(
    state: &AppState,
    object: &Object,
    connection: &Connection,
) -> atoll_store::Result<(String, Write)> {
    let cluster = &object.key.name;
    let named = object.body["spec"]["secretRef"]["name"].as_str().unwrap_or_default();
    if !named.is_empty()
        && let Some(secret) = state.store.object(&objects::secret_key(named)).await?
    {
        let mut body = Value::clone(&secret.body);
        body["data"] = objects::secret_data(&connection.credential);
        return Ok((named.to_owned(), objects::update(&secret, body)));
    }
    let name = if named.is_empty() {
        objects::new_secret_name(cluster)
    } else {
        named.to_owned()
    };
    let body = objects::secret(&name, cluster, &connection.credential, state.now());
    let write = Write::Create {
        key: objects::secret_key(&name),
        body: Arc::new(body),
    };
    Ok((name, write))
}
