//! One step of a rolling update: how many replicas each set shall have next.
//!
//! Never more pods than the bounds allow, never fewer that serve than they demand. Each step follows from what there is,
//! so it does not matter how many were made before.

use super::{Bounds, Set};

/// How many replicas the first set of a new template begins with.
pub(super) fn first(old: &[Set], bounds: Bounds) -> i64 {
    let there: i64 = old.iter().map(|set| set.replicas).sum();
    (bounds.most - there).clamp(0, bounds.desired)
}

/// Moves replicas from the old sets to the new one, as far as it may be done now.
pub(super) fn step(new: &mut Set, old: &mut [Set], bounds: Bounds) {
    if new.replicas > bounds.desired {
        new.replicas = bounds.desired;
        return;
    }
    let there = new.replicas + old.iter().map(|set| set.replicas).sum::<i64>();
    if new.replicas < bounds.desired && there < bounds.most {
        new.replicas += (bounds.most - there).min(bounds.desired - new.replicas);
        return;
    }
    let not_serving = (new.replicas - new.status("availableReplicas")).max(0);
    let mut may_go = there - bounds.least - not_serving;
    // What does not serve is given up first: that costs nothing.
    for set in old.iter_mut() {
        let idle = (set.replicas - set.status("availableReplicas")).clamp(0, may_go.max(0));
        set.replicas -= idle;
        may_go -= idle;
    }
    let serving: i64 = old
        .iter()
        .map(|set| set.status("availableReplicas").min(set.replicas))
        .sum::<i64>()
        + new.status("availableReplicas").min(new.replicas);
    let mut may_stop = (serving - bounds.least).min(may_go).max(0);
    for set in old.iter_mut() {
        let fewer = set.replicas.min(may_stop);
        set.replicas -= fewer;
        may_stop -= fewer;
    }
}

/// Scales a paused Deployment without moving anything between its sets: what is wanted more or less falls to the
/// largest.
pub(super) fn scale_paused(new: Option<&mut Set>, old: &mut [Set], bounds: Bounds) {
    let mut all: Vec<&mut Set> = old.iter_mut().chain(new).collect();
    let there: i64 = all.iter().map(|set| set.replicas).sum();
    let mut more = bounds.desired - there;
    // During an update there may be more than are wanted.
    if there > bounds.desired && there <= bounds.most {
        return;
    }
    all.sort_by_key(|set| std::cmp::Reverse(set.replicas));
    for set in all {
        let change = more.max(-set.replicas);
        set.replicas += change;
        more -= change;
    }
}
