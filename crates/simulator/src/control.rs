//! Members that run in a process of their own, steered from outside: plain JSON over HTTP, without credentials, and so
//! for loopback alone.
//!
//! * `GET /members`: the names of the members and how often each was asked.
//! * `PUT /members/{name}/fault` with `{"fault": "none"}`, `refuse`, `hang`, or `{"fault": "slow", "milliseconds": 300}`:
//!   what goes wrong there from now on, and nothing else.
//! * `POST /wait` with `{"resource": "configmaps", "namespace": "a", "name": "b", "seconds": 30}`, or `"managed": 100`
//!   instead of a name: answered with 204 as soon as members hold it, with 504 and the names of those that do not when
//!   the time is over.

use std::sync::Arc;
use std::time::Duration;

use atoll_kubeapi::Memory;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::catalog::Kind;
use crate::counts::{Counts, Tally};
use crate::faults::{Fault, Faults};
use crate::member::SimulatedMember;

/// How often members are looked at while somebody waits for one object, and for many: then they are counted, which takes
/// longer the more members there are.
const ONE: Duration = Duration::from_millis(1);
const MANY: Duration = Duration::from_millis(20);
const EACH: Duration = Duration::from_micros(100);

/// What is to go wrong with all requests to a member.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(tag = "fault", rename_all = "camelCase")]
enum Wrong {
    /// Nothing.
    None,
    /// [`Fault::Refuse`].
    Refuse,
    /// [`Fault::Hang`].
    Hang,
    /// [`Fault::Slow`].
    Slow {
        /// How much later each answer comes.
        milliseconds: u64,
    },
}

/// What is waited for.
#[derive(Debug, Deserialize)]
struct Wait {
    /// API group; empty for the core group.
    #[serde(default)]
    group: String,
    /// Plural resource.
    resource: String,
    /// Namespace; empty for what has none.
    #[serde(default)]
    namespace: String,
    /// Which objects.
    #[serde(flatten)]
    objects: Objects,
    /// In which members; all when none is named.
    #[serde(default)]
    members: Vec<String>,
    /// How long.
    seconds: u64,
}

/// Objects that are waited for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Objects {
    /// The one of this name.
    Name(String),
    /// At least so many that carry the label that they are managed.
    Managed(usize),
}

/// A member and how often it was asked.
#[derive(Debug, Serialize)]
struct Told {
    name: String,
    #[serde(flatten)]
    counts: Counts,
}

/// Members that are steered. Clones steer the same.
#[derive(Clone, Default)]
pub struct Control {
    members: Vec<Handle>,
}

#[derive(Clone)]
struct Handle {
    name: String,
    memory: Memory,
    faults: Faults,
    tally: Tally,
}

impl Control {
    /// Takes a member in.
    pub fn add(&mut self, member: &SimulatedMember) {
        self.members.push(Handle {
            name: member.name().to_owned(),
            memory: member.memory().clone(),
            faults: member.faults().clone(),
            tally: member.tally().clone(),
        });
    }

    /// What is answered.
    pub fn router(self) -> Router {
        Router::new()
            .route("/members", get(tell))
            .route("/members/{name}/fault", put(set_fault))
            .route("/wait", post(wait))
            .with_state(self)
    }
}

async fn tell(State(control): State<Control>) -> Response {
    let told = |member: &Handle| Told {
        name: member.name.clone(),
        counts: member.tally.counts(),
    };
    Json(control.members.iter().map(told).collect::<Vec<_>>()).into_response()
}

async fn set_fault(State(control): State<Control>, Path(name): Path<String>, Json(wrong): Json<Wrong>) -> StatusCode {
    let Some(member) = control.members.iter().find(|member| member.name == name) else {
        return StatusCode::NOT_FOUND;
    };
    match wrong {
        Wrong::None => member.faults.clear(),
        Wrong::Refuse => member.faults.set(Fault::Refuse),
        Wrong::Hang => member.faults.set(Fault::Hang),
        Wrong::Slow { milliseconds } => member.faults.set(Fault::Slow(Duration::from_millis(milliseconds))),
    }
    StatusCode::NO_CONTENT
}

async fn wait(State(control): State<Control>, Json(wait): Json<Wait>) -> Response {
    let Some(kind) = Kind::of_plural(&wait.group, &wait.resource) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let is_meant = |member: &&Handle| wait.members.is_empty() || wait.members.contains(&member.name);
    let mut missing: Vec<&Handle> = control.members.iter().filter(is_meant).collect();
    let until = Instant::now() + Duration::from_secs(wait.seconds);
    let interval = match wait.objects {
        Objects::Name(_) => ONE,
        Objects::Managed(_) => MANY + EACH * u32::try_from(missing.len()).unwrap_or(u32::MAX),
    };
    loop {
        missing.retain(|member| !wait.holds(kind, &member.memory));
        if missing.is_empty() {
            return StatusCode::NO_CONTENT.into_response();
        }
        if Instant::now() >= until {
            let names: Vec<&str> = missing.iter().map(|member| member.name.as_str()).collect();
            return (StatusCode::GATEWAY_TIMEOUT, Json(names)).into_response();
        }
        sleep(interval).await;
    }
}

impl Wait {
    fn holds(&self, kind: Kind, memory: &Memory) -> bool {
        match &self.objects {
            Objects::Name(name) => memory.get(kind.resource(), &self.namespace, name).is_some(),
            Objects::Managed(count) => {
                let namespace = Some(self.namespace.as_str()).filter(|namespace| !namespace.is_empty());
                let items = memory.list(kind.resource(), namespace).items;
                let managed = |object: &&Arc<Value>| object["metadata"]["labels"]["kubefed.io/managed"] == "true";
                // Mostly there are too few, whatever they are.
                items.len() >= *count && items.iter().filter(managed).count() >= *count
            }
        }
    }
}
