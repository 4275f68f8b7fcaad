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
