//! Worked replica plans, input and output of `atoll plan`; and a second planner, written down step by step and as plainly
//! as the algorithm is told, to compare with.

use std::collections::BTreeMap;

use atoll_federation::ClusterName;
use atoll_federation::replicas::{self, AvailableCluster, ClusterPreference, PlanRequest, Preference};
use proptest::prelude::*;
use serde_json::Value;

#[test]
fn every_worked_plan_comes_out_as_written() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("data/replica_plans.json")).unwrap();
    assert!(cases.len() >= 30);
    for case in cases {
        let request = PlanRequest::parse(&case["input"]).unwrap();
        let plan = replicas::plan(&request.key, &request.preference, &request.clusters);
        assert_eq!(
            serde_json::to_value(&plan).unwrap(),
            case["output"],
            "{}",
            case["title"]
        );
    }
}

fn hash(name: &str, key: &str) -> u32 {
    let mut hash: u32 = 2_166_136_261;
    for byte in name.bytes().chain(key.bytes()) {
        hash = hash.wrapping_mul(16_777_619);
        hash ^= u32::from(byte);
    }
    hash
}

type Counts = BTreeMap<String, i64>;

/// Plan and overflow, step by step.
fn told(key: &str, preference: &Preference, available: &[AvailableCluster]) -> (Counts, Counts) {
    let mut plan = Counts::new();
    let mut overflow = Counts::new();
    let mut kept = Counts::new();
    let (mut current, mut capacity) = (Counts::new(), Counts::new());
    let mut order: Vec<(String, ClusterPreference)> = Vec::new();
    for cluster in available {
        let name = cluster.name.to_string();
        plan.insert(name.clone(), 0);
        if let Some(count) = cluster.current {
            current.insert(name.clone(), count);
        }
        if let Some(count) = cluster.capacity {
            capacity.insert(name.clone(), count);
        }
        let entry = preference.clusters.get(&name).or(preference.clusters.get("*"));
        if let Some(entry) = entry {
            order.push((name, entry.clone()));
        }
    }
    // Heavier ones first, then by hash.
    order.sort_by(|(one, a), (other, b)| {
        let by_weight = b.weight.cmp(&a.weight);
        by_weight
            .then(hash(one, key).cmp(&hash(other, key)))
            .then(one.cmp(other))
    });
    let mut rest = preference.total_replicas;
    // Minimums, as far as they go.
    for (name, entry) in &order {
        let mut count = entry.min_replicas.min(rest);
        if let Some(capacity) = capacity.get(name) {
            count = count.min(*capacity);
        }
        plan.insert(name.clone(), count);
        rest -= count;
    }
    // What runs stays, as far as it may.
    if !preference.rebalance {
        for (name, entry) in &order {
            let Some(running) = current.get(name).filter(|running| **running > plan[name]) else {
                continue;
            };
            let mut target = *running;
            if let Some(max) = entry.max_replicas {
                target = target.min(max);
            }
            if let Some(capacity) = capacity.get(name) {
                target = target.min(*capacity);
            }
            let extra = (target - plan[name]).min(rest).max(0);
            rest -= extra;
            kept.insert(name.clone(), extra);
            *plan.get_mut(name).unwrap() += extra;
        }
    }
    // Rounds by weight.
    let mut remaining = order;
    loop {
        let weights: i64 = remaining.iter().map(|(_, entry)| entry.weight).sum();
        if rest <= 0 || weights <= 0 {
            break;
        }
        let to_share = rest;
        let mut changed = false;
        let mut next = Vec::new();
        for (name, entry) in remaining {
            let mut extra = (to_share * entry.weight + weights - 1) / weights;
            extra = extra.min(rest);
            let before = kept.get(&name).copied().unwrap_or(0);
            let used = extra.min(before);
            kept.insert(name.clone(), before - used);
            extra -= used;
            if used > 0 {
                changed = true;
            }
            let start = plan[&name];
            let mut total = start + extra;
            let mut full = false;
            if let Some(max) = entry.max_replicas
                && total > max
            {
                total = max;
                full = true;
            }
            if let Some(capacity) = capacity.get(&name)
                && total > *capacity
            {
                overflow.insert(name.clone(), total - capacity);
                total = *capacity;
                full = true;
            }
            rest -= total - start;
            if total > start {
                changed = true;
            }
            plan.insert(name.clone(), total);
            if !full {
                next.push((name, entry));
            }
        }
        remaining = next;
        if !changed {
            break;
        }
    }
    if !preference.rebalance {
        for over in overflow.values_mut() {
            *over = (*over).min(rest);
        }
    }
    overflow.retain(|_, over| *over > 0);
    (plan, overflow)
}

fn any_entry() -> impl Strategy<Value = ClusterPreference> {
    (0_i64..8, proptest::option::of(0_i64..15), 0_i64..7).prop_map(|(min_replicas, extra, weight)| ClusterPreference {
        min_replicas,
        max_replicas: extra.map(|extra| min_replicas + extra),
        weight,
    })
}

fn any_clusters() -> impl Strategy<Value = Vec<AvailableCluster>> {
    let counts = (proptest::option::of(0_i64..20), proptest::option::of(0_i64..20));
    proptest::collection::btree_map("[a-h][0-9]?", counts, 0..8).prop_map(|clusters| {
        let one = |(name, (current, capacity)): (String, _)| AvailableCluster {
            name: ClusterName::parse(&name).unwrap(),
            current,
            capacity,
        };
        clusters.into_iter().map(one).collect()
    })
}

fn any_preference() -> impl Strategy<Value = Preference> {
    let names = prop_oneof![Just("*".to_owned()), "[a-h][0-9]?"];
    let entries = proptest::collection::btree_map(names, any_entry(), 1..6);
    (0_i64..120, any::<bool>(), entries).prop_map(|(total_replicas, rebalance, clusters)| Preference {
        total_replicas,
        rebalance,
        clusters,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn the_planner_does_what_is_told_step_by_step(key in "[a-z]{0,4}/[a-z]{0,4}", preference in any_preference(), clusters in any_clusters()) {
        let plan = replicas::plan(&key, &preference, &clusters);
        let counts = |map: &BTreeMap<ClusterName, i64>| -> Counts {
            map.iter().map(|(name, count)| (name.to_string(), *count)).collect()
        };
        prop_assert_eq!((counts(&plan.plan), counts(&plan.overflow)), told(&key, &preference, &clusters));
    }

    #[test]
    fn the_largest_numbers_are_shared_out_without_overflow(weights in proptest::collection::vec(0..=i64::MAX, 1..5), total in 0..=i64::from(i32::MAX)) {
        let names = ["a", "b", "c", "d"];
        let entry = |weight: i64| ClusterPreference { min_replicas: 0, max_replicas: None, weight };
        let preference = Preference {
            total_replicas: total,
            rebalance: false,
            clusters: names.iter().zip(&weights).map(|(name, weight)| ((*name).to_owned(), entry(*weight))).collect(),
        };
        let clusters: Vec<AvailableCluster> = names
            .iter()
            .map(|name| AvailableCluster { name: ClusterName::parse(name).unwrap(), current: None, capacity: None })
            .collect();
        let plan = replicas::plan("shop/web", &preference, &clusters);
        prop_assert_eq!(plan.plan.values().sum::<i64>() + plan.unplaced, total);
        prop_assert!(plan.plan.values().all(|count| *count >= 0));
    }
}
