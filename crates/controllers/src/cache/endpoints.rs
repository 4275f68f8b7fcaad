//! Whether the Services that the hub balances over members lead to anything there, kept current by watches.
//!
//! Only plain Services of type `LoadBalancer` are asked about, so the `EndpointSlices` of a member are watched only while it
//! has one of them, and of each slice nothing is kept but whether any of its endpoints is ready. Kubernetes copies the
//! labels of a Service to its slices: the managed label selects those of the hub's Services.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atoll_clusters::{Collection, Member, WatchEvent};
use atoll_federation::object::MANAGED_LABEL;
use atoll_federation::plain::read_slice;
use atoll_federation::{ClusterName, types};
use futures::StreamExt;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Reasons, SETTLE};
use crate::key::{Key, Kind};

/// Slices that are kept of one Service: of a hundred endpoints each, more than any has.
const MOST: usize = 4096;

/// The watched members.
pub(crate) struct Endpoints {
    watched: Mutex<HashMap<ClusterName, Watched>>,
    reasons: Reasons,
    tracker: TaskTracker,
    stop: CancellationToken,
}

struct Watched {
    member: Arc<Member>,
    slices: Arc<Mutex<Slices>>,
    end: CancellationToken,
}

/// Plain Services, which alone are asked about.
pub(super) fn kind() -> Option<Kind> {
    types::find_plain("services").map(Kind::of)
}

fn slices() -> Collection {
    Collection {
        group: "discovery.k8s.io".to_owned(),
        version: "v1".to_owned(),
        plural: "endpointslices".to_owned(),
        namespace: None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Endpoints {
    pub(super) fn new(reasons: Reasons, tracker: TaskTracker, stop: CancellationToken) -> Self {
        Self {
            watched: Mutex::default(),
            reasons,
            tracker,
            stop,
        }
    }

    /// Watches this member from now on.
    pub(crate) fn watch(&self, cluster: &ClusterName, member: &Arc<Member>) {
        let mut watched = lock(&self.watched);
        if let Some(known) = watched.get(cluster) {
            if Arc::ptr_eq(&known.member, member) {
                return;
            }
            known.end.cancel();
        }
        let new = Watched {
            member: member.clone(),
            slices: Arc::default(),
            end: self.stop.child_token(),
        };
        let intake = Intake {
            cluster: cluster.clone(),
            slices: new.slices.clone(),
            reasons: self.reasons.clone(),
        };
        let (end, member) = (new.end.clone(), member.clone());
        self.tracker.spawn(async move {
            end.run_until_cancelled(intake.follow(member)).await;
        });
        watched.insert(cluster.clone(), new);
    }

    /// No such Service concerns the cluster any more.
    pub(super) fn leave(&self, cluster: &ClusterName) {
        if let Some(watched) = lock(&self.watched).remove(cluster) {
            watched.end.cancel();
        }
    }

    /// Whether any endpoint behind the Service is ready in this member; `None` when that is not known.
    pub(crate) fn are_ready(&self, cluster: &ClusterName, key: &Key) -> Option<bool> {
        let slices = lock(&self.watched).get(cluster)?.slices.clone();
        lock(&slices).are_ready(key)
    }
}

/// What is known of one member's slices.
#[derive(Default)]
struct Slices {
    /// By Service and by the name of the slice, whether any endpoint is ready.
    services: HashMap<Key, HashMap<String, bool>>,
    /// What the list that is under way has brought so far.
    listing: Option<HashSet<(Key, String)>>,
    /// A whole list has been seen, and the watch has not failed since.
    known: bool,
}

impl Slices {
    /// A Service with a selector has a slice as long as it is there, if only an empty one: without any nothing is known.
    fn are_ready(&self, key: &Key) -> Option<bool> {
        let slices = self.services.get(key).filter(|_| self.known)?;
        Some(slices.values().any(|ready| *ready))
    }

    fn restart(&mut self) {
        self.listing = Some(HashSet::new());
    }

    fn present(&mut self, key: &Key, slice: &str, ready: bool) {
        match &mut self.listing {
            Some(listing) => {
                listing.insert((key.clone(), slice.to_owned()));
            }
            // An event of a watch that works.
            None => self.known = true,
        }
        let slices = self.services.entry(key.clone()).or_default();
        if slices.len() < MOST || slices.contains_key(slice) {
            slices.insert(slice.to_owned(), ready);
        }
    }

    /// Nothing is kept of a Service that is not asked about.
    fn forget(&mut self, key: &Key) {
        self.services.remove(key);
    }

    fn gone(&mut self, key: &Key, slice: &str) {
        self.known |= self.listing.is_none();
        if let Some(slices) = self.services.get_mut(key) {
            slices.remove(slice);
            if slices.is_empty() {
                self.services.remove(key);
            }
        }
    }

    /// The list is complete; what it did not bring is gone. Services about which something else may be known now.
    fn synced(&mut self) -> Vec<Key> {
        let listing = self.listing.take().unwrap_or_default();
        let touched = self.services.keys().cloned().collect();
        self.services.retain(|key, slices| {
            slices.retain(|slice, _| listing.contains(&(key.clone(), slice.clone())));
            !slices.is_empty()
        });
        self.known = true;
        touched
    }

    fn fail(&mut self) {
        self.known = false;
    }
}

/// Takes what a watch tells, and wakes the Services that lead somewhere now, or nowhere.
struct Intake {
    cluster: ClusterName,
    slices: Arc<Mutex<Slices>>,
    reasons: Reasons,
}

impl Intake {
    /// Ends with the member.
    async fn follow(self, member: Arc<Member>) {
        let selector = format!("{MANAGED_LABEL}=true");
        let mut events = std::pin::pin!(member.watch(slices(), selector));
        while let Some(event) = events.next().await {
            self.take(event);
        }
    }

    fn take(&self, event: WatchEvent) {
        match event {
            WatchEvent::Restarted => lock(&self.slices).restart(),
            WatchEvent::Present(object) => self.changed(&object, Slices::present),
            WatchEvent::Gone(object) => self.changed(&object, |slices, key, name, _| slices.gone(key, name)),
            WatchEvent::Synced => {
                let touched = lock(&self.slices).synced();
                for key in touched {
                    self.tell(key);
                }
            }
            // Of what cannot be read nothing is known, and what was said last stays.
            WatchEvent::Failed(_) => lock(&self.slices).fail(),
        }
    }

    fn changed(&self, slice: &Value, change: impl FnOnce(&mut Slices, &Key, &str, bool)) {
        let text = |field: &str| slice["metadata"][field].as_str().unwrap_or_default();
        let (Some(kind), Some((service, ready))) = (kind(), read_slice(slice)) else {
            return;
        };
        let key = Key::of_target(kind, text("namespace"), service);
        let mut slices = lock(&self.slices);
        // A member may hold any number of others.
        if !self.reasons.concerns.may_have(&key, &self.cluster) {
            return slices.forget(&key);
        }
        let before = slices.are_ready(&key);
        change(&mut slices, &key, text("name"), ready);
        let is_new = slices.are_ready(&key) != before;
        drop(slices);
        if is_new {
            self.tell(key);
        }
    }

    fn tell(&self, key: Key) {
        if self.reasons.concerns.has(&key, &self.cluster) {
            self.reasons.queue.add_after(key, SETTLE);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::queue::Queue;

    fn key(name: &str) -> Key {
        Key::of_target(kind().unwrap(), "shop", name)
    }

    fn eu() -> ClusterName {
        ClusterName::parse("eu-1").unwrap()
    }

    fn intake() -> Intake {
        let intake = Intake {
            cluster: eu(),
            slices: Arc::default(),
            reasons: Reasons {
                queue: Queue::new(100),
                concerns: Arc::default(),
                fights: Arc::default(),
            },
        };
        intake.reasons.concerns.set(&key("web"), BTreeSet::from([eu()]));
        intake
    }

    fn slice(service: &str, name: &str, ready: bool) -> Box<Value> {
        Box::new(json!({
            "metadata": {"namespace": "shop", "name": name, "labels": {"kubernetes.io/service-name": service}},
            "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}],
        }))
    }

    fn are_ready(intake: &Intake) -> Option<bool> {
        lock(&intake.slices).are_ready(&key("web"))
    }

    fn failed() -> WatchEvent {
        WatchEvent::Failed(atoll_clusters::OwnError::Broken("a reset".into()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_wakes_when_it_comes_to_lead_somewhere_or_nowhere_and_not_else() {
        let intake = intake();
        let wakes = async || {
            tokio::time::advance(SETTLE * 2).await;
            let next = tokio::time::timeout(SETTLE, intake.reasons.queue.next()).await;
            if let Ok(key) = &next {
                intake.reasons.queue.finish(key, crate::queue::Verdict::Settled(None));
            }
            next.is_ok()
        };
        intake.take(WatchEvent::Restarted);
        intake.take(WatchEvent::Present(slice("web", "web-1", true)));
        assert_eq!(are_ready(&intake), None, "the list is not complete");
        intake.take(WatchEvent::Synced);
        assert_eq!((are_ready(&intake), wakes().await), (Some(true), true));
        intake.take(WatchEvent::Present(slice("web", "web-2", false)));
        assert_eq!((are_ready(&intake), wakes().await), (Some(true), false));
        intake.take(WatchEvent::Present(slice("web", "web-1", false)));
        assert_eq!((are_ready(&intake), wakes().await), (Some(false), true));
        intake.take(WatchEvent::Present(slice("web", "web-2", true)));
        assert_eq!((are_ready(&intake), wakes().await), (Some(true), true));
        intake.take(WatchEvent::Gone(slice("web", "web-2", true)));
        assert_eq!((are_ready(&intake), wakes().await), (Some(false), true));
    }

    #[test]
    fn of_a_watch_that_failed_nothing_is_known_until_it_speaks() {
        let intake = intake();
        intake.take(WatchEvent::Restarted);
        intake.take(WatchEvent::Present(slice("web", "web-1", true)));
        intake.take(WatchEvent::Present(slice("web", "web-2", false)));
        intake.take(WatchEvent::Synced);
        intake.take(failed());
        assert_eq!(are_ready(&intake), None);
        intake.take(WatchEvent::Present(slice("web", "web-2", false)));
        assert_eq!(are_ready(&intake), Some(true));
        intake.take(failed());
        intake.take(WatchEvent::Restarted);
        intake.take(WatchEvent::Present(slice("web", "web-2", false)));
        assert_eq!(are_ready(&intake), None, "the list is not complete");
        intake.take(WatchEvent::Synced);
        assert_eq!(are_ready(&intake), Some(false), "the ready one did not come again");
    }

    #[test]
    fn of_other_services_nothing_is_kept() {
        let intake = intake();
        intake.take(WatchEvent::Present(slice("web", "web-1", true)));
        intake.reasons.concerns.set(&key("web"), BTreeSet::new());
        intake.take(WatchEvent::Gone(slice("web", "web-1", true)));
        intake.take(WatchEvent::Present(slice("other", "other-1", true)));
        intake.take(WatchEvent::Present(Box::new(json!({"metadata": {"name": "x"}}))));
        assert!(lock(&intake.slices).services.is_empty());
    }
}
