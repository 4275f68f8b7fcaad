//! Who asks: exactly one credential in, one [`Caller`] out.
//!
//! Every surface uses [`Caller`]; where it comes from differs. The console API and forwarding take a bearer (a
//! session token or an API token) or the session cookie with the page's key; the hub's Kubernetes API takes a bearer
//! alone ([`bearer_caller`]); a WebSocket of a page brings a ticket ([`ticket`]). There is no anonymous caller, and a
//! refusal does not say which check failed.

pub mod bearer;
pub mod directory;
pub mod limiter;
pub mod password;
pub mod session;
pub mod ticket;

use std::collections::BTreeMap;
use std::time::Duration;

use atoll_clusters::Identity;
use atoll_kubeapi::RequestContext;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest as hash};
use axum::extract::FromRequestParts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use http::{Extensions, HeaderMap};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::authz::{Action, Decision, Subject, decide};
use crate::error::{Error, Result};
use crate::listen::Peer;
use crate::router::RequestId;
use crate::state::AppState;

/// Prefix of API tokens, so that people and scanners know one when they see it.
pub const TOKEN_PREFIX: &str = "atoll_";
/// How often an open stream asks whether its caller is still good, whether or not anything seems to have changed.
const RECHECK: Duration = Duration::from_secs(20);

/// SHA-256, which is how credentials are kept.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(hash(&SHA256, bytes).as_ref());
    out
}

/// A new secret of 256 random bits, as text.
pub fn random_text() -> String {
    let random: [u8; 32] = rand::random();
    URL_SAFE_NO_PAD.encode(random)
}

/// A new API token.
pub fn new_token() -> SecretString {
    SecretString::from(format!("{TOKEN_PREFIX}{}", random_text()))
}

/// How a caller proved who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A sign-in.
    Session {
        /// Its id.
        id: Uuid,
        /// When it ends by itself.
        expires_at: Timestamp,
        /// Whether it came as a cookie.
        cookie: bool,
    },
    /// An API token.
    Token {
        /// Its id.
        id: Uuid,
        /// SHA-256 of the token.
        hash: [u8; 32],
        /// When it ends by itself; `None` for never.
        expires_at: Option<Timestamp>,
    },
    /// None was needed: the program itself acts for a person, as the demonstration does.
    Process,
}

/// Somebody who proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who, for authorization.
    pub subject: Subject,
    /// Name for people.
    pub display_name: String,
    /// How they proved it.
    pub proof: Proof,
}

impl Caller {
    /// An administrator in whose name the program itself acts.
    pub fn process(name: &str) -> Self {
        Self {
            subject: Subject::person(name, true),
            display_name: String::new(),
            proof: Proof::Process,
        }
    }

    /// Whether the caller may do `action`; the error is the answer.
    ///
    /// # Errors
    /// 403, or 404 where the caller may not know whether the object exists.
    pub fn may(&self, action: &Action<'_>) -> Result<()> {
        match decide(&self.subject, action) {
            Decision::Allow => Ok(()),
            Decision::Deny { hidden: true, .. } => Err(match action {
                Action::Member { cluster, .. } => Error::no_cluster(cluster),
                Action::Console { name, .. } => Error::not_found(format!("{:?} not found", name.unwrap_or_default())),
                Action::Hub(attributes) => {
                    atoll_kubeapi::Status::not_found(&attributes.group, &attributes.resource, &attributes.name).into()
                }
            }),
            Decision::Deny { reason, hidden: false } => Err(Error::forbidden(reason)),
        }
    }

    /// The caller as members see them.
    ///
    /// # Errors
    /// 403 when a header could not carry the name unchanged.
    pub fn identity(&self) -> Result<Identity> {
        Identity::new(
            self.subject.qualified_name(),
            None,
            self.subject.groups.clone(),
            BTreeMap::new(),
        )
        .map_err(Error::from)
    }

    /// The caller as the hub's Kubernetes API sees them. The caller itself is among the extensions.
    pub fn context(&self, request_id: &str) -> RequestContext {
        let mut groups = self.subject.groups.clone();
        groups.push("system:authenticated".to_owned());
        let mut extensions = Extensions::new();
        extensions.insert(self.clone());
        RequestContext {
            user: self.subject.qualified_name(),
            groups,
            request_id: request_id.to_owned(),
            extensions,
            ..RequestContext::default()
        }
    }

    /// When the credential ends by itself.
    pub fn expires_at(&self) -> Option<Timestamp> {
        match &self.proof {
            Proof::Session { expires_at, .. } => Some(*expires_at),
            Proof::Token { expires_at, .. } => *expires_at,
            Proof::Process => None,
        }
    }

    /// Whether the credential is still good and still says the same about the same person.
    ///
    /// # Errors
    /// 401 when it has ended or the person's rights have changed; 503 when that cannot be told.
    pub async fn recheck(&self, state: &AppState) -> Result<()> {
        let now = state.now();
        let person = match &self.proof {
            Proof::Session { id, .. } => state.directory.session(*id, now).await?.map(|session| session.person),
            Proof::Token { hash, .. } => state.directory.token(*hash, now).await?.map(|token| token.person),
            Proof::Process => return Ok(()),
        };
        let same = person.is_some_and(|person| Subject::person(person.name, person.admin) == self.subject);
        if same { Ok(()) } else { Err(Error::unauthorized()) }
    }

    /// Returns when an open stream of this caller must end, because the sign-in has ended, the token was revoked or the
    /// person's rights have changed. While nothing can be told (the database is away) it stays open for a minute.
    pub async fn ended(&self, state: &AppState) {
        const DOUBT: u32 = 3;
        let mut changes = state.directory.changes();
        let mut doubts = 0;
        loop {
            changes.mark_unchanged();
            match self.recheck(state).await {
                Ok(()) => doubts = 0,
                Err(error) if error.is_transient() && doubts < DOUBT => doubts += 1,
                Err(_) => return,
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = tokio::time::sleep(RECHECK) => {}
            }
        }
    }
}

/// Finds out who sent a request to the console API or to a member.
impl FromRequestParts<AppState> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self> {
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        let caller = any_caller(&parts.headers, tls(&parts.extensions), state).await?;
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

/// Whether a request came over TLS.
pub fn tls(extensions: &Extensions) -> bool {
    extensions.get::<Peer>().is_some_and(|peer| peer.tls)
}

/// The request's id, for logs and for what it sets off.
pub fn request_id(extensions: &Extensions) -> &str {
    extensions.get::<RequestId>().map_or("", RequestId::as_str)
}

/// Who sent a request with these headers, by bearer or by cookie and key.
///
/// # Errors
/// 400 for two credentials, 401 for none or a bad one, 503 when it cannot be checked.
pub async fn any_caller(headers: &HeaderMap, tls: bool, state: &AppState) -> Result<Caller> {
    match bearer::read(headers, tls)? {
        bearer::Presented::Nothing => Err(Error::unauthorized()),
        bearer::Presented::Bearer(token) => by_bearer(&token, state).await,
        bearer::Presented::Cookie { token, key } => by_cookie(&token, key, state).await,
    }
}

/// Who sent a request with these headers, by bearer alone: cookies are no credential on the hub's Kubernetes API.
///
/// # Errors
/// 400 for two credentials, 401 for none or a bad one, 503 when it cannot be checked.
pub async fn bearer_caller(headers: &HeaderMap, tls: bool, state: &AppState) -> Result<Caller> {
    match bearer::read(headers, tls)? {
        bearer::Presented::Bearer(token) => by_bearer(&token, state).await,
        bearer::Presented::Nothing | bearer::Presented::Cookie { .. } => Err(Error::unauthorized()),
    }
}

async fn by_bearer(token: &SecretString, state: &AppState) -> Result<Caller> {
    if token.expose_secret().starts_with(TOKEN_PREFIX) {
        by_token(token, state).await
    } else {
        by_session(token, None, state).await
    }
}

async fn by_token(token: &SecretString, state: &AppState) -> Result<Caller> {
    let now = state.now();
    let hash = digest(token.expose_secret().as_bytes());
    let found = state
        .directory
        .token(hash, now)
        .await?
        .ok_or_else(Error::unauthorized)?;
    if state.directory.use_is_news(found.id, now) {
        let (store, id) = (state.store.clone(), found.id);
        state.tasks.spawn(async move {
            if let Err(error) = store.token_used(id, now).await {
                tracing::warn!(error = %crate::error::chain(&error), "the use of a token was not noted");
            }
        });
    }
    Ok(Caller {
        subject: Subject::person(found.person.name, found.person.admin),
        display_name: found.person.display_name,
        proof: Proof::Token {
            id: found.id,
            hash,
            expires_at: found.expires_at,
        },
    })
}

async fn by_cookie(token: &SecretString, key: Option<SecretString>, state: &AppState) -> Result<Caller> {
    let key = key.ok_or_else(Error::unauthorized)?;
    by_session(token, Some(&key), state).await
}

/// `key` is what came beside a cookie; a bearer has none.
async fn by_session(token: &SecretString, key: Option<&SecretString>, state: &AppState) -> Result<Caller> {
    let claims = state.sessions.verify(token.expose_secret())?;
    let found = state.directory.session(claims.sid, state.now()).await?;
    let session = found
        .filter(|session| session.person.name == claims.sub)
        .ok_or_else(Error::unauthorized)?;
    if let Some(key) = key {
        let hash = digest(key.expose_secret().as_bytes());
        verify_slices_are_equal(&hash, &session.key_hash).map_err(|_| Error::unauthorized())?;
    }
    Ok(Caller {
        subject: Subject::person(session.person.name, session.person.admin),
        display_name: session.person.display_name,
        proof: Proof::Session {
            id: claims.sid,
            expires_at: session.expires_at,
            cookie: key.is_some(),
        },
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Somebody with a token.
    pub(crate) fn caller(name: &str) -> Caller {
        Caller {
            subject: Subject::person(name, true),
            display_name: String::new(),
            proof: Proof::Token {
                id: Uuid::nil(),
                hash: [0; 32],
                expires_at: None,
            },
        }
    }

    #[test]
    fn administrators_are_of_the_admins_group_on_members() {
        let identity = caller("ada").identity().unwrap();
        assert_eq!(identity.user(), "atoll:ada");
        assert_eq!(identity.groups(), ["atoll:admins"]);
    }

    #[test]
    fn tokens_are_recognisable_and_never_the_same() {
        let (one, two) = (new_token(), new_token());
        assert!(one.expose_secret().starts_with(TOKEN_PREFIX));
        assert_ne!(one.expose_secret(), two.expose_secret());
    }
}
