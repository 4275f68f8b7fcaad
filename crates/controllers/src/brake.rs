//! The brake over all objects together.
//!
//! A label that is taken off a cluster deletes one object there, and the next, and the next: none of them is many. So
//! whoever is about to delete because of a change asks here what that change would delete altogether. Nothing is kept
//! for it but records and intent, both read anew after each change, and what was confirmed, until it has happened.

mod approvals;
pub(crate) mod count;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use atoll_federation::plan::{Hold, PlannedDelete, brake};
use atoll_federation::{ClusterName, TypeTable};
use atoll_store::Store;
use tokio::sync::Mutex;
use tokio::time::Instant;

use self::approvals::Approvals;
use self::count::{count, managed};
use crate::error::Result;
use crate::fleet::Fleet;
use crate::hub::Hub;
use crate::key::Key;
use crate::leader::Leadership;

/// How long a count holds when nothing has changed.
pub(crate) const COUNT: Duration = Duration::from_secs(5);

/// One delete that a change brings about: the object, the cluster, the UID there.
pub(crate) type Going = (Key, ClusterName, String);

/// What is to happen with the deletes of one object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Judgement {
    /// They are few.
    Free,
    /// They wait, together with those of these other objects if nobody has told them so yet.
    Held(Hold, BTreeSet<Key>),
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
    /// Read from the store when it is first asked for.
    approved: Option<Approvals>,
    /// Whether what was confirmed is not kept yet.
    is_news: bool,
    /// The token of the last hold that was told.
    told: String,
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
        leadership: &Leadership,
        fleet: &Fleet,
        key: &Key,
        displaced: &BTreeSet<(ClusterName, String)>,
        tokens: &BTreeSet<&str>,
    ) -> Result<Judgement> {
        let mut state = self.state.lock().await;
        if state.approved.is_none() {
            let types = &hub.configuration().types;
            state.approved = Some(Approvals::read(&hub.store, types).await?);
        }
        let generation = self.generation.load(Ordering::SeqCst);
        let is_fresh = |counted: &Counted| counted.generation == generation && counted.at.elapsed() < COUNT;
        if !state.counted.as_ref().is_some_and(is_fresh) {
            state.take(Counted {
                generation,
                at: Instant::now(),
                going: count(hub, fleet).await?.into_keys().collect(),
                managed: managed(hub).await?,
            });
        }
        let mine = displaced
            .iter()
            .map(|(cluster, uid)| (key.clone(), cluster.clone(), uid.clone()));
        let judgement = state.judge(mine.collect(), tokens);
        if std::mem::take(&mut state.is_news) {
            state.keep(&hub.store, leadership).await?;
        }
        Ok(judgement)
    }
}

/// Deletes that were confirmed and have not happened yet.
pub(crate) async fn approved(store: &Store, types: &TypeTable) -> Result<BTreeSet<Going>> {
    Ok(Approvals::read(store, types).await?.going)
}

impl State {
    fn approved(&mut self) -> &mut BTreeSet<Going> {
        &mut self.approved.get_or_insert_default().going
    }

    /// Nothing may be done on the strength of a confirmation that is not kept.
    async fn keep(&mut self, store: &Store, leadership: &Leadership) -> Result<()> {
        let Some(approved) = &mut self.approved else {
            return Ok(());
        };
        let kept = approved.keep(store, leadership).await;
        if kept.is_err() {
            self.approved = None;
        }
        kept
    }

    fn take(&mut self, counted: Counted) {
        // What has happened, or was taken back, would have to be confirmed again.
        let before = self.approved().len();
        self.approved().retain(|going| counted.going.contains(going));
        self.is_news |= self.approved().len() != before;
        self.counted = Some(counted);
    }

    fn judge(&mut self, mine: BTreeSet<Going>, tokens: &BTreeSet<&str>) -> Judgement {
        let Some(counted) = &self.counted else {
            return Judgement::Free;
        };
        let approved = &mut self.approved.get_or_insert_default().going;
        if mine.is_subset(approved) {
            return Judgement::Confirmed(BTreeSet::new());
        }
        let all = counted.going.union(&mine);
        let pending: BTreeSet<Going> = all.filter(|going| !approved.contains(*going)).cloned().collect();
        let deletes: Vec<PlannedDelete> = pending.iter().map(planned).collect();
        let keys = || pending.iter().map(|(key, ..)| key.clone()).collect();
        match brake(&deletes, &counted.managed) {
            None => Judgement::Free,
            Some(hold) if tokens.contains(hold.token.as_str()) => {
                let keys = keys();
                approved.extend(pending);
                self.is_news = true;
                Judgement::Confirmed(keys)
            }
            Some(hold) if hold.token == self.told => Judgement::Held(hold, BTreeSet::new()),
            Some(hold) => {
                self.told.clone_from(&hold.token);
                Judgement::Held(hold, keys())
            }
        }
    }
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
mod tests {
    use atoll_federation::types;

    use super::*;
    use crate::key::Kind;

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
        let Judgement::Held(hold, _) = state(many(11)).judge(one(), &none) else {
            panic!("eleven of forty are many")
        };
        assert_eq!(hold.deletes.len(), 11);
        // Whichever of them asks, the token is the same.
        let other = [going("o-07", "eu-1")].into();
        assert!(matches!(state(many(11)).judge(other, &none), Judgement::Held(same, _) if same == hold));
    }

    #[test]
    fn whoever_waits_hears_of_a_new_token_once() {
        let mut state = state(many(11));
        let told = |judgement: Judgement| match judgement {
            Judgement::Held(_, others) => others.len(),
            Judgement::Free | Judgement::Confirmed(_) => panic!("eleven are many"),
        };
        assert_eq!(told(state.judge(one(), &BTreeSet::new())), 11);
        assert_eq!(told(state.judge(one(), &BTreeSet::new())), 0);
        let managed = state.counted.as_ref().unwrap().managed.clone();
        state.take(Counted {
            generation: 1,
            at: Instant::now(),
            going: many(12),
            managed,
        });
        assert_eq!(told(state.judge(one(), &BTreeSet::new())), 12);
    }

    #[test]
    fn what_was_confirmed_goes_on_while_it_becomes_less() {
        let mut state = state(many(20));
        let Judgement::Held(hold, _) = state.judge(one(), &BTreeSet::new()) else {
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
        assert_eq!(*state.approved(), left);
    }

    #[test]
    fn a_token_holds_for_what_was_shown_and_for_nothing_else() {
        let Judgement::Held(hold, _) = state(many(11)).judge(one(), &BTreeSet::new()) else {
            panic!("eleven are many")
        };
        let judged = state(many(12)).judge(one(), &BTreeSet::from([hold.token.as_str()]));
        assert!(matches!(judged, Judgement::Held(other, _) if other.token != hold.token));
    }
}
