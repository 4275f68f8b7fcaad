//! KC-01 to KC-08 of the checks: what a kubeconfig may not make the hub do, and what it must be able to say.

mod contexts;
mod credentials;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::*;
use crate::connection::ConnectionError;
use crate::endpoint::AddressRefused;

fn policy() -> AddressPolicy {
    AddressPolicy::default()
}

/// A kubeconfig with one context, whose cluster and user have these fields beside what they need.
fn with(cluster: Value, user: Value) -> String {
    let mut full = json!({"server": "https://10.0.0.1:6443"});
    full.as_object_mut()
        .unwrap()
        .extend(cluster.as_object().unwrap().clone());
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": full}],
        "users": [{"name": "u", "user": user}],
    })
    .to_string()
}

fn token() -> Value {
    json!({"token": "canary-token-1"})
}

fn read(cluster: Value, user: Value) -> Result<Parsed, KubeconfigError> {
    parse(&with(cluster, user), None, &policy())
}

fn refusal(cluster: Value, user: Value) -> (String, Refusal) {
    match read(cluster, user) {
        Err(KubeconfigError::Refused { field, refusal }) => (field, refusal),
        other => panic!("{other:?}"),
    }
}

/// A certificate that names itself, and its key, both PEM.
fn pair(ends: (i32, u8, u8)) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["admin".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(ends.0, ends.1, ends.2);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn encode(text: &str) -> String {
    STANDARD.encode(text)
}

fn client(certificate: &str, key: &str) -> Value {
    json!({"client-certificate-data": encode(certificate), "client-key-data": encode(key)})
}

#[test]
fn a_plain_kubeconfig_becomes_a_connection() {
    let (ca, _) = pair((2040, 1, 1));
    let cluster = json!({"certificate-authority-data": encode(&ca), "tls-server-name": "api.internal"});
    let parsed = read(cluster, token()).unwrap();
    let connection = parsed.connection;
    assert_eq!(connection.endpoint.to_string(), "https://10.0.0.1:6443");
    assert_eq!(connection.ca, Some(ca));
    assert_eq!(connection.tls_server_name.as_deref(), Some("api.internal"));
    assert!(matches!(&connection.credential, Credential::Token(token) if token.expose_secret() == "canary-token-1"));
    assert!(parsed.dropped.is_empty());
    let summary = &parsed.contexts[0];
    assert_eq!((summary.current, summary.authentication), (true, Authentication::Token));
}

/// KC-01
#[test]
fn programs_and_providers_are_refused_by_name_and_never_run() {
    let marker = std::env::temp_dir().join(format!("atoll-kubeconfig-{}", std::process::id()));
    let touch =
        |command: &str| json!({"command": command, "args": [marker], "apiVersion": "client.authentication.k8s.io/v1"});
    for command in ["touch", "/usr/bin/touch", "./touch"] {
        let (field, refusal) = refusal(json!({}), json!({"exec": touch(command)}));
        assert_eq!(field, "users[u].user.exec");
        assert_eq!(
            refusal,
            Refusal::Exec {
                command: Some(command.into())
            }
        );
    }
    let gcp = json!({"name": "gcp", "config": {"cmd-path": "/usr/bin/touch", "cmd-args": marker}});
    for provider in [
        gcp,
        json!({"name": "oidc", "config": {"idp-issuer-url": "https://169.254.169.254"}}),
    ] {
        let (field, refusal) = refusal(json!({}), json!({"auth-provider": provider.clone()}));
        assert_eq!(field, "users[u].user.auth-provider");
        assert_eq!(
            refusal,
            Refusal::AuthProvider {
                name: provider["name"].as_str().map(Into::into)
            }
        );
    }
    // A token beside it does not make it harmless.
    let both = json!({"exec": touch("touch"), "token": "canary-token-1"});
    assert!(matches!(refusal(json!({}), both).1, Refusal::Exec { .. }));
    assert!(!marker.exists());
}

#[test]
fn what_only_works_on_somebodys_own_machine_comes_with_the_way_to_a_credential() {
    for user in [
        json!({"exec": {"command": "aws"}}),
        json!({"username": "a", "password": "b"}),
        json!({}),
    ] {
        let hint = read(json!({}), user).unwrap_err().hint();
        assert!(
            hint.contains("kubectl create clusterrolebinding") && hint.contains("service-account-token"),
            "{hint}"
        );
    }
}

/// KC-02
#[test]
fn paths_are_refused_and_not_opened() {
    // Reading any of these would hang or leak.
    for path in ["/etc/passwd", "/proc/self/environ", "/dev/zero", "relative/ca.crt"] {
        let (field, refused) = refusal(json!({"certificate-authority": path}), token());
        assert_eq!(
            (field.as_str(), refused),
            ("clusters[c].cluster.certificate-authority", Refusal::File)
        );
        for name in ["tokenFile", "client-certificate", "client-key"] {
            let (field, refused) = refusal(json!({}), json!({name: path, "token": "canary-token-1"}));
            assert_eq!((field, refused), (format!("users[u].user.{name}"), Refusal::File));
        }
    }
    let error = read(json!({"certificate-authority": "/etc/passwd"}), token()).unwrap_err();
    assert!(error.hint().contains("--flatten"));
}

/// KC-03
#[test]
fn proxies_are_refused_wherever_they_lead() {
    for proxy in [
        "http://169.254.169.254",
        "socks5://10.0.0.1:1080",
        "http://user:pw@proxy:3128",
    ] {
        let (field, refused) = refusal(json!({"proxy-url": proxy}), token());
        assert_eq!(
            (field.as_str(), refused),
            ("clusters[c].cluster.proxy-url", Refusal::Proxy)
        );
    }
    assert!(read(json!({"proxy-url": ""}), token()).is_ok());
}

/// KC-04
#[test]
fn impersonation_is_left_out_and_reported() {
    let user = json!({
        "token": "canary-token-1", "as": "system:admin", "as-uid": "1", "as-groups": ["system:masters"],
        "as-user-extra": {"scopes": ["all"]},
    });
    let parsed = read(json!({}), user).unwrap();
    let expected = ["as", "as-uid", "as-groups", "as-user-extra"].map(|name| format!("users[u].user.{name}"));
    assert_eq!(parsed.dropped, expected);
}

/// KC-05
#[test]
fn what_is_built_to_exhaust_the_reader_is_refused_at_once() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let previous = format!("*a{}", n - 1);
        writeln!(bomb, "a{n}: &a{n} [{}]", vec![previous; 9].join(", ")).unwrap();
    }
    bomb.push_str("contexts: *a11\n");
    let mut contexts = String::from("contexts:\n");
    for n in 0..1500 {
        writeln!(contexts, "- {{name: c{n}, context: {{cluster: c, user: u}}}}").unwrap();
    }
    for (name, text) in [
        ("alias bomb", bomb),
        ("many contexts", contexts),
        ("long", "#".repeat(MAX_BYTES + 1)),
        ("deep in flow", format!("contexts: {}", "[".repeat(10_000))),
        (
            "deep in blocks",
            (0..2000).fold(String::new(), |text, depth| text + &"  ".repeat(depth) + "a:\n"),
        ),
        ("many nodes", format!("x: [{}]", "1,".repeat(400_000))),
        (
            "several documents",
            format!("{}\n---\n{}", with(json!({}), token()), with(json!({}), token())),
        ),
        ("tabs", "contexts:\n\t- name: a\n".to_owned()),
        ("no mapping", "- 1\n- 2\n".to_owned()),
        ("empty", String::new()),
        ("binary", "\u{0}\u{1}\u{2}".to_owned()),
    ] {
        let begun = Instant::now();
        let refused = parse(&text, None, &policy());
        let took = begun.elapsed();
        assert!(
            matches!(
                refused,
                Err(KubeconfigError::TooLarge
                    | KubeconfigError::TooMany { .. }
                    | KubeconfigError::Unreadable { .. }
                    | KubeconfigError::NoContexts)
            ),
            "{name}: {refused:?}"
        );
        // The bound is 0.2 s for a release build; this is an unoptimised one, beside other tests.
        assert!(took < Duration::from_secs(20), "{name}: {took:?}");
    }
}

/// KC-05: of two that differ, one would be judged and the other used.
#[test]
fn a_key_that_stands_twice_is_refused() {
    let text = with(json!({}), token());
    let twice = text.replacen(
        r#""token":"canary-token-1""#,
        r#""token":"canary-token-1","token":"canary-token-2""#,
        1,
    );
    assert_ne!(text, twice);
    assert!(matches!(
        parse(&twice, None, &policy()),
        Err(KubeconfigError::Unreadable { place: Some(_) })
    ));
}

#[test]
fn a_byte_order_mark_and_an_anchor_or_two_are_ordinary() {
    let text = "\u{feff}\
contexts:
- {name: one, context: {cluster: c, user: u}}
clusters:
- name: c
  cluster: &c {server: 'https://10.0.0.1:6443'}
- {name: d, cluster: *c}
users:
- {name: u, user: {token: canary-token-1}}
";
    assert!(parse(text, None, &policy()).is_ok());
}

/// KC-07
#[test]
fn the_check_of_the_certificate_cannot_be_switched_off() {
    let (ca, _) = pair((2040, 1, 1));
    for cluster in [
        json!({"insecure-skip-tls-verify": true}),
        json!({"insecure-skip-tls-verify": true, "certificate-authority-data": encode(&ca)}),
        json!({"insecure-skip-tls-verify": true, "tls-server-name": "x"}),
    ] {
        let (field, refused) = refusal(cluster, token());
        assert_eq!(
            (field.as_str(), refused),
            ("clusters[c].cluster.insecure-skip-tls-verify", Refusal::Insecure)
        );
    }
    assert!(read(json!({"insecure-skip-tls-verify": false}), token()).is_ok());
    let name = read(json!({"tls-server-name": "not a name"}), token()).unwrap_err();
    assert!(
        matches!(
            &name,
            KubeconfigError::Unusable {
                source: ConnectionError::TlsServerName,
                ..
            }
        ),
        "{name}"
    );
    assert_eq!(name.field(), Some("clusters[c].cluster.tls-server-name"));
}

/// SF-01 to SF-03 at the door.
#[test]
fn an_address_that_may_not_be_dialled_is_refused_when_it_is_read() {
    let of = |server: &str| read(json!({"server": server}), token()).map(|parsed| parsed.connection.endpoint);
    for (server, refused) in [
        ("https://169.254.169.254", AddressRefused::Forbidden),
        ("https://127.0.0.1:6443", AddressRefused::Loopback),
        ("https://10.0.0.1:5432", AddressRefused::Port),
    ] {
        let error = of(server).unwrap_err();
        assert!(
            matches!(&error, KubeconfigError::Address { source, .. } if *source == refused),
            "{error}"
        );
        assert_eq!(error.field(), Some("clusters[c].cluster.server"));
    }
    assert!(
        of("https://127.0.0.1:6443")
            .unwrap_err()
            .hint()
            .contains("--allow-loopback-members")
    );
    assert!(matches!(of("http://10.0.0.1"), Err(KubeconfigError::Endpoint { .. })));
    assert!(matches!(of(""), Err(KubeconfigError::Missing { .. })));
}

/// KC-09, SE-06: no error, no debug text of anything that was read, holds a secret.
#[test]
fn secrets_do_not_come_out_in_words() {
    let (certificate, key) = pair((2040, 1, 1));
    let secret = key.lines().nth(1).unwrap();
    for user in [token(), client(&certificate, &key)] {
        let text = format!("{:?}", read(json!({}), user).unwrap());
        assert!(!text.contains("canary") && !text.contains(secret), "{text}");
    }
    let broken = with(json!({}), token()).replace("\"canary-token-1\"", "{canary-token-1: [");
    let error = parse(&broken, None, &policy()).unwrap_err();
    assert!(
        !format!("{error:?} {error} {}", error.hint()).contains("canary"),
        "{error:?}"
    );
    let typed = with(json!({}), json!({"token": ["canary-token-1"]}));
    let error = parse(&typed, None, &policy()).unwrap_err();
    assert!(
        !format!("{error:?} {error} {}", error.hint()).contains("canary"),
        "{error:?}"
    );
}
