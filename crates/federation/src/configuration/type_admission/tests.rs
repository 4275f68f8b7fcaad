//! One test for each rule.

use serde_json::{Value, json};

use super::*;
use crate::FieldReason;
use crate::types::TYPES;

type Change = fn(&mut Value);

fn widgets() -> Value {
    json!({
        "apiVersion": "core.kubefed.io/v1beta1",
        "kind": "FederatedTypeConfig",
        "metadata": {"name": "widgets.example.com", "namespace": SYSTEM_NAMESPACE},
        "spec": {
            "targetType": {"group": "example.com", "version": "v1", "kind": "Widget", "pluralName": "widgets", "scope": "Namespaced"},
            "federatedType": {"group": "types.kubefed.io", "version": "v1beta1", "kind": "FederatedWidget", "pluralName": "federatedwidgets", "scope": "Namespaced"},
            "propagation": "Enabled",
        },
    })
}

fn built_ins() -> Vec<TypeConfig> {
    let read = |row| TypeConfig::read(&built_in_type_config(row), None);
    TYPES.iter().filter_map(read).collect()
}

/// The fields that are refused after this change.
fn refused(change: impl Fn(&mut Value)) -> Vec<(String, FieldReason)> {
    let mut object = widgets();
    change(&mut object);
    match admit_type_config(&object, None, &built_ins()) {
        Ok((object, _)) => panic!("accepted: {object}"),
        Err(errors) => errors.into_iter().map(|error| (error.field, error.reason)).collect(),
    }
}

#[track_caller]
fn assert_refused(field: &str, reason: FieldReason, change: impl Fn(&mut Value)) {
    assert_eq!(refused(change), [(field.to_owned(), reason)]);
}

#[test]
fn the_configurations_of_built_in_types_are_accepted_as_they_are() {
    let all = built_ins();
    assert_eq!(all.len(), TYPES.len());
    for row in TYPES {
        let object = built_in_type_config(row);
        let (admitted, warnings) = admit_type_config(&object, None, &all).unwrap();
        assert_eq!((admitted, warnings), (object.clone(), vec![]), "{}", row.name());
        let read = TypeConfig::read(&object, None).unwrap();
        assert_eq!(&read.descriptor, row);
    }
}

#[test]
fn names_that_follow_from_others_are_completed_and_the_finalizer_is_put_on() {
    let mut short = widgets();
    for (part, field) in [
        ("targetType", "group"),
        ("targetType", "pluralName"),
        ("federatedType", "pluralName"),
    ] {
        short["spec"][part].as_object_mut().unwrap().remove(field);
    }
    short["spec"]["statusType"] = json!({"kind": "FederatedWidgetStatus", "scope": "Namespaced"});
    let (admitted, warnings) = admit_type_config(&short, None, &built_ins()).unwrap();
    let mut wanted = widgets();
    wanted["metadata"]["finalizers"] = json!([TYPE_CONFIG_FINALIZER]);
    wanted["spec"]["statusType"] = json!({"group": "types.kubefed.io", "version": "v1beta1", "kind": "FederatedWidgetStatus",
        "pluralName": "federatedwidgetstatuses", "scope": "Namespaced"});
    assert_eq!(admitted, wanted);
    assert_eq!(warnings, []);
    assert_eq!(admit_type_config(&admitted, None, &built_ins()).unwrap().0, wanted);
}

#[test]
fn the_name_is_that_of_the_target() {
    assert_refused("metadata.name", FieldReason::Invalid, |object| {
        object["metadata"]["name"] = json!("gadgets.example.com");
    });
    assert_refused("metadata.name", FieldReason::Invalid, |object| {
        object["metadata"]["name"] = json!("widgets");
    });
    assert_refused("metadata.namespace", FieldReason::Invalid, |object| {
        object["metadata"]["namespace"] = json!("shop");
    });
}

#[test]
fn names_are_labels_and_groups_are_domains() {
    for (part, field, value) in [
        ("targetType", "version", "V1"),
        ("targetType", "version", "1"),
        ("targetType", "kind", "Wid.get"),
        ("federatedType", "kind", "1Widget"),
        ("federatedType", "pluralName", "federated_widgets"),
        ("federatedType", "pluralName", "Federatedwidgets"),
        ("federatedType", "group", "Types.kubefed.io"),
        ("federatedType", "group", "types"),
        ("federatedType", "scope", "Global"),
    ] {
        assert_refused(&format!("spec.{part}.{field}"), FieldReason::Invalid, |object| {
            object["spec"][part][field] = json!(value);
        });
    }
}

#[test]
fn what_cannot_be_guessed_is_required() {
    for (part, field) in [
        ("targetType", "version"),
        ("targetType", "kind"),
        ("targetType", "scope"),
        ("federatedType", "group"),
        ("federatedType", "version"),
        ("federatedType", "scope"),
    ] {
        assert_refused(&format!("spec.{part}.{field}"), FieldReason::Required, |object| {
            object["spec"][part].as_object_mut().unwrap().remove(field);
        });
    }
    for field in ["federatedType", "propagation"] {
        assert_refused(&format!("spec.{field}"), FieldReason::Required, |object| {
            object["spec"].as_object_mut().unwrap().remove(field);
        });
    }
}

#[test]
fn propagation_and_status_collection_are_enabled_or_disabled() {
    for field in ["propagation", "statusCollection"] {
        assert_refused(&format!("spec.{field}"), FieldReason::Invalid, |object| {
            object["spec"][field] = json!("enabled");
        });
        let mut good = widgets();
        good["spec"][field] = json!("Disabled");
        assert!(admit_type_config(&good, None, &built_ins()).is_ok());
    }
    assert_refused("spec.statusType.group", FieldReason::Invalid, |object| {
        object["spec"]["statusType"] = json!({"group": "status", "kind": "S", "scope": "Namespaced"});
    });
}

#[test]
fn groups_that_the_hub_has_for_itself_are_refused() {
    for group in [
        "core.kubefed.io",
        "scheduling.kubefed.io",
        "multiclusterdns.kubefed.io",
        "atoll.dev",
        "networking.k8s.io",
        "federation.kubernetes.io",
    ] {
        assert_refused("spec.federatedType.group", FieldReason::Forbidden, |object| {
            object["spec"]["federatedType"]["group"] = json!(group);
        });
    }
}

#[test]
fn a_group_of_its_own_is_accepted_and_an_old_one_is_read_as_the_new() {
    let mut own = widgets();
    own["spec"]["federatedType"]["group"] = json!("federation.example.com");
    assert!(admit_type_config(&own, None, &built_ins()).is_ok());
    let mut old = widgets();
    old["spec"]["federatedType"]["group"] = json!("types.kubefed.k8s.io");
    let (admitted, warnings) = admit_type_config(&old, None, &built_ins()).unwrap();
    assert_eq!(admitted["spec"]["federatedType"]["group"], "types.kubefed.io");
    assert_eq!(warnings.len(), 1);
}

#[test]
fn a_federated_kind_belongs_to_one_type() {
    for (field, value) in [("pluralName", "federateddeployments"), ("kind", "FederatedDeployment")] {
        assert_refused("spec.federatedType", FieldReason::Duplicate, |object| {
            object["spec"]["federatedType"][field] = json!(value);
        });
    }
    let mut elsewhere = widgets();
    elsewhere["spec"]["federatedType"]["kind"] = json!("FederatedDeployment");
    elsewhere["spec"]["federatedType"]["group"] = json!("federation.example.com");
    assert!(admit_type_config(&elsewhere, None, &built_ins()).is_ok());
}

#[test]
fn the_same_objects_in_another_group_are_not_federated_twice() {
    for (plural, kind) in [
        ("deployments", "Deployment"),
        ("ingresses", "Ingress"),
        ("networkpolicies", "NetworkPolicy"),
    ] {
        assert_refused("spec.targetType", FieldReason::Forbidden, |object| {
            object["metadata"]["name"] = json!(format!("{plural}.extensions"));
            object["spec"]["targetType"] = json!({"group": "extensions", "version": "v1beta1", "kind": kind, "pluralName": plural, "scope": "Namespaced"});
        });
    }
    let mut alone = widgets();
    alone["metadata"]["name"] = json!("ingresses.extensions");
    alone["spec"]["targetType"] = json!({"group": "extensions", "version": "v1beta1", "kind": "Ingress", "pluralName": "ingresses", "scope": "Namespaced"});
    assert!(
        admit_type_config(&alone, None, &[]).is_ok(),
        "where nobody federates the other"
    );
}

#[test]
fn scopes_agree_except_that_of_namespaces() {
    assert_refused("spec.federatedType.scope", FieldReason::Invalid, |object| {
        object["spec"]["federatedType"]["scope"] = json!("Cluster");
    });
    let mut namespaces = built_in_type_config(types::find("namespaces").unwrap());
    namespaces["spec"]["federatedType"]["scope"] = json!("Cluster");
    assert!(admit_type_config(&namespaces, None, &[]).is_err());
}

#[test]
fn a_built_in_target_is_what_it_is_in_every_cluster() {
    let deployments = built_in_type_config(types::find("deployments.apps").unwrap());
    for (field, value) in [("kind", "Deploy"), ("scope", "Cluster")] {
        let mut other = deployments.clone();
        other["spec"]["targetType"][field] = json!(value);
        let errors = admit_type_config(&other, None, &[]).unwrap_err();
        assert_eq!(errors[0].field, format!("spec.targetType.{field}"));
    }
}

#[test]
fn a_type_stays_the_one_that_it_is_and_may_be_switched_off_or_read_in_another_version() {
    let (old, _) = admit_type_config(&widgets(), None, &[]).unwrap();
    let update = |change: fn(&mut Value)| {
        let mut new = old.clone();
        change(&mut new);
        admit_type_config(&new, Some(&old), &built_ins())
    };
    assert!(update(|new| new["spec"]["propagation"] = json!("Disabled")).is_ok());
    assert!(update(|new| new["spec"]["targetType"]["version"] = json!("v2")).is_ok());
    let changes: [(&str, Change); 5] = [
        ("spec.targetType.kind", |new| {
            new["spec"]["targetType"]["kind"] = json!("Gadget")
        }),
        ("spec.federatedType.group", |new| {
            new["spec"]["federatedType"]["group"] = json!("federation.example.com")
        }),
        ("spec.federatedType.version", |new| {
            new["spec"]["federatedType"]["version"] = json!("v1")
        }),
        ("spec.federatedType.kind", |new| {
            new["spec"]["federatedType"]["kind"] = json!("FederatedGadget")
        }),
        ("spec.federatedType.pluralName", |new| {
            new["spec"]["federatedType"]["pluralName"] = json!("fedwidgets")
        }),
    ];
    for (field, change) in changes {
        let errors = update(change).unwrap_err();
        assert_eq!(
            (errors[0].field.as_str(), errors[0].reason),
            (field, FieldReason::Forbidden)
        );
    }
}

#[test]
fn a_file_that_replaces_it_does_not_drop_the_finalizer_and_one_on_its_way_out_may_lose_it() {
    let (old, _) = admit_type_config(&widgets(), None, &[]).unwrap();
    let (replaced, _) = admit_type_config(&widgets(), Some(&old), &[]).unwrap();
    assert_eq!(replaced["metadata"]["finalizers"], json!([TYPE_CONFIG_FINALIZER]));
    let mut leaving = old.clone();
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    leaving["metadata"]["finalizers"] = json!([]);
    let (released, _) = admit_type_config(&leaving, Some(&old), &[]).unwrap();
    assert_eq!(released["metadata"]["finalizers"], json!([]));
}

#[test]
fn what_was_stored_under_looser_rules_can_still_be_labelled() {
    let mut old = widgets();
    old["spec"]["federatedType"]["scope"] = json!("Cluster");
    let mut new = old.clone();
    new["metadata"]["labels"] = json!({"a": "b"});
    assert!(admit_type_config(&new, Some(&old), &[]).is_ok());
}
