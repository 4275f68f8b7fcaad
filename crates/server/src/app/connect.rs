//! From the text of a kubeconfig to a connection that was tried, each stage reported as it ends.

use std::time::{Duration, Instant};

use atoll_clusters::kubeconfig::{self, ContextSummary};
use atoll_clusters::{Connection, Findings, Stage, StageReport, StageState, check};

use crate::error::{Error, Result};
use crate::state::AppState;

/// How long somebody who registered a cluster waits for it to be opened.
const OPENING: Duration = Duration::from_secs(3);

/// A kubeconfig whose connection works.
pub struct Checked {
    /// All its contexts.
    pub contexts: Vec<ContextSummary>,
    /// The one that was chosen.
    pub context: String,
    /// How the cluster is reached.
    pub connection: Connection,
    /// What it says about itself.
    pub findings: Findings,
}

/// Why a kubeconfig cannot be used, and what could be read of it all the same.
pub struct Unusable {
    /// Why.
    pub error: Error,
    /// Its contexts, as far as they can be read: people may choose another one.
    pub contexts: Vec<ContextSummary>,
}

/// Reads a kubeconfig and tries its connection, stage by stage. Nothing is saved.
///
/// # Errors
/// At the first stage that fails.
pub async fn check_kubeconfig(
    state: &AppState,
    text: &str,
    context: Option<&str>,
    report: &mut (dyn FnMut(StageReport) + Send),
) -> Result<Checked, Box<Unusable>> {
    let network = state.clusters.network().clone();
    let began = Instant::now();
    let stage = |state, message, hint| StageReport {
        stage: Stage::Kubeconfig,
        state,
        message,
        hint,
        duration_ms: Some(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)),
    };
    let parsed = match kubeconfig::parse(text, context, &network.policy) {
        Ok(parsed) => parsed,
        Err(error) => {
            report(stage(StageState::Failed, Some(error.to_string()), Some(error.hint())));
            return Err(Box::new(Unusable {
                contexts: kubeconfig::list_contexts(text).unwrap_or_default(),
                error: error.into(),
            }));
        }
    };
    if parsed.dropped.is_empty() {
        report(stage(StageState::Ok, Some(format!("context {}", parsed.context)), None));
    } else {
        let message = format!("not used: {}", parsed.dropped.join(", "));
        let hint = "The hub acts on the cluster as the person who asks, whatever the kubeconfig says.";
        report(stage(StageState::Warning, Some(message), Some(hint.to_owned())));
    }
    match check(&parsed.connection, &network, report).await {
        Ok(findings) => Ok(Checked {
            contexts: parsed.contexts,
            context: parsed.context,
            connection: parsed.connection,
            findings,
        }),
        Err(failure) => Err(Box::new(Unusable {
            error: failure.into(),
            contexts: parsed.contexts,
        })),
    }
}

/// Waits a moment until this process has opened the member with a credential of this revision, so that whoever was told
/// that it is there finds it. The registry opens it, not the caller; another replica may take a little longer.
pub(super) async fn wait_until_open(state: &AppState, name: &str, revision: i64) {
    let mut members = state.clusters.subscribe();
    let opened = members.wait_for(|members| members.get(name).is_some_and(|member| member.generation() >= revision));
    if tokio::time::timeout(OPENING, opened).await.is_err() {
        tracing::warn!(cluster.name = name, "the member is not open yet");
    }
}

/// The cluster with this UID, if it is registered: by record, or as a member has learned by itself.
///
/// # Errors
/// When the database fails.
pub async fn registered_as(state: &AppState, uid: &str) -> Result<Option<String>> {
    let rows = state.store.clusters().await?;
    let row = rows.into_iter().flatten().find(|row| row.uid.as_deref() == Some(uid));
    if let Some(row) = row {
        return Ok(Some(row.name));
    }
    let members = state.clusters.members();
    let known = members.values().find(|member| member.uid().as_deref() == Some(uid));
    Ok(known.map(|member| member.name().to_owned()))
}
