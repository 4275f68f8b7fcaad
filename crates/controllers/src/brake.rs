//! The brake over all objects together.
//!
//! A label that is taken off a cluster deletes one object there, and the next, and the next: none of them is many. So
//! whoever is about to delete because of a change asks here what that change would delete altogether. Nothing is kept
//! for it but records and intent, both read anew after each change, and what was confirmed, until it has happened.

mod approvals;
mod confirmations;
pub(crate) mod count;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use atoll_federation::plan::{Hold, PlannedDelete};
use atoll_federation::{ClusterName, Record, TypeTable};
use atoll_store::Store;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use self::approvals::Approvals;
pub(crate) use self::confirmations::{Confirmation, confirmations, used_up};
use self::count::{count, managed};
use self::state::{Counted, State};
use crate::error::Result;
use crate::fleet::Fleet;
use crate::hub::Hub;
use crate::key::Key;
use crate::leader::Leadership;

/// How long a count holds when nothing has changed.
pub(crate) const COUNT: Duration = Duration::from_secs(5);

/// One delete that a change brings about: the object, the cluster, the UID there.
pub(crate) type Going = (Key, ClusterName, String);

/// What an object is displaced from: the cluster, the UID there.
pub(crate) type Displaced = BTreeSet<(ClusterName, String)>;

/// The clusters as they are known now.
pub(crate) type Fleets = watch::Sender<Arc<Fleet>>;

/// What is to happen with the deletes of one object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Judgement {
    /// They are few.
    Free,
    /// They wait, together with those of these other objects if nobody has told them so yet.
    Held(Hold, BTreeSet<Key>),
    /// They are many, and meant. These objects have been waiting for the same.
    Confirmed(BTreeSet<Key>),
    /// By what is stored now they are not displaced: whoever asks has read something older.
    Outdated,
}

/// Weighs deletes of many objects together.
#[derive(Default)]
pub(crate) struct Brake {
    generation: AtomicU64,
    state: Mutex<State>,
    /// Objects of which deletes were confirmed and have not happened; `None` when that has to be read first. Whoever has
    /// none waits for no count.
    confirmed: std::sync::Mutex<Option<BTreeSet<Key>>>,
}

impl Brake {
    /// Objects, namespaces or clusters have changed: what was counted counts no more.
    pub(crate) fn changed(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Weighs what one object is displaced from, together with everything else that is.
    pub(crate) async fn judge(
        &self,
        hub: &Hub,
        leadership: &Leadership,
        fleets: &Fleets,
        key: &Key,
        displaced: &Displaced,
        confirmations: &[Confirmation],
    ) -> Result<Judgement> {
        let mut state = self.state.lock().await;
        state.read(hub).await?;
        let mine = displaced
            .iter()
            .map(|(cluster, uid)| (key.clone(), cluster.clone(), uid.clone()));
        let mine: BTreeSet<Going> = mine.collect();
        self.count(hub, fleets, &mut state, &mine).await?;
        let tokens = confirmations.iter().map(|one| one.token.as_str()).collect();
        let judgement = state.judge(&mine, &tokens);
        // What confirms many objects is used up by it, or it would confirm the same once more after it was taken back.
        let used = match &judgement {
            Judgement::Confirmed(_) => state.confirmed_by().map_or_else(Vec::new, |token| {
                let fleet = fleets.borrow();
                let carriers = confirmations.iter().cloned().chain(confirmations::of_clusters(&fleet));
                let others = carriers.filter(|one| one.token == token && one.place != key.stored());
                others.collect()
            }),
            Judgement::Free | Judgement::Held(..) | Judgement::Outdated => Vec::new(),
        };
        self.keep(hub, leadership, &mut state, used).await?;
        Ok(judgement)
    }

    /// Forgets what was confirmed for an object and is not displaced any more: it has happened, or the change was taken
    /// back and would have to be confirmed again.
    pub(crate) async fn review(
        &self,
        hub: &Hub,
        leadership: &Leadership,
        key: &Key,
        displaced: &Displaced,
        records: &BTreeMap<ClusterName, Record>,
    ) -> Result<()> {
        if !self.may_be_confirmed(key) {
            return Ok(());
        }
        let mut state = self.state.lock().await;
        state.read(hub).await?;
        self.publish(&state);
        if state.forget(key, displaced, records) {
            self.keep(hub, leadership, &mut state, Vec::new()).await?;
        }
        Ok(())
    }

    /// Whether this is the token of what waits now.
    pub(crate) async fn awaits(&self, hub: &Hub, fleets: &Fleets, token: &str) -> Result<bool> {
        let mut state = self.state.lock().await;
        state.read(hub).await?;
        self.count(hub, fleets, &mut state, &BTreeSet::new()).await?;
        let (_, hold) = state.pending(&BTreeSet::new());
        Ok(hold.is_some_and(|hold| hold.token == token))
    }

    /// Counts anew what is displaced, unless that was counted since the last change and `mine` is part of it.
    async fn count(&self, hub: &Hub, fleets: &Fleets, state: &mut State, mine: &BTreeSet<Going>) -> Result<()> {
        let generation = self.generation.load(Ordering::SeqCst);
        if state.covers(generation, mine) {
            return Ok(());
        }
        // As they are now, and not as they were when somebody began to run: who is displaced by a change counts all that
        // it displaces.
        let fleet = fleets.borrow().clone();
        let going = count(hub, &fleet).await?.into_keys().collect();
        let managed = managed(hub).await?;
        state.take(Counted {
            generation,
            at: Instant::now(),
            going,
            managed,
        });
        Ok(())
    }

    /// Nothing may be done on the strength of a confirmation that is not kept.
    async fn keep(&self, hub: &Hub, leadership: &Leadership, state: &mut State, used: Vec<Confirmation>) -> Result<()> {
        let kept = state.keep(&hub.store, leadership, used).await;
        self.publish(state);
        kept
    }

    fn may_be_confirmed(&self, key: &Key) -> bool {
        let confirmed = self.confirmed.lock().unwrap_or_else(PoisonError::into_inner);
        confirmed.as_ref().is_none_or(|keys| keys.contains(key))
    }

    fn publish(&self, state: &State) {
        let mut confirmed = self.confirmed.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = state.confirmed_keys();
        if *confirmed != keys {
            *confirmed = keys;
        }
    }
}

/// Deletes that were confirmed and have not happened yet.
pub(crate) async fn approved(store: &Store, types: &TypeTable) -> Result<BTreeSet<Going>> {
    Ok(Approvals::read(store, types).await?.going)
}

pub(crate) fn planned((key, cluster, uid): &Going) -> PlannedDelete {
    PlannedDelete {
        key: key.to_string(),
        cluster: cluster.clone(),
        uid: uid.clone(),
        // What lies in a namespace is displaced with it, and counts for itself.
        takes_along: 0,
    }
}

#[cfg(test)]
mod tests;
