//! Resources as data: all that discovery, tables, patches and validation need to know of a kind.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde_json::Value;

use crate::path::Path;
use crate::schema::Schema;
use crate::status::Status;
use crate::view::View;

/// The verbs of a resource that can be read and written.
pub const ALL_VERBS: &[&str] = &[
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];
/// The verbs of a resource that can only be read.
pub const READ_VERBS: &[&str] = &["get", "list", "watch"];

/// A served resource. Made with `Resource { kind: …, ..Resource::default() }` or [`Resource::new`].
#[derive(Debug, Clone)]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Plural, as in paths.
    pub plural: String,
    /// Singular.
    pub singular: String,
    /// Short names for kubectl.
    pub short_names: Vec<String>,
    /// Groups of resources, such as `all`.
    pub categories: Vec<String>,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// The verbs that are served.
    pub verbs: &'static [&'static str],
    /// Whether `status` is a subresource, written apart from the rest.
    pub status: bool,
    /// Subresources beside `status` that the backend serves, for discovery.
    pub subresources: Vec<Subresource>,
    /// Whether strategic merge patch is accepted: kubectl sends it for the kinds it has compiled in, and only for them.
    pub strategic_merge: bool,
    /// Columns of tables beside Name and Age: Name comes first, Age before the last columns of priority 1. Columns that
    /// state Name themselves are shown as they are, with nothing added.
    pub columns: Vec<Column>,
    /// Structure of the objects.
    pub schema: Schema,
    /// What `kubectl explain` says of the kind.
    pub description: String,
    /// Fields beside `metadata.name` and `metadata.namespace` that field selectors may name.
    pub selectable: BTreeMap<String, Path>,
    /// Whose rows it shows; `None` for a resource that has rows of its own.
    pub view: Option<View>,
}

/// A subresource that the backend serves itself.
#[derive(Debug, Clone)]
pub struct Subresource {
    /// Such as `scale`.
    pub name: String,
    /// Group of what it holds.
    pub group: String,
    /// Version of what it holds.
    pub version: String,
    /// Kind of what it holds, such as `Scale`.
    pub kind: String,
    /// Verbs.
    pub verbs: Vec<String>,
}

impl Default for Resource {
    fn default() -> Self {
        Self::new("", "v1", "", "")
    }
}

impl Resource {
    /// A namespaced resource of this kind with all verbs, without a status, of unknown structure.
    pub fn new(group: &str, version: &str, kind: &str, plural: &str) -> Self {
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            plural: plural.into(),
            singular: kind.to_ascii_lowercase(),
            short_names: Vec::new(),
            categories: Vec::new(),
            namespaced: true,
            verbs: ALL_VERBS,
            status: false,
            subresources: Vec::new(),
            strategic_merge: false,
            columns: Vec::new(),
            schema: Schema::unknown(),
            description: String::new(),
            selectable: BTreeMap::new(),
            view: None,
        }
    }

    /// As [`Resource::new`] for a kind of Kubernetes itself, with its structure, its status if it has one, and
    /// strategic merge patch. `None` when the structure of the kind is not known.
    pub fn built_in(group: &str, version: &str, kind: &str, plural: &str) -> Option<Self> {
        let schema = Schema::built_in(group, version, kind)?;
        Some(Self {
            status: schema.node().has_field("status"),
            strategic_merge: true,
            schema,
            ..Self::new(group, version, kind, plural)
        })
    }

    /// `group/version`, or the version alone for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether this is the core kind Namespace, whose `spec.finalizers` hold it as well.
    pub fn is_namespace(&self) -> bool {
        self.group.is_empty() && self.kind == "Namespace"
    }

    /// 404 for a name.
    pub fn not_found(&self, name: &str) -> Status {
        Status::not_found(&self.group, &self.plural, name)
    }

    /// 409 for a name that is taken.
    pub fn already_exists(&self, name: &str) -> Status {
        Status::already_exists(&self.group, &self.plural, name)
    }

    /// 409 for a version that has moved on.
    pub fn conflict(&self, name: &str) -> Status {
        Status::conflict(
            &self.group,
            &self.plural,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    /// Heading.
    pub name: String,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub kind: &'static str,
    /// What it says.
    pub description: String,
    /// 0 is always shown, 1 only with `-o wide`.
    pub priority: u8,
    /// Where the cell comes from.
    pub cell: Cell,
}

/// Where a cell of a table comes from.
#[derive(Debug, Clone)]
pub enum Cell {
    /// A place in the object. In a column of kind `date` it is a time, shown as an age.
    Path(Path),
    /// A function of the object and the time.
    Function(fn(&Value, Timestamp) -> Value),
}

impl Column {
    /// A column that shows a place in the object, such as `.spec.replicas` or
    /// `.status.conditions[?(@.type=="Ready")].status`.
    ///
    /// # Panics
    /// When the path cannot be read: paths are constants of the program; read others with [`Path::parse`].
    pub fn path(name: &str, kind: &'static str, path: &str) -> Self {
        let path = Path::parse(path).expect("a column's path is a constant of the program");
        Self {
            name: name.into(),
            kind,
            description: String::new(),
            priority: 0,
            cell: Cell::Path(path),
        }
    }

    /// A column whose cells are computed.
    pub fn function(name: &str, kind: &'static str, cell: fn(&Value, Timestamp) -> Value) -> Self {
        Self {
            name: name.into(),
            kind,
            description: String::new(),
            priority: 0,
            cell: Cell::Function(cell),
        }
    }

    /// The same, shown only with `-o wide`.
    #[must_use]
    pub fn wide(mut self) -> Self {
        self.priority = 1;
        self
    }

    /// The same with a description.
    #[must_use]
    pub fn described(mut self, description: &str) -> Self {
        self.description = description.into();
        self
    }
}

/// The resources at one moment.
#[derive(Debug, Default)]
pub struct Catalog {
    resources: Vec<Arc<Resource>>,
    index: BTreeMap<(String, String, String), usize>,
    /// OpenAPI documents, made when they are first asked for.
    pub(crate) documents: OnceLock<crate::openapi::Documents>,
}

impl Catalog {
    /// A catalog of these, in this order.
    pub fn new(resources: impl IntoIterator<Item = Resource>) -> Self {
        Self::of(resources.into_iter().map(Arc::new).collect())
    }

    fn of(resources: Vec<Arc<Resource>>) -> Self {
        let key = |one: &Resource| (one.group.clone(), one.version.clone(), one.plural.clone());
        let index = resources.iter().enumerate().map(|(at, one)| (key(one), at)).collect();
        Self {
            resources,
            index,
            documents: OnceLock::new(),
        }
    }

    /// The same without the names that kinds had in other groups.
    pub fn without_other_groups(&self) -> Self {
        let is_elsewhere = |one: &Resource| one.view.as_ref().is_some_and(|view| view.group != one.group);
        let kept = self.resources.iter().filter(|one| !is_elsewhere(one));
        Self::of(kept.cloned().collect())
    }

    /// The resource of a path.
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Resource>> {
        let at = self
            .index
            .get(&(group.to_owned(), version.to_owned(), plural.to_owned()))?;
        self.resources.get(*at)
    }

    /// The resource that has the rows: of a view the one that it shows, of any other itself.
    pub fn stored<'a>(&'a self, resource: &'a Arc<Resource>) -> Option<&'a Arc<Resource>> {
        match &resource.view {
            Some(view) => self.find(&view.group, &view.version, &view.plural),
            None => Some(resource),
        }
    }

    /// The resource of a kind.
    pub fn find_kind(&self, group: &str, version: &str, kind: &str) -> Option<&Arc<Resource>> {
        self.resources
            .iter()
            .find(|one| one.kind == kind && one.version == version && one.group == group)
    }

    /// All, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.resources.iter()
    }
}
