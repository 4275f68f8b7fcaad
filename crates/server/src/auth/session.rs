//! Session tokens: JWTs that any replica can verify without the database.
//!
//! HS256 with a key of this installation. The algorithm comes from the key, not from the token's header; `exp`,
//! `iat`, `sub` and the type are all required. Whether the session still exists is another question, answered by
//! [`super::directory`].

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Tells a session from other tokens signed with the same key.
const TYPE: &str = "session";

/// What a session token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The session's id.
    pub sid: Uuid,
    /// The user's name.
    pub sub: String,
    /// Always `session`.
    typ: String,
    /// When it was issued, Unix seconds.
    pub iat: i64,
    /// When it ends, Unix seconds.
    pub exp: i64,
}

/// Signs and verifies session tokens.
pub struct Sessions {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

/// The token is none of ours, or its time is over. It does not say which check failed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the session token is not valid")]
pub struct InvalidToken;

impl Sessions {
    /// Sessions signed with `key`.
    pub fn new(key: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 5;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "sub"]);
        Self {
            encoding: EncodingKey::from_secret(key),
            decoding: DecodingKey::from_secret(key),
            validation,
        }
    }

    /// A token for session `sid` of the user `name`, good from `now` until `until`.
    pub fn issue(&self, sid: Uuid, name: &str, now: Timestamp, until: Timestamp) -> String {
        let claims = Claims {
            sid,
            sub: name.to_owned(),
            typ: TYPE.into(),
            iat: now.as_second(),
            exp: until.as_second(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .expect("claims of strings and integers always serialise")
    }

    /// What `token` says, if it is ours and its time is not over.
    ///
    /// # Errors
    /// [`InvalidToken`] for everything else.
    pub fn verify(&self, token: &str) -> Result<Claims, InvalidToken> {
        let data = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).map_err(|_| InvalidToken)?;
        if data.claims.typ == TYPE {
            Ok(data.claims)
        } else {
            Err(InvalidToken)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jiff::ToSpan;

    fn now() -> Timestamp {
        Timestamp::now()
    }

    fn issued(sessions: &Sessions) -> String {
        sessions.issue(Uuid::new_v4(), "admin", now(), now().checked_add(1.hour()).unwrap())
    }

    fn forged(header: &str, claims: &str) -> String {
        format!("{}.{}.", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_says_what_was_issued() {
        let sessions = Sessions::new(b"0123456789abcdef0123456789abcdef");
        let claims = sessions.verify(&issued(&sessions)).unwrap();
        assert_eq!(claims.sub, "admin");
    }

    #[test]
    fn unsigned_tokens_are_refused_whatever_they_call_it() {
        let sessions = Sessions::new(b"0123456789abcdef0123456789abcdef");
        let claims = format!(
            r#"{{"sid":"{}","sub":"admin","typ":"session","iat":1,"exp":9999999999}}"#,
            Uuid::new_v4()
        );
        for algorithm in ["none", "None", "nOnE", "HS256", "RS256"] {
            let token = forged(&format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#), &claims);
            assert_eq!(sessions.verify(&token), Err(InvalidToken), "{algorithm}");
        }
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        let sessions = Sessions::new(b"0123456789abcdef0123456789abcdef");
        let token = issued(&sessions);
        for index in 0..token.len() - 1 {
            let mut bytes = token.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            if changed != token {
                assert!(sessions.verify(&changed).is_err(), "byte {index}");
            }
        }
    }

    #[test]
    fn expiry_must_be_a_number_and_in_the_future() {
        let key = b"0123456789abcdef0123456789abcdef";
        let sessions = Sessions::new(key);
        let sign = |claims: serde_json::Value| {
            jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(key)).unwrap()
        };
        let base = serde_json::json!({"sid": Uuid::new_v4(), "sub": "admin", "typ": "session", "iat": 1});
        for bad in [
            serde_json::json!(1),
            serde_json::json!("9999999999"),
            serde_json::json!(-1),
            serde_json::Value::Null,
        ] {
            let mut claims = base.clone();
            claims["exp"] = bad.clone();
            assert!(sessions.verify(&sign(claims)).is_err(), "{bad}");
        }
        assert!(sessions.verify(&sign(base.clone())).is_err(), "missing");
        let mut other_type = base;
        other_type["exp"] = serde_json::json!(9_999_999_999_i64);
        other_type["typ"] = serde_json::json!("ticket");
        assert!(sessions.verify(&sign(other_type)).is_err(), "another type");
    }

    #[test]
    fn another_installation_s_token_is_refused() {
        let (ours, theirs) = (Sessions::new(&[1; 32]), Sessions::new(&[2; 32]));
        assert!(ours.verify(&issued(&theirs)).is_err());
    }
}
