//! The brake over all objects together.
//!
//! A label that is taken off a cluster deletes one object there, and the next, and the next: none of them is many. So
//! whoever is about to delete because of a change asks here what that change would delete altogether. Nothing is kept
//! for it but records and intent, both read anew after each change; only what was confirmed is remembered, until it has
//! happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use atoll_federation::placement::{Placed, place};
use atoll_federation::plan::{Hold, PlannedDelete, brake};
use atoll_federation::{ClusterName, FederatedObject, Record};
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::{Doing, Result};
use crate::fleet::{self, Fleet};
use crate::hub::Hub;
use crate::key::{Key, Kind};
use crate::sync::context::{displaced, record};

/// How long a count holds when nothing has changed.
const COUNT: Duration = Duration::from_secs(5);

/// One delete that a change brings about: the object, the cluster, the UID there.
type Going = (Key, ClusterName, String);

/// What is to happen with the deletes of one object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Judgement {
    /// They are few.
    Free,
    /// They wait.
    Held(Hold),
    /// They are many, and meant. These objects have been waiting for the same.
    Confirmed(BTreeSet<Key>),
}

/// Weighs deletes of many objects together.
#[derive(Default)]
pub(crate) struct Brake {
    generation: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    counted: Option<Counted>,
    approved: BTreeSet<Going>,
}

struct Counted {
    generation: u64,
    at: Instant,
    going: BTreeSet<Going>,
    managed: BTreeMap<ClusterName, u64>,
}

impl Brake {
    /// Objects, namespaces or clusters have changed: what was counted counts no more.
    pub(crate) fn changed(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Weighs what one object is displaced from, together with everything else that is. `tokens` are those of
    /// confirmations that can be meant for it.
    pub(crate) async fn judge(
        &self,
        hub: &Hub,
        fleet: &Fleet,
        key: &Key,
        displaced: &BTreeSet<(ClusterName, String)>,
        tokens: &BTreeSet<&str>,
    ) -> Result<Judgement> {
        let mut state = self.state.lock().await;
        let generation = self.generation.load(Ordering::SeqCst);
        let is_fresh = |counted: &Counted| counted.generation == generation && counted.at.elapsed() < COUNT;
        if !state.counted.as_ref().is_some_and(is_fresh) {
            state.take(Counted {
                generation,
                at: Instant::now(),
                going: count(hub, fleet).await?,
                managed: managed(hub).await?,
            });
        }
        let mine = displaced
            .iter()
            .map(|(cluster, uid)| (key.clone(), cluster.clone(), uid.clone()));
        Ok(state.judge(mine.collect(), tokens))
    }
}

impl State {
    fn take(&mut self, counted: Counted) {
        // What has happened, or was taken back, would have to be confirmed again.
        self.approved.retain(|going| counted.going.contains(going));
        self.counted = Some(counted);
    }

    fn judge(&mut self, mine: BTreeSet<Going>, tokens: &BTreeSet<&str>) -> Judgement {
        let Some(counted) = &self.counted else {
            return Judgement::Free;
        };
        if mine.is_subset(&self.approved) {
            return Judgement::Confirmed(BTreeSet::new());
        }
        let pending: BTreeSet<Going> = counted
            .going
            .union(&mine)
            .filter(|going| !self.approved.contains(*going))
            .cloned()
            .collect();
        let deletes: Vec<PlannedDelete> = pending.iter().map(planned).collect();
        match brake(&deletes, &counted.managed) {
            None => Judgement::Free,
            Some(hold) if tokens.contains(hold.token.as_str()) => {
                let keys = pending.iter().map(|(key, ..)| key.clone()).collect();
                self.approved.extend(pending);
                Judgement::Confirmed(keys)
            }
            Some(hold) => Judgement::Held(hold),
        }
    }
}

fn planned((key, cluster, uid): &Going) -> PlannedDelete {
    PlannedDelete {
        key: key.to_string(),
        cluster: cluster.clone(),
        uid: uid.clone(),
        // What lies in a namespace is displaced with it, and counts for itself.
        takes_along: 0,
    }
}

async fn managed(hub: &Hub) -> Result<BTreeMap<ClusterName, u64>> {
    let counts = hub.store.managed().await.doing("counting managed objects")?;
    let counts = counts.into_iter();
    Ok(counts
        .filter_map(|(name, count)| Some((ClusterName::parse(&name).ok()?, count)))
        .collect())
}

/// Everything that is on record where it is no longer placed, and whose object is not being deleted itself.
async fn count(hub: &Hub, fleet: &Fleet) -> Result<BTreeSet<Going>> {
    let configuration = hub.configuration();
    let types = &configuration.types;
    let mut records: BTreeMap<Key, BTreeMap<ClusterName, Record>> = BTreeMap::new();
    let rows = hub
        .store
        .propagations_in(None)
        .await
        .doing("reading records of propagation")?;
    for row in rows {
        if let Some((key, (cluster, record))) = Key::of_record(types, &row.key).zip(record(row)) {
            records.entry(key).or_default().insert(cluster, record);
        }
    }
    let members = hub.clusters.members();
    let clusters = fleet::clusters(
        fleet,
        &members,
        Timestamp::now(),
        configuration.settings.unavailable_delay,
    );
    let mut objects = Vec::new();
    for kind in Kind::served(types) {
        let federated = &kind.row().federated;
        let listing = hub.store.objects(&federated.group, &federated.plural, None).await;
        for stored in listing.doing("listing federated objects")?.objects {
            let key = Key::of_stored(types, &stored.key).filter(|key| key.kind == kind);
            objects.extend(key.zip(FederatedObject::parse(kind.row(), &stored.body).ok()));
        }
    }
    let namespaces: BTreeMap<&str, &FederatedObject> = objects
        .iter()
        .filter(|(key, _)| key.kind.row().is_namespace() && key.name == key.namespace)
        .map(|(key, object)| (key.name.as_str(), object))
        .collect();
    let mut going = BTreeSet::new();
    for (key, object) in objects.iter().filter(|(_, object)| !object.is_deleting()) {
        let Some(records) = records.get(key) else { continue };
        let row = key.kind.row();
        let namespace = namespaces.get(key.namespace.as_str()).copied();
        if let Ok(Placed::Clusters(placed)) =
            place(row, object, namespace, configuration.settings.scope, &clusters, false)
        {
            let displaced = displaced(row, &placed, &clusters, records);
            going.extend(displaced.map(|(cluster, uid)| (key.clone(), cluster, uid)));
        }
    }
    Ok(going)
}

#[cfg(test)]
mod tests {
    use atoll_federation::types;

    use super::*;

    fn going(name: &str, cluster: &str) -> Going {
        let key = Key {
            kind: Kind::of(types::find("configmaps").unwrap()),
            namespace: "shop".into(),
            name: name.into(),
        };
        (key, ClusterName::parse(cluster).unwrap(), format!("u-{name}"))
    }

    fn state(going: BTreeSet<Going>) -> State {
        let managed = [("eu-1", 20), ("us-1", 20)];
        let mut state = State::default();
        state.take(Counted {
            generation: 0,
            at: Instant::now(),
            going,
            managed: managed
                .map(|(name, count)| (ClusterName::parse(name).unwrap(), count))
                .into(),
        });
        state
    }

    fn many(count: usize) -> BTreeSet<Going> {
        (0..count)
            .map(|index| going(&format!("o-{index:02}"), "eu-1"))
            .collect()
    }

    fn one() -> BTreeSet<Going> {
        [going("o-00", "eu-1")].into()
    }

    #[test]
    fn ten_by_one_change_are_free_and_eleven_are_held() {
        let none = BTreeSet::new();
        assert_eq!(state(many(10)).judge(one(), &none), Judgement::Free);
        let Judgement::Held(hold) = state(many(11)).judge(one(), &none) else {
            panic!("eleven of forty are many")
        };
        assert_eq!(hold.deletes.len(), 11);
        // Whichever of them asks, the token is the same.
        let other = [going("o-07", "eu-1")].into();
        assert_eq!(state(many(11)).judge(other, &none), Judgement::Held(hold));
    }

    #[test]
    fn what_was_confirmed_goes_on_while_it_becomes_less() {
        let mut state = state(many(20));
        let Judgement::Held(hold) = state.judge(one(), &BTreeSet::new()) else {
            panic!("twenty are many")
        };
        let Judgement::Confirmed(keys) = state.judge(one(), &BTreeSet::from([hold.token.as_str()])) else {
            panic!("it was confirmed")
        };
        assert_eq!(keys.len(), 20);
        // Five have happened; the rest needs no second word.
        let left: BTreeSet<Going> = many(20).into_iter().skip(5).collect();
        let managed = state.counted.as_ref().unwrap().managed.clone();
        state.take(Counted {
            generation: 1,
            at: Instant::now(),
            going: left.clone(),
            managed,
        });
        let next = [going("o-12", "eu-1")].into();
        assert_eq!(
            state.judge(next, &BTreeSet::new()),
            Judgement::Confirmed(BTreeSet::new())
        );
        assert_eq!(state.approved, left);
    }

    #[test]
    fn a_token_holds_for_what_was_shown_and_for_nothing_else() {
        let Judgement::Held(hold) = state(many(11)).judge(one(), &BTreeSet::new()) else {
            panic!("eleven are many")
        };
        let judged = state(many(12)).judge(one(), &BTreeSet::from([hold.token.as_str()]));
        assert!(matches!(judged, Judgement::Held(other) if other.token != hold.token));
    }
}
