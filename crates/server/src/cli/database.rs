//! From options to an open store: which database, which keys, and the data dir that holds them.

use std::error::Error as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use atoll_store::{DataDir, DatabaseUrl, KeyFileError, Keys, Store};
use secrecy::SecretString;

use super::Failure;
use crate::config::Data;

/// Name of the SQLite file in the data dir.
const DATABASE_FILE: &str = "atoll.db";
/// Name of the key file in the data dir.
const KEY_FILE: &str = "keys";

/// Where data is, judged but not opened.
pub(super) struct Place {
    pub(super) url: DatabaseUrl,
    key_file: PathBuf,
    data_dir: PathBuf,
}

impl Place {
    /// Reads the options; nothing is opened or made.
    pub(super) fn of(data: &Data) -> Result<Self, Failure> {
        let text = match (&data.database, &data.database_file) {
            (Some(url), _) => Some(url.clone()),
            (None, Some(file)) => Some(read_line(file, "--database-file")?),
            (None, None) => None,
        };
        let url = match text {
            Some(text) => text
                .parse()
                .map_err(|error: atoll_store::Error| Failure::Usage(error.to_string()))?,
            None => DatabaseUrl::Sqlite(data.data_dir.join(DATABASE_FILE)),
        };
        Ok(Self {
            url,
            key_file: data.key_file.clone().unwrap_or_else(|| data.data_dir.join(KEY_FILE)),
            data_dir: data.data_dir.clone(),
        })
    }

    /// Takes the data dir for this process. With PostgreSQL there is nothing in it that two processes could break.
    pub(super) fn lock(&self) -> Result<Option<DataDir>, Failure> {
        match self.url {
            DatabaseUrl::Sqlite(_) => DataDir::open(&self.data_dir)
                .map(Some)
                .map_err(|error| Failure::Failed(crate::error::chain(&error))),
            DatabaseUrl::Postgres(_) => Ok(None),
        }
    }

    /// Opens the store. A first start with SQLite makes the key file, but never a second key over data that another one
    /// sealed; PostgreSQL is shared, and so is its key file.
    pub(super) async fn open(&self) -> Result<Store, Failure> {
        let keys = match &self.url {
            DatabaseUrl::Sqlite(path) if holds_data(path) => match Keys::read(&self.key_file) {
                Err(KeyFileError::Missing(key_file)) => {
                    return Err(Failure::Usage(format!(
                        "--key-file: the key file {} is missing, and {} is sealed with it; put it back",
                        key_file.display(),
                        path.display()
                    )));
                }
                read => read,
            },
            DatabaseUrl::Sqlite(_) => Keys::read_or_create(&self.key_file),
            DatabaseUrl::Postgres(_) => Keys::read(&self.key_file),
        };
        let keys = keys.map_err(|error| Failure::Usage(format!("--key-file: {}", crate::error::chain(&error))))?;
        if let DatabaseUrl::Sqlite(path) = &self.url {
            make_private(path)
                .map_err(|error| Failure::while_doing(&format!("cannot make or write {}", path.display()), &error))?;
        }
        Store::open(&self.url, keys)
            .await
            .map_err(|error| Failure::while_doing("cannot open the database", &error))
    }

    /// Why the installation cannot be read: with another key file it is what was given, not what the hub did.
    pub(super) fn unreadable(&self, error: &crate::error::Error) -> Failure {
        let cause = error.source().and_then(|cause| cause.downcast_ref());
        if let Some(atoll_store::Error::Sealed(_)) = cause {
            return Failure::Usage(format!(
                "--key-file: no key in {} is the one that this database is sealed with",
                self.key_file.display()
            ));
        }
        Failure::while_doing("cannot make or read the installation", error)
    }

    /// Opens a store that is there already, for commands beside a running hub.
    pub(super) async fn open_existing(&self) -> Result<Store, Failure> {
        if let DatabaseUrl::Sqlite(path) = &self.url
            && !path.is_file()
        {
            return Err(Failure::Usage(format!("there is no database at {}", path.display())));
        }
        self.open().await
    }
}

fn holds_data(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.len() > 0)
}

/// Makes the SQLite file before SQLite does, which would let everybody read it; the files beside it take its mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map(drop)
}

/// The first line of a file with a secret in it.
pub(super) fn read_secret(file: &Path, option: &str) -> Result<SecretString, Failure> {
    read_line(file, option).map(SecretString::from)
}

fn read_line(file: &Path, option: &str) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::Usage(format!("{option}: cannot read {}: {error}", file.display())))?;
    let line = text.lines().next().unwrap_or_default().trim_end().to_owned();
    if line.is_empty() {
        return Err(Failure::Usage(format!("{option}: {} is empty", file.display())));
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn data(folder: &Path) -> Data {
        Data {
            data_dir: folder.join("data"),
            database: None,
            database_file: None,
            key_file: None,
        }
    }

    #[tokio::test]
    async fn a_first_start_makes_what_it_needs_and_a_second_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(&data(folder.path())).unwrap();
        assert!(
            matches!(place.open_existing().await, Err(Failure::Usage(_))),
            "nothing is there yet"
        );
        let lock = place.lock().unwrap();
        place.open().await.unwrap().close().await;
        drop(lock);
        place.open_existing().await.unwrap().close().await;
        for file in ["keys", "atoll.db"] {
            let metadata = folder.path().join("data").join(file).metadata().unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{file}");
        }
    }

    #[tokio::test]
    async fn a_second_key_is_never_made_over_data() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(&data(folder.path())).unwrap();
        let lock = place.lock().unwrap();
        place.open().await.unwrap().close().await;
        drop(lock);
        let keys = folder.path().join("data/keys");
        std::fs::remove_file(&keys).unwrap();
        match place.open().await {
            Err(Failure::Usage(message)) => assert!(message.contains("put it back"), "{message}"),
            other => panic!("{:?}", other.map(drop)),
        }
        assert!(!keys.exists());
    }

    #[test]
    fn a_database_that_nobody_knows_is_refused_before_anything_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let mut data = data(folder.path());
        data.database = Some("mysql://x".into());
        assert!(matches!(Place::of(&data), Err(Failure::Usage(_))));
        assert!(!folder.path().join("data").exists());
    }

    #[test]
    fn secrets_are_the_first_line_of_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "postgres://atoll@db/atoll\n").unwrap();
        assert_eq!(read_line(&file, "--x").unwrap(), "postgres://atoll@db/atoll");
        std::fs::write(&file, "\n").unwrap();
        assert!(read_line(&file, "--x").is_err());
    }
}
