//! What makes the objects of a member live: one task that follows all changes and lets the controllers act on them.
//!
//! A controller gets the key of an object, reads what there is, and writes what is missing; it may run at any time and
//! any number of times. Whatever it writes is a change that comes back here. A member at rest does nothing at all: there
//! is no period, only changes and the moments that controllers asked for.

mod dependents;
mod events;
mod follow;
mod placements;
mod queue;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use atoll_kubeapi::Status;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::catalog::Kind;
use crate::controllers;
use crate::fields::{name, namespace};
use crate::objects::{Objects, Propagation};
use crate::options::Pace;

use dependents::Dependents;
pub(crate) use events::Recorder;
pub(crate) use placements::{Placements, Requests};
use queue::Queue;

/// Keys that are worked on before changes are looked at again.
const BATCH: usize = 256;
/// When something that was refused is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// An object to look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) kind: Kind,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn of(kind: Kind, object: &Value) -> Self {
        Self {
            kind,
            namespace: namespace(object).to_owned(),
            name: name(object).to_owned(),
        }
    }

    /// The key of the owner that a reference in an object of this namespace names.
    pub(crate) fn of_owner(reference: &Value, namespace: &str) -> Option<Self> {
        let text = |field: &str| reference[field].as_str().unwrap_or_default();
        let kind = Kind::of_reference(text("apiVersion"), text("kind"))?;
        Some(Self {
            kind,
            namespace: if kind.is_namespaced() {
                namespace.to_owned()
            } else {
                String::new()
            },
            name: text("name").to_owned(),
        })
    }

    pub(crate) fn namespace(name: &str) -> Self {
        Self {
            kind: Kind::Namespace,
            namespace: String::new(),
            name: name.to_owned(),
        }
    }
}

/// What a controller wants done.
#[derive(Debug)]
pub(crate) enum Write {
    /// A new object.
    Create {
        /// Its kind.
        kind: Kind,
        /// The object.
        object: Value,
    },
    /// An object as it shall be, made from the one that was read.
    Update {
        /// Its kind.
        kind: Kind,
        /// As it was read.
        old: Arc<Value>,
        /// As it shall be.
        new: Value,
    },
    /// An object goes.
    Delete {
        /// Its kind.
        kind: Kind,
        /// The object.
        object: Arc<Value>,
    },
}

/// What a controller decides: a value, so that deciding can be tested without a member.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// What to write, in this order.
    pub(crate) writes: Vec<Write>,
    /// What to tell of: reason and message.
    pub(crate) events: Vec<(&'static str, String)>,
    /// When to look again although nothing changes.
    pub(crate) again: Option<Timestamp>,
}

impl Plan {
    /// Writes the object unless it is as it was.
    pub(crate) fn update(&mut self, kind: Kind, old: &Arc<Value>, new: Value) {
        if **old != new {
            self.writes.push(Write::Update {
                kind,
                old: old.clone(),
                new,
            });
        }
    }

    /// Looks again at this moment, or before.
    pub(crate) fn look_again(&mut self, at: Timestamp) {
        self.again = Some(self.again.map_or(at, |other| other.min(at)));
    }
}

/// A step in the life of a pod that takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Start,
    Finish,
    Stop,
    Evict,
}

/// What differs between members.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) pace: Pace,
    /// First three numbers of the addresses of load balancers.
    pub(crate) balancers: String,
    /// How long history is kept.
    pub(crate) history_age: Duration,
}

/// The controllers of one member and what they remember. All of it can be found again in the objects, or is only about
/// when something happens.
pub(crate) struct Engine {
    pub(crate) objects: Objects,
    pub(crate) settings: Settings,
    pub(crate) placements: Placements,
    pub(crate) recorder: Recorder,
    /// Pods that no node has room for.
    pub(crate) waiting: BTreeSet<Key>,
    queue: Queue,
    dependents: Dependents,
    /// When steps are due, by the UID of the pod.
    moments: BTreeMap<(String, Step), Instant>,
    /// Until when history is kept, and the revision at which it then is forgotten.
    forget: Option<(Instant, u64)>,
}

impl Engine {
    pub(crate) fn new(objects: Objects, settings: Settings, records_events: bool) -> Self {
        Self {
            recorder: Recorder::new(records_events),
            objects,
            settings,
            placements: Placements::default(),
            waiting: BTreeSet::new(),
            queue: Queue::default(),
            dependents: Dependents::default(),
            moments: BTreeMap::new(),
            forget: None,
        }
    }

    /// Works until the member ends.
    pub(crate) async fn run(mut self, ended: CancellationToken) {
        let mut changes = self.objects.memory().changes();
        self.relist();
        loop {
            let due = self.work();
            tokio::select! {
                biased;
                () = ended.cancelled() => return,
                changed = changes.next() => match changed {
                    Ok(changed) => {
                        self.keep_history();
                        for one in &changed {
                            self.note(one);
                        }
                    }
                    // History was dropped before it was read: what there is tells the same.
                    Err(_) => self.relist(),
                },
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.forget_history(),
            }
        }
    }

    /// Works on what is due. Answers when something is due next.
    fn work(&mut self) -> Option<Instant> {
        for _ in 0..BATCH {
            let Some(key) = self.queue.next(Instant::now()) else {
                let forget = self.forget.map(|(at, _)| at);
                return [self.queue.due(), forget].into_iter().flatten().min();
            };
            controllers::reconcile(self, &key);
        }
        Some(Instant::now())
    }

    /// Puts a key into the queue.
    pub(crate) fn enqueue(&mut self, key: Key) {
        self.queue.now(key);
    }

    /// Whether a step of a pod that takes this long is over; if not, its key comes back when it is.
    pub(crate) fn is_due(&mut self, key: &Key, uid: &str, step: Step, takes: Duration) -> bool {
        let now = Instant::now();
        let at = *self.moments.entry((uid.to_owned(), step)).or_insert(now + takes);
        if at <= now {
            return true;
        }
        self.queue.later(key.clone(), at);
        false
    }

    /// Forgets when a step of a pod was due.
    pub(crate) fn clear(&mut self, uid: &str, step: Step) {
        self.moments.remove(&(uid.to_owned(), step));
    }

    /// The keys of the objects that name this owner.
    pub(crate) fn dependents(&self, uid: &str) -> Vec<Key> {
        self.dependents.of(uid)
    }

    /// Carries out what a controller decided about an object.
    pub(crate) fn carry_out(&mut self, key: &Key, object: &Value, plan: Plan) {
        for write in plan.writes {
            let outcome = match write {
                Write::Create { kind, object: new } => {
                    let namespace = namespace(&new).to_owned();
                    self.objects.create(kind, &namespace, new).map(|made| {
                        if kind == Kind::Pod {
                            let message = format!("Created pod: {}", name(&made));
                            self.recorder
                                .record(&self.objects, object, "Normal", "SuccessfulCreate", &message);
                        }
                    })
                }
                Write::Update { kind, old, new } => self.objects.update(kind, &old, new),
                Write::Delete { kind, object } => {
                    self.objects.delete(kind, &object, Propagation::Background);
                    Ok(())
                }
            };
            if let Err(status) = outcome {
                self.refused(key, &status);
            }
        }
        for (reason, message) in plan.events {
            self.recorder.record(&self.objects, object, "Normal", reason, &message);
        }
        if let Some(at) = plan.again {
            let wait = at.duration_since(Timestamp::now());
            // Times are kept to the second: what is due in this one is due at its end.
            let wait = Duration::try_from(wait).unwrap_or_default() + Duration::from_millis(50);
            self.queue.later(key.clone(), Instant::now() + wait);
        }
    }

    /// What moved on or went away brings its own change; nothing can be made where all is going. The rest is tried again.
    fn refused(&mut self, key: &Key, status: &Status) {
        if !["Conflict", "NotFound", "Forbidden"]
            .iter()
            .any(|reason| status.is(reason))
        {
            tracing::debug!(kind = key.kind.name(), namespace = key.namespace, name = key.name, %status, "a write of a controller was refused");
            self.queue.later(key.clone(), Instant::now() + RETRY);
        }
    }

    /// Remembers to forget, after a while, what has happened up to now.
    fn keep_history(&mut self) {
        if self.forget.is_none() {
            let at = Instant::now() + self.settings.history_age;
            self.forget = Some((at, self.objects.memory().revision()));
        }
    }

    fn forget_history(&mut self) {
        let Some((at, revision)) = self.forget else { return };
        if at > Instant::now() {
            return;
        }
        self.objects.memory().compact_to(revision);
        self.forget = None;
        if self.objects.memory().revision() > revision {
            self.keep_history();
        }
    }
}
