//! KC-08: credentials that cannot be one, and when one ends.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;

fn unusable(user: Value) -> (String, String) {
    match read(json!({}), user) {
        Err(KubeconfigError::Unusable { field, source }) => (field, format!("{source:?}")),
        other => panic!("{other:?}"),
    }
}

/// KC-08
#[test]
fn two_credentials_or_half_a_one_are_told_apart() {
    let (certificate, key) = pair((2040, 1, 1));
    let mut both = client(&certificate, &key);
    both["token"] = json!("canary-token-1");
    assert_eq!(
        refusal(json!({}), both),
        ("users[u].user.token".into(), Refusal::TwoCredentials)
    );
    let password = json!({"token": "canary-token-1", "password": "canary-password"});
    assert_eq!(
        refusal(json!({}), password),
        ("users[u].user.password".into(), Refusal::Password)
    );
    for (there, missing) in [
        ("client-certificate-data", "users[u].user.client-key-data"),
        ("client-key-data", "users[u].user.client-certificate-data"),
    ] {
        let mut half = client(&certificate, &key);
        half.as_object_mut().unwrap().retain(|name, _| name == there);
        let error = read(json!({}), half).unwrap_err();
        assert!(
            matches!(&error, KubeconfigError::Missing { field } if field == missing),
            "{error}"
        );
    }
    assert!(matches!(
        read(json!({}), json!({})),
        Err(KubeconfigError::NoCredential { .. })
    ));
    assert!(matches!(
        read(json!({}), json!({"token": ""})),
        Err(KubeconfigError::NoCredential { .. })
    ));
}

/// KC-08
#[test]
fn keys_that_do_not_fit_are_refused_with_the_reason() {
    let (certificate, key) = pair((2040, 1, 1));
    let (_, other) = pair((2040, 1, 1));
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    // 512 bits: broken in hours.
    let short = "-----BEGIN RSA PRIVATE KEY-----\n\
        MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\n\
        KUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQJAIJLixBy2qpFoS4DSmoEm\n\
        o3qGy0t6z09AIJtH+5OeRV1be+N4cDYJKffGzDa88vQENZiRm0GRq6a+HPGQMd2k\n\
        TQIhAKMSvzIBnni7ot/OSie2TmJLY4SwTQAevXysE2RbFDYdAiEBCUEaRQnMnbp7\n\
        9mxDXDf6AU0cN/RPBjb9qSHDcWZHGzUCIG2Es59z8ugGrDY+pxLQnwfotadxd+Uy\n\
        v/Ow5T0q5gIJAiEAyS4RaI9YG8EWx/2w0T67ZUVAw8eOMB6BIUg0Xcu+3okCIBOs\n\
        /5OiPgoTdSy7bcF9IGpSE8ZgGKzgYQVZeN97YE00\n\
        -----END RSA PRIVATE KEY-----\n";
    let key_field = "users[u].user.client-key-data";
    for (user, field, reason) in [
        (client(&certificate, &other), key_field, "KeyMismatch"),
        (client(&certificate, encrypted), key_field, "EncryptedKey"),
        (client(&certificate, "no key"), key_field, "ClientKey"),
        (client(&certificate, short), key_field, "UnsupportedKey"),
        (
            client("no certificate", &key),
            "users[u].user.client-certificate-data",
            "ClientCertificate",
        ),
        (json!({"token": "two\nlines"}), "users[u].user.token", "Token"),
        (json!({"token": "ünïcode"}), "users[u].user.token", "Token"),
    ] {
        assert_eq!(unusable(user), (field.to_owned(), reason.to_owned()));
    }
    for (field, cluster, user) in [
        (
            "users[u].user.client-key-data",
            json!({}),
            json!({"client-certificate-data": "YQ==", "client-key-data": "%"}),
        ),
        (
            "clusters[c].cluster.certificate-authority-data",
            json!({"certificate-authority-data": "/w=="}),
            token(),
        ),
    ] {
        let error = read(cluster, user).unwrap_err();
        assert!(
            matches!(&error, KubeconfigError::Encoding { field: at } if at == field),
            "{error}"
        );
    }
    let empty = read(json!({"certificate-authority-data": encode("nothing")}), token()).unwrap_err();
    assert_eq!(empty.field(), Some("clusters[c].cluster.certificate-authority-data"));
}

/// KC-08
#[test]
fn a_credential_tells_when_it_ends_and_an_ended_one_is_read_all_the_same() {
    let ends = |user: Value| read(json!({}), user).unwrap().connection.expires_at;
    for year in [2021, 2040] {
        let (certificate, key) = pair((year, 3, 4));
        let expected: Timestamp = format!("{year}-03-04T00:00:00Z").parse().unwrap();
        assert_eq!(ends(client(&certificate, &key)), Some(expected));
    }
    let jwt = |claims: Value| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let of = |claims: Value| ends(json!({"token": jwt(claims)}));
    assert_eq!(
        of(json!({"exp": 1_700_000_000})),
        Some(Timestamp::from_second(1_700_000_000).unwrap())
    );
    assert_eq!(of(json!({"exp": 1e300})), None);
    assert_eq!(of(json!({"sub": "a"})), None);
    assert_eq!(ends(token()), None);
}
