//! Passwords: argon2id, off the async threads, bounded in number.
//!
//! An unknown name is checked against a hash nobody can match, so that it takes as long as a known one.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{Output, ParamsString, PasswordHash, SaltString};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

/// Longest password that is looked at, in bytes: hashing costs time in proportion.
pub const MAX_LENGTH: usize = 1024;
/// Shortest password that may be set (NIST SP 800-63B asks for 8; this one guards cluster-admin).
pub const MIN_LENGTH: usize = 12;
/// 19 MiB, two passes, one lane: OWASP's minimum for argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// Bytes of a hash.
const OUTPUT: usize = 32;
/// Blocks that are reserved at least. From 32 MiB on the allocator takes memory from the system and gives it back at
/// once, whatever it has learned from earlier requests; only what is used of it is ever resident.
const RESERVED_BLOCKS: usize = 34 * 1024;

/// The hash that no password matches, of the same cost as real ones.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    let random: [u8; 32] = rand::random();
    hash(&SecretString::from(hex(&random))).expect("these parameters are valid")
});

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parameters() -> Params {
    Params::new(MEMORY_KIB, PASSES, 1, Some(OUTPUT)).expect("these parameters are valid")
}

/// Argon2id of a password, in memory that goes back to the system.
fn derive(password: &SecretString, salt: &[u8], parameters: Params, length: usize) -> argon2::Result<Vec<u8>> {
    let count = parameters.block_count();
    let mut memory = Vec::with_capacity(count.max(RESERVED_BLOCKS));
    memory.resize(count, Block::default());
    let mut output = vec![0; length];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters).hash_password_into_with_memory(
        password.expose_secret().as_bytes(),
        salt,
        &mut output,
        &mut memory[..],
    )?;
    Ok(output)
}

/// Why a password cannot be set.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PasswordError {
    /// Fewer characters than [`MIN_LENGTH`].
    #[error("the password must have at least {MIN_LENGTH} characters")]
    TooShort,
    /// More bytes than [`MAX_LENGTH`].
    #[error("the password must have at most {MAX_LENGTH} bytes")]
    TooLong,
    /// The hash could not be made.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// Checks that a password is not longer than any can be.
///
/// # Errors
/// When it is too long.
pub fn check_length(password: &SecretString) -> Result<(), PasswordError> {
    if password.expose_secret().len() > MAX_LENGTH {
        Err(PasswordError::TooLong)
    } else {
        Ok(())
    }
}

/// Checks the length of a new password.
///
/// # Errors
/// When it is too short or too long.
pub fn check_new(password: &SecretString) -> Result<(), PasswordError> {
    let text = password.expose_secret();
    match (text.chars().count() < MIN_LENGTH, text.len() > MAX_LENGTH) {
        (true, _) => Err(PasswordError::TooShort),
        (_, true) => Err(PasswordError::TooLong),
        _ => Ok(()),
    }
}

/// The hash to keep, in PHC string form. Takes tens of milliseconds: call it off the async threads.
///
/// # Errors
/// When hashing fails.
pub fn hash(password: &SecretString) -> Result<String, PasswordError> {
    let failed = |error: &dyn std::fmt::Display| PasswordError::Hash(error.to_string());
    let text = SaltString::generate(&mut OsRng);
    let mut salt = [0; 64];
    let salt = text.as_salt().decode_b64(&mut salt).map_err(|error| failed(&error))?;
    let output = derive(password, salt, parameters(), OUTPUT).map_err(|error| failed(&error))?;
    let hash = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(parameters()).map_err(|error| failed(&error))?,
        salt: Some(text.as_salt()),
        hash: Some(Output::new(&output).map_err(|error| failed(&error))?),
    };
    Ok(hash.to_string())
}

/// A password of 24 random letters and digits, for a first start.
pub fn generate() -> SecretString {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let random: [u8; 24] = rand::random();
    let text: String = random
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect();
    SecretString::from(text)
}

fn verify_blocking(password: &SecretString, known: Option<&str>) -> bool {
    match known {
        Some(hash) => matches(password, hash).unwrap_or(false),
        None => {
            let _ = matches(password, &NOBODY);
            false
        }
    }
}

/// Whether a password belongs to a hash; `None` when that is no hash of ours.
fn matches(password: &SecretString, hash: &str) -> Option<bool> {
    let hash = PasswordHash::new(hash).ok()?;
    let known = hash.hash.filter(|_| hash.algorithm == ARGON2ID_IDENT)?;
    let mut salt = [0; 64];
    let salt = hash.salt?.decode_b64(&mut salt).ok()?;
    let parameters = Params::try_from(&hash).ok()?;
    let found = derive(password, salt, parameters, known.len()).ok()?;
    // `Output` compares in constant time.
    Some(Output::new(&found).ok()? == known)
}

/// Checks passwords off the async threads, as many at once as there are cores: each takes 19 MiB.
#[derive(Clone)]
pub struct Verifier {
    slots: Arc<Semaphore>,
}

impl Default for Verifier {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            slots: Arc::new(Semaphore::new(cores)),
        }
    }
}

impl Verifier {
    /// Whether `password` belongs to the hash `known`; `None` is an unknown name and takes as long.
    pub async fn verify(&self, password: SecretString, known: Option<String>) -> bool {
        let Ok(slot) = self.slots.clone().acquire_owned().await else {
            return false;
        };
        tokio::task::spawn_blocking(move || {
            let _slot = slot;
            verify_blocking(&password, known.as_deref())
        })
        .await
        .unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_hash_and_no_other() {
        let password = SecretString::from("correct horse battery");
        let hash = hash(&password).unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify_blocking(&password, Some(&hash)));
        assert!(!verify_blocking(
            &SecretString::from("wrong horse battery"),
            Some(&hash)
        ));
        assert!(!verify_blocking(&password, None));
    }

    #[test]
    fn hashes_of_other_programs_in_the_same_form_are_read() {
        let hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(verify_blocking(&SecretString::from("password"), Some(hash)));
        assert!(!verify_blocking(&SecretString::from("passw0rd"), Some(hash)));
        for odd in [
            "",
            "x",
            "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        ] {
            assert!(!verify_blocking(&SecretString::from("password"), Some(odd)), "{odd}");
        }
    }

    #[test]
    fn short_and_huge_passwords_are_refused() {
        assert_eq!(check_new(&SecretString::from("short")), Err(PasswordError::TooShort));
        assert_eq!(
            check_new(&SecretString::from("x".repeat(1025))),
            Err(PasswordError::TooLong)
        );
        assert!(check_new(&generate()).is_ok());
    }
}
