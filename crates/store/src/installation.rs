//! The installation: made once, by whichever replica is first.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretSlice};
use uuid::Uuid;

use crate::backend::{on_connection, on_pool, row};
use crate::error::{Doing, Error, Result};
use crate::{Store, User};

/// What makes this hub this hub.
#[derive(Debug, Clone)]
pub struct Installation {
    /// Its identity, which member objects carry.
    pub hub_uid: Uuid,
    /// Certificate of its authority, in PEM.
    pub authority_certificate: String,
    /// Key of its authority, in PEM.
    pub authority_key: SecretSlice<u8>,
    /// Key that signs sessions.
    pub signing_key: SecretSlice<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Who was first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initialised {
    /// This process made the installation and the user `admin`.
    ByUs,
    /// There was one.
    Before,
}

row! {
    struct InstallationRow {
        hub_uid: Uuid,
        authority_certificate: String,
        authority_key: Vec<u8>,
        signing_key: Vec<u8>,
        key_check: Vec<u8>,
        created_at: i64,
    }
}

const FIND: &str = "SELECT hub_uid, authority_certificate, authority_key, signing_key, key_check, created_at FROM installation WHERE id = 1";
const INSERT: &str = "INSERT INTO installation (id, hub_uid, authority_certificate, authority_key, signing_key, key_check, created_at) \
     VALUES (1, $1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
pub(crate) const STATEMENTS: [&str; 2] = [FIND, INSERT];

const AUTHORITY_KEY: &str = "installation/1/authority_key";
const SIGNING_KEY: &str = "installation/1/signing_key";
const KEY_CHECK: &str = "installation/1/key_check";
/// Sealed at the first start; that it opens proves that the key file is the right one.
const CHECK_VALUE: &[u8] = b"atoll";

impl Store {
    /// The installation, if there is one.
    ///
    /// # Errors
    /// [`Error::Sealed`] when the key file is not the one the installation was made with.
    pub async fn installation(&self) -> Result<Option<Installation>> {
        let row: Option<InstallationRow> =
            on_pool!(self, |pool| sqlx::query_as(FIND).fetch_optional(pool).await).doing("reading the installation")?;
        let Some(row) = row else { return Ok(None) };
        if self.keys().open(KEY_CHECK, &row.key_check)? != CHECK_VALUE {
            return Err(Error::Sealed(KEY_CHECK.into()));
        }
        Ok(Some(Installation {
            hub_uid: row.hub_uid,
            authority_certificate: row.authority_certificate,
            authority_key: self.keys().open(AUTHORITY_KEY, &row.authority_key)?.into(),
            signing_key: self.keys().open(SIGNING_KEY, &row.signing_key)?.into(),
            created_at: Timestamp::from_millisecond(row.created_at).map_err(|error| Error::Corrupt {
                what: "the installation".into(),
                why: error.to_string(),
            })?,
        }))
    }

    /// Makes the installation and its first user in one transaction, unless there is one: of twenty replicas that
    /// start at once, one wins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn initialise(&self, installation: &Installation, admin: &User) -> Result<Initialised> {
        let authority_key = self
            .keys()
            .seal(AUTHORITY_KEY, installation.authority_key.expose_secret())?;
        let signing_key = self
            .keys()
            .seal(SIGNING_KEY, installation.signing_key.expose_secret())?;
        let key_check = self.keys().seal(KEY_CHECK, CHECK_VALUE)?;
        let mut first = false;
        self.changing_access(async |connection| {
            let made = on_connection!(connection, |one| {
                sqlx::query(INSERT)
                    .bind(installation.hub_uid)
                    .bind(&installation.authority_certificate)
                    .bind(&authority_key)
                    .bind(&signing_key)
                    .bind(&key_check)
                    .bind(installation.created_at.as_millisecond())
                    .execute(one)
                    .await
                    .map(|done| done.rows_affected())
            })
            .doing("making the installation")?;
            first = made == 1;
            if first {
                crate::users::insert(connection, admin).await
            } else {
                Ok(())
            }
        })
        .await?;
        Ok(if first { Initialised::ByUs } else { Initialised::Before })
    }
}
