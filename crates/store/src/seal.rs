//! Sealing: authenticated encryption of what must not be readable in a copy of the database.
//!
//! AES-256-GCM with a random nonce per value. The place of a value (table, row, column) is authenticated with it, so
//! a sealed value that is moved to another row does not open. The keys live in a file outside the database: lines of
//! `id:base64`, where the first seals and all open, which is how keys are rotated.

use std::fmt;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::fill;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Error, Result};

const KEY_LENGTH: usize = 32;
/// First byte of a sealed value; another layout would get another number.
const FORMAT: u8 = 1;

/// The keys of this installation.
#[derive(Clone)]
pub struct Keys {
    keys: Arc<[(String, LessSafeKey)]>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.keys.iter().map(|(id, _)| id.as_str()).collect();
        formatter
            .debug_struct("Keys")
            .field("ids", &ids)
            .finish_non_exhaustive()
    }
}

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It is not there.
    #[error(
        "the key file {0} does not exist; with PostgreSQL every replica needs the same one: write a line `id:` followed by 32 random bytes in base64"
    )]
    Missing(PathBuf),
    /// It cannot be read or written.
    #[error("the key file {path} cannot be read")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Others can read it.
    #[error("the key file {path} is readable by everybody (mode {mode:03o}); make it 0600 or 0440")]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A line is no key.
    #[error("line {line} of the key file {path} is not `id:` followed by 32 bytes in base64")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// It has no keys.
    #[error("the key file {0} holds no key")]
    Empty(PathBuf),
}

impl Keys {
    /// Reads a key file.
    ///
    /// # Errors
    /// When it is missing, world-readable, or not a key file.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let io = |source| KeyFileError::Io {
            path: path.into(),
            source,
        };
        let mode = match std::fs::metadata(path) {
            Ok(metadata) => metadata.permissions().mode() & 0o777,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(KeyFileError::Missing(path.into()));
            }
            Err(error) => return Err(io(error)),
        };
        if mode & 0o007 != 0 {
            return Err(KeyFileError::Readable {
                path: path.into(),
                mode,
            });
        }
        let text = std::fs::read_to_string(path).map_err(io)?;
        Self::parse(&text, path)
    }

    /// Reads a key file, or makes one with a new key (mode 0600) where there is none.
    ///
    /// # Errors
    /// As [`Keys::read`], or when it cannot be written.
    pub fn read_or_create(path: &Path) -> Result<Self, KeyFileError> {
        match Self::read(path) {
            Err(KeyFileError::Missing(_)) => {}
            other => return other,
        }
        let io = |source| KeyFileError::Io {
            path: path.into(),
            source,
        };
        let mut key = [0_u8; KEY_LENGTH];
        fill(&mut key).map_err(|_| io(std::io::Error::other("no random numbers")))?;
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(io)?;
        writeln!(file, "1:{}", STANDARD.encode(key))
            .and_then(|()| file.sync_all())
            .map_err(io)?;
        Self::read(path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, KeyFileError> {
        let lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let keys = lines
            .map(|(index, line)| {
                let malformed = || KeyFileError::Malformed {
                    path: path.into(),
                    line: index + 1,
                };
                let (id, encoded) = line.trim().split_once(':').ok_or_else(malformed)?;
                let bytes = STANDARD.decode(encoded.trim()).map_err(|_| malformed())?;
                if bytes.len() != KEY_LENGTH || id.is_empty() || id.len() > 255 {
                    return Err(malformed());
                }
                let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| malformed())?;
                Ok((id.to_owned(), LessSafeKey::new(key)))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(KeyFileError::Empty(path.into()));
        }
        Ok(Self { keys: keys.into() })
    }

    /// Seals `plain` for one place, such as `clusters/eu-1/credential`.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let failed = || Error::Sealed(place.to_owned());
        let (id, key) = self.keys.first().ok_or_else(failed)?;
        let mut nonce = [0_u8; NONCE_LEN];
        fill(&mut nonce).map_err(|_| failed())?;
        let mut body = plain.to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place.as_bytes()),
            &mut body,
        )
        .map_err(|_| failed())?;
        let mut sealed = Vec::with_capacity(2 + id.len() + NONCE_LEN + body.len());
        sealed.push(FORMAT);
        sealed.push(u8::try_from(id.len()).map_err(|_| failed())?);
        sealed.extend_from_slice(id.as_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// [`Error::Sealed`] when the key is unknown, or the value was changed or sealed for another place.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let failed = || Error::Sealed(place.to_owned());
        let [FORMAT, length, rest @ ..] = sealed else {
            return Err(failed());
        };
        let (id, rest) = rest.split_at_checked(usize::from(*length)).ok_or_else(failed)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(failed)?;
        let key = self
            .keys
            .iter()
            .find(|(known, _)| known.as_bytes() == id)
            .map(|(_, key)| key)
            .ok_or_else(failed)?;
        let mut body = body.to_vec();
        let length = key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(place.as_bytes()),
                &mut body,
            )
            .map_err(|_| failed())?
            .len();
        body.truncate(length);
        Ok(body)
    }
}

/// A sealed value with the place it belongs to. It prints nothing of its content.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    pub(crate) place: String,
    pub(crate) bytes: Vec<u8>,
}

impl Sealed {
    /// Opens it.
    ///
    /// # Errors
    /// As [`Keys::open`].
    pub fn open(&self, keys: &Keys) -> Result<secrecy::SecretSlice<u8>> {
        keys.open(&self.place, &self.bytes).map(Into::into)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sealed({})", self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(lines: &[(&str, u8)]) -> Keys {
        let text: String = lines
            .iter()
            .map(|(id, byte)| format!("{id}:{}\n", STANDARD.encode([*byte; 32])))
            .collect();
        Keys::parse(&text, Path::new("keys")).unwrap()
    }

    #[test]
    fn a_sealed_value_opens_in_its_place_alone() {
        let keys = keys(&[("a", 1)]);
        let sealed = keys.seal("clusters/eu-1/credential", b"token").unwrap();
        assert_eq!(keys.open("clusters/eu-1/credential", &sealed).unwrap(), b"token");
        assert!(keys.open("clusters/us-1/credential", &sealed).is_err());
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_noticed() {
        let keys = keys(&[("a", 1)]);
        let sealed = keys.seal("p", b"token").unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(keys.open("p", &changed).is_err(), "byte {index}");
            assert!(keys.open("p", &sealed[..index]).is_err(), "cut at {index}");
        }
    }

    #[test]
    fn the_first_key_seals_and_all_open() {
        let old = keys(&[("a", 1)]).seal("p", b"token").unwrap();
        let rotated = keys(&[("b", 2), ("a", 1)]);
        assert_eq!(rotated.open("p", &old).unwrap(), b"token");
        let new = rotated.seal("p", b"token").unwrap();
        assert!(keys(&[("a", 1)]).open("p", &new).is_err());
    }

    #[test]
    fn a_key_file_is_made_once_and_never_for_everybody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        assert!(matches!(Keys::read(&path), Err(KeyFileError::Missing(_))));
        let made = Keys::read_or_create(&path).unwrap();
        let sealed = made.seal("p", b"x").unwrap();
        assert_eq!(Keys::read_or_create(&path).unwrap().open("p", &sealed).unwrap(), b"x");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            Keys::read(&path),
            Err(KeyFileError::Readable { mode: 0o644, .. })
        ));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o440)).unwrap();
        assert!(Keys::read(&path).is_ok());
    }

    #[test]
    fn short_keys_are_refused() {
        for bad in ["x", "a:", "a:AAAA", ":AAAA"] {
            assert!(
                matches!(
                    Keys::parse(bad, Path::new("keys")),
                    Err(KeyFileError::Malformed { line: 1, .. })
                ),
                "{bad}"
            );
        }
        assert!(matches!(
            Keys::parse("\n", Path::new("keys")),
            Err(KeyFileError::Empty(_))
        ));
    }
}
