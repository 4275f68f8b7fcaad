use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

fn parse(path: &str) -> Result<RequestInfo, Refused> {
    let (path, query) = path
        .split_once('?')
        .map_or((path, None), |(path, query)| (path, Some(query)));
    RequestInfo::parse(&Method::GET, path, query, false)
}

#[test]
fn a_path_is_read_as_the_api_server_reads_it() {
    let cases = [
        ("eu-1/api/v1/nodes", "list", "", "", "nodes", "", ""),
        ("eu-1/api/v1/nodes/n1", "get", "", "", "nodes", "n1", ""),
        ("eu-1/api/v1/namespaces", "list", "", "", "namespaces", "", ""),
        (
            "eu-1/api/v1/namespaces/shop",
            "get",
            "",
            "shop",
            "namespaces",
            "shop",
            "",
        ),
        (
            "eu-1/api/v1/namespaces/shop/status",
            "get",
            "",
            "shop",
            "namespaces",
            "shop",
            "status",
        ),
        (
            "eu-1/api/v1/namespaces/shop/pods?watch=1",
            "watch",
            "",
            "shop",
            "pods",
            "",
            "",
        ),
        (
            "eu-1/api/v1/watch/namespaces/shop/pods",
            "watch",
            "",
            "shop",
            "pods",
            "",
            "",
        ),
        (
            "eu-1/apis/apps/v1/namespaces/shop/deployments/web/scale",
            "get",
            "apps",
            "shop",
            "deployments",
            "web",
            "scale",
        ),
        (
            "eu-1/api/v1/namespaces/shop/pods/web-0/exec",
            "create",
            "",
            "shop",
            "pods",
            "web-0",
            "exec",
        ),
        (
            "eu-1/api/v1/pods?fieldSelector=metadata.name%3Dx",
            "list",
            "",
            "",
            "pods",
            "x",
            "",
        ),
    ];
    for (path, verb, group, namespace, resource, name, subresource) in cases {
        let info = parse(path).unwrap();
        let seen = (
            &*info.verb,
            &*info.group,
            &*info.namespace,
            &*info.resource,
            &*info.name,
            &*info.subresource,
        );
        assert_eq!(seen, (verb, group, namespace, resource, name, subresource), "{path}");
    }
}

#[test]
fn paths_without_a_resource_keep_their_method() {
    for path in [
        "eu-1",
        "eu-1/",
        "eu-1/api",
        "eu-1/apis/apps",
        "eu-1/openapi/v3/apis/apps/v1",
        "eu-1/version",
    ] {
        let info = parse(path).unwrap();
        assert!(!info.is_resource, "{path}");
        assert_eq!(info.verb, "get", "{path}");
    }
    assert_eq!(parse("eu-1").unwrap().path, "/");
}

#[test]
fn segments_that_can_be_read_in_two_ways_are_refused() {
    for path in [
        "a/../b/api",
        "a/%2e%2e/b",
        "a/.%2e/b",
        "a/./api",
        "a//evil.example/api",
        "a/api/v1/namespaces/team-a%2Fsecrets",
        "a/api/v1/x%00y",
        "a/api%0d%0av1",
        "a/api\\v1",
        "a/api%5Cv1",
        "a/api/\tv1",
    ] {
        assert_eq!(parse(path).unwrap_err(), Refused::Segment, "{path}");
    }
    assert_eq!(parse("a/%c0%ae%c0%ae/api").unwrap_err(), Refused::Encoding);
}

#[test]
fn names_that_no_cluster_can_have_are_refused() {
    for path in [
        "",
        "..",
        "A/api",
        "a%2Fb/api",
        "a.b./api",
        "ａ/api",
        "a_b/api",
        "@evil/api",
    ] {
        assert_eq!(parse(path).unwrap_err(), Refused::NoCluster, "{path}");
    }
}

#[test]
fn what_is_sent_means_what_was_judged() {
    assert_eq!(
        parse("a/api/v1/namespaces/x%252e").unwrap().path,
        "/api/v1/namespaces/x%252e"
    );
    assert_eq!(
        parse("a/apis/rbac/v1/clusterroles/system:node").unwrap().path,
        "/apis/rbac/v1/clusterroles/system:node"
    );
    assert_eq!(parse("a/api/v1/x;y=1").unwrap().path, "/api/v1/x%3By=1");
    assert_eq!(parse("a/api/").unwrap().path, "/api/");
}

#[test]
fn the_tail_of_a_proxy_goes_as_it_came() {
    let info = parse("a/api/v1/namespaces/shop/services/web:80/proxy/a%20b/c;d?x=1").unwrap();
    assert_eq!(info.path, "/api/v1/namespaces/shop/services/web:80/proxy/a%20b/c;d");
    assert_eq!(info.class, ForwardClass::Long);
    assert!(parse("a/api/v1/namespaces/shop/services/web/proxy/../x").is_err());
    // Whatever else is called so.
    let info = parse("a/api/v1/namespaces/proxy/pods/pr%6Fxy/proxy/a%20b/proxy/%6F").unwrap();
    assert_eq!(info.path, "/api/v1/namespaces/proxy/pods/proxy/proxy/a%20b/proxy/%6F");
}

#[test]
fn control_keys_given_twice_are_refused() {
    assert_eq!(
        parse("a/api/v1/pods?watch=0&watch=1").unwrap_err(),
        Refused::Repeated("watch")
    );
    assert_eq!(
        parse("a/api/v1/pods?watch=0&%77atch=1").unwrap_err(),
        Refused::Repeated("watch")
    );
    assert_eq!(
        parse("a/api/v1/pods?dryRun=All&dryRun=").unwrap_err(),
        Refused::Repeated("dryRun")
    );
}

#[test]
fn requests_that_stay_open_are_told_from_short_ones() {
    assert_eq!(parse("a/api/v1/pods?watch=true").unwrap().class, ForwardClass::Long);
    assert_eq!(
        parse("a/api/v1/namespaces/x/pods/p/log?follow=true").unwrap().class,
        ForwardClass::Long
    );
    assert_eq!(
        parse("a/api/v1/namespaces/x/pods/p/log?follow=false").unwrap().class,
        ForwardClass::Short
    );
    assert_eq!(parse("a/api/v1/pods").unwrap().class, ForwardClass::Short);
}

/// PX-05: what is judged here against what an API server makes of the bytes it gets, for paths of every kind.
#[test]
fn the_member_understands_what_was_judged() {
    let mut random = StdRng::seed_from_u64(5);
    let mut judged = 0;
    for _ in 0..60_000 {
        let (method, path, query) = odd_request(&mut random);
        let Ok(info) = RequestInfo::parse(&method, &format!("a/{path}"), query.as_deref(), false) else {
            continue;
        };
        judged += 1;
        let seen = understood(&method, &info.path, info.query.as_deref().unwrap_or_default());
        let shell = matches!(info.subresource.as_str(), "exec" | "attach" | "portforward");
        let ours = Understood {
            // A shell is judged as more than the read that it looks like.
            verb: if shell && info.verb == "create" {
                seen.verb.clone()
            } else {
                info.verb
            },
            is_resource: info.is_resource,
            group: info.group,
            version: info.version,
            namespace: info.namespace,
            resource: info.resource,
            subresource: info.subresource,
            name: info.name,
        };
        assert_eq!(ours, seen, "{method} {path} {query:?}, sent as {}", info.path);
    }
    assert!(judged > 20_000, "most odd requests are refused: {judged}");
}

/// A request put together from what paths are made of, and from what they should not be made of.
fn odd_request(random: &mut StdRng) -> (Method, String, Option<String>) {
    const PARTS: [&str; 26] = [
        "api",
        "api",
        "apis",
        "apis",
        "v1",
        "v1",
        "apps",
        "namespaces",
        "namespaces",
        "shop",
        "pods",
        "pods",
        "nodes",
        "web-0",
        "exec",
        "log",
        "proxy",
        "watch",
        "status",
        "finalize",
        "portforward",
        "a:b",
        "x y",
        "%",
        "ä",
        "..",
    ];
    const METHODS: [Method; 6] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    const QUERIES: [&str; 6] = [
        "watch=1",
        "watch=false",
        "fieldSelector=metadata.name%3Dx",
        "follow=true&watch=0",
        "limit=5",
        "fieldSelector=spec.nodeName%3Dx",
    ];
    let mut segments: Vec<String> = Vec::new();
    if random.random_bool(0.8) {
        segments.extend(
            if random.random_bool(0.5) {
                vec!["api"]
            } else {
                vec!["apis", "apps"]
            }
            .into_iter()
            .map(String::from),
        );
        segments.push("v1".to_owned());
    }
    for _ in 0..random.random_range(0..6) {
        let part = PARTS[random.random_range(0..PARTS.len())];
        segments.push(part.bytes().map(|byte| spelled(random, byte)).collect());
    }
    let mut path = segments.join("/");
    if random.random_bool(0.1) {
        path.push('/');
    }
    let query = random
        .random_bool(0.3)
        .then(|| QUERIES[random.random_range(0..QUERIES.len())].to_owned());
    (METHODS[random.random_range(0..METHODS.len())].clone(), path, query)
}

/// A byte as it may stand in a path.
fn spelled(random: &mut StdRng, byte: u8) -> String {
    match byte {
        b'%' | b' ' | 128.. => format!("%{byte:02X}"),
        _ if random.random_bool(0.05) => format!("%{byte:02x}"),
        _ => char::from(byte).to_string(),
    }
}

#[derive(Debug, PartialEq)]
struct Understood {
    verb: String,
    is_resource: bool,
    group: String,
    version: String,
    namespace: String,
    resource: String,
    subresource: String,
    name: String,
}

/// What an API server reads from a request line: it decodes the whole path once, and splits it then.
fn understood(method: &Method, path: &str, query: &str) -> Understood {
    let decoded = percent_decode_str(path).decode_utf8().unwrap().into_owned();
    let mut parts: Vec<&str> = decoded
        .trim_matches('/')
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let mut seen = Understood {
        verb: method.as_str().to_ascii_lowercase(),
        is_resource: false,
        group: String::new(),
        version: String::new(),
        namespace: String::new(),
        resource: String::new(),
        subresource: String::new(),
        name: String::new(),
    };
    if parts.len() < 3 || !matches!(parts[0], "api" | "apis") {
        return seen;
    }
    if parts.remove(0) == "apis" {
        if parts.len() < 3 {
            return seen;
        }
        seen.group = parts.remove(0).to_owned();
    }
    seen.is_resource = true;
    seen.version = parts.remove(0).to_owned();
    seen.verb = match *method {
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "get",
    }
    .to_owned();
    if matches!(parts[0], "watch" | "proxy") && parts.len() > 1 {
        seen.verb = parts.remove(0).to_owned();
    }
    if parts[0] == "namespaces" && parts.len() > 1 {
        seen.namespace = parts[1].to_owned();
        if parts.len() > 2 && !matches!(parts[2], "status" | "finalize") {
            parts.drain(..2);
        }
    }
    seen.resource = parts[0].to_owned();
    seen.name = parts.get(1).copied().unwrap_or_default().to_owned();
    if seen.verb != "proxy" {
        seen.subresource = parts.get(2).copied().unwrap_or_default().to_owned();
    }
    if seen.name.is_empty() && seen.verb == "get" {
        let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let value = |key: &str| {
            pairs
                .iter()
                .find(|(found, _)| found == key)
                .map(|(_, value)| value.as_str())
        };
        let watches = value("watch").is_some_and(|value| !matches!(value, "false" | "0"));
        seen.verb = if watches { "watch" } else { "list" }.to_owned();
        let named = value("fieldSelector").and_then(|selector| selector.strip_prefix("metadata.name="));
        seen.name = named.unwrap_or_default().to_owned();
    }
    if seen.name.is_empty() && seen.verb == "delete" {
        seen.verb = "deletecollection".to_owned();
    }
    seen
}
