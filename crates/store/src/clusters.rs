//! The side table of registered clusters.
//!
//! A registered cluster *is* a `KubeFedCluster`, an ordinary object with its labels and annotations; this row holds
//! what that kind has no place for, and is written in the same transaction.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretSlice};
use serde_json::Value;

use crate::backend::{Connection, on_connection, on_pool, row};
use crate::error::{Doing, Error, Result};
use crate::seal::Sealed;
use crate::{Revision, Store};

/// What a cluster is to the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The cluster the hub itself belongs to; at most one.
    Host,
    /// Any other.
    Member,
}

impl Role {
    /// `host` or `member`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Member => "member",
        }
    }

    /// Reads `host` or `member`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "host" => Some(Self::Host),
            "member" => Some(Self::Member),
            _ => None,
        }
    }
}

/// A registered cluster, beside its `KubeFedCluster`.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Its name, as in its `KubeFedCluster`.
    pub name: String,
    /// UID of the member's namespace `kube-system`; `None` until it is known. Unique.
    pub uid: Option<String>,
    /// Host or member.
    pub role: Role,
    /// A name for people.
    pub alias: String,
    /// Free text.
    pub description: String,
    /// Who runs it, such as `eks` or `kind`; empty when unknown.
    pub provider: String,
    /// Where it is; empty when unknown.
    pub region: String,
    /// How it is reached; `direct` is the only way so far.
    pub connection: String,
    /// URL of its API server.
    pub endpoint: String,
    /// Certificate authority of the API server, in PEM; empty for the system's.
    pub ca: String,
    /// Name that the API server's certificate must carry; empty for the endpoint's host.
    pub tls_server_name: String,
    /// The credential, sealed.
    pub credential: Sealed,
    /// Moves when endpoint, CA or credential do.
    pub credential_revision: i64,
    /// When the credential ends, if that can be told.
    pub credential_expires_at: Option<Timestamp>,
    /// Whether admins of the hub are admitted as cluster-admin.
    pub admit_admins: bool,
    /// When it was registered.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// `Pending`, `Ready`, `Degraded` or `Offline`.
    pub state: String,
    /// Since when it has been in that state.
    pub since: Timestamp,
    /// Conditions in Kubernetes' form.
    pub conditions: Value,
    /// What the last probe found: version, nodes, capacity, latency, when.
    pub probe: Value,
}

/// What is written of a cluster when its health says something new. Credential and names are not in it, so that it
/// cannot undo what somebody else changes at the same time.
#[derive(Debug, Clone)]
pub struct ClusterHealth {
    /// The cluster.
    pub name: String,
    /// The credential that this was found with; of another one it would say nothing.
    pub credential_revision: i64,
    /// Kept when there was none.
    pub uid: Option<String>,
    /// Kept when there was none.
    pub provider: Option<String>,
    /// Kept when there was none.
    pub region: Option<String>,
    /// `Pending`, `Ready`, `Degraded` or `Offline`.
    pub state: String,
    /// Since when it has been in that state.
    pub since: Timestamp,
    /// Conditions in Kubernetes' form.
    pub conditions: Value,
    /// What the last probe found.
    pub probe: Value,
}

row! {
    struct ClusterRow {
        name: String,
        uid: Option<String>,
        role: String,
        alias: String,
        description: String,
        provider: String,
        region: String,
        connection: String,
        endpoint: String,
        ca: String,
        tls_server_name: String,
        credential: Vec<u8>,
        credential_revision: i64,
        credential_expires_at: Option<i64>,
        admit_admins: bool,
        created_at: i64,
        created_by: String,
        state: String,
        since: i64,
        conditions: String,
        probe: String,
    }
}

const LIST: &str = "SELECT name, uid, role, alias, description, provider, region, connection, endpoint, ca, tls_server_name, credential, \
     credential_revision, credential_expires_at, admit_admins, created_at, created_by, state, since, conditions, probe \
     FROM clusters WHERE ($1 = '' OR name = $1) ORDER BY name";
const PUT: &str = "INSERT INTO clusters (name, uid, role, alias, description, provider, region, connection, endpoint, ca, tls_server_name, \
     credential, credential_revision, credential_expires_at, admit_admins, created_at, created_by, state, since, conditions, probe) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21) \
     ON CONFLICT (name) DO UPDATE SET uid = excluded.uid, role = excluded.role, alias = excluded.alias, description = excluded.description, \
     provider = excluded.provider, region = excluded.region, connection = excluded.connection, endpoint = excluded.endpoint, \
     ca = excluded.ca, tls_server_name = excluded.tls_server_name, credential = excluded.credential, \
     credential_revision = excluded.credential_revision, credential_expires_at = excluded.credential_expires_at, \
     admit_admins = excluded.admit_admins, state = excluded.state, since = excluded.since, conditions = excluded.conditions, \
     probe = excluded.probe";
const TAKEN: &str = "SELECT name, CASE WHEN uid = $2 THEN 'uid' ELSE 'host' END AS what FROM clusters \
     WHERE name <> $1 AND (uid = $2 OR (role = 'host' AND $3 = 'host')) ORDER BY what DESC LIMIT 1";
const DELETE: &str = "DELETE FROM clusters WHERE name = $1";
const DELETE_PROPAGATIONS: &str = "DELETE FROM propagations WHERE cluster = $1";
const PUT_HEALTH: &str = "UPDATE clusters SET uid = COALESCE(uid, $3), \
     provider = CASE WHEN provider = '' THEN $4 ELSE provider END, region = CASE WHEN region = '' THEN $5 ELSE region END, \
     state = $6, since = $7, conditions = $8, probe = $9 WHERE name = $1 AND credential_revision = $2";
const CREDENTIAL_REVISION: &str = "SELECT credential_revision FROM clusters WHERE name = $1";
pub(crate) const STATEMENTS: [&str; 7] = [
    LIST,
    PUT,
    TAKEN,
    DELETE,
    DELETE_PROPAGATIONS,
    PUT_HEALTH,
    CREDENTIAL_REVISION,
];

row! {
    struct TakenRow {
        name: String,
        what: String,
    }
}

fn place(name: &str) -> String {
    format!("clusters/{name}/credential")
}

fn corrupt(name: &str, why: impl std::fmt::Display) -> Error {
    Error::Corrupt {
        what: format!("{}{name}", crate::error::CLUSTER),
        why: why.to_string(),
    }
}

impl ClusterRow {
    fn into_cluster(self) -> Result<Cluster> {
        let time = |milliseconds| Timestamp::from_millisecond(milliseconds).map_err(|error| corrupt(&self.name, error));
        let json = |text: &str| serde_json::from_str(text).map_err(|error| corrupt(&self.name, error));
        Ok(Cluster {
            role: Role::parse(&self.role).ok_or_else(|| corrupt(&self.name, "unknown role"))?,
            created_at: time(self.created_at)?,
            since: time(self.since)?,
            credential_expires_at: self.credential_expires_at.map(time).transpose()?,
            conditions: json(&self.conditions)?,
            probe: json(&self.probe)?,
            credential: Sealed {
                place: place(&self.name),
                bytes: self.credential,
            },
            uid: self.uid,
            alias: self.alias,
            description: self.description,
            provider: self.provider,
            region: self.region,
            connection: self.connection,
            endpoint: self.endpoint,
            ca: self.ca,
            tls_server_name: self.tls_server_name,
            credential_revision: self.credential_revision,
            admit_admins: self.admit_admins,
            created_by: self.created_by,
            state: self.state,
            name: self.name,
        })
    }
}

impl Store {
    /// Seals the credential of the cluster `name`.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn seal_credential(&self, name: &str, credential: &SecretSlice<u8>) -> Result<Sealed> {
        let place = place(name);
        let bytes = self.keys().seal(&place, credential.expose_secret())?;
        Ok(Sealed { place, bytes })
    }

    /// Opens a sealed value of this store.
    ///
    /// # Errors
    /// [`Error::Sealed`].
    pub fn open_sealed(&self, sealed: &Sealed) -> Result<SecretSlice<u8>> {
        sealed.open(self.keys())
    }

    /// All registered clusters, sorted by name. A row that cannot be read is an error of its own and hides no other.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clusters(&self) -> Result<Vec<Result<Cluster>>> {
        Ok(self
            .cluster_rows("")
            .await?
            .into_iter()
            .map(ClusterRow::into_cluster)
            .collect())
    }

    /// One registered cluster.
    ///
    /// # Errors
    /// When the database fails or the row cannot be read.
    pub async fn cluster(&self, name: &str) -> Result<Option<Cluster>> {
        self.cluster_rows(name)
            .await?
            .pop()
            .map(ClusterRow::into_cluster)
            .transpose()
    }

    async fn cluster_rows(&self, name: &str) -> Result<Vec<ClusterRow>> {
        on_pool!(self, |pool| sqlx::query_as(LIST).bind(name).fetch_all(pool).await).doing("reading clusters")
    }

    /// Key of the `KubeFedCluster` with this name.
    pub fn cluster_key(name: &str) -> crate::ObjectKey {
        crate::ObjectKey::new("core.kubefed.io", "kubefedclusters", "kube-federation-system", name)
    }

    /// The revision of the row's object is what makes a change of the side table visible.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cluster_revision(&self, name: &str) -> Result<Option<Revision>> {
        Ok(self
            .object(&Self::cluster_key(name))
            .await?
            .map(|object| object.revision))
    }
}

/// Whether another registration leads to the same cluster, or is the host already.
async fn check_free(connection: &mut Connection, name: &str, uid: Option<&str>, role: Role) -> Result<()> {
    let taken: Option<TakenRow> = on_connection!(connection, |one| {
        sqlx::query_as(TAKEN)
            .bind(name)
            .bind(uid)
            .bind(role.as_str())
            .fetch_optional(one)
            .await
    })
    .doing("looking for the same cluster")?;
    match taken {
        Some(taken) if taken.what == "uid" => Err(Error::ClusterRegistered(taken.name)),
        Some(taken) => Err(Error::HostTaken(taken.name)),
        None => Ok(()),
    }
}

pub(crate) async fn put_health(connection: &mut Connection, health: &ClusterHealth) -> Result<()> {
    check_free(connection, &health.name, health.uid.as_deref(), Role::Member).await?;
    let changed = on_connection!(connection, |one| {
        sqlx::query(PUT_HEALTH)
            .bind(&health.name)
            .bind(health.credential_revision)
            .bind(&health.uid)
            .bind(health.provider.as_deref().unwrap_or_default())
            .bind(health.region.as_deref().unwrap_or_default())
            .bind(&health.state)
            .bind(health.since.as_millisecond())
            .bind(health.conditions.to_string())
            .bind(health.probe.to_string())
            .execute(one)
            .await
            .map(|done| done.rows_affected())
    })
    .doing("recording the health of a cluster")?;
    if changed > 0 {
        return Ok(());
    }
    let key = Store::cluster_key(&health.name);
    let current: Option<i64> = on_connection!(connection, |one| {
        sqlx::query_scalar(CREDENTIAL_REVISION)
            .bind(&health.name)
            .fetch_optional(one)
            .await
    })
    .doing("reading a cluster")?;
    Err(match current {
        Some(current) => Error::Conflict {
            key,
            current: Revision(current),
        },
        None => Error::NotFound(key),
    })
}

pub(crate) async fn put(connection: &mut Connection, cluster: &Cluster) -> Result<()> {
    check_free(connection, &cluster.name, cluster.uid.as_deref(), cluster.role).await?;
    on_connection!(connection, |one| {
        sqlx::query(PUT)
            .bind(&cluster.name)
            .bind(&cluster.uid)
            .bind(cluster.role.as_str())
            .bind(&cluster.alias)
            .bind(&cluster.description)
            .bind(&cluster.provider)
            .bind(&cluster.region)
            .bind(&cluster.connection)
            .bind(&cluster.endpoint)
            .bind(&cluster.ca)
            .bind(&cluster.tls_server_name)
            .bind(&cluster.credential.bytes)
            .bind(cluster.credential_revision)
            .bind(cluster.credential_expires_at.map(Timestamp::as_millisecond))
            .bind(cluster.admit_admins)
            .bind(cluster.created_at.as_millisecond())
            .bind(&cluster.created_by)
            .bind(&cluster.state)
            .bind(cluster.since.as_millisecond())
            .bind(cluster.conditions.to_string())
            .bind(cluster.probe.to_string())
            .execute(one)
            .await
            .map(drop)
    })
    .doing("writing a cluster")
}

pub(crate) async fn delete(connection: &mut Connection, name: &str) -> Result<()> {
    for statement in [DELETE_PROPAGATIONS, DELETE] {
        on_connection!(connection, |one| sqlx::query(statement)
            .bind(name)
            .execute(one)
            .await
            .map(drop))
        .doing("removing a cluster")?;
    }
    Ok(())
}
