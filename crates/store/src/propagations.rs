//! What was last done for one federated object in one cluster.
//!
//! The record makes a restart quiet, and it is the ownership proof for deletes: the UID that the hub itself saw.
//! It carries no revision, so that bookkeeping wakes no watcher.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::backend::{on_pool, row};
use crate::error::{Doing, Error, Result};
use crate::recordings::{self, Recording};
use crate::{Lease, Store};

/// A federated object: its resource (plural and group), namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PropagationKey {
    /// `federateddeployments.types.kubefed.io`.
    pub resource: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// The record of one object in one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Propagation {
    /// The federated object.
    pub key: PropagationKey,
    /// The cluster.
    pub cluster: String,
    /// UID of the member object that the hub made or adopted.
    pub uid: Option<String>,
    /// Hash of what was applied.
    pub applied_hash: Option<String>,
    /// Hash of the hub's managedFields entry after it was applied.
    pub managed_hash: Option<String>,
    /// Status word, empty for OK.
    pub status: String,
    /// For people.
    pub message: String,
    /// The federated object is gone or no longer placed here, and the member object is still to be removed.
    pub leftover: bool,
    /// When.
    pub at: Timestamp,
}

row! {
    struct PropagationRow {
        resource: String,
        namespace: String,
        name: String,
        cluster: String,
        uid: Option<String>,
        applied_hash: Option<String>,
        managed_hash: Option<String>,
        status: String,
        message: String,
        leftover: bool,
        at: i64,
    }
}

row! {
    struct KeyRow {
        resource: String,
        namespace: String,
        name: String,
    }
}

row! {
    struct CountRow {
        cluster: String,
        managed: i64,
    }
}

const OF_OBJECT: &str = "SELECT resource, namespace, name, cluster, uid, applied_hash, managed_hash, status, message, leftover, at \
     FROM propagations WHERE resource = $1 AND namespace = $2 AND name = $3 ORDER BY cluster";
const ALL: &str = "SELECT resource, namespace, name, cluster, uid, applied_hash, managed_hash, status, message, leftover, at \
     FROM propagations WHERE ($1 = '' OR cluster = $1) ORDER BY resource, namespace, name, cluster";
const KEYS: &str = "SELECT DISTINCT resource, namespace, name FROM propagations";
// In pieces, since statements have many rows (`recordings`).
pub(crate) const PUT_HEAD: &str = "INSERT INTO propagations (resource, namespace, name, cluster, uid, applied_hash, managed_hash, status, message, leftover, at)";
pub(crate) const PUT_TAIL: &str = "ON CONFLICT (resource, namespace, name, cluster) DO UPDATE SET uid = excluded.uid, applied_hash = excluded.applied_hash, \
     managed_hash = excluded.managed_hash, status = excluded.status, message = excluded.message, leftover = excluded.leftover, at = excluded.at";
pub(crate) const DELETE_HEAD: &str = "DELETE FROM propagations WHERE (resource, namespace, name, cluster) IN";
pub(crate) const DELETE: &str =
    "DELETE FROM propagations WHERE resource = $1 AND namespace = $2 AND name = $3 AND cluster = $4";
// A record without a UID is about a creation whose end was not seen: nothing that is known to be there.
const COUNT: &str = "SELECT cluster, COUNT(*) AS managed FROM propagations WHERE uid IS NOT NULL GROUP BY cluster";
const COUNT_IN_NAMESPACE: &str = "SELECT cluster, COUNT(*) AS managed FROM propagations \
     WHERE uid IS NOT NULL AND namespace = $1 AND resource <> $2 GROUP BY cluster";
pub(crate) const STATEMENTS: [&str; 6] = [OF_OBJECT, ALL, KEYS, DELETE, COUNT, COUNT_IN_NAMESPACE];

impl PropagationRow {
    fn into_propagation(self) -> Result<Propagation> {
        let at = Timestamp::from_millisecond(self.at).map_err(|error| Error::Corrupt {
            what: format!("propagation of {} {}/{}", self.resource, self.namespace, self.name),
            why: error.to_string(),
        })?;
        Ok(Propagation {
            key: PropagationKey {
                resource: self.resource,
                namespace: self.namespace,
                name: self.name,
            },
            cluster: self.cluster,
            uid: self.uid,
            applied_hash: self.applied_hash,
            managed_hash: self.managed_hash,
            status: self.status,
            message: self.message,
            leftover: self.leftover,
            at,
        })
    }
}

impl Store {
    /// What is recorded of one object, sorted by cluster.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn propagations(&self, key: &PropagationKey) -> Result<Vec<Propagation>> {
        let rows: Vec<PropagationRow> = on_pool!(self, |pool| {
            sqlx::query_as(OF_OBJECT)
                .bind(&key.resource)
                .bind(&key.namespace)
                .bind(&key.name)
                .fetch_all(pool)
                .await
        })
        .doing("reading propagation records")?;
        rows.into_iter().map(PropagationRow::into_propagation).collect()
    }

    /// Everything that is recorded of one cluster, or (`None`) of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn propagations_in(&self, cluster: Option<&str>) -> Result<Vec<Propagation>> {
        let rows: Vec<PropagationRow> = on_pool!(self, |pool| sqlx::query_as(ALL)
            .bind(cluster.unwrap_or_default())
            .fetch_all(pool)
            .await)
        .doing("reading propagation records")?;
        rows.into_iter().map(PropagationRow::into_propagation).collect()
    }

    /// The objects that anything is recorded of.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn propagated(&self) -> Result<Vec<PropagationKey>> {
        let rows: Vec<KeyRow> =
            on_pool!(self, |pool| sqlx::query_as(KEYS).fetch_all(pool).await).doing("reading propagation records")?;
        let key = |row: KeyRow| PropagationKey {
            resource: row.resource,
            namespace: row.namespace,
            name: row.name,
        };
        Ok(rows.into_iter().map(key).collect())
    }

    /// How many objects the hub manages in each cluster.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn managed(&self) -> Result<BTreeMap<String, u64>> {
        let rows: Vec<CountRow> =
            on_pool!(self, |pool| sqlx::query_as(COUNT).fetch_all(pool).await).doing("counting managed objects")?;
        Ok(counts(rows))
    }

    /// How many objects of one namespace the hub manages in each cluster, not counting those of the resource `beside`:
    /// the namespace itself is not in the namespace.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn managed_in_namespace(&self, namespace: &str, beside: &str) -> Result<BTreeMap<String, u64>> {
        let rows: Vec<CountRow> = on_pool!(self, |pool| sqlx::query_as(COUNT_IN_NAMESPACE)
            .bind(namespace)
            .bind(beside)
            .fetch_all(pool)
            .await)
        .doing("counting managed objects")?;
        Ok(counts(rows))
    }

    /// Writes and drops records together, under the lease that the writer acts by, if it acts as leader; returns once
    /// it is on disk.
    ///
    /// # Errors
    /// [`Error::Fenced`] when the lease is somebody else's, or when the database fails; then nothing was written.
    pub async fn record_propagations(
        &self,
        lease: Option<&Lease>,
        put: &[Propagation],
        drop_in: &[(PropagationKey, String)],
    ) -> Result<()> {
        if put.is_empty() && drop_in.is_empty() {
            return Ok(());
        }
        let recording = Recording {
            lease: lease.cloned(),
            put: put.to_vec(),
            dropped: drop_in.to_vec(),
        };
        recordings::submit(self.queue(), recording).await
    }
}

fn counts(rows: Vec<CountRow>) -> BTreeMap<String, u64> {
    let count = |row: CountRow| (row.cluster, u64::try_from(row.managed).unwrap_or_default());
    rows.into_iter().map(count).collect()
}
