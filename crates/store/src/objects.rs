//! Objects of the hub's Kubernetes API, read one by one or as a snapshot.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::backend::{on_pool, row};
use crate::error::{Doing, Error, Result};
use crate::seal::Keys;
use crate::{Revision, Store};

/// Names an object: the key of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// API group; empty for the core group.
    pub group: String,
    /// Plural resource.
    pub resource: String,
    /// Namespace; empty for cluster scope.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectKey {
    /// A key of these parts.
    pub fn new(group: &str, resource: &str, namespace: &str, name: &str) -> Self {
        Self {
            group: group.into(),
            resource: resource.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Bodies of Secrets are sealed, and of what carries one as its template.
    fn is_sealed(&self) -> bool {
        matches!(
            (self.group.as_str(), self.resource.as_str()),
            ("", "secrets") | ("types.kubefed.io", "federatedsecrets")
        )
    }

    fn place(&self) -> String {
        format!("objects/{self}/body")
    }

    /// The bytes kept for `body`.
    pub(crate) fn encode(&self, body: &Value, keys: &Keys) -> Result<Vec<u8>> {
        let bytes = serde_json::to_vec(body).map_err(|error| self.corrupt(&error))?;
        if self.is_sealed() {
            keys.seal(&self.place(), &bytes)
        } else {
            Ok(bytes)
        }
    }

    /// The body kept in `bytes`.
    pub(crate) fn decode(&self, bytes: &[u8], keys: &Keys) -> Result<Arc<Value>> {
        let opened = if self.is_sealed() {
            Some(keys.open(&self.place(), bytes)?)
        } else {
            None
        };
        serde_json::from_slice(opened.as_deref().unwrap_or(bytes))
            .map(Arc::new)
            .map_err(|error| self.corrupt(&error))
    }

    pub(crate) fn corrupt(&self, why: &dyn fmt::Display) -> Error {
        Error::Corrupt {
            what: self.to_string(),
            why: why.to_string(),
        }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.resource)?;
        if !self.group.is_empty() {
            write!(formatter, ".{}", self.group)?;
        }
        if !self.namespace.is_empty() {
            write!(formatter, " {}", self.namespace)?;
            return write!(formatter, "/{}", self.name);
        }
        write!(formatter, " {}", self.name)
    }
}

/// A stored object.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its key.
    pub key: ObjectKey,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.generation`.
    pub generation: i64,
    /// Its `resourceVersion`.
    pub revision: Revision,
    /// `metadata.creationTimestamp`.
    pub created_at: Timestamp,
    /// `metadata.deletionTimestamp`.
    pub deletion_at: Option<Timestamp>,
    /// The whole object, without `metadata.resourceVersion`, which is the revision of the row.
    pub body: Arc<Value>,
}

/// Objects of one snapshot.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Sorted by namespace and name.
    pub objects: Vec<Object>,
    /// The revision of the snapshot: a watch from here misses nothing.
    pub revision: Revision,
}

row! {
    pub(crate) struct ObjectRow {
        pub(crate) grp: String,
        pub(crate) resource: String,
        pub(crate) namespace: String,
        pub(crate) name: String,
        pub(crate) uid: String,
        pub(crate) generation: i64,
        pub(crate) revision: i64,
        pub(crate) created_at: i64,
        pub(crate) deletion_at: Option<i64>,
        pub(crate) body: Vec<u8>,
    }
}

row! {
    /// The key of a row.
    pub(crate) struct NameRow {
        pub(crate) grp: String,
        pub(crate) resource: String,
        pub(crate) namespace: String,
        pub(crate) name: String,
    }
}

impl NameRow {
    pub(crate) fn into_key(self) -> ObjectKey {
        ObjectKey {
            group: self.grp,
            resource: self.resource,
            namespace: self.namespace,
            name: self.name,
        }
    }
}

row! {
    /// A row of a snapshot; everything but the revision is null in the row that stands for an empty list.
    struct SnapshotRow {
        current: i64,
        grp: Option<String>,
        resource: Option<String>,
        namespace: Option<String>,
        name: Option<String>,
        uid: Option<String>,
        generation: Option<i64>,
        revision: Option<i64>,
        created_at: Option<i64>,
        deletion_at: Option<i64>,
        body: Option<Vec<u8>>,
    }
}

pub(crate) const FIND: &str = "SELECT grp, resource, namespace, name, uid, generation, revision, created_at, deletion_at, body \
     FROM objects WHERE grp = $1 AND resource = $2 AND namespace = $3 AND name = $4";
// One statement is one snapshot on both databases, so the revision belongs to exactly these rows.
pub(crate) const LIST: &str = "SELECT c.value AS current, o.grp, o.resource, o.namespace, o.name, o.uid, o.generation, o.revision, \
     o.created_at, o.deletion_at, o.body \
     FROM counters c LEFT JOIN objects o ON o.grp = $1 AND o.resource = $2 AND ($3 = '' OR o.namespace = $3) \
     WHERE c.name = 'revision' ORDER BY o.namespace, o.name";

pub(crate) const IN_NAMESPACE: &str = "SELECT grp, resource, namespace, name, uid, generation, revision, created_at, deletion_at, body \
     FROM objects WHERE namespace = $1 ORDER BY grp, resource, name";

// Bodies are most of the table; these are answered by its key alone.
pub(crate) const NAMES_OF_GROUP: &str =
    "SELECT grp, resource, namespace, name FROM objects WHERE grp = $1 ORDER BY resource, namespace, name";
pub(crate) const NAMES_IN_NAMESPACE: &str =
    "SELECT grp, resource, namespace, name FROM objects WHERE namespace = $1 ORDER BY grp, resource, name";
pub(crate) const PAGE: &str = "SELECT grp, resource, namespace, name, uid, generation, revision, created_at, deletion_at, body \
     FROM objects WHERE grp = $1 AND resource = $2 AND (namespace, name) > ($3, $4) AND created_at < $5 \
     ORDER BY namespace, name LIMIT $6";
pub(crate) const SURPLUS: &str = "SELECT grp, resource, namespace, name FROM \
     (SELECT grp, resource, namespace, name, ROW_NUMBER() OVER (PARTITION BY namespace ORDER BY revision DESC) AS place \
      FROM objects WHERE grp = $1 AND resource = $2) AS placed WHERE place > $3 ORDER BY namespace, place LIMIT $4";

impl ObjectRow {
    pub(crate) fn into_object(self, keys: &Keys) -> Result<Object> {
        let key = ObjectKey {
            group: self.grp,
            resource: self.resource,
            namespace: self.namespace,
            name: self.name,
        };
        let time = |milliseconds| Timestamp::from_millisecond(milliseconds).map_err(|error| key.corrupt(&error));
        Ok(Object {
            body: key.decode(&self.body, keys)?,
            created_at: time(self.created_at)?,
            deletion_at: self.deletion_at.map(time).transpose()?,
            uid: self.uid,
            generation: self.generation,
            revision: Revision(self.revision),
            key,
        })
    }
}

impl SnapshotRow {
    fn into_row(self) -> Option<ObjectRow> {
        Some(ObjectRow {
            grp: self.grp?,
            resource: self.resource?,
            namespace: self.namespace?,
            name: self.name?,
            uid: self.uid?,
            generation: self.generation?,
            revision: self.revision?,
            created_at: self.created_at?,
            deletion_at: self.deletion_at,
            body: self.body?,
        })
    }
}

impl Store {
    /// One object.
    ///
    /// # Errors
    /// When the database fails or the row cannot be read.
    pub async fn object(&self, key: &ObjectKey) -> Result<Option<Object>> {
        let row: Option<ObjectRow> = on_pool!(self, |pool| {
            sqlx::query_as(FIND)
                .bind(&key.group)
                .bind(&key.resource)
                .bind(&key.namespace)
                .bind(&key.name)
                .fetch_optional(pool)
                .await
        })
        .doing("reading an object")?;
        row.map(|row| row.into_object(self.keys())).transpose()
    }

    /// All objects of a resource, in one namespace or (`None`) in all.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn objects(&self, group: &str, resource: &str, namespace: Option<&str>) -> Result<Listing> {
        let rows: Vec<SnapshotRow> = on_pool!(self, |pool| {
            sqlx::query_as(LIST)
                .bind(group)
                .bind(resource)
                .bind(namespace.unwrap_or_default())
                .fetch_all(pool)
                .await
        })
        .doing("listing objects")?;
        let revision = Revision(rows.first().map_or(0, |row| row.current));
        let objects = rows
            .into_iter()
            .filter_map(SnapshotRow::into_row)
            .map(|row| row.into_object(self.keys()))
            .collect::<Result<_>>()?;
        Ok(Listing { objects, revision })
    }

    /// All objects that live in a namespace, of every resource. The namespace itself is none of them.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn objects_in_namespace(&self, namespace: &str) -> Result<Vec<Object>> {
        let rows: Vec<ObjectRow> = on_pool!(self, |pool| sqlx::query_as(IN_NAMESPACE)
            .bind(namespace)
            .fetch_all(pool)
            .await)
        .doing("listing a namespace")?;
        rows.into_iter().map(|row| row.into_object(self.keys())).collect()
    }

    /// The names of all objects of a group, without reading the objects.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn names_of_group(&self, group: &str) -> Result<Vec<ObjectKey>> {
        let rows: Vec<NameRow> = on_pool!(self, |pool| sqlx::query_as(NAMES_OF_GROUP)
            .bind(group)
            .fetch_all(pool)
            .await)
        .doing("listing names")?;
        Ok(rows.into_iter().map(NameRow::into_key).collect())
    }

    /// The names of all objects that live in a namespace, without reading the objects.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn names_in_namespace(&self, namespace: &str) -> Result<Vec<ObjectKey>> {
        let rows: Vec<NameRow> = on_pool!(self, |pool| sqlx::query_as(NAMES_IN_NAMESPACE)
            .bind(namespace)
            .fetch_all(pool)
            .await)
        .doing("listing names")?;
        Ok(rows.into_iter().map(NameRow::into_key).collect())
    }

    /// The next objects of a resource after one of them, `most` of them, sorted by namespace and name: for whoever looks
    /// through many and needs no snapshot. Only those count that were made before `made_before`, if that is given.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn objects_after(
        &self,
        group: &str,
        resource: &str,
        after: Option<&ObjectKey>,
        made_before: Option<Timestamp>,
        most: usize,
    ) -> Result<Vec<Object>> {
        let (namespace, name) = after.map_or(("", ""), |key| (&key.namespace, &key.name));
        let rows: Vec<ObjectRow> = on_pool!(self, |pool| {
            sqlx::query_as(PAGE)
                .bind(group)
                .bind(resource)
                .bind(namespace)
                .bind(name)
                .bind(made_before.map_or(i64::MAX, Timestamp::as_millisecond))
                .bind(i64::try_from(most).unwrap_or(i64::MAX))
                .fetch_all(pool)
                .await
        })
        .doing("listing objects")?;
        rows.into_iter().map(|row| row.into_object(self.keys())).collect()
    }

    /// Of a resource, what each namespace has beyond the `kept` objects that were written last, at most `most` of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn surplus(&self, group: &str, resource: &str, kept: usize, most: usize) -> Result<Vec<ObjectKey>> {
        let rows: Vec<NameRow> = on_pool!(self, |pool| {
            sqlx::query_as(SURPLUS)
                .bind(group)
                .bind(resource)
                .bind(i64::try_from(kept).unwrap_or(i64::MAX))
                .bind(i64::try_from(most).unwrap_or(i64::MAX))
                .fetch_all(pool)
                .await
        })
        .doing("listing names")?;
        Ok(rows.into_iter().map(NameRow::into_key).collect())
    }
}
