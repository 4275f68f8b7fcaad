//! One collection of one member as a value.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use atoll_federation::{Live, Present};
use tokio::time::Instant;

use super::packed::{Marks, Packed};
use crate::interned::Interned;
use crate::key::Key;

/// How long what was seen still counts after the watch has broken off. A watch that goes on where it was says nothing,
/// so this only means that the member is asked again.
const STALE: Duration = Duration::from_secs(60);

/// How long the first list is waited for, before the member is asked for single objects.
const UNREAD: Duration = Duration::from_secs(10);

/// How long after an object is gone an answer about it may still be on its way.
const LATE: Duration = Duration::from_secs(60);

/// Objects that are gone and may still be answered about, before those of long ago are forgotten.
const MANY_GONE: usize = 1024;

/// The name of the object, shared by all who keep it.
pub(super) type Place = Arc<Key>;

/// What is known of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Look {
    /// It is there.
    Present(Box<Present>),
    /// It is not among the managed ones, or nobody can tell: ask the member by name.
    Unlisted,
    /// Nothing is known yet; there will be a reason to look again when it is.
    Unsynced,
    /// The member does not have this kind.
    ApiMissing(String),
}

/// What an event changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stir {
    /// Nothing that matters.
    Nothing,
    /// The numbers of the status.
    Numbers,
    /// Something that may need an answer.
    Object,
}

#[derive(Debug)]
pub(super) struct Shelf {
    begun: Instant,
    marks: Arc<Interned<Marks>>,
    objects: HashMap<Place, Packed>,
    /// What the watch last said to be gone, and when those of long ago were last forgotten.
    gone: HashMap<Place, Gone>,
    pruned: Instant,
    /// A whole list has been seen.
    synced: bool,
    /// What the list that is under way has brought so far.
    listing: Option<HashSet<Place>>,
    trouble: Option<Trouble>,
}

/// An object that the watch said to be gone, and as of which version.
#[derive(Debug)]
struct Gone {
    last: Packed,
    at: Instant,
}

#[derive(Debug)]
struct Trouble {
    /// Why the member says that it does not have this kind, if that is what is wrong.
    missing: Option<String>,
    since: Instant,
}

impl Trouble {
    fn is_stale(&self, now: Instant) -> bool {
        now.duration_since(self.since) >= STALE
    }
}

impl Shelf {
    pub(super) fn new(marks: Arc<Interned<Marks>>, now: Instant) -> Self {
        Self {
            begun: now,
            marks,
            objects: HashMap::new(),
            gone: HashMap::new(),
            pruned: now,
            synced: false,
            listing: None,
            trouble: None,
        }
    }

    /// Objects that are there, and that are gone, as far as they are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        (self.objects.len(), self.gone.len())
    }

    pub(super) fn look(&self, place: &Key, now: Instant) -> Look {
        match &self.trouble {
            Some(Trouble {
                missing: Some(message), ..
            }) => return Look::ApiMissing(message.clone()),
            Some(trouble) if !self.synced || trouble.is_stale(now) => return Look::Unlisted,
            Some(_) | None => {}
        }
        match self.objects.get(place) {
            Some(present) => Look::Present(Box::new(present.unpack())),
            None if self.synced || now.duration_since(self.begun) >= UNREAD => Look::Unlisted,
            None => Look::Unsynced,
        }
    }

    /// A new list begins. What is known stays until the list is complete.
    pub(super) fn restart(&mut self) {
        self.listing = Some(HashSet::new());
    }

    pub(super) fn present(&mut self, place: Place, present: Present) -> Stir {
        if self.listing.is_none() {
            // An event of a watch that works.
            self.trouble = None;
        }
        if let Some(listing) = &mut self.listing {
            listing.insert(place.clone());
        }
        self.gone.remove(&place);
        match self.objects.get(&place) {
            Some(known) if known.is_newer_than(&present) => Stir::Nothing,
            Some(known) => {
                let stir = compare(known.unpack(), &present);
                self.keep(place, present);
                stir
            }
            None => {
                self.keep(place, present);
                Stir::Object
            }
        }
    }

    fn keep(&mut self, place: Place, present: Present) {
        self.objects.insert(place, Packed::new(present, &self.marks));
    }

    /// What the member answered may be newer than what the watch has brought, or older: an object that is deleted as
    /// soon as it is made may be gone before the answer to its making is read.
    pub(super) fn put(&mut self, place: Place, present: Present) {
        if self
            .gone
            .get(&place)
            .is_some_and(|gone| gone.last.is_newer_than(&present))
        {
            return;
        }
        if let Some(listing) = &mut self.listing {
            listing.insert(place.clone());
        }
        if self
            .objects
            .get(&place)
            .is_none_or(|known| !known.is_newer_than(&present))
        {
            self.keep(place, present);
        }
    }

    pub(super) fn forget(&mut self, place: &Key) {
        self.objects.remove(place);
    }

    /// The watch says that the object is gone, or has lost its label; `present` is as it last was.
    pub(super) fn gone(&mut self, place: Place, present: Present, now: Instant) {
        self.objects.remove(&place);
        if self.gone.len() >= MANY_GONE && now.duration_since(self.pruned) >= LATE {
            self.pruned = now;
            self.gone.retain(|_, gone| now.duration_since(gone.at) < LATE);
        }
        let last = Packed::new(present, &self.marks);
        self.gone.insert(place, Gone { last, at: now });
    }

    /// The list is complete: whether it is the first one to be known or after trouble, and what has vanished.
    pub(super) fn synced(&mut self, now: Instant) -> (bool, Vec<Place>) {
        let seen = self.listing.take().unwrap_or_default();
        let vanished: Vec<Place> = self
            .objects
            .keys()
            .filter(|place| !seen.contains(*place))
            .cloned()
            .collect();
        for place in &vanished {
            self.objects.remove(place);
        }
        // While what was known still counted, whoever asked had an answer, and what has changed is told object by object.
        let was_blind = self.trouble.take().is_some_and(|trouble| trouble.is_stale(now));
        let first = !std::mem::replace(&mut self.synced, true) || was_blind;
        (first, vanished)
    }

    /// The watch broke off. What is known still counts for a while, unless the kind itself is `missing`. Returns whether
    /// what this shelf answers has changed.
    pub(super) fn fail(&mut self, missing: Option<String>, now: Instant) -> bool {
        self.listing = None;
        let since = self.trouble.as_ref().map_or(now, |trouble| trouble.since);
        let was_missing = self.trouble.as_ref().map(|trouble| trouble.missing.is_some());
        let is_missing = missing.is_some();
        self.trouble = Some(Trouble { missing, since });
        if is_missing {
            self.objects.clear();
            self.synced = false;
        }
        !self.synced && was_missing != Some(is_missing)
    }
}

fn compare(known: Present, now: &Present) -> Stir {
    let known = Present {
        resource_version: now.resource_version.clone(),
        ..known
    };
    if known == *now {
        return Stir::Nothing;
    }
    let without_numbers = |present: &Present| Present {
        live: Live::default(),
        remote_status: None,
        ..present.clone()
    };
    if without_numbers(&known) == without_numbers(now) {
        Stir::Numbers
    } else {
        Stir::Object
    }
}

#[cfg(test)]
mod tests {
    use atoll_federation::types;

    use super::*;
    use crate::key::Kind;

    fn place(name: &str) -> Place {
        Arc::new(Key {
            kind: Kind::of(types::find("configmaps").unwrap()),
            namespace: "shop".into(),
            name: name.into(),
        })
    }

    fn unread(now: Instant) -> Shelf {
        Shelf::new(Arc::default(), now)
    }

    fn present(version: u64) -> Present {
        Present {
            uid: "u-1".into(),
            resource_version: version.to_string(),
            managed_hash: Some("h".into()),
            ..Present::default()
        }
    }

    fn synced(objects: &[(&str, u64)]) -> Shelf {
        let mut shelf = unread(Instant::now());
        shelf.restart();
        for (name, version) in objects {
            shelf.present(place(name), present(*version));
        }
        shelf.synced(Instant::now());
        shelf
    }

    fn version(shelf: &Shelf, name: &str) -> Option<String> {
        match shelf.look(&place(name), Instant::now()) {
            Look::Present(present) => Some(present.resource_version),
            Look::Unlisted | Look::Unsynced | Look::ApiMissing(_) => None,
        }
    }

    #[test]
    fn before_the_first_list_is_complete_nothing_is_known_to_be_missing() {
        let mut shelf = unread(Instant::now());
        let now = Instant::now();
        assert_eq!(shelf.look(&place("a"), now), Look::Unsynced);
        shelf.restart();
        shelf.present(place("a"), present(1));
        assert_eq!(shelf.look(&place("b"), now), Look::Unsynced);
        assert_eq!(version(&shelf, "a").as_deref(), Some("1"));
        assert_eq!(shelf.synced(Instant::now()), (true, vec![]));
        assert_eq!(shelf.look(&place("b"), now), Look::Unlisted);
    }

    #[test]
    fn a_list_that_does_not_come_is_not_waited_for_for_ever() {
        let now = Instant::now();
        let shelf = unread(now);
        assert_eq!(shelf.look(&place("a"), now), Look::Unsynced);
        assert_eq!(shelf.look(&place("a"), now + UNREAD), Look::Unlisted);
    }

    #[test]
    fn what_a_new_list_does_not_bring_has_vanished_only_when_it_is_complete() {
        let mut shelf = synced(&[("a", 1), ("b", 1)]);
        shelf.restart();
        shelf.present(place("a"), present(5));
        assert_eq!(version(&shelf, "b").as_deref(), Some("1"));
        assert_eq!(shelf.synced(Instant::now()), (false, vec![place("b")]));
        assert_eq!(shelf.look(&place("b"), Instant::now()), Look::Unlisted);
    }

    #[test]
    fn what_was_written_while_a_list_was_under_way_has_not_vanished() {
        let mut shelf = synced(&[]);
        shelf.restart();
        shelf.put(place("new"), present(9));
        assert_eq!(shelf.synced(Instant::now()), (false, vec![]));
        assert_eq!(version(&shelf, "new").as_deref(), Some("9"));
    }

    #[test]
    fn an_event_from_before_our_own_write_changes_nothing() {
        let mut shelf = synced(&[("a", 5)]);
        shelf.put(place("a"), present(8));
        assert_eq!(shelf.present(place("a"), present(7)), Stir::Nothing);
        assert_eq!(version(&shelf, "a").as_deref(), Some("8"));
        assert_eq!(shelf.present(place("a"), present(8)), Stir::Nothing);
        let another = Present {
            uid: "u-2".into(),
            ..present(2)
        };
        assert_eq!(shelf.present(place("a"), another), Stir::Object);
    }

    #[test]
    fn an_answer_that_comes_after_the_end_brings_nothing_back() {
        let mut shelf = synced(&[]);
        shelf.gone(place("a"), present(7), Instant::now());
        shelf.put(place("a"), present(6));
        assert_eq!(version(&shelf, "a"), None);
        // It had only lost its label, and has it again.
        shelf.put(place("a"), present(8));
        assert_eq!(version(&shelf, "a").as_deref(), Some("8"));
        // Another object of that name.
        shelf.gone(place("a"), present(9), Instant::now());
        let another = Present {
            uid: "u-2".into(),
            ..present(2)
        };
        shelf.put(place("a"), another);
        assert_eq!(version(&shelf, "a").as_deref(), Some("2"));
    }

    #[test]
    fn what_has_gone_is_forgotten_once_in_a_while_and_not_with_every_one_that_goes() {
        let mut shelf = synced(&[]);
        let begun = Instant::now();
        let mut go = |name: usize, now: Instant| {
            shelf.gone(place(&name.to_string()), present(7), now);
            (shelf.gone.len(), shelf.pruned)
        };
        for name in 0..2 * MANY_GONE {
            go(name, begun);
        }
        let (all, pruned) = go(2 * MANY_GONE, begun + LATE * 2);
        assert_eq!((all, pruned), (1, begun + LATE * 2), "those of long ago are forgotten");
        for name in 0..MANY_GONE {
            go(name, begun + LATE * 2);
        }
        let (all, again) = go(9 * MANY_GONE, begun + LATE * 5 / 2);
        assert_eq!((all, again), (MANY_GONE + 2, pruned), "it has just been looked through");
    }

    #[test]
    fn numbers_are_told_from_changes_that_need_an_answer() {
        let mut shelf = synced(&[("a", 5)]);
        let mut now = present(6);
        now.live.ready_replicas = Some(1);
        assert_eq!(shelf.present(place("a"), now.clone()), Stir::Numbers);
        now.resource_version = "7".into();
        assert_eq!(shelf.present(place("a"), now.clone()), Stir::Nothing);
        now.resource_version = "8".into();
        now.managed_hash = None;
        assert_eq!(shelf.present(place("a"), now), Stir::Object);
    }

    #[test]
    fn a_watch_that_broke_off_is_believed_for_a_while() {
        let mut shelf = synced(&[("a", 5)]);
        let now = Instant::now();
        assert!(!shelf.fail(None, now));
        assert!(matches!(shelf.look(&place("a"), now), Look::Present(_)));
        let later = now + STALE;
        shelf.fail(None, later);
        assert_eq!(shelf.look(&place("a"), later), Look::Unlisted);
        shelf.restart();
        shelf.present(place("a"), present(5));
        assert_eq!(
            shelf.look(&place("a"), later),
            Look::Unlisted,
            "the list is not complete yet"
        );
        assert_eq!(shelf.synced(later), (true, vec![]));
        assert!(matches!(shelf.look(&place("a"), later), Look::Present(_)));
    }

    #[test]
    fn a_short_trouble_changes_no_answer_but_those_about_what_has_changed() {
        let mut shelf = synced(&[("a", 5), ("b", 5)]);
        let now = Instant::now();
        shelf.fail(None, now);
        shelf.restart();
        assert_eq!(shelf.present(place("a"), present(5)), Stir::Nothing);
        assert_eq!(shelf.synced(now), (false, vec![place("b")]));
    }

    #[test]
    fn an_event_shows_that_the_watch_works_again() {
        let mut shelf = synced(&[("a", 5)]);
        let now = Instant::now();
        shelf.fail(None, now);
        shelf.present(place("b"), present(6));
        assert!(matches!(shelf.look(&place("a"), now + STALE), Look::Present(_)));
    }

    #[test]
    fn a_collection_that_was_never_read_is_asked_for_by_name_when_watching_fails() {
        let mut shelf = unread(Instant::now());
        let now = Instant::now();
        assert!(
            shelf.fail(None, now),
            "whoever waited for the list need not wait any more"
        );
        assert!(!shelf.fail(None, now));
        assert_eq!(shelf.look(&place("a"), now), Look::Unlisted);
    }

    #[test]
    fn a_kind_that_is_missing_is_known_at_once() {
        let mut shelf = synced(&[("a", 5)]);
        let now = Instant::now();
        assert!(shelf.fail(Some("not served".into()), now));
        assert!(!shelf.fail(Some("not served".into()), now));
        assert_eq!(shelf.look(&place("a"), now), Look::ApiMissing("not served".into()));
        shelf.restart();
        assert_eq!(shelf.synced(Instant::now()), (true, vec![]));
        assert_eq!(shelf.look(&place("a"), now), Look::Unlisted);
    }
}
