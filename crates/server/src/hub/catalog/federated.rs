//! Federated kinds as resources, one for each row of the table of types.

use atoll_federation::TypeDescriptor;
use atoll_kubeapi::{Column, Resource, Schema};

use super::{columns, schema};

pub(super) fn resource(kind: &TypeDescriptor) -> Resource {
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
        short_names: api.short_names.iter().map(ToString::to_string).collect(),
        categories: vec!["federated".into(), "all".into()],
        namespaced: api.namespaced,
        status: true,
        columns: shown,
        schema: Schema::new(schema::federated(kind)),
        description: format!(
            "A {} for many clusters: a template, where it goes, and where it differs.",
            kind.target.kind
        ),
        ..Resource::new(&api.group, &api.version, &api.kind, &api.plural)
    }
}
