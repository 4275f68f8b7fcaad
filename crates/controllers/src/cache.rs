//! What members hold of the objects that the hub manages, kept current by watches.
//!
//! A collection of a member is watched only while something is or shall be propagated there, and only what carries the
//! managed label: so the cache can say what is there, and never that something is *not* there. Whoever misses an object
//! here asks the member for it by name.

mod endpoints;
mod packed;
mod shelf;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use atoll_clusters::{Collection, Member, WatchEvent};
use atoll_federation::object::MANAGED_LABEL;
use atoll_federation::{ClusterName, Observed, Present, TypeDescriptor};
use futures::StreamExt;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::endpoints::Endpoints;
use self::packed::Marks;
pub(crate) use self::shelf::Look;
use self::shelf::{Shelf, Stir};
use crate::concerns::Concerns;
use crate::fights::Fights;
use crate::interned::Interned;
use crate::key::{Key, Kind};
use crate::queue::Queue;

/// Numbers of a status come in bursts while pods start; one look serves several.
const SETTLE: Duration = Duration::from_millis(150);

/// What is fought over is not put back at once; looking at it serves the status alone.
const FOUGHT_OVER: Duration = Duration::from_secs(1);

/// How long after a watch began its first list is worth waiting for.
const FIRST_LIST: Duration = Duration::from_millis(800);

/// The watched collections.
pub(crate) struct Cache {
    shelves: Mutex<HashMap<(ClusterName, Kind), Watched>>,
    marks: Arc<Interned<Marks>>,
    /// What is behind Services.
    pub(crate) endpoints: Endpoints,
    reasons: Reasons,
    tracker: TaskTracker,
    stop: CancellationToken,
}

/// Where news goes.
#[derive(Clone)]
pub(crate) struct Reasons {
    pub(crate) queue: Queue<Key>,
    pub(crate) concerns: Arc<Concerns>,
    pub(crate) fights: Arc<Fights>,
}

struct Watched {
    member: Arc<Member>,
    shelf: Arc<Mutex<Shelf>>,
    /// Moves when the shelf may answer otherwise than before.
    turn: watch::Sender<()>,
    begun: Instant,
    end: CancellationToken,
}

fn lock(shelf: &Mutex<Shelf>) -> MutexGuard<'_, Shelf> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cache {
    /// No collection yet; all watches end with `stop`.
    pub(crate) fn new(reasons: Reasons, tracker: TaskTracker, stop: CancellationToken) -> Self {
        Self {
            shelves: Mutex::new(HashMap::new()),
            marks: Arc::default(),
            endpoints: Endpoints::new(reasons.clone(), tracker.clone(), stop.clone()),
            reasons,
            tracker,
            stop,
        }
    }

    fn shelves(&self) -> MutexGuard<'_, HashMap<(ClusterName, Kind), Watched>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches a collection of this member from now on.
    pub(crate) fn watch(&self, cluster: &ClusterName, kind: Kind, member: &Arc<Member>) {
        let mut shelves = self.shelves();
        let place = (cluster.clone(), kind);
        if let Some(watched) = shelves.get(&place) {
            if Arc::ptr_eq(&watched.member, member) {
                return;
            }
            watched.end.cancel();
        }
        let begun = Instant::now();
        let watched = Watched {
            member: member.clone(),
            shelf: Arc::new(Mutex::new(Shelf::new(self.marks.clone(), begun))),
            turn: watch::Sender::new(()),
            begun,
            end: self.stop.child_token(),
        };
        let intake = Intake {
            cluster: cluster.clone(),
            kind,
            shelf: watched.shelf.clone(),
            reasons: self.reasons.clone(),
        };
        let follower = Follower {
            member: member.clone(),
            turn: watched.turn.clone(),
            intake,
        };
        let end = watched.end.clone();
        self.tracker.spawn(async move {
            end.run_until_cancelled(follower.follow()).await;
        });
        shelves.insert(place, watched);
    }

    /// Nothing of that kind concerns the cluster any more.
    pub(crate) fn leave(&self, cluster: &ClusterName, kind: Kind) {
        let mut shelves = self.shelves();
        // Another object may have come to need it since that was found.
        if !self.reasons.concerns.is_deserted(cluster, kind) {
            return;
        }
        if let Some(watched) = shelves.remove(&(cluster.clone(), kind)) {
            watched.end.cancel();
        }
        if endpoints::kind() == Some(kind) {
            self.endpoints.leave(cluster);
        }
    }

    fn shelf(&self, cluster: &ClusterName, kind: Kind) -> Option<Arc<Mutex<Shelf>>> {
        let shelves = self.shelves();
        shelves
            .get(&(cluster.clone(), kind))
            .map(|watched| watched.shelf.clone())
    }

    /// What is known of an object.
    pub(crate) fn look(&self, cluster: &ClusterName, key: &Key) -> Look {
        match self.shelf(cluster, key.kind) {
            Some(shelf) => lock(&shelf).look(key, Instant::now()),
            None => Look::Unsynced,
        }
    }

    /// Waits until the first list of a collection has come or failed, but not long: a list that has been under way for
    /// a while is not waited for at all.
    pub(crate) async fn first_list(&self, cluster: &ClusterName, key: &Key) {
        let waiting = {
            let shelves = self.shelves();
            let watched = shelves.get(&(cluster.clone(), key.kind));
            watched.map(|watched| (watched.turn.subscribe(), watched.begun + FIRST_LIST))
        };
        let Some((mut turn, until)) = waiting else { return };
        while self.look(cluster, key) == Look::Unsynced {
            match timeout_at(until, turn.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }

    /// The member itself has said this, in answer to a question or a write.
    pub(crate) fn learn(&self, cluster: &ClusterName, key: &Key, observed: &Observed) {
        let Some(shelf) = self.shelf(cluster, key.kind) else {
            return;
        };
        match observed {
            // Without the label, or when the cluster does not concern it, nothing tells how it changes.
            Observed::Present(present) if present.is_labelled() && self.reasons.concerns.has(key, cluster) => {
                let place = self.reasons.concerns.name(key);
                lock(&shelf).put(place, (**present).clone());
            }
            Observed::Present(_) | Observed::Absent => lock(&shelf).forget(key),
            Observed::Unknown { .. } => {}
        }
    }

    /// What is known may be wrong: the next look asks the member.
    pub(crate) fn doubt(&self, cluster: &ClusterName, key: &Key) {
        if let Some(shelf) = self.shelf(cluster, key.kind) {
            lock(&shelf).forget(key);
        }
    }
}

/// The collection that a type becomes in members.
pub(crate) fn collection(row: &TypeDescriptor) -> Collection {
    Collection {
        group: row.target.group.to_string(),
        version: row.target.version.to_string(),
        plural: row.target.plural.to_string(),
        namespace: None,
    }
}

/// Keeps one shelf current.
struct Follower {
    member: Arc<Member>,
    turn: watch::Sender<()>,
    intake: Intake,
}

impl Follower {
    /// Ends with the member.
    async fn follow(self) {
        let Self { member, turn, intake } = self;
        let selector = format!("{MANAGED_LABEL}=true");
        let mut events = std::pin::pin!(member.watch(collection(intake.kind.row()), selector));
        while let Some(event) = events.next().await {
            if intake.take(event) {
                turn.send_replace(());
                intake.tell_all();
            }
        }
    }
}

/// Takes what a watch tells into the shelf. A member may hold far more than what concerns the hub, or say so: of that
/// nothing is kept. Whatever comes to concern it later is asked for by name first.
struct Intake {
    cluster: ClusterName,
    kind: Kind,
    shelf: Arc<Mutex<Shelf>>,
    reasons: Reasons,
}

impl Intake {
    /// Whether the shelf may answer otherwise than before about anything.
    fn take(&self, event: WatchEvent) -> bool {
        match event {
            WatchEvent::Restarted => lock(&self.shelf).restart(),
            WatchEvent::Present(object) => self.present(&object),
            WatchEvent::Gone(object) => self.gone(&object),
            WatchEvent::Synced => return self.synced(),
            WatchEvent::Failed(error) => {
                let missing = error.is_api_missing().then(|| error.to_string());
                return lock(&self.shelf).fail(missing, Instant::now());
            }
        }
        false
    }

    /// The object's key, if it concerns the hub. What was known of one that does not is not kept current any more.
    fn concerned(&self, object: &Value) -> Option<Key> {
        let key = Key::of_member_object(self.kind, object)?;
        if self.reasons.concerns.may_have(&key, &self.cluster) {
            return Some(key);
        }
        lock(&self.shelf).forget(&key);
        None
    }

    fn present(&self, object: &Value) {
        let Some(key) = self.concerned(object) else {
            return;
        };
        let Some(present) = Present::of(self.kind.row(), object) else {
            return;
        };
        let place = self.reasons.concerns.name(&key);
        let stir = lock(&self.shelf).present(place, present);
        match stir {
            Stir::Nothing => {}
            Stir::Numbers => self.tell(key, SETTLE),
            Stir::Object => {
                let wait = self.reasons.fights.wait(&key, &self.cluster, Timestamp::now());
                self.tell(key, wait.min(FOUGHT_OVER));
            }
        }
    }

    fn gone(&self, object: &Value) {
        let Some(key) = self.concerned(object) else {
            return;
        };
        match Present::of(self.kind.row(), object) {
            Some(present) => {
                let place = self.reasons.concerns.name(&key);
                lock(&self.shelf).gone(place, present, Instant::now());
            }
            None => lock(&self.shelf).forget(&key),
        }
        self.tell(key, Duration::ZERO);
    }

    fn synced(&self) -> bool {
        let (first, vanished) = lock(&self.shelf).synced(Instant::now());
        for key in vanished {
            self.tell((*key).clone(), Duration::ZERO);
        }
        first
    }

    fn tell(&self, key: Key, delay: Duration) {
        if self.reasons.concerns.has(&key, &self.cluster) {
            self.reasons.queue.add_after(key, delay);
        }
    }

    fn tell_all(&self) {
        for key in self.reasons.concerns.of_collection(&self.cluster, self.kind) {
            self.reasons.queue.add(key);
        }
    }
}
