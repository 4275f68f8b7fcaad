//! Federated kinds as resources, one for each row of the table of types.

use atoll_federation::{TYPES, TypeDescriptor};
use atoll_kubeapi::structures::Definitions;
use atoll_kubeapi::{Column, Resource};
use serde_json::Value;

use super::{columns, schema};

/// Short names of the hub's own kinds that begin with an `f`.
const RESERVED: [&str; 1] = ["ftc"];

/// The resource of a type; `known` is what a member told of its target, `definitions` are those of templates.
pub(super) fn resource(kind: &TypeDescriptor, known: Option<&Value>, definitions: &Definitions) -> Resource {
    let api = &kind.federated;
    let mut shown = vec![
        Column::function("Clusters", "string", |object, _| columns::clusters(object))
            .described("Clusters in which it is as it should be, of those that hold it or should."),
    ];
    if kind.replicas_path.is_some() {
        shown.push(
            Column::function("Ready", "string", |object, _| columns::ready(object))
                .described("Replicas that are ready, of those asked for, over all clusters."),
        );
    }
    shown.extend([
        Column::function("Propagated", "string", |object, _| columns::propagated(object))
            .described("Whether it is everywhere it should be; Unknown until this version of it was looked at."),
        Column::function("Reason", "string", |object, _| columns::reason(object)).described("Why not."),
        Column::path("Placed", "string", ".status.clusters[*].name").wide(),
        Column::function("Message", "string", |object, _| columns::message(object)).wide(),
    ]);
    Resource {
        singular: api.kind.to_ascii_lowercase(),
        short_names: short_names(kind, known),
        categories: vec!["federated".into(), "all".into()],
        namespaced: api.namespaced,
        status: true,
        columns: shown,
        schema: schema::federated(kind, known, definitions),
        description: format!(
            "A {} for many clusters: a template, where it goes, and where it differs.",
            kind.target.kind
        ),
        ..Resource::new(&api.group, &api.version, &api.kind, &api.plural)
    }
}

/// As KubeFed has them: `f` before those of the target.
fn short_names(kind: &TypeDescriptor, known: Option<&Value>) -> Vec<String> {
    let told = known.and_then(|known| known[super::SHORT_NAMES].as_array());
    let told = told.into_iter().flatten().filter_map(Value::as_str);
    let told = told.map(|name| format!("f{name}")).filter(|name| {
        // A short name that everybody knows stays what it is.
        let mut built_in = TYPES.iter().flat_map(|row| row.federated.short_names.iter());
        !built_in.any(|known| *known == *name) && !RESERVED.contains(&name.as_str())
    });
    let own = kind.federated.short_names.iter().map(ToString::to_string);
    own.chain(told).collect()
}

#[cfg(test)]
mod tests {
    use atoll_federation::types::find;
    use serde_json::json;

    use super::*;

    #[test]
    fn short_names_of_the_target_get_an_f_unless_they_are_taken() {
        let mut row = find("secrets").unwrap().clone();
        row.target.kind = "Widget".into();
        let mut known = json!({});
        known[super::super::SHORT_NAMES] = json!(["wid", "cm", "tc"]);
        assert_eq!(short_names(&row, Some(&known)), ["fwid"]);
        assert_eq!(short_names(find("services").unwrap(), None), ["fsvc"]);
    }
}
