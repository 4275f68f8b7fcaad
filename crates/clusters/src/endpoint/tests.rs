//! SF-01 to SF-03: what is an endpoint, and which may be dialled.

use super::*;

fn judged(policy: &AddressPolicy, url: &str) -> Result<(), String> {
    let endpoint = Endpoint::parse(url).map_err(|error| error.to_string())?;
    policy.judge_endpoint(&endpoint).map_err(|error| error.to_string())
}

/// SF-01: every spelling of the metadata address is the same refusal.
#[test]
fn metadata_addresses_are_refused_in_every_spelling() {
    let lenient = AddressPolicy {
        allow_loopback: true,
        ..Default::default()
    };
    for host in [
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "[::169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]",
        "0xA9FEA9FE",
        "2852039166",
        "0251.0376.0251.0376",
        "169.254.169.254.",
        "metadata.google.internal",
        "metadata.google.internal.",
        "METADATA.google.internal",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "[fe80::1]",
        "0.0.0.0",
        "[::]",
        "0",
        "224.0.0.1",
        "[ff02::1]",
        "255.255.255.255",
        "250.1.2.3",
    ] {
        let refused = judged(&lenient, &format!("https://{host}:6443"));
        assert_eq!(refused, Err(AddressRefused::Forbidden.to_string()), "{host}");
    }
}

/// SF-02
#[test]
fn loopback_needs_the_option_and_the_own_listener_is_never_dialled() {
    let strict = AddressPolicy::default();
    for host in [
        "127.0.0.1",
        "127.9.9.9",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "localhost.",
        "a.localhost",
    ] {
        let refused = judged(&strict, &format!("https://{host}:6443"));
        assert_eq!(refused, Err(AddressRefused::Loopback.to_string()), "{host}");
    }
    let lenient = AddressPolicy {
        allow_loopback: true,
        own_listeners: vec!["0.0.0.0:8080".parse().unwrap(), "10.0.0.5:9090".parse().unwrap()],
    };
    assert_eq!(judged(&lenient, "https://127.0.0.1:6443"), Ok(()));
    for own in ["https://127.0.0.1:8080", "https://[::1]:8080", "https://10.0.0.5:9090"] {
        assert_eq!(
            judged(&lenient, own),
            Err(AddressRefused::Forbidden.to_string()),
            "{own}"
        );
    }
}

/// SF-03
#[test]
fn an_endpoint_is_https_with_host_port_and_a_plain_path() {
    for (url, error) in [
        ("file:///etc/passwd", EndpointError::Scheme),
        ("http://10.0.0.1", EndpointError::Scheme),
        ("unix:///run/x.sock", EndpointError::Scheme),
        ("gopher://10.0.0.1", EndpointError::Scheme),
        ("10.0.0.1:6443", EndpointError::NotAUrl),
        ("https://", EndpointError::NotAUrl),
        ("https://10.0.0.1:99999", EndpointError::NotAUrl),
        ("https://user:pw@10.0.0.1", EndpointError::UserInfo),
        ("https://@10.0.0.1", EndpointError::UserInfo),
        ("https://10.0.0.1/?x=1", EndpointError::Query),
        ("https://10.0.0.1#x", EndpointError::Query),
        ("https://10.0.0.1/a/../b", EndpointError::Path),
        ("https://10.0.0.1//evil", EndpointError::Path),
        ("https://10.0.0.1/%2e%2e/b", EndpointError::Path),
        ("https://10.0.0.1\\@evil", EndpointError::NotAUrl),
        ("https://10.0.0.1/a\tb", EndpointError::NotAUrl),
    ] {
        assert_eq!(Endpoint::parse(url), Err(error), "{url}");
    }
    for port in [22, 25, 6379] {
        let refused = judged(&AddressPolicy::default(), &format!("https://10.0.0.1:{port}"));
        assert_eq!(refused, Err(AddressRefused::Port.to_string()));
    }
}

#[test]
fn private_addresses_are_ordinary_members() {
    for host in [
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "[fd12::1]",
        "api.example.com",
        "1.1.1.1",
    ] {
        assert_eq!(
            judged(&AddressPolicy::default(), &format!("https://{host}:6443")),
            Ok(()),
            "{host}"
        );
    }
}

#[test]
fn an_endpoint_prints_as_it_is_dialled() {
    for (text, printed) in [
        ("https://10.0.0.1:6443", "https://10.0.0.1:6443"),
        ("HTTPS://Example.com:443/", "https://example.com"),
        (
            "https://gw.example.com/k8s/clusters/c-1/",
            "https://gw.example.com/k8s/clusters/c-1",
        ),
        ("https://[fd12::1]:6443", "https://[fd12::1]:6443"),
    ] {
        assert_eq!(Endpoint::parse(text).unwrap().to_string(), printed);
    }
}
