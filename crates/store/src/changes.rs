//! What has changed since a revision: the history that watches read.

use std::sync::Arc;

use serde_json::Value;

use crate::backend::{on_pool, on_writer, row};
use crate::error::{Doing, Error, Result};
use crate::{ObjectKey, Revision, Store};

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was created.
    Created,
    /// It was changed.
    Updated,
    /// It was deleted.
    Deleted,
}

impl ChangeKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

/// One change of one object.
#[derive(Debug, Clone)]
pub struct Change {
    /// When, in the order of commits.
    pub revision: Revision,
    /// What.
    pub kind: ChangeKind,
    /// To which object.
    pub key: ObjectKey,
    /// The object before, unless it was created.
    pub before: Option<Arc<Value>>,
    /// The object after, unless it was deleted.
    pub after: Option<Arc<Value>>,
}

/// Changes in order, and how far the reading went.
#[derive(Debug, Clone)]
pub struct Changes {
    /// In order of revision.
    pub changes: Vec<Change>,
    /// Everything up to here has been given.
    pub through: Revision,
}

row! {
    struct ChangeRow {
        revision: i64,
        kind: String,
        grp: String,
        resource: String,
        namespace: String,
        name: String,
        before_body: Option<Vec<u8>>,
        after_body: Option<Vec<u8>>,
    }
}

pub(crate) const SINCE: &str = "SELECT revision, kind, grp, resource, namespace, name, before_body, after_body FROM changes \
     WHERE revision > $1 ORDER BY revision, position LIMIT $2";
pub(crate) const COUNTER: &str = "SELECT value FROM counters WHERE name = $1";
pub(crate) const OLDEST_KEPT: &str = "SELECT COALESCE((SELECT MAX(revision) FROM changes WHERE revision <= (SELECT value FROM counters WHERE name = 'revision') - $1), 0)";
pub(crate) const MARK_COMPACTED: &str = "UPDATE counters SET value = $1 WHERE name = 'compacted' AND value < $1";
pub(crate) const COMPACT: &str =
    "DELETE FROM changes WHERE revision <= (SELECT value FROM counters WHERE name = 'compacted')";

impl Store {
    pub(crate) async fn counter(&self, name: &'static str) -> Result<i64> {
        on_pool!(self, |pool| sqlx::query_scalar(COUNTER)
            .bind(name)
            .fetch_one(pool)
            .await)
        .doing("reading a counter")
    }

    /// The revision of the last commit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revision(&self) -> Result<Revision> {
        self.counter("revision").await.map(Revision)
    }

    /// The changes after `from`, at most about `limit` of them; those of one revision always come together.
    ///
    /// # Errors
    /// [`Error::Expired`] when history after `from` has been compacted.
    pub async fn changes(&self, from: Revision, limit: usize) -> Result<Changes> {
        // The counter first: a change that commits in between is then given without being counted, never the reverse.
        let current = self.counter("revision").await?;
        let limit = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
        let mut rows: Vec<ChangeRow> = on_pool!(self, |pool| sqlx::query_as(SINCE)
            .bind(from.0)
            .bind(limit)
            .fetch_all(pool)
            .await)
        .doing("reading changes")?;
        // Compaction is looked at last: rows that went while they were read are noticed.
        let compacted = self.counter("compacted").await?;
        if from.0 < compacted {
            return Err(Error::Expired {
                oldest: Revision(compacted),
            });
        }
        let mut through = current.max(rows.last().map_or(0, |row| row.revision)).max(from.0);
        if i64::try_from(rows.len()).unwrap_or(i64::MAX) >= limit
            && let (Some(first), Some(last)) = (
                rows.first().map(|row| row.revision),
                rows.last().map(|row| row.revision),
            )
        {
            // The last revision may be cut in the middle; leave it for the next reading, unless it is the only one.
            if first == last {
                rows = on_pool!(self, |pool| {
                    sqlx::query_as(SINCE).bind(from.0).bind(i64::MAX).fetch_all(pool).await
                })
                .doing("reading changes")?;
                rows.retain(|row| row.revision == first);
                through = first;
            } else {
                rows.retain(|row| row.revision != last);
                through = last - 1;
            }
        }
        let changes = rows.into_iter().map(|row| self.change(row)).collect::<Result<_>>()?;
        Ok(Changes {
            changes,
            through: Revision(through),
        })
    }

    fn change(&self, row: ChangeRow) -> Result<Change> {
        let key = ObjectKey {
            group: row.grp,
            resource: row.resource,
            namespace: row.namespace,
            name: row.name,
        };
        let kind = match row.kind.as_str() {
            "created" => ChangeKind::Created,
            "updated" => ChangeKind::Updated,
            "deleted" => ChangeKind::Deleted,
            other => return Err(key.corrupt(&format!("unknown kind of change {other}"))),
        };
        let body = |bytes: Option<Vec<u8>>| bytes.map(|bytes| key.decode(&bytes, self.keys())).transpose();
        Ok(Change {
            revision: Revision(row.revision),
            kind,
            before: body(row.before_body)?,
            after: body(row.after_body)?,
            key,
        })
    }

    /// Drops history but for the last `keep` revisions; older watches get [`Error::Expired`] from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn compact(&self, keep: i64) -> Result<()> {
        let oldest: i64 = on_pool!(self, |pool| sqlx::query_scalar(OLDEST_KEPT)
            .bind(keep)
            .fetch_one(pool)
            .await)
        .doing("reading history")?;
        // Mark first: a reader between the two statements learns that its history is gone rather than seeing a gap.
        on_writer!(self, |pool| sqlx::query(MARK_COMPACTED)
            .bind(oldest)
            .execute(pool)
            .await
            .map(drop))
        .doing("compacting history")?;
        on_writer!(self, |pool| sqlx::query(COMPACT).execute(pool).await.map(drop)).doing("compacting history")
    }
}
