//! A cluster joins: its kubeconfig is read, its connection tried, the hub's administrators admitted there, and only
//! then is anything saved, all of it in one transaction.

use std::collections::BTreeMap;

use atoll_clusters::health::{Health, Outcome, learn, step};
use atoll_clusters::{Connection, Findings, HealthSnapshot, StageReport, Thresholds, admit_admins};
use atoll_kubeapi::{Cause, Status};
use atoll_store::{Cluster, Role, Store, Transaction, Write};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::cluster_objects as objects;
use super::cluster_text::{Text, label_causes, name_cause, text_causes};
use super::connect::{check_kubeconfig, registered_as, wait_until_open};
use crate::error::{Error, Result};
use crate::state::AppState;

/// Revision of the credential that a cluster joins with.
const FIRST_REVISION: i64 = 1;

/// A cluster that is to join.
#[derive(Debug)]
pub struct NewCluster {
    /// Its name.
    pub name: String,
    /// Host or member.
    pub role: Role,
    /// A name for people.
    pub alias: String,
    /// Free text.
    pub description: String,
    /// Who runs it; empty for what its nodes tell.
    pub provider: String,
    /// Where it is; empty for what its nodes tell.
    pub region: String,
    /// What placement selects by.
    pub labels: BTreeMap<String, String>,
    /// How it is reached.
    pub kubeconfig: SecretString,
    /// Which context of it.
    pub context: Option<String>,
    /// Whether the hub's administrators become cluster-admin there.
    pub admit_admins: bool,
}

/// A cluster that has joined.
pub struct Registered {
    /// Its name.
    pub name: String,
    /// Whether the binding for the hub's administrators was written there.
    pub admitted_admins: bool,
}

/// Registers a cluster as `user`; `report` is told as stages start and end.
///
/// # Errors
/// When the request, the kubeconfig, the connection or the cluster itself cannot be used; then nothing is saved.
pub async fn register_cluster(
    state: &AppState,
    user: &str,
    new: NewCluster,
    report: &mut (dyn FnMut(StageReport) + Send),
) -> Result<Registered> {
    check_fields(&new)?;
    refuse_taken_name(state, &new.name).await?;
    refuse_second_host(state, &new).await?;

    let checked = check_kubeconfig(state, new.kubeconfig.expose_secret(), new.context.as_deref(), report)
        .await
        .map_err(|unusable| unusable.error.in_cluster(&new.name))?;
    if let Some(uid) = &checked.findings.facts.uid
        && let Some(name) = registered_as(state, uid).await?
    {
        return Err(atoll_store::Error::ClusterRegistered(name).into());
    }
    if new.admit_admins {
        let target = (&checked.connection, state.clusters.network());
        admit_admins(target, &state.hub.uid.to_string()).await.map_err(|error| {
            Error::from(error)
                .in_cluster(&new.name)
                .at_stage("permissions")
                .with_hint("The credential must be allowed to bind cluster-admin; or register without admitting administrators.")
        })?;
    }
    save(state, user, &new, &checked.connection, &checked.findings).await?;
    tracing::info!(cluster.name = %new.name, user.name = user, "a cluster was registered");
    wait_until_open(state, &new.name, FIRST_REVISION).await;
    Ok(Registered {
        admitted_admins: new.admit_admins,
        name: new.name,
    })
}

fn check_fields(new: &NewCluster) -> Result<()> {
    let mut causes: Vec<Cause> = name_cause(&new.name).into_iter().collect();
    causes.extend(text_causes(&Text {
        alias: &new.alias,
        description: &new.description,
        provider: &new.provider,
        region: &new.region,
    }));
    causes.extend(label_causes(&new.labels));
    if causes.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid("Cluster", &new.name, causes))
    }
}

async fn refuse_taken_name(state: &AppState, name: &str) -> Result<()> {
    let registered = state.store.cluster(name).await?.is_some();
    if registered || state.store.object(&Store::cluster_key(name)).await?.is_some() {
        return Err(Status::already_exists("", "clusters", name).into());
    }
    Ok(())
}

async fn refuse_second_host(state: &AppState, new: &NewCluster) -> Result<()> {
    if new.role != Role::Host {
        return Ok(());
    }
    let rows = state.store.clusters().await?;
    match rows.into_iter().flatten().find(|row| row.role == Role::Host) {
        Some(host) => Err(atoll_store::Error::HostTaken(host.name).into()),
        None => Ok(()),
    }
}

/// What the check found, as if it had been the first probe: the cluster need not begin as unknown.
fn checked_health(connection: &Connection, findings: &Findings, now: Timestamp) -> HealthSnapshot {
    let thresholds = Thresholds::default();
    let outcome = Outcome::Ok {
        latency_ms: findings.latency_ms,
    };
    let pending = Health::pending(now, connection.expires_at);
    let (probed, _) = step(&pending, &outcome, now, &thresholds);
    let (known, _) = learn(&probed, findings.facts.clone(), now, &thresholds);
    known.snapshot
}

/// The row, the object and the Secret, together or not at all. The store looks once more whether name, identity and
/// role are free, so of two registrations at the same time one wins.
async fn save(
    state: &AppState,
    user: &str,
    new: &NewCluster,
    connection: &Connection,
    findings: &Findings,
) -> Result<()> {
    let now = state.now();
    let health = checked_health(connection, findings, now);
    let secret_name = objects::new_secret_name(&new.name);
    let or_found = |given: &str, found: &Option<String>| match given {
        "" => found.clone().unwrap_or_default(),
        given => given.to_owned(),
    };
    let row = Cluster {
        name: new.name.clone(),
        uid: findings.facts.uid.clone(),
        role: new.role,
        alias: new.alias.clone(),
        description: new.description.clone(),
        provider: or_found(&new.provider, &findings.facts.provider),
        region: or_found(&new.region, &findings.facts.region),
        connection: "direct".to_owned(),
        endpoint: connection.endpoint.to_string(),
        ca: connection.ca.clone().unwrap_or_default(),
        tls_server_name: connection.tls_server_name.clone().unwrap_or_default(),
        credential: state
            .store
            .seal_credential(&new.name, &connection.credential.to_stored())?,
        credential_revision: FIRST_REVISION,
        credential_expires_at: connection.expires_at,
        admit_admins: new.admit_admins,
        created_at: now,
        created_by: user.to_owned(),
        state: health.state.as_str().to_owned(),
        since: health.since,
        conditions: json!(health.conditions),
        probe: json!(health),
    };
    let secret = objects::secret(&secret_name, &new.name, &connection.credential, now);
    let object = objects::kubefed_cluster(&new.name, &new.labels, connection, &secret_name, now);
    let writes = vec![
        Write::Create {
            key: objects::secret_key(&secret_name),
            body: secret.into(),
        },
        Write::Create {
            key: Store::cluster_key(&new.name),
            body: object.into(),
        },
        Write::PutCluster(Box::new(row)),
    ];
    let written = state.store.write(Transaction { writes, lease: None }).await;
    written.map(drop).map_err(|error| match error {
        // The caller knows clusters, not the objects behind them.
        atoll_store::Error::AlreadyExists(_) => Status::already_exists("", "clusters", &new.name).into(),
        other => other.into(),
    })
}
