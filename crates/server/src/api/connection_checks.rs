//! Trying a kubeconfig before anything is registered.

use atoll_clusters::StageReport;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::clusters::admins_binding;
use super::{Json, ObjectRef, ndjson};
use crate::app::{Checked, check_kubeconfig, registered_as};
use crate::auth::Caller;
use crate::authz::{Action, Resource, Verb};
use crate::error::Result;
use crate::state::AppState;

/// What is to be tried.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectionCheck {
    /// A kubeconfig, as text.
    #[serde(deserialize_with = "super::secret")]
    #[schema(value_type = String, format = Password)]
    kubeconfig: SecretString,
    /// Which context of it; the current one when it is left out.
    context: Option<String>,
}

/// A stage that started or ended.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StageLine {
    /// `kubeconfig`, `dns`, `tcp`, `tls`, `signIn`, `version`, `permissions`, `nodes` or `identity`.
    stage: &'static str,
    /// `running`, `ok`, `warning` or `failed`.
    state: &'static str,
    /// What was found.
    message: Option<String>,
    /// What to do about it.
    hint: Option<String>,
    /// How long it took.
    duration_ms: Option<u64>,
}

impl From<StageReport> for StageLine {
    fn from(report: StageReport) -> Self {
        Self {
            stage: report.stage.as_str(),
            state: report.state.as_str(),
            message: report.message,
            hint: report.hint,
            duration_ms: report.duration_ms,
        }
    }
}

/// A context of a kubeconfig.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = KubeconfigContext)]
pub struct ContextView {
    /// Its name.
    name: String,
    /// The cluster entry it names.
    cluster: String,
    /// The user entry it names.
    user: String,
    /// URL of the API server.
    server: String,
    /// `token`, `clientCertificate` or `none`.
    authentication: &'static str,
    /// Whether it is the current one.
    current: bool,
}

impl From<atoll_clusters::kubeconfig::ContextSummary> for ContextView {
    fn from(context: atoll_clusters::kubeconfig::ContextSummary) -> Self {
        Self {
            name: context.name,
            cluster: context.cluster,
            user: context.user,
            server: context.server,
            authentication: context.authentication.as_str(),
            current: context.current,
        }
    }
}

/// What a check that passed found.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckPassed {
    /// Always true.
    ok: bool,
    /// All contexts of the kubeconfig.
    contexts: Vec<ContextView>,
    /// The one that was tried.
    context: String,
    /// URL of the API server.
    server: String,
    /// `gitVersion` of the API server.
    kubernetes_version: Option<String>,
    /// UID of the namespace `kube-system`.
    uid: Option<String>,
    /// Nodes.
    node_count: Option<u32>,
    /// A guess at who runs it.
    provider: Option<String>,
    /// Region of most nodes.
    region: Option<String>,
    /// When the credential ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    credential_expires_at: Option<Timestamp>,
    /// The name under which this cluster is registered already.
    already_registered_as: Option<String>,
    /// What registering it would write into it.
    will_create: Vec<ObjectRef>,
}

/// Tries a kubeconfig: one line `{"stage": …}` for each stage as it starts and ends, then `{"result": …}`. Nothing is
/// saved.
#[utoipa::path(
    post, path = "/api/v1/connection-checks", tag = "clusters", request_body = ConnectionCheck,
    responses((status = 200, description = "Stages, one a line, and the result", body = CheckPassed, content_type = "application/x-ndjson")),
)]
pub async fn check_connection(
    State(state): State<AppState>,
    caller: Caller,
    Json(body): Json<ConnectionCheck>,
) -> Result<Response> {
    caller.may(&Action::console(Resource::ConnectionChecks, Verb::Create))?;
    Ok(ndjson::answer(|lines| async move {
        let stages = lines.clone();
        let mut report = move |stage: StageReport| stages.offer(&StageLine::from(stage));
        let text = body.kubeconfig.expose_secret();
        let result = match check_kubeconfig(&state, text, body.context.as_deref(), &mut report).await {
            Ok(checked) => match passed(&state, checked).await {
                Ok(passed) => json!(passed),
                Err(error) => json!({"ok": false, "status": error.logged("a connection check failed")}),
            },
            Err(unusable) => {
                let contexts: Vec<ContextView> = unusable.contexts.into_iter().map(Into::into).collect();
                json!({"ok": false, "status": unusable.error.logged("a connection check failed"), "contexts": contexts})
            }
        };
        lines.write(&json!({ "result": result })).await;
    }))
}

async fn passed(state: &AppState, checked: Checked) -> Result<CheckPassed> {
    let facts = checked.findings.facts;
    let already_registered_as = match &facts.uid {
        Some(uid) => registered_as(state, uid).await?,
        None => None,
    };
    Ok(CheckPassed {
        ok: true,
        contexts: checked.contexts.into_iter().map(Into::into).collect(),
        context: checked.context,
        server: checked.connection.endpoint.to_string(),
        kubernetes_version: facts.kubernetes_version,
        uid: facts.uid,
        node_count: facts.node_count,
        provider: facts.provider,
        region: facts.region,
        credential_expires_at: checked.connection.expires_at,
        already_registered_as,
        will_create: vec![admins_binding()],
    })
}
