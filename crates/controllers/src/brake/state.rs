//! What the brake keeps in mind between two questions.

use std::collections::{BTreeMap, BTreeSet};

use atoll_federation::plan::{Hold, PlannedDelete, brake};
use atoll_federation::{ClusterName, Record};
use atoll_store::Store;
use tokio::time::Instant;

use super::approvals::Approvals;
use super::{COUNT, Confirmation, Displaced, Going, Judgement, confirmations, planned};
use crate::error::Result;
use crate::hub::Hub;
use crate::key::Key;
use crate::leader::Leadership;

#[derive(Default)]
pub(super) struct State {
    counted: Option<Counted>,
    /// Read from the store when it is first asked for.
    approved: Option<Approvals>,
    /// Whether what was confirmed is not kept yet.
    is_news: bool,
    /// The token that has just confirmed something.
    confirmed_by: Option<String>,
    /// The token of the last hold that was told.
    told: String,
}

/// What is displaced, as it was counted.
pub(super) struct Counted {
    /// Of the changes that had been told of when counting began.
    pub(super) generation: u64,
    /// When it was done.
    pub(super) at: Instant,
    pub(super) going: BTreeSet<Going>,
    pub(super) managed: BTreeMap<ClusterName, u64>,
}

impl State {
    /// Reads what was confirmed, unless it is known.
    pub(super) async fn read(&mut self, hub: &Hub) -> Result<()> {
        if self.approved.is_none() {
            let types = &hub.configuration().types;
            self.approved = Some(Approvals::read(&hub.store, types).await?);
        }
        Ok(())
    }

    /// Whether the last count is of now, and knows of what is asked about. One that does not was made from something
    /// older, whatever it is filed under.
    pub(super) fn covers(&self, generation: u64, mine: &BTreeSet<Going>) -> bool {
        self.counted.as_ref().is_some_and(|counted| {
            counted.generation == generation && counted.at.elapsed() < COUNT && mine.is_subset(&counted.going)
        })
    }

    /// Objects of which something was confirmed; `None` when that is not known.
    pub(super) fn confirmed_keys(&self) -> Option<BTreeSet<Key>> {
        let approved = self.approved.as_ref()?;
        Some(approved.going.iter().map(|(key, ..)| key.clone()).collect())
    }

    /// The token that has just confirmed something.
    pub(super) fn confirmed_by(&self) -> Option<&str> {
        self.confirmed_by.as_deref()
    }

    fn approved(&mut self) -> &mut BTreeSet<Going> {
        &mut self.approved.get_or_insert_default().going
    }

    /// Keeps what was confirmed, if that is news; `used` is what it was confirmed by.
    pub(super) async fn keep(&mut self, store: &Store, leadership: &Leadership, used: Vec<Confirmation>) -> Result<()> {
        self.confirmed_by = None;
        if !std::mem::take(&mut self.is_news) {
            return Ok(());
        }
        let Some(approved) = &mut self.approved else {
            return Ok(());
        };
        let kept = async {
            let writes = confirmations::take_off(store, used).await?;
            approved.keep(store, leadership, writes).await
        };
        let kept = kept.await;
        if kept.is_err() {
            self.approved = None;
        }
        kept
    }

    pub(super) fn take(&mut self, counted: Counted) {
        // What has happened, or was taken back, would have to be confirmed again.
        let before = self.approved().len();
        self.approved().retain(|going| counted.going.contains(going));
        self.is_news |= self.approved().len() != before;
        self.counted = Some(counted);
    }

    /// Forgets what was confirmed for an object that is not displaced so any more; whether that has to be kept. What has
    /// happened need not be: no other object has that UID.
    pub(super) fn forget(&mut self, key: &Key, displaced: &Displaced, records: &BTreeMap<ClusterName, Record>) -> bool {
        let (mut is_changed, mut is_taken_back) = (false, false);
        self.approved().retain(|(other, cluster, uid)| {
            if other != key || displaced.contains(&(cluster.clone(), uid.clone())) {
                return true;
            }
            is_changed = true;
            is_taken_back |= records
                .get(cluster)
                .is_some_and(|record| record.uid.as_ref() == Some(uid));
            false
        });
        self.is_news |= is_changed;
        is_taken_back || (is_changed && self.approved().is_empty())
    }

    /// All that is displaced and not confirmed, and whether it is too much.
    pub(super) fn pending(&self, mine: &BTreeSet<Going>) -> (BTreeSet<Going>, Option<Hold>) {
        let Some(counted) = &self.counted else {
            return (mine.clone(), None);
        };
        let is_approved = |going: &Going| self.approved.as_ref().is_some_and(|all| all.going.contains(going));
        let all = counted.going.union(mine).filter(|going| !is_approved(going));
        let pending: BTreeSet<Going> = all.cloned().collect();
        let deletes: Vec<PlannedDelete> = pending.iter().map(planned).collect();
        let hold = brake(&deletes, &counted.managed);
        (pending, hold)
    }

    pub(super) fn judge(&mut self, mine: &BTreeSet<Going>, tokens: &BTreeSet<&str>) -> Judgement {
        if !self
            .counted
            .as_ref()
            .is_some_and(|counted| mine.is_subset(&counted.going))
        {
            return Judgement::Outdated;
        }
        if mine.is_subset(self.approved()) {
            return Judgement::Confirmed(BTreeSet::new());
        }
        let (pending, hold) = self.pending(mine);
        let keys = || pending.iter().map(|(key, ..)| key.clone()).collect();
        match hold {
            None => Judgement::Free,
            Some(hold) if tokens.contains(hold.token.as_str()) => {
                let keys = keys();
                self.approved().extend(pending);
                self.is_news = true;
                self.confirmed_by = Some(hold.token);
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn going(name: &str, cluster: &str) -> Going {
        (
            Key::config_map(name),
            ClusterName::parse(cluster).unwrap(),
            format!("u-{name}"),
        )
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
        assert_eq!(state(many(10)).judge(&one(), &none), Judgement::Free);
        let Judgement::Held(hold, _) = state(many(11)).judge(&one(), &none) else {
            panic!("eleven of forty are many")
        };
        assert_eq!(hold.deletes.len(), 11);
        // Whichever of them asks, the token is the same.
        let other = [going("o-07", "eu-1")].into();
        assert!(matches!(state(many(11)).judge(&other, &none), Judgement::Held(same, _) if same == hold));
    }

    #[test]
    fn whoever_waits_hears_of_a_new_token_once() {
        let mut state = state(many(11));
        let told = |judgement: Judgement| match judgement {
            Judgement::Held(_, others) => others.len(),
            Judgement::Free | Judgement::Confirmed(_) | Judgement::Outdated => panic!("eleven are many"),
        };
        assert_eq!(told(state.judge(&one(), &BTreeSet::new())), 11);
        assert_eq!(told(state.judge(&one(), &BTreeSet::new())), 0);
        let managed = state.counted.as_ref().unwrap().managed.clone();
        state.take(Counted {
            generation: 1,
            at: Instant::now(),
            going: many(12),
            managed,
        });
        assert_eq!(told(state.judge(&one(), &BTreeSet::new())), 12);
    }

    #[test]
    fn what_was_confirmed_goes_on_while_it_becomes_less() {
        let mut state = state(many(20));
        let Judgement::Held(hold, _) = state.judge(&one(), &BTreeSet::new()) else {
            panic!("twenty are many")
        };
        let Judgement::Confirmed(keys) = state.judge(&one(), &BTreeSet::from([hold.token.as_str()])) else {
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
            state.judge(&next, &BTreeSet::new()),
            Judgement::Confirmed(BTreeSet::new())
        );
        assert_eq!(*state.approved(), left);
    }

    #[test]
    fn a_token_holds_for_what_was_shown_and_for_nothing_else() {
        let Judgement::Held(hold, _) = state(many(11)).judge(&one(), &BTreeSet::new()) else {
            panic!("eleven are many")
        };
        let judged = state(many(12)).judge(&one(), &BTreeSet::from([hold.token.as_str()]));
        assert!(matches!(judged, Judgement::Held(other, _) if other.token != hold.token));
    }

    #[test]
    fn a_count_that_does_not_know_of_who_asks_is_none() {
        let state = state(many(3));
        assert!(state.covers(0, &one()) && state.covers(0, &BTreeSet::new()));
        assert!(!state.covers(1, &one()));
        assert!(!state.covers(0, &[going("o-07", "eu-1")].into()));
    }

    #[test]
    fn who_is_not_displaced_by_what_is_stored_has_read_something_older() {
        let other = [going("o-07", "eu-1")].into();
        assert_eq!(state(many(3)).judge(&other, &BTreeSet::new()), Judgement::Outdated);
        // Also when it was confirmed.
        let mut state = state(many(3));
        state.approved().extend(many(8));
        assert_eq!(state.judge(&other, &BTreeSet::new()), Judgement::Outdated);
    }

    fn recorded(uid: &str) -> BTreeMap<ClusterName, Record> {
        let record = Record {
            uid: Some(uid.into()),
            ..Record::begun(Timestamp::UNIX_EPOCH)
        };
        [(ClusterName::parse("eu-1").unwrap(), record)].into()
    }

    #[test]
    fn what_was_taken_back_is_confirmed_no_more_and_what_has_happened_need_not_be_kept() {
        let mut state = state(many(12));
        state.approved().extend(many(12));
        let ((first, cluster, uid), (second, ..)) = (going("o-00", "eu-1"), going("o-01", "eu-1"));
        let displaced = [(cluster, uid.clone())].into();
        assert!(!state.forget(&first, &displaced, &recorded(&uid)));
        assert_eq!(state.approved().len(), 12);
        assert!(state.forget(&first, &BTreeSet::new(), &recorded(&uid)));
        assert!(!state.approved().contains(&going("o-00", "eu-1")));
        assert!(!state.forget(&second, &BTreeSet::new(), &BTreeMap::new()));
        assert!(!state.forget(&second, &BTreeSet::new(), &recorded("u-o-01-made-anew")));
        assert_eq!(state.approved().len(), 10);
        // The last one leaves nothing behind.
        state.approved().retain(|(key, ..)| key.name == "o-05");
        assert!(state.forget(&going("o-05", "eu-1").0, &BTreeSet::new(), &BTreeMap::new()));
        assert_eq!(state.confirmed_keys(), Some(BTreeSet::new()));
    }
}
