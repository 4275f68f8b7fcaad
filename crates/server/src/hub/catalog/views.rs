//! Names under which people still have their files: groups that were renamed, and old versions of Kubernetes' kinds.
//! Each is a view of the rows of today's resource (`atoll_kubeapi::view`); this is the list of them.
//!
//! Views come last in the catalog, without short names and categories: what is asked for by its plain name is today's
//! resource, and nothing is listed twice.

use atoll_federation::plain::view::{self, VIEWS, View};
use atoll_kubeapi::{Conversion, Resource, Schema, Status};
use serde_json::Value;

use crate::hub::admission::refusal;

/// A group that was renamed, its objects staying as they are.
struct Renamed {
    old: &'static str,
    new: &'static str,
    /// The version, the same in both.
    version: &'static str,
}

const RENAMED: [Renamed; 5] = [
    Renamed {
        old: "core.kubefed.k8s.io",
        new: "core.kubefed.io",
        version: "v1beta1",
    },
    Renamed {
        old: "types.kubefed.k8s.io",
        new: "types.kubefed.io",
        version: "v1beta1",
    },
    Renamed {
        old: "scheduling.kubefed.k8s.io",
        new: "scheduling.kubefed.io",
        version: "v1alpha1",
    },
    Renamed {
        old: "scheduling.federation.k8s.io",
        new: "scheduling.kubefed.io",
        version: "v1alpha1",
    },
    Renamed {
        old: "multiclusterdns.kubefed.k8s.io",
        new: "multiclusterdns.kubefed.io",
        version: "v1alpha1",
    },
];

/// Today's group of one that was renamed.
pub(in crate::hub) fn new_group(old: &str) -> Option<&'static str> {
    RENAMED.iter().find(|one| one.old == old).map(|one| one.new)
}

/// The views of these resources. A resource of that name that is there already hides its view.
pub(super) fn of(resources: &[Resource]) -> Vec<Resource> {
    let is_taken = |view: &Resource| {
        resources
            .iter()
            .any(|one| (&one.group, &one.version, &one.plural) == (&view.group, &view.version, &view.plural))
    };
    let mut views: Vec<Resource> = RENAMED
        .iter()
        .flat_map(|renamed| {
            let of_group = resources
                .iter()
                .filter(|one| one.group == renamed.new && one.version == renamed.version);
            of_group.map(|resource| under_old_group(resource, renamed))
        })
        .collect();
    views.extend(VIEWS.iter().filter_map(|old| {
        let stored = resources.iter().find(|one| {
            (one.group.as_str(), one.version.as_str(), one.plural.as_str())
                == (old.stored_group, old.stored_version, old.plural)
        });
        stored.map(|resource| in_old_version(resource, old))
    }));
    views.retain(|view| !is_taken(view));
    views
}

fn under_old_group(resource: &Resource, renamed: &Renamed) -> Resource {
    let today = resource.api_version();
    let Renamed { old, version, .. } = renamed;
    let warning = format!(
        "{old}/{version} {} is the old name of {today} {}; write apiVersion: {today}",
        resource.kind, resource.kind
    );
    Resource {
        // The structure is checked and explained under today's name; a copy of it would double the documents.
        schema: Schema::unknown(),
        description: format!(
            "The old name of {} in {today}: the same objects. {}",
            resource.kind, resource.description
        ),
        ..resource.viewed_as(old, version, None, &warning)
    }
}

fn in_old_version(resource: &Resource, old: &View) -> Resource {
    let today = resource.api_version();
    let View { group, version, .. } = old;
    // Kubernetes itself still serves the first version of autoscalers.
    let is_old = (*group, *version) != ("autoscaling", "v1");
    let warning = if is_old {
        format!(
            "{group}/{version} {} is an old version of {today} {}; write apiVersion: {today}",
            resource.kind, resource.kind
        )
    } else {
        String::new()
    };
    Resource {
        // What is unknown or wrong is told of the form that is kept.
        schema: Schema::unknown(),
        description: format!(
            "An old version of {} in {today}: the same objects. {}",
            resource.kind, resource.description
        ),
        ..resource.viewed_as(group, version, Some(CONVERSION), &warning)
    }
}

const CONVERSION: Conversion = Conversion { to_stored, to_view };

fn to_stored(asked: &Resource, object: Value) -> Result<Value, Status> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    view::to_stored(&asked.group, &asked.version, &asked.kind, object)
        .map_err(|errors| refusal(&asked.group, &asked.kind, &name, errors))
}

fn to_view(asked: &Resource, object: Value) -> Value {
    view::to_version(&asked.group, &asked.version, &asked.kind, object)
}
