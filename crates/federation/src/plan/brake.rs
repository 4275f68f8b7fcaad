//! The brake: a change that would delete a great deal waits until somebody says that it is meant.

use std::collections::BTreeMap;

use super::{ClusterPlan, Input, Plan, Step};
use crate::ClusterName;
use crate::hash::hash_text;
use crate::status::Reason;

/// Deletes up to this many are never too many by number.
const FREE_DELETES: u64 = 10;

/// One delete that a change brings about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlannedDelete {
    /// The federated object, as `FederatedDeployment shop/web`.
    pub key: String,
    /// Where.
    pub cluster: ClusterName,
    /// The member object.
    pub uid: String,
    /// Managed objects that go with it, as the contents of a namespace do.
    pub takes_along: u64,
}

/// Deletes that wait for a confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// What to write into [`crate::object::CONFIRM_DELETES_ANNOTATION`] of the cause. Another set of deletes has another token.
    pub token: String,
    /// Why, for people.
    pub message: String,
    /// What would go.
    pub deletes: Vec<PlannedDelete>,
}

impl Hold {
    /// A hold on exactly these deletes, confirmed where the change was made.
    pub fn new(deletes: &[PlannedDelete], why: &str) -> Self {
        Self::confirmed_at("the object that was changed", "", deletes, why)
    }

    /// A hold on namespaces for what others put there, confirmed at one object only. Its token is another than that of
    /// the same deletes held for their number: who confirmed those was not told of strangers.
    pub fn of_strangers(place: &str, deletes: &[PlannedDelete], why: &str) -> Self {
        Self::confirmed_at(place, "strangers\n", deletes, why)
    }

    /// Whether the object itself says that it is meant.
    fn is_confirmed(&self, input: &Input<'_>) -> bool {
        input.object.confirm_deletes.as_ref() == Some(&self.token)
    }

    fn confirmed_at(place: &str, about: &str, deletes: &[PlannedDelete], why: &str) -> Self {
        let mut deletes = deletes.to_vec();
        deletes.sort();
        let lines: Vec<String> = deletes
            .iter()
            .map(|one| format!("{} {} {}\n", one.key, one.cluster, one.uid))
            .collect();
        let token = hash_text(&format!("{about}{}", lines.concat()));
        let message = format!(
            "{why}; if it is meant, annotate {place} with {}={token}",
            crate::object::CONFIRM_DELETES_ANNOTATION
        );
        Self {
            token,
            message,
            deletes,
        }
    }
}

/// Whether these deletes, all brought about by one change, are too many to happen by themselves: more than 10 and more
/// than 10 % of what the hub manages, or everything in more than one cluster.
pub fn brake(deletes: &[PlannedDelete], managed: &BTreeMap<ClusterName, u64>) -> Option<Hold> {
    let mut by_cluster: BTreeMap<&ClusterName, u64> = BTreeMap::new();
    for delete in deletes {
        let sum = by_cluster.entry(&delete.cluster).or_default();
        *sum = sum.saturating_add(1).saturating_add(delete.takes_along);
    }
    let total: u64 = managed.values().sum();
    let going: u64 = by_cluster.values().sum();
    let emptied: Vec<&str> = by_cluster
        .iter()
        .filter(|(cluster, going)| {
            managed
                .get(**cluster)
                .is_some_and(|managed| *managed > 0 && **going >= *managed)
        })
        .map(|(cluster, _)| cluster.as_str())
        .collect();
    if emptied.len() > 1 {
        Some(Hold::new(
            deletes,
            &format!(
                "this would delete everything that the hub manages in {}",
                emptied.join(", ")
            ),
        ))
    } else if going > FREE_DELETES && going.saturating_mul(10) > total {
        Some(Hold::new(
            deletes,
            &format!("this would delete {going} of {total} managed objects"),
        ))
    } else {
        None
    }
}

impl Plan {
    /// The deletes of this plan, to be weighed together with those of other objects.
    pub fn deletes(&self, input: &Input<'_>) -> Vec<PlannedDelete> {
        let of_cluster = |(cluster, plan): (&ClusterName, &ClusterPlan)| match &plan.step {
            Step::Delete { uid, .. } => Some(PlannedDelete {
                key: input.title(),
                cluster: cluster.clone(),
                uid: uid.clone(),
                takes_along: input.contents.get(cluster).map_or(0, |contents| contents.managed),
            }),
            _ => None,
        };
        self.clusters.iter().filter_map(of_cluster).collect()
    }

    /// Holds the deletes of a change that would delete too much, or what nobody was shown.
    pub(crate) fn brake_change(&mut self, input: &Input<'_>) {
        let deletes = self.deletes(input);
        if deletes.is_empty() {
            return;
        }
        let strangers = Self::strangers(input, &deletes);
        // Whoever was told of everything in this namespace was told how much it is.
        let is_told = strangers.as_ref().is_some_and(|hold| hold.is_confirmed(input));
        if !input.confirmed {
            let number = || brake(&deletes, input.managed).filter(|_| !is_told);
            let hold = input.held.cloned().or_else(number);
            let hold = hold.or_else(|| self.lost_preference(input, &deletes));
            self.hold_unless_confirmed(input, hold);
        }
        // Once it was let go nobody is asked again for what is left of it.
        let is_let_go = self.hold.is_none() && self.is_complete();
        self.placed_by_preference &= !is_let_go || input.has_preference();
        // Whoever confirmed many deletes was not told what lies in this namespace.
        if self.hold.is_none() {
            self.hold_unless_confirmed(input, strangers);
        }
    }

    /// Deleting one object is meant, unless it is a namespace in which members hold what is not the hub's.
    pub(crate) fn brake_deletion(&mut self, input: &Input<'_>) {
        let deletes = self.deletes(input);
        let strangers = Self::strangers(input, &deletes);
        self.hold_unless_confirmed(input, strangers);
    }

    /// Whether the plan says of every cluster what becomes of the object there, so that no other delete can follow.
    fn is_complete(&self) -> bool {
        self.clusters.values().all(|cluster| match &cluster.step {
            Step::Wait(reason, _) | Step::Fail(reason, _) => *reason == Reason::WaitingForRemoval,
            Step::UpToDate | Step::Apply(_) | Step::Delete { .. } | Step::Release { .. } | Step::Keep(..) => true,
        })
    }

    /// A namespace goes with all that is in it: what others put there only goes when its own token says so.
    fn strangers(input: &Input<'_>, deletes: &[PlannedDelete]) -> Option<Hold> {
        if !input.kind.is_namespace() {
            return None;
        }
        let strangers = deletes
            .iter()
            .filter_map(|delete| input.contents.get(&delete.cluster))
            .fold(0_u64, |sum, contents| sum.saturating_add(contents.unmanaged));
        let objects = if strangers == 1 { "object" } else { "objects" };
        let why = format!(
            "members hold at least {strangers} {objects} in this namespace that the hub does not manage, and all that is in it would go with it"
        );
        (strangers > 0).then(|| Hold::of_strangers(&input.title(), deletes, &why))
    }

    /// A preference stands for a placement that names nothing. Taking it away is no word about where the object goes, so
    /// what it leaves behind is deleted by nobody but whoever says so.
    fn lost_preference(&self, input: &Input<'_>, deletes: &[PlannedDelete]) -> Option<Hold> {
        let is_lost = self.placed_by_preference && !input.has_preference();
        is_lost.then(|| {
            let why = "this would delete the object: the replica preference that placed it is gone, and its own placement names no cluster; name the clusters that it stays in";
            Hold::confirmed_at(&input.title(), "", deletes, why)
        })
    }

    fn hold_unless_confirmed(&mut self, input: &Input<'_>, hold: Option<Hold>) {
        let Some(hold) = hold.filter(|hold| !hold.is_confirmed(input)) else {
            return;
        };
        for cluster in self.clusters.values_mut() {
            if matches!(cluster.step, Step::Delete { .. }) {
                cluster.step = Step::Keep(Reason::Held, hold.message.clone());
            }
        }
        self.hold = Some(hold);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ClusterName {
        ClusterName::parse(text).unwrap()
    }

    fn deletes(count: usize, cluster: &str) -> Vec<PlannedDelete> {
        let one = |index| PlannedDelete {
            key: format!("FederatedConfigMap shop/{index}"),
            cluster: name(cluster),
            uid: format!("u-{index}"),
            takes_along: 0,
        };
        (0..count).map(one).collect()
    }

    fn managed(counts: &[(&str, u64)]) -> BTreeMap<ClusterName, u64> {
        counts.iter().map(|(cluster, count)| (name(cluster), *count)).collect()
    }

    #[test]
    fn ten_deletes_pass_and_eleven_of_a_hundred_do_not() {
        assert_eq!(brake(&deletes(10, "eu-1"), &managed(&[("eu-1", 20)])), None);
        assert!(brake(&deletes(11, "eu-1"), &managed(&[("eu-1", 100)])).is_some());
    }

    #[test]
    fn a_tenth_of_a_large_fleet_passes() {
        assert_eq!(
            brake(&deletes(100, "eu-1"), &managed(&[("eu-1", 600), ("us-1", 400)])),
            None
        );
        assert!(brake(&deletes(101, "eu-1"), &managed(&[("eu-1", 600), ("us-1", 400)])).is_some());
    }

    #[test]
    fn emptying_one_cluster_passes_and_emptying_two_does_not() {
        let both = [deletes(1, "eu-1"), deletes(1, "us-1")].concat();
        assert_eq!(brake(&both, &managed(&[("eu-1", 1), ("us-1", 5)])), None);
        let hold = brake(&both, &managed(&[("eu-1", 1), ("us-1", 1)])).unwrap();
        assert!(hold.message.contains("eu-1, us-1"), "{}", hold.message);
    }

    #[test]
    fn what_goes_with_a_namespace_counts() {
        let mut namespaces = [deletes(1, "eu-1"), deletes(1, "us-1")].concat();
        for namespace in &mut namespaces {
            namespace.takes_along = 4;
        }
        assert!(brake(&namespaces, &managed(&[("eu-1", 5), ("us-1", 5)])).is_some());
    }

    #[test]
    fn without_totals_only_the_number_speaks() {
        assert_eq!(brake(&deletes(10, "eu-1"), &BTreeMap::new()), None);
        assert!(brake(&deletes(11, "eu-1"), &BTreeMap::new()).is_some());
    }

    #[test]
    fn a_token_is_for_one_set_of_deletes_in_any_order() {
        let totals = managed(&[("eu-1", 20)]);
        let mut reversed = deletes(12, "eu-1");
        reversed.reverse();
        let token = |deletes: &[PlannedDelete]| brake(deletes, &totals).unwrap().token;
        assert_eq!(token(&deletes(12, "eu-1")), token(&reversed));
        assert_ne!(token(&deletes(12, "eu-1")), token(&deletes(11, "eu-1")));
        reversed[0].uid = "recreated".to_owned();
        assert_ne!(token(&deletes(12, "eu-1")), token(&reversed));
    }
}
