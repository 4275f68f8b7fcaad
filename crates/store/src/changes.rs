//! What has changed since a revision: the history that watches read.

use std::sync::Arc;

use serde_json::Value;

use crate::backend::{on_pool, on_writer, row};
use crate::error::{Doing, Error, Result};
use crate::objects::NameRow;
use crate::{ObjectKey, Revision, Store};

/// About how much of history is read at a time.
const MOST_BYTES: i64 = 8 * 1024 * 1024;

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

/// An object as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Earlier {
    /// When it became another.
    pub until: Revision,
    /// The object until then.
    pub body: Arc<Value>,
}

row! {
    struct EarlierRow {
        revision: i64,
        before_body: Vec<u8>,
    }
}

row! {
    /// How large a change is.
    struct SizeRow {
        revision: i64,
        bytes: i64,
    }
}

/// How far a reading goes: over whole revisions.
#[derive(Debug, PartialEq, Eq)]
struct Stretch {
    /// The last revision of it; none when there is nothing to read.
    through: Option<i64>,
    /// Whether more may follow.
    is_cut: bool,
}

impl Stretch {
    /// Of the sizes of changes, in order, of which at most `limit` were read.
    fn of(sizes: &[SizeRow], limit: usize) -> Self {
        let mut through = None;
        let mut bytes = 0_i64;
        for revision in sizes.chunk_by(|one, other| one.revision == other.revision) {
            let is_last = revision.last().map(|row| row.revision) == sizes.last().map(|row| row.revision);
            let may_be_incomplete = is_last && sizes.len() >= limit;
            bytes = revision.iter().fold(bytes, |sum, row| sum.saturating_add(row.bytes));
            // One revision is given whatever it takes, or nothing would be given for ever.
            if through.is_some() && (may_be_incomplete || bytes > MOST_BYTES) {
                return Self { through, is_cut: true };
            }
            through = revision.first().map(|row| row.revision);
        }
        Self {
            through,
            is_cut: sizes.len() >= limit,
        }
    }
}

/// How many bodies of these sizes, from the first on, are read at a time.
fn fitting(sizes: &[i64]) -> i64 {
    let mut bytes = 0_i64;
    let fits = |size: &&i64| {
        bytes = bytes.saturating_add(**size);
        bytes <= MOST_BYTES
    };
    // The first is given whatever it takes, or nothing would be told of it.
    let count = sizes.iter().take_while(fits).count().max(sizes.len().min(1));
    i64::try_from(count).unwrap_or(i64::MAX)
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

pub(crate) const SIZES: &str = "SELECT revision, CAST(COALESCE(LENGTH(before_body), 0) + COALESCE(LENGTH(after_body), 0) AS BIGINT) AS bytes \
     FROM changes WHERE revision > $1 ORDER BY revision, position LIMIT $2";
pub(crate) const STRETCH: &str = "SELECT revision, kind, grp, resource, namespace, name, before_body, after_body FROM changes \
     WHERE revision > $1 AND revision <= $2 ORDER BY revision, position";
pub(crate) const NAMES: &str = "SELECT grp, resource, namespace, name FROM changes \
     WHERE revision > $1 AND revision <= $2 ORDER BY revision, position";
// The order of `HISTORY`; sizes are told without reading the bodies.
pub(crate) const HISTORY_SIZES: &str = "SELECT CAST(LENGTH(before_body) AS BIGINT) FROM changes \
     WHERE grp = $1 AND resource = $2 AND namespace = $3 AND name = $4 AND before_body IS NOT NULL \
     ORDER BY revision DESC, position DESC LIMIT $5";
pub(crate) const HISTORY: &str = "SELECT revision, before_body FROM changes \
     WHERE grp = $1 AND resource = $2 AND namespace = $3 AND name = $4 AND before_body IS NOT NULL \
     ORDER BY revision DESC, position DESC LIMIT $5";
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

    /// The changes after `from`, at most about `limit` of them and not many large ones; those of one revision always come
    /// together.
    ///
    /// # Errors
    /// [`Error::Expired`] when history after `from` has been compacted.
    pub async fn changes(&self, from: Revision, limit: usize) -> Result<Changes> {
        let (current, stretch) = self.stretch(from, limit).await?;
        let rows: Vec<ChangeRow> = match stretch.through {
            None => Vec::new(),
            Some(last) => on_pool!(self, |pool| sqlx::query_as(STRETCH)
                .bind(from.0)
                .bind(last)
                .fetch_all(pool)
                .await)
            .doing("reading changes")?,
        };
        let changes = rows.into_iter().map(|row| self.change(row)).collect::<Result<_>>()?;
        Ok(Changes {
            changes,
            through: self.given(from, current, &stretch).await?,
        })
    }

    /// What the changes after `from` were made to, and how far the reading went, as [`Store::changes`] does it: for
    /// whoever need not know what was changed.
    ///
    /// # Errors
    /// [`Error::Expired`] when history after `from` has been compacted.
    pub async fn changed(&self, from: Revision, limit: usize) -> Result<(Vec<ObjectKey>, Revision)> {
        let (current, stretch) = self.stretch(from, limit).await?;
        let rows: Vec<NameRow> = match stretch.through {
            None => Vec::new(),
            Some(last) => on_pool!(self, |pool| sqlx::query_as(NAMES)
                .bind(from.0)
                .bind(last)
                .fetch_all(pool)
                .await)
            .doing("reading changes")?,
        };
        let keys = rows.into_iter().map(NameRow::into_key).collect();
        Ok((keys, self.given(from, current, &stretch).await?))
    }

    /// How far one reading goes, beside the revision as of which that was told.
    async fn stretch(&self, from: Revision, limit: usize) -> Result<(i64, Stretch)> {
        // The counter first: a change that commits in between is then given without being counted, never the reverse.
        let current = self.counter("revision").await?;
        let rows = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
        let sizes: Vec<SizeRow> = on_pool!(self, |pool| sqlx::query_as(SIZES)
            .bind(from.0)
            .bind(rows)
            .fetch_all(pool)
            .await)
        .doing("reading changes")?;
        Ok((current, Stretch::of(&sizes, limit.max(1))))
    }

    /// Up to where everything was given, when it was not compacted meanwhile.
    async fn given(&self, from: Revision, current: i64, stretch: &Stretch) -> Result<Revision> {
        // Compaction is looked at last: rows that went while they were read are noticed.
        let compacted = self.counter("compacted").await?;
        if from.0 < compacted {
            return Err(Error::Expired {
                oldest: Revision(compacted),
            });
        }
        let last = stretch.through.unwrap_or(from.0);
        Ok(Revision(if stretch.is_cut { last } else { current.max(last) }))
    }

    /// How an object was before each of its last changes, at most `most` of them and not many large ones: the latest
    /// first. What was compacted is not among them.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn history_of(&self, key: &ObjectKey, most: usize) -> Result<Vec<Earlier>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let sizes: Vec<i64> = on_pool!(self, |pool| {
            sqlx::query_scalar(HISTORY_SIZES)
                .bind(&key.group)
                .bind(&key.resource)
                .bind(&key.namespace)
                .bind(&key.name)
                .bind(most)
                .fetch_all(pool)
                .await
        })
        .doing("reading the history of an object")?;
        let rows: Vec<EarlierRow> = on_pool!(self, |pool| {
            sqlx::query_as(HISTORY)
                .bind(&key.group)
                .bind(&key.resource)
                .bind(&key.namespace)
                .bind(&key.name)
                .bind(fitting(&sizes))
                .fetch_all(pool)
                .await
        })
        .doing("reading the history of an object")?;
        let earlier = rows.into_iter().map(|row| {
            Ok(Earlier {
                until: Revision(row.revision),
                body: key.decode(&row.before_body, self.keys())?,
            })
        });
        earlier.collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(sizes: &[(i64, i64)], limit: usize) -> (Option<i64>, bool) {
        let rows: Vec<SizeRow> = sizes
            .iter()
            .map(|(revision, bytes)| SizeRow {
                revision: *revision,
                bytes: *bytes,
            })
            .collect();
        let Stretch { through, is_cut } = Stretch::of(&rows, limit);
        (through, is_cut)
    }

    #[test]
    fn a_reading_ends_with_a_whole_revision() {
        assert_eq!(stretch(&[], 3), (None, false));
        assert_eq!(stretch(&[(1, 9), (2, 9)], 3), (Some(2), false));
        assert_eq!(stretch(&[(1, 9), (2, 9), (2, 9)], 3), (Some(1), true));
        assert_eq!(stretch(&[(1, 9), (2, 9), (3, 9)], 3), (Some(2), true));
        // There may be more of it; all of it is read.
        assert_eq!(stretch(&[(1, 9), (1, 9), (1, 9)], 3), (Some(1), true));
    }

    #[test]
    fn large_changes_come_few_at_a_time_and_the_largest_alone() {
        let half = MOST_BYTES / 2;
        assert_eq!(stretch(&[(1, half), (2, half), (3, 1)], 9), (Some(2), true));
        assert_eq!(stretch(&[(1, i64::MAX), (2, 1)], 9), (Some(1), true));
        assert_eq!(stretch(&[(1, half), (2, half), (2, 1)], 9), (Some(1), true));
        assert_eq!(stretch(&[(1, i64::MAX)], 9), (Some(1), false));
        let history = |sizes: &[i64]| fitting(sizes);
        assert_eq!(history(&[half, half, 1]), 2);
        assert_eq!(history(&[i64::MAX, i64::MAX]), 1);
        assert_eq!(history(&[]), 0);
    }
}
