//! The first start: whoever is first makes the installation, and nobody makes it a second time.

use atoll_store::{Initialised, Installation, Store, User};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use uuid::Uuid;

use crate::auth::password;
use crate::error::{Error, Result};
use crate::listen::Authority;

/// The user that the first start makes.
pub const ADMIN: &str = "admin";

/// An installation, and what only its first start knows.
pub struct Started {
    /// The installation.
    pub installation: Installation,
    /// The certificate authority that signs this hub's certificates.
    pub authority: Authority,
    /// The password of [`ADMIN`] when it was generated just now: to be printed once.
    pub generated_password: Option<SecretString>,
}

/// Reads the installation, or makes it with the user [`ADMIN`] and `password`, or with a generated one.
///
/// # Errors
/// When the database fails, the key file is another one, or the password cannot be used.
pub async fn initialise(store: &Store, password: Option<SecretString>, now: Timestamp) -> Result<Started> {
    let mut generated_password = None;
    if store.installation().await?.is_none() {
        let chosen = password.clone().unwrap_or_else(password::generate);
        if make(store, &chosen, now).await? == Initialised::ByUs && password.is_none() {
            generated_password = Some(chosen);
        }
    }
    let installation = store
        .installation()
        .await?
        .ok_or_else(|| Error::internal("the installation was made and is not there"))?;
    let key = std::str::from_utf8(installation.authority_key.expose_secret()).map_err(Error::internal)?;
    let authority = Authority::from_pem(installation.authority_certificate.clone(), &SecretString::from(key))
        .map_err(Error::internal)?;
    Ok(Started {
        installation,
        authority,
        generated_password,
    })
}

async fn make(store: &Store, chosen: &SecretString, now: Timestamp) -> Result<Initialised> {
    password::check_new(chosen).map_err(|error| Error::bad_request(error.to_string()))?;
    let authority = Authority::generate(now).map_err(Error::internal)?;
    let signing_key: [u8; 32] = rand::random();
    let installation = Installation {
        hub_uid: Uuid::new_v4(),
        authority_certificate: authority.certificate_pem().to_owned(),
        authority_key: SecretSlice::from(authority.key_pem().expose_secret().as_bytes().to_vec()),
        signing_key: SecretSlice::from(signing_key.to_vec()),
        created_at: now,
    };
    let admin = User {
        name: ADMIN.to_owned(),
        display_name: "Administrator".to_owned(),
        password_hash: hash(chosen.clone()).await?,
        admin: true,
        disabled: false,
        created_at: now,
    };
    Ok(store.initialise(&installation, &admin).await?)
}

/// Hashes a password off the async threads.
///
/// # Errors
/// When it cannot be hashed.
pub async fn hash(password: SecretString) -> Result<String> {
    tokio::task::spawn_blocking(move || password::hash(&password))
        .await
        .map_err(Error::internal)?
        .map_err(Error::internal)
}
