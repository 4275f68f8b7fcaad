use proptest::prelude::*;

use super::*;

fn name(text: &str) -> ClusterName {
    ClusterName::parse(text).unwrap()
}

#[test]
fn the_hash_multiplies_before_it_mixes() {
    // Published values of FNV-1 with 32 bits.
    assert_eq!(fnv1("", ""), 0x811c_9dc5);
    assert_eq!(fnv1("a", ""), 0x050c_5d7e);
    assert_eq!(fnv1("foo", "bar"), 0x31f0_b262);
}

#[test]
fn minimums_come_off_before_weights_apply() {
    let preference = |min_replicas, weight| ClusterPreference {
        min_replicas,
        max_replicas: None,
        weight,
    };
    let preference = Preference {
        total_replicas: 10,
        rebalance: true,
        clusters: BTreeMap::from([("c1".to_owned(), preference(2, 2)), ("c2".to_owned(), preference(4, 3))]),
    };
    let clusters = ["c1", "c2"].map(|text| AvailableCluster {
        name: name(text),
        current: None,
        capacity: None,
    });
    assert_eq!(
        plan("", &preference, &clusters).plan,
        BTreeMap::from([(name("c1"), 3), (name("c2"), 7)])
    );
}

#[test]
fn what_finds_no_place_is_told() {
    let preference = Preference {
        total_replicas: 9,
        rebalance: false,
        clusters: BTreeMap::from([(
            "*".to_owned(),
            ClusterPreference {
                min_replicas: 0,
                max_replicas: Some(2),
                weight: 1,
            },
        )]),
    };
    let clusters = ["a", "b"].map(|text| AvailableCluster {
        name: name(text),
        current: None,
        capacity: None,
    });
    assert_eq!(plan("", &preference, &clusters).unplaced, 5);
}

fn any_preference() -> impl Strategy<Value = ClusterPreference> {
    (0_i64..6, proptest::option::of(0_i64..12), 0_i64..6).prop_map(|(min_replicas, extra, weight)| ClusterPreference {
        min_replicas,
        max_replicas: extra.map(|extra| min_replicas + extra),
        weight,
    })
}

fn any_case() -> impl Strategy<Value = (String, Preference, Vec<AvailableCluster>)> {
    let names = prop_oneof![Just("*".to_owned()), "[a-e]"];
    let preference = (
        0_i64..60,
        any::<bool>(),
        proptest::collection::btree_map(names, any_preference(), 1..5),
    )
        .prop_map(|(total_replicas, rebalance, clusters)| Preference {
            total_replicas,
            rebalance,
            clusters,
        });
    let counts = (proptest::option::of(0_i64..15), proptest::option::of(0_i64..15));
    let clusters = proptest::collection::btree_map("[a-f]", counts, 0..6).prop_map(|clusters| {
        clusters
            .into_iter()
            .map(|(text, (current, capacity))| AvailableCluster {
                name: name(&text),
                current,
                capacity,
            })
            .collect::<Vec<_>>()
    });
    ("[a-z]{0,3}/[a-z]{0,3}", preference, clusters)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_cluster_is_named_and_the_total_never_exceeded((key, preference, clusters) in any_case()) {
        let plan = plan(&key, &preference, &clusters);
        prop_assert_eq!(plan.plan.len(), clusters.len());
        prop_assert_eq!(plan.plan.values().sum::<i64>() + plan.unplaced, preference.total_replicas);
        prop_assert!(plan.unplaced >= 0);
    }

    #[test]
    fn bounds_hold((key, preference, clusters) in any_case()) {
        let plan = plan(&key, &preference, &clusters);
        for cluster in &clusters {
            let replicas = plan.plan[&cluster.name];
            match preference.of(&cluster.name) {
                None => prop_assert_eq!(replicas, 0),
                Some(bounds) => {
                    prop_assert!(replicas >= 0 && replicas <= bounds.max_replicas.unwrap_or(i64::MAX));
                    prop_assert!(replicas <= cluster.capacity.unwrap_or(i64::MAX));
                }
            }
        }
    }

    #[test]
    fn minimums_are_met_when_the_total_allows((key, preference, clusters) in any_case()) {
        let minimum = |cluster: &AvailableCluster| {
            preference.of(&cluster.name).map_or(0, |bounds| cluster.capacity.map_or(bounds.min_replicas, |capacity| capacity.min(bounds.min_replicas)))
        };
        if clusters.iter().map(minimum).sum::<i64>() <= preference.total_replicas {
            let plan = plan(&key, &preference, &clusters);
            for cluster in &clusters {
                prop_assert!(plan.plan[&cluster.name] >= minimum(cluster));
            }
        }
    }

    #[test]
    fn the_order_of_clusters_does_not_matter((key, preference, clusters) in any_case(), seed in any::<u64>()) {
        let mut shuffled = clusters.clone();
        shuffled.sort_by_key(|cluster| fnv1(cluster.name.as_str(), &seed.to_string()));
        prop_assert_eq!(plan(&key, &preference, &clusters), plan(&key, &preference, &shuffled));
    }

    #[test]
    fn nothing_moves_without_rebalance((key, mut preference, clusters) in any_case()) {
        preference.rebalance = false;
        let stays = |cluster: &AvailableCluster| {
            let bounds = preference.of(&cluster.name)?;
            let limit = bounds.max_replicas.unwrap_or(i64::MAX).min(cluster.capacity.unwrap_or(i64::MAX));
            Some(cluster.current.unwrap_or(0).max(bounds.min_replicas).min(limit))
        };
        if clusters.iter().filter_map(stays).sum::<i64>() <= preference.total_replicas {
            let plan = plan(&key, &preference, &clusters);
            for cluster in &clusters {
                prop_assert!(plan.plan[&cluster.name] >= stays(cluster).unwrap_or(0));
            }
        }
    }

    #[test]
    fn a_plan_that_was_carried_out_is_planned_again((key, preference, clusters) in any_case()) {
        let first = plan(&key, &preference, &clusters);
        let running: Vec<AvailableCluster> = clusters
            .into_iter()
            .map(|cluster| AvailableCluster { current: Some(first.plan[&cluster.name]), ..cluster })
            .collect();
        prop_assert_eq!(plan(&key, &preference, &running).plan, first.plan);
    }

    #[test]
    fn overflow_is_positive_and_without_rebalance_never_more_than_was_left((key, preference, clusters) in any_case()) {
        let plan = plan(&key, &preference, &clusters);
        for over in plan.overflow.values() {
            prop_assert!(*over > 0);
            prop_assert!(preference.rebalance || *over <= plan.unplaced);
        }
    }
}
