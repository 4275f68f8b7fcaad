//! Faults on demand: what real members and the network before them do wrong.
//!
//! They are set at any time, for all requests or for some, and hold until they are cleared. A fault that is no answer at
//! all ([`Fault::Refuse`], [`Fault::Hang`]) also befalls connections and watches that are open already.

mod body;
mod layer;

use std::sync::Arc;
use std::time::Duration;

use atoll_kubeapi::Memory;
use http::{Method, StatusCode};
use tokio::sync::watch;

pub(crate) use layer::layer;

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing listens: connections are refused, open ones end. Befalls the member as a whole.
    Refuse,
    /// Requests are taken and never answered; open watches fall silent.
    Hang,
    /// Answers come later by this much.
    Slow(Duration),
    /// Each answer is a Status with this code.
    Status(StatusCode),
    /// Each answer is a page for people, as a proxy or a sign-in page in front gives it.
    Html,
    /// The body of each answer ends in the middle.
    Truncate,
    /// The credential is not accepted.
    Unauthorized,
}

/// The requests that a fault befalls.
#[derive(Debug, Clone, Default)]
pub struct Requests {
    /// Only this method.
    pub method: Option<Method>,
    /// Only paths that contain this, such as `/deployments`. Empty for all.
    pub path: String,
}

impl Requests {
    /// Requests with this in their path.
    pub fn to(path: impl Into<String>) -> Self {
        Self {
            method: None,
            path: path.into(),
        }
    }

    fn has(&self, method: &Method, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method) && path.contains(&self.path)
    }
}

/// What is wrong now.
#[derive(Debug, Clone, Default)]
struct State {
    /// The first that a request meets befalls it.
    faults: Vec<(Requests, Fault)>,
    /// How often open watches were cut.
    cuts: u64,
}

impl State {
    fn refuses(&self) -> bool {
        self.faults.iter().any(|(_, fault)| *fault == Fault::Refuse)
    }

    fn of(&self, method: &Method, path: &str) -> Option<&Fault> {
        self.faults
            .iter()
            .find(|(requests, _)| requests.has(method, path))
            .map(|(_, fault)| fault)
    }
}

/// The faults of one member. Clones are the same.
#[derive(Debug, Clone)]
pub struct Faults {
    state: Arc<watch::Sender<State>>,
    memory: MemoryHandle,
}

/// The memory whose history can be dropped.
#[derive(Clone)]
struct MemoryHandle(Memory);

impl std::fmt::Debug for MemoryHandle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Memory")
    }
}

impl Faults {
    pub(crate) fn new(memory: Memory) -> Self {
        Self {
            state: Arc::default(),
            memory: MemoryHandle(memory),
        }
    }

    /// This goes wrong with every request, and nothing else.
    pub fn set(&self, fault: Fault) {
        self.state
            .send_modify(|state| state.faults = vec![(Requests::default(), fault)]);
    }

    /// This goes wrong with these requests, before what was added already.
    pub fn add(&self, requests: Requests, fault: Fault) {
        self.state
            .send_modify(|state| state.faults.insert(0, (requests, fault)));
    }

    /// Nothing goes wrong any more.
    pub fn clear(&self) {
        self.state.send_modify(|state| state.faults.clear());
    }

    /// Ends all open watches (and logs that are followed) in the middle of a line.
    pub fn cut_watches(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// Forgets what happened up to now: watches that go on from before get 410 `Expired`. Running ones that have seen
    /// all of it stay; cut them to make them come back.
    pub fn drop_history(&self) {
        self.memory.0.compact();
    }

    /// Tells of every change of the faults, and whether connections are refused.
    pub(crate) fn follow(&self) -> Following {
        Following(self.state.subscribe())
    }

    fn subscribe(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }
}

/// Follows whether connections are refused.
pub(crate) struct Following(watch::Receiver<State>);

impl Following {
    pub(crate) fn refuses(&mut self) -> bool {
        self.0.borrow_and_update().refuses()
    }

    /// Waits for a change; for ever when there cannot be one any more.
    pub(crate) async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fault_that_was_added_last_is_met_first() {
        let faults = Faults::new(Memory::default());
        faults.set(Fault::Html);
        faults.add(
            Requests {
                method: Some(Method::POST),
                path: "/deployments".into(),
            },
            Fault::Status(StatusCode::CONFLICT),
        );
        let state = faults.state.borrow().clone();
        let post = state.of(&Method::POST, "/apis/apps/v1/namespaces/shop/deployments");
        assert_eq!(post, Some(&Fault::Status(StatusCode::CONFLICT)));
        assert_eq!(state.of(&Method::GET, "/apis/apps/v1/deployments"), Some(&Fault::Html));
        faults.clear();
        assert_eq!(faults.state.borrow().of(&Method::GET, "/"), None);
    }
}
