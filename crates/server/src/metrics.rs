//! What is counted, for Prometheus.
//!
//! Label values come from fixed sets: no name of a person, object or path is ever one, and the cluster's name stands
//! on no histogram. What is known elsewhere (states, queue lengths, memory) is read when somebody scrapes.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::header;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::state::AppState;

/// Which API answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Surface {
    /// `/api`.
    Api,
    /// `/k8s/hub`.
    Hub,
    /// `/k8s/clusters`.
    Member,
    /// Probes.
    Probe,
    /// The console's files, and everything else.
    Console,
}

impl Surface {
    /// The surface that a path belongs to.
    pub fn of(path: &str) -> Self {
        let mut segments = path.split('/').skip(1);
        match (segments.next(), segments.next()) {
            (Some("api"), _) => Self::Api,
            (Some("k8s"), Some("hub")) => Self::Hub,
            (Some("k8s"), _) => Self::Member,
            (Some("livez" | "readyz" | "healthz"), None) => Self::Probe,
            _ => Self::Console,
        }
    }
}

impl EncodeLabelValue for Surface {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        let word = match self {
            Self::Api => "api",
            Self::Hub => "hub",
            Self::Member => "member",
            Self::Probe => "probe",
            Self::Console => "console",
        };
        word.encode(encoder)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    surface: Surface,
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SignIn {
    outcome: SignInOutcome,
}

/// How a sign-in ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignInOutcome {
    /// With a session.
    Ok,
    /// Wrong name or password.
    Refused,
    /// Too many tries.
    Locked,
}

impl EncodeLabelValue for SignInOutcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        let word = match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Locked => "locked",
        };
        word.encode(encoder)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    state: String,
}

/// The counters of this process.
pub struct Metrics {
    registry: Mutex<Registry>,
    requests: Family<Request, Counter>,
    sign_ins: Family<SignIn, Counter>,
    /// Panics that a request was lost to.
    pub panics: Counter,
    /// Requests that are being forwarded to members, open watches and tunnels included.
    pub forwarded_in_flight: Gauge,
    /// Open streams of pages.
    pub streams: Gauge,
    clusters: Family<InState, Gauge>,
    leader: Gauge,
    queued: Gauge,
    plans: Counter,
    writes: Counter,
    failures: Counter,
    memory: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("atoll");
        let requests = Family::<Request, Counter>::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        let sign_ins = Family::<SignIn, Counter>::default();
        registry.register("sign_ins", "Tries to sign in", sign_ins.clone());
        let panics = Counter::default();
        registry.register("panics", "Panics that a request was lost to", panics.clone());
        let forwarded_in_flight = Gauge::default();
        registry.register(
            "forwarded_in_flight",
            "Requests to members under way, open watches and tunnels included",
            forwarded_in_flight.clone(),
        );
        let streams = Gauge::default();
        registry.register("streams", "Open streams of pages", streams.clone());
        let clusters = Family::<InState, Gauge>::default();
        registry.register("clusters", "Registered clusters", clusters.clone());
        let leader = Gauge::default();
        registry.register("leader", "Whether this process runs the controllers", leader.clone());
        let queued = Gauge::default();
        registry.register(
            "controllers_queue_length",
            "Federated objects that wait to be looked at",
            queued.clone(),
        );
        let plans = Counter::default();
        registry.register("controllers_plans", "Plans made", plans.clone());
        let writes = Counter::default();
        registry.register("controllers_writes", "Steps carried out in members", writes.clone());
        let failures = Counter::default();
        registry.register(
            "controllers_failures",
            "Steps that failed, and reads that gave no answer",
            failures.clone(),
        );
        let memory = Gauge::default();
        registry.register_with_unit("resident_memory", "Memory of this process", Unit::Bytes, memory.clone());
        Self {
            registry: Mutex::new(registry),
            requests,
            sign_ins,
            panics,
            forwarded_in_flight,
            streams,
            clusters,
            leader,
            queued,
            plans,
            writes,
            failures,
            memory,
        }
    }
}

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, surface: Surface, code: u16) {
        self.requests.get_or_create(&Request { surface, code }).inc();
    }

    /// Counts a try to sign in.
    pub fn signed_in(&self, outcome: SignInOutcome) {
        self.sign_ins.get_or_create(&SignIn { outcome }).inc();
    }

    /// The text that Prometheus reads.
    fn render(&self, state: &AppState) -> String {
        let mut states = BTreeMap::from([("Pending", 0_i64), ("Ready", 0), ("Degraded", 0), ("Offline", 0)]);
        for member in state.clusters.members().values() {
            *states.entry(member.health().state.as_str()).or_default() += 1;
        }
        for (name, count) in states {
            self.clusters
                .get_or_create(&InState { state: name.to_owned() })
                .set(count);
        }
        self.leader.set(i64::from(state.controllers.is_leader()));
        let counts = state.controllers.counts();
        self.queued.set(i64::try_from(counts.queued).unwrap_or(i64::MAX));
        // They are counted elsewhere, and only ever grow.
        self.plans.inner().store(counts.plans, Ordering::Relaxed);
        self.writes.inner().store(counts.writes, Ordering::Relaxed);
        self.failures.inner().store(counts.failures, Ordering::Relaxed);
        self.memory.set(resident_bytes().unwrap_or_default());
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &registry);
        text
    }
}

/// Resident memory of this process, where the system tells it.
pub fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The listener of its own that Prometheus scrapes, with the probes beside it: it speaks plain HTTP everywhere.
pub fn router(state: AppState) -> Router {
    let probes = Router::new()
        .route("/livez", get(crate::router::livez))
        .route("/readyz", get(crate::router::readyz));
    probes.route("/metrics", get(scrape)).with_state(state)
}

async fn scrape(State(state): State<AppState>) -> ([(header::HeaderName, &'static str); 1], String) {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], state.metrics.render(&state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_belong_to_the_surface_of_their_prefix() {
        for (path, surface) in [
            ("/api/v1/me", Surface::Api),
            ("/k8s/hub/api", Surface::Hub),
            ("/k8s/clusters/a/api", Surface::Member),
            ("/livez", Surface::Probe),
            ("/", Surface::Console),
            ("/clusters", Surface::Console),
            ("/apis", Surface::Console),
        ] {
            assert_eq!(Surface::of(path), surface, "{path}");
        }
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(resident_bytes().unwrap() > 1_000_000);
    }
}
