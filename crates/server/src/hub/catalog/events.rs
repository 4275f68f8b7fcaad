//! Events and Leases: what happened on the hub, as `kubectl describe` and `kubectl get events` show it, and what
//! controllers of other people's agree by.

use atoll_kubeapi::Resource;
use atoll_kubeapi::columns::events::{events, leases};
use atoll_kubeapi::path::Path;

/// Group of `Lease`.
pub(in crate::hub) const LEASE_GROUP: &str = "coordination.k8s.io";

/// Fields of Events that selectors may name, with where they stand.
const SELECTABLE: [(&str, &str); 11] = [
    ("involvedObject.kind", "involvedObject.kind"),
    ("involvedObject.namespace", "involvedObject.namespace"),
    ("involvedObject.name", "involvedObject.name"),
    ("involvedObject.uid", "involvedObject.uid"),
    ("involvedObject.apiVersion", "involvedObject.apiVersion"),
    ("involvedObject.resourceVersion", "involvedObject.resourceVersion"),
    ("involvedObject.fieldPath", "involvedObject.fieldPath"),
    ("reason", "reason"),
    ("reportingComponent", "reportingComponent"),
    ("source", "source.component"),
    ("type", "type"),
];

pub(super) fn resources() -> [Resource; 2] {
    let built_in = |group: &str, kind: &str, plural: &str| {
        Resource::built_in(group, "v1", kind, plural).expect("the embedded structures have these kinds")
    };
    let selectable = SELECTABLE.map(|(name, path)| {
        let path = Path::parse(path).expect("a field of this list is a path");
        (name.to_owned(), path)
    });
    [
        Resource {
            short_names: vec!["ev".into()],
            columns: events(),
            selectable: selectable.into(),
            description: "What happened to an object of the hub. Events are kept for a while.".into(),
            ..built_in("", "Event", "events")
        },
        Resource {
            columns: leases(),
            description: "What programs agree by about which of them acts.".into(),
            ..built_in(LEASE_GROUP, "Lease", "leases")
        },
    ]
}
