//! How an autoscaler's bounds are shared out: each cluster gets an autoscaler of its own, and together they may run as
//! many replicas as the one on the hub says.
//!
//! Bounds move one at a time, from clusters that do not use theirs to those that are at the top of theirs. Who uses what
//! is read from the members' autoscalers, and one that has just scaled is left alone for a while. Where several clusters
//! have the same claim the first by name is served, so that the same input gives the same shares.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::{ClusterName, Present};

/// An autoscaler that has scaled is left alone for so long.
pub const FORBIDDEN_WINDOW: Duration = Duration::from_secs(120);

/// Below this a cluster could never be at the top of its bounds and idle in turn, so that nothing would ever move.
const SMALLEST_MAXIMUM: i64 = 2;

/// The bounds of an autoscaler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Bounds {
    /// `minReplicas`.
    pub min: i64,
    /// `maxReplicas`.
    pub max: i64,
}

/// The autoscaler of one member, as far as sharing out reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Autoscaler {
    /// Its bounds now.
    pub bounds: Bounds,
    /// Replicas that it last saw.
    pub current: i64,
    /// Replicas that it last asked for.
    pub desired: i64,
    /// When it last changed their number.
    pub last_scale: Option<Timestamp>,
}

impl Autoscaler {
    /// Reads a member's autoscaler.
    pub fn of(present: &Present) -> Self {
        let spec = |field: &str| present.retained[field].as_i64();
        let status = |field: &str| present.remote_status.as_ref().map(|status| &status[field]);
        let count = |field: &str| status(field).and_then(Value::as_i64).unwrap_or_default();
        Self {
            bounds: Bounds {
                min: spec("minReplicas").unwrap_or(1),
                max: spec("maxReplicas").unwrap_or_default(),
            },
            current: count("currentReplicas"),
            desired: count("desiredReplicas"),
            last_scale: status("lastScaleTime")
                .and_then(Value::as_str)
                .and_then(|at| at.parse().ok()),
        }
    }

    /// Nothing has happened to it yet.
    fn is_pristine(&self) -> bool {
        self.last_scale.is_none() && self.desired == 0
    }

    /// Whether it has been a while since it scaled.
    fn is_scalable(&self, now: Timestamp) -> bool {
        self.last_scale.is_some_and(|at| at + FORBIDDEN_WINDOW <= now)
    }

    /// Whether it can do with one replica less at the top.
    fn offers_max(&self, now: Timestamp) -> bool {
        let is_idle = self.desired < self.current || self.desired == self.current && self.current < self.bounds.max;
        self.bounds.max > self.bounds.min && (self.is_pristine() || self.is_scalable(now) && is_idle)
    }

    /// Whether it can do with one replica less at the bottom.
    fn offers_min(&self, now: Timestamp) -> bool {
        let is_at_bottom = self.desired == self.current && self.current == self.bounds.min;
        self.bounds.min > 1 && (self.is_pristine() || self.is_scalable(now) && is_at_bottom)
    }

    /// Whether it is held down by its top.
    fn needs_max(&self, now: Timestamp) -> bool {
        self.is_scalable(now) && self.current == self.desired && self.desired == self.bounds.max
    }

    /// Whether its bottom may rise.
    fn takes_min(&self, now: Timestamp) -> bool {
        self.is_scalable(now) && self.bounds.min < self.bounds.max && self.desired > self.bounds.min
    }
}

/// Shares the bounds out. `clusters` are those that may have an autoscaler, each with the one it has; those that get
/// none are left out of the result.
pub fn share_out(
    wanted: Bounds,
    clusters: &BTreeMap<ClusterName, Option<Autoscaler>>,
    now: Timestamp,
) -> BTreeMap<ClusterName, Bounds> {
    let Ok(count) = i64::try_from(clusters.len()) else {
        return BTreeMap::new();
    };
    if count == 0 {
        return BTreeMap::new();
    }
    let mut sharing = Sharing::new(clusters, now);
    let (mut max, mut min) = sharing.totals();
    (max, min) = (wanted.max - max, wanted.min - min);
    if max < 0 {
        sharing.cut_max(-max);
        max = 0;
    }
    if min < 0 {
        sharing.cut_min(-min);
        min = 0;
    }
    let of = |offerers: &BTreeSet<ClusterName>| i64::try_from(offerers.len()).unwrap_or(i64::MAX);
    sharing.give_max(max + of(&sharing.offer_max), SMALLEST_MAXIMUM.max(wanted.max / count));
    sharing.give_min(min + of(&sharing.offer_min), 1.max(wanted.min / count));
    sharing.finish()
}

/// When the shares may come out otherwise although nothing happens: as soon as the first autoscaler may be asked again.
pub fn recheck(clusters: &BTreeMap<ClusterName, Option<Autoscaler>>, now: Timestamp) -> Option<Duration> {
    let scaled = clusters.values().flatten().filter_map(|one| one.last_scale);
    let ends = scaled.map(|at| at + FORBIDDEN_WINDOW).filter(|end| *end > now);
    let next = ends.min()?;
    Some(Duration::try_from(next.duration_since(now)).unwrap_or_default() + Duration::from_secs(1))
}

struct Sharing<'a> {
    now: Timestamp,
    before: &'a BTreeMap<ClusterName, Option<Autoscaler>>,
    shares: BTreeMap<ClusterName, Bounds>,
    offer_max: BTreeSet<ClusterName>,
    offer_min: BTreeSet<ClusterName>,
    without: Vec<ClusterName>,
}

impl<'a> Sharing<'a> {
    fn new(before: &'a BTreeMap<ClusterName, Option<Autoscaler>>, now: Timestamp) -> Self {
        let mut sharing = Self {
            now,
            before,
            shares: BTreeMap::new(),
            offer_max: BTreeSet::new(),
            offer_min: BTreeSet::new(),
            without: Vec::new(),
        };
        for (name, autoscaler) in before {
            let Some(autoscaler) = autoscaler else {
                sharing.without.push(name.clone());
                continue;
            };
            sharing.shares.insert(name.clone(), autoscaler.bounds);
            if autoscaler.offers_max(now) {
                sharing.offer_max.insert(name.clone());
            }
            if autoscaler.offers_min(now) {
                sharing.offer_min.insert(name.clone());
            }
        }
        sharing
    }

    /// What all have together, at the top and at the bottom.
    fn totals(&self) -> (i64, i64) {
        let bounds = self.shares.values();
        bounds.fold((0, 0), |(max, min), bounds| (max + bounds.max, min + bounds.min))
    }

    fn cut_max(&mut self, mut excess: i64) {
        while excess > 0 && self.take_max().is_some() {
            excess -= 1;
        }
        let mut before = excess + 1;
        while excess > 0 && excess < before {
            before = excess;
            for bounds in self.shares.values_mut().filter(|bounds| bounds.max > 0) {
                if excess > 0 {
                    bounds.max -= 1;
                    bounds.min = bounds.min.min(bounds.max);
                    excess -= 1;
                }
            }
        }
    }

    fn cut_min(&mut self, mut excess: i64) {
        while excess > 0 && self.take_min().is_some() {
            excess -= 1;
        }
        let mut before = excess + 1;
        while excess > 0 && excess < before {
            before = excess;
            // Each that stays needs one; that all together may be more than was asked for.
            for bounds in self.shares.values_mut().filter(|bounds| bounds.min > 1) {
                if excess > 0 {
                    bounds.min -= 1;
                    excess -= 1;
                }
            }
        }
    }

    /// Takes one from the top of a cluster that offers it.
    fn take_max(&mut self) -> Option<ClusterName> {
        let name = self.offer_max.pop_first()?;
        if let Some(bounds) = self.shares.get_mut(&name) {
            bounds.max -= 1;
        }
        Some(name)
    }

    fn take_min(&mut self) -> Option<ClusterName> {
        let name = self.offer_min.pop_first()?;
        if let Some(bounds) = self.shares.get_mut(&name) {
            bounds.min -= 1;
        }
        Some(name)
    }

    /// Those whose turn it is: the ones without an autoscaler, or all when none lacks one.
    fn in_turn(&self) -> Vec<ClusterName> {
        if self.without.is_empty() {
            self.before.keys().cloned().collect()
        } else {
            self.without.clone()
        }
    }

    fn asking(&self, asks: impl Fn(&Autoscaler) -> bool) -> Vec<ClusterName> {
        let asking = self.before.iter().filter(|(_, one)| one.as_ref().is_some_and(&asks));
        asking.map(|(name, _)| name.clone()).collect()
    }

    fn give_max(&mut self, mut rest: i64, step: i64) {
        let now = self.now;
        for name in self.asking(|one| one.needs_max(now)) {
            if rest > 0 {
                self.take_max();
                self.shares.entry(name).or_default().max += 1;
                rest -= 1;
            }
        }
        while rest > 0 {
            for name in self.in_turn() {
                let given = if self.take_max().is_some() { 1 } else { step.min(rest) };
                self.shares.entry(name).or_default().max += given;
                rest -= given;
                if rest == 0 {
                    break;
                }
            }
        }
    }

    fn give_min(&mut self, mut rest: i64, step: i64) {
        let now = self.now;
        for name in self.asking(|one| one.takes_min(now)) {
            let bounds = self.shares.get(&name).copied().unwrap_or_default();
            if rest > 0 && bounds.min < bounds.max {
                self.take_min();
                self.shares.entry(name).or_default().min += 1;
                rest -= 1;
            }
        }
        let mut before = rest + 1;
        while rest > 0 && rest < before {
            before = rest;
            for name in self.in_turn() {
                let bounds = self.shares.get(&name).copied().unwrap_or_default();
                if rest == 0 || bounds.min >= bounds.max {
                    continue;
                }
                let given = if self.take_min().is_some() { 1 } else { step.min(rest) };
                let bounds = self.shares.entry(name).or_default();
                let given = given.min(bounds.max - bounds.min);
                bounds.min += given;
                rest -= given;
            }
        }
    }

    fn finish(self) -> BTreeMap<ClusterName, Bounds> {
        let with_share = self.shares.into_iter().filter(|(_, bounds)| bounds.max > 0);
        with_share
            .map(|(name, bounds)| {
                let min = bounds.min.clamp(1, bounds.max);
                (name, Bounds { min, ..bounds })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
