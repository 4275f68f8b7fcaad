//! One test for each rule.

use serde_json::{Value, json};

use super::*;
use crate::{FieldReason, Settings};

fn config(spec: Value) -> Value {
    json!({"metadata": {"name": "kubefed", "namespace": SYSTEM_NAMESPACE}, "spec": spec})
}

fn refused(spec: Value) -> Vec<(String, FieldReason)> {
    let errors = admit_config(&config(spec), None).unwrap_err();
    errors.into_iter().map(|error| (error.field, error.reason)).collect()
}

#[test]
fn a_new_one_gets_all_defaults_of_kubefed() {
    let (admitted, warnings) = admit_config(&config(json!({"scope": "Cluster"})), None).unwrap();
    assert_eq!(admitted["spec"], default_config()["spec"]);
    assert_eq!(warnings, []);
    assert_eq!(Settings::read(&admitted), Settings::default());
    assert_eq!(
        admitted["spec"],
        json!({
            "scope": "Cluster",
            "controllerDuration": {"availableDelay": "20s", "unavailableDelay": "1m0s", "cacheSyncTimeout": "5m0s"},
            "leaderElect": {"leaseDuration": "15s", "renewDeadline": "10s", "retryPeriod": "5s", "resourceLock": "configmaps"},
            "featureGates": [
                {"name": "PushReconciler", "configuration": "Enabled"},
                {"name": "RawResourceStatusCollection", "configuration": "Disabled"},
                {"name": "SchedulerPreferences", "configuration": "Enabled"},
            ],
            "clusterHealthCheck": {"period": "10s", "timeout": "3s", "failureThreshold": 3, "successThreshold": 1},
            "syncController": {"maxConcurrentReconciles": 1, "adoptResources": "Enabled"},
            "statusController": {"maxConcurrentReconciles": 1},
        })
    );
    assert_eq!(admit_config(&admitted, None).unwrap().0, admitted);
}

#[test]
fn what_is_said_stays_and_gates_of_all_releases_are_one_sorted_list() {
    let spec = json!({"scope": "Namespaced", "clusterHealthCheck": {"period": "1m"}, "featureGates": [
        {"name": "SchedulerPreferences", "configuration": "Disabled"},
        {"name": "FederatedIngress", "configuration": "Enabled"},
    ]});
    let (admitted, warnings) = admit_config(&config(spec), None).unwrap();
    let names: Vec<&str> = admitted["spec"]["featureGates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gate| text(&gate["name"]))
        .collect();
    assert_eq!(
        names,
        [
            "FederatedIngress",
            "PushReconciler",
            "RawResourceStatusCollection",
            "SchedulerPreferences"
        ]
    );
    assert_eq!(admitted["spec"]["featureGates"][3]["configuration"], "Disabled");
    assert_eq!(admitted["spec"]["clusterHealthCheck"]["period"], "1m");
    assert_eq!(warnings, []);
}

#[test]
fn scope_is_required_and_stays() {
    assert_eq!(refused(json!({})), [("spec.scope".to_owned(), FieldReason::Required)]);
    assert_eq!(
        refused(json!({"scope": "World"})),
        [("spec.scope".to_owned(), FieldReason::Invalid)]
    );
    let (old, _) = admit_config(&config(json!({"scope": "Cluster"})), None).unwrap();
    let mut new = old.clone();
    new["spec"]["scope"] = json!("Namespaced");
    let errors = admit_config(&new, Some(&old)).unwrap_err();
    assert_eq!(
        (errors[0].field.as_str(), errors[0].reason),
        ("spec.scope", FieldReason::Forbidden)
    );
    let kept = admit_config(&config(json!({"clusterHealthCheck": {"period": "5s"}})), Some(&old))
        .unwrap()
        .0;
    assert_eq!(
        kept["spec"]["scope"], "Cluster",
        "an update that does not say leaves it"
    );
}

#[test]
fn durations_are_those_of_go_and_above_nothing() {
    for (section, field, _) in DURATIONS {
        for bad in [json!("0s"), json!("-5s"), json!("5"), json!(5), json!("soon")] {
            let mut spec = json!({"scope": "Cluster"});
            spec[section] = json!({field: bad});
            let wanted = (format!("spec.{section}.{field}"), FieldReason::Invalid);
            assert!(refused(spec).contains(&wanted), "{section}.{field}: {bad}");
        }
    }
}

#[test]
fn counts_are_whole_and_above_nothing() {
    for (section, field, _) in COUNTS {
        for bad in [json!(0), json!(-1), json!(1.5), json!("3")] {
            let mut spec = json!({"scope": "Cluster"});
            spec[section] = json!({field: bad});
            let wanted = [(format!("spec.{section}.{field}"), FieldReason::Invalid)];
            assert_eq!(refused(spec), wanted, "{bad}");
        }
    }
}

#[test]
fn words_are_those_of_kubefed() {
    for (section, field) in [("leaderElect", "resourceLock"), ("syncController", "adoptResources")] {
        let mut spec = json!({"scope": "Cluster"});
        spec[section] = json!({field: "other"});
        assert_eq!(
            refused(spec),
            [(format!("spec.{section}.{field}"), FieldReason::Invalid)]
        );
    }
}

#[test]
fn a_lease_outlives_its_renewal_and_a_renewal_its_tries() {
    let leases = |lease: &str, renew: &str, retry: &str| json!({"scope": "Cluster", "leaderElect": {"leaseDuration": lease, "renewDeadline": renew, "retryPeriod": retry}});
    assert_eq!(
        refused(leases("10s", "10s", "5s")),
        [("spec.leaderElect.leaseDuration".to_owned(), FieldReason::Invalid)]
    );
    assert_eq!(
        refused(leases("15s", "6s", "5s")),
        [("spec.leaderElect.renewDeadline".to_owned(), FieldReason::Invalid)]
    );
    assert!(admit_config(&config(leases("15s", "6.1s", "5s")), None).is_ok());
}

#[test]
fn a_gate_stands_there_once_and_is_enabled_or_disabled() {
    let gates = |gates: Value| json!({"scope": "Cluster", "featureGates": gates});
    let twice = json!([{"name": "PushReconciler", "configuration": "Enabled"}, {"name": "PushReconciler", "configuration": "Enabled"}]);
    assert_eq!(
        refused(gates(twice)),
        [("spec.featureGates[1].name".to_owned(), FieldReason::Duplicate)]
    );
    assert_eq!(
        refused(gates(json!([{"name": "PushReconciler", "configuration": "on"}]))),
        [("spec.featureGates[0].configuration".to_owned(), FieldReason::Invalid)]
    );
    let (_, warnings) = admit_config(
        &config(gates(json!([{"name": "Newer", "configuration": "Enabled"}]))),
        None,
    )
    .unwrap();
    assert_eq!(warnings.len(), 1);
}

#[test]
fn fields_of_the_first_releases_are_kept_and_warned_of() {
    let spec = json!({"scope": "Cluster", "controllerDuration": {"clusterMonitorPeriod": "40s"}});
    let (admitted, warnings) = admit_config(&config(spec), None).unwrap();
    assert_eq!(admitted["spec"]["controllerDuration"]["clusterMonitorPeriod"], "40s");
    assert!(
        warnings[0]
            .0
            .starts_with("spec.controllerDuration.clusterMonitorPeriod")
    );
}

#[test]
fn there_is_one_and_it_lives_in_the_system_namespace() {
    let mut other = config(json!({"scope": "Cluster"}));
    other["metadata"] = json!({"name": "other", "namespace": "shop"});
    let fields: Vec<String> = admit_config(&other, None)
        .unwrap_err()
        .into_iter()
        .map(|error| error.field)
        .collect();
    assert_eq!(fields, ["metadata.namespace", "metadata.name"]);
}

#[test]
fn what_was_stored_under_looser_rules_can_still_be_labelled() {
    let old = config(json!({"scope": "World"}));
    let mut new = old.clone();
    new["metadata"]["labels"] = json!({"a": "b"});
    assert!(admit_config(&new, Some(&old)).is_ok());
}
