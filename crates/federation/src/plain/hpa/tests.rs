use super::*;

const NOW: &str = "2026-01-02T03:04:05Z";
const LONG_AGO: &str = "2026-01-02T03:00:00Z";
const JUST_NOW: &str = "2026-01-02T03:03:00Z";

fn name(text: &str) -> ClusterName {
    ClusterName::parse(text).unwrap()
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// An autoscaler with these bounds that has these replicas, wants these and scaled at this time.
fn scaler(min: i64, max: i64, current: i64, desired: i64, at: &str) -> Option<Autoscaler> {
    Some(Autoscaler {
        bounds: Bounds { min, max },
        current,
        desired,
        last_scale: at.parse().ok(),
    })
}

fn pristine(min: i64, max: i64) -> Option<Autoscaler> {
    scaler(min, max, 0, 0, "")
}

type Clusters = Vec<(&'static str, Option<Autoscaler>)>;

fn map(clusters: Clusters) -> BTreeMap<ClusterName, Option<Autoscaler>> {
    clusters.into_iter().map(|(text, one)| (name(text), one)).collect()
}

fn shares(min: i64, max: i64, clusters: Clusters) -> Vec<(String, i64, i64)> {
    let shares = share_out(Bounds { min, max }, &map(clusters), now());
    shares
        .into_iter()
        .map(|(name, bounds)| (name.to_string(), bounds.min, bounds.max))
        .collect()
}

fn expect(shares: Vec<(String, i64, i64)>, expected: &[(&str, i64, i64)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, min, max)| ((*name).to_owned(), *min, *max))
        .collect();
    assert_eq!(shares, expected);
}

#[test]
fn clusters_without_one_get_equal_parts() {
    expect(
        shares(4, 10, vec![("a", None), ("b", None)]),
        &[("a", 2, 5), ("b", 2, 5)],
    );
    expect(
        shares(1, 7, vec![("a", None), ("b", None), ("c", None)]),
        &[("a", 1, 3), ("b", 1, 2), ("c", 1, 2)],
    );
}

#[test]
fn the_smallest_top_is_two_so_the_last_may_get_none() {
    expect(
        shares(1, 3, vec![("a", None), ("b", None), ("c", None)]),
        &[("a", 1, 2), ("b", 1, 1)],
    );
    expect(shares(1, 1, vec![("a", None), ("b", None)]), &[("a", 1, 1)]);
}

#[test]
fn each_that_has_one_has_at_least_one_replica_at_the_bottom() {
    // Asked for is one in all; but no cluster can have less.
    expect(
        shares(1, 9, vec![("a", None), ("b", None), ("c", None)]),
        &[("a", 1, 3), ("b", 1, 3), ("c", 1, 3)],
    );
}

#[test]
fn what_is_settled_stays() {
    let busy = vec![("a", scaler(1, 5, 4, 4, JUST_NOW)), ("b", scaler(1, 5, 2, 2, JUST_NOW))];
    expect(shares(2, 10, busy), &[("a", 1, 5), ("b", 1, 5)]);
    let idle = vec![("a", pristine(1, 5)), ("b", pristine(1, 5))];
    expect(shares(2, 10, idle), &[("a", 1, 5), ("b", 1, 5)]);
}

#[test]
fn the_one_at_its_top_gets_one_from_the_one_that_is_idle() {
    let clusters = vec![("a", scaler(1, 5, 5, 5, LONG_AGO)), ("b", scaler(1, 5, 2, 2, LONG_AGO))];
    expect(shares(2, 10, clusters), &[("a", 1, 6), ("b", 1, 4)]);
}

#[test]
fn nothing_moves_from_or_to_one_that_has_just_scaled() {
    let needs = vec![("a", scaler(1, 5, 5, 5, JUST_NOW)), ("b", scaler(1, 5, 5, 5, JUST_NOW))];
    expect(shares(2, 10, needs), &[("a", 1, 5), ("b", 1, 5)]);
    let offers = vec![("a", scaler(1, 5, 5, 5, LONG_AGO)), ("b", scaler(1, 5, 2, 2, JUST_NOW))];
    expect(shares(2, 10, offers), &[("a", 1, 5), ("b", 1, 5)]);
}

#[test]
fn a_top_never_falls_below_its_bottom() {
    let clusters = vec![("a", scaler(1, 5, 5, 5, LONG_AGO)), ("b", scaler(3, 3, 3, 3, LONG_AGO))];
    expect(shares(4, 8, clusters), &[("a", 2, 5), ("b", 2, 3)]);
}

#[test]
fn one_that_scales_down_offers_too() {
    let clusters = vec![("a", scaler(1, 5, 5, 5, LONG_AGO)), ("b", scaler(1, 5, 5, 2, LONG_AGO))];
    expect(shares(2, 10, clusters), &[("a", 1, 6), ("b", 1, 4)]);
}

#[test]
fn a_new_cluster_gets_what_others_offer() {
    let clusters = vec![("a", pristine(1, 5)), ("b", pristine(1, 5)), ("c", None)];
    expect(shares(2, 10, clusters), &[("a", 1, 4), ("b", 1, 4), ("c", 1, 2)]);
}

#[test]
fn a_new_cluster_gets_nothing_while_nobody_offers() {
    let clusters = vec![
        ("a", scaler(1, 5, 5, 5, JUST_NOW)),
        ("b", scaler(1, 5, 5, 5, JUST_NOW)),
        ("c", None),
    ];
    expect(shares(2, 10, clusters), &[("a", 1, 5), ("b", 1, 5)]);
}

#[test]
fn a_lower_total_is_cut_from_those_that_offer_and_then_in_turn() {
    let one_offers = || vec![("a", scaler(1, 5, 5, 5, JUST_NOW)), ("b", pristine(1, 5))];
    expect(shares(2, 9, one_offers()), &[("a", 1, 5), ("b", 1, 4)]);
    expect(shares(2, 7, one_offers()), &[("a", 1, 4), ("b", 1, 3)]);
}

#[test]
fn a_top_cut_to_nothing_takes_the_autoscaler_away() {
    let clusters = vec![("a", scaler(1, 1, 1, 1, JUST_NOW)), ("b", scaler(1, 2, 2, 2, JUST_NOW))];
    expect(shares(1, 1, clusters), &[("b", 1, 1)]);
}

#[test]
fn a_higher_total_goes_to_all_in_turn() {
    let clusters = vec![("a", scaler(1, 5, 3, 3, JUST_NOW)), ("b", scaler(1, 5, 3, 3, JUST_NOW))];
    expect(shares(2, 20, clusters), &[("a", 1, 15), ("b", 1, 5)]);
    let needy = vec![("a", scaler(1, 5, 3, 3, JUST_NOW)), ("b", scaler(1, 5, 5, 5, LONG_AGO))];
    expect(shares(2, 11, needy), &[("a", 1, 5), ("b", 1, 6)]);
}

#[test]
fn a_bottom_rises_where_it_is_used_and_falls_where_it_is_not() {
    let clusters = vec![("a", scaler(2, 5, 2, 2, LONG_AGO)), ("b", scaler(2, 5, 4, 4, LONG_AGO))];
    expect(shares(4, 10, clusters), &[("a", 1, 5), ("b", 3, 5)]);
}

#[test]
fn a_higher_bottom_never_passes_the_top() {
    let clusters = vec![("a", scaler(1, 2, 2, 2, JUST_NOW)), ("b", scaler(1, 8, 2, 2, JUST_NOW))];
    expect(shares(8, 10, clusters), &[("a", 2, 2), ("b", 6, 8)]);
    // More than all tops together has no place.
    let full = vec![("a", scaler(1, 2, 2, 2, JUST_NOW)), ("b", scaler(1, 3, 2, 2, JUST_NOW))];
    expect(shares(9, 5, full), &[("a", 2, 2), ("b", 3, 3)]);
}

#[test]
fn without_clusters_there_are_no_shares() {
    expect(shares(1, 5, Vec::new()), &[]);
}

#[test]
fn tops_sum_up_to_what_was_asked_for_whatever_happens() {
    // All states of two autoscalers over small bounds, with every total.
    let mut states = vec![None];
    for (min, max) in [(1, 1), (1, 2), (2, 3), (1, 4)] {
        for (current, desired) in [(0, 0), (min, min), (max, max), (max, min)] {
            states.extend(["", LONG_AGO, JUST_NOW].map(|at| scaler(min, max, current, desired, at)));
        }
    }
    for first in &states {
        for second in &states {
            for max in 1..7 {
                let clusters = map(vec![("a", *first), ("b", *second)]);
                let shares = share_out(Bounds { min: 1, max }, &clusters, now());
                assert_eq!(
                    shares.values().map(|bounds| bounds.max).sum::<i64>(),
                    max,
                    "{clusters:?}"
                );
                assert!(
                    shares
                        .values()
                        .all(|bounds| 1 <= bounds.min && bounds.min <= bounds.max),
                    "{clusters:?}"
                );
            }
        }
    }
}

#[test]
fn it_is_asked_again_when_the_first_may_scale_again() {
    let clusters = map(vec![
        ("a", scaler(1, 5, 3, 3, JUST_NOW)),
        ("b", scaler(1, 5, 3, 3, LONG_AGO)),
        ("c", None),
    ]);
    assert_eq!(recheck(&clusters, now()), Some(Duration::from_secs(56)));
    assert_eq!(recheck(&map(vec![("b", scaler(1, 5, 3, 3, LONG_AGO))]), now()), None);
}

#[test]
fn a_members_autoscaler_is_read_from_what_was_observed() {
    let present = Present {
        retained: serde_json::json!({"maxReplicas": 7}),
        remote_status: Some(Box::new(
            serde_json::json!({"currentReplicas": 3, "desiredReplicas": 4, "lastScaleTime": LONG_AGO}),
        )),
        ..Present::default()
    };
    assert_eq!(Some(Autoscaler::of(&present)), scaler(1, 7, 3, 4, LONG_AGO));
}
