//! Kubeconfigs and names that make no cluster.

use anyhow::{Context, Result};
use atoll_testing::free_port;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{odd_server::OddServer, status, text};
use crate::{
    registration::{listed, register},
    world::World,
};

/// A kubeconfig of one context, with what its cluster and its user say.
pub(super) fn kubeconfig(server: &str, cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1
kind: Config
current-context: odd
contexts: [{{name: odd, context: {{cluster: odd, user: odd}}}}]
clusters:
- name: odd
  cluster:
    server: {server}
    {cluster}
users:
- name: odd
  user:
    {user}
"
    )
}

/// They would run programs, read files of the hub's machine, or send the hub
/// where it must not go.
pub(crate) async fn kubeconfigs_that_reach_further_are_refused(world: &World) -> Result<()> {
    let server = "https://203.0.113.7:6443";
    for (cluster, user, named) in [
        (
            "",
            "exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, interactiveMode: Never}",
            "exec",
        ),
        (
            "",
            "auth-provider: {name: gcp, config: {cmd-path: /bin/sh}}",
            "auth-provider",
        ),
        (
            "certificate-authority: /etc/passwd",
            "token: x",
            "certificate-authority",
        ),
        ("", "tokenFile: /etc/passwd", "tokenFile"),
        (
            "",
            "{client-certificate: /etc/passwd, client-key: /etc/passwd}",
            "client-certificate",
        ),
        ("insecure-skip-tls-verify: true", "token: x", "insecure-skip-tls-verify"),
        ("proxy-url: http://169.254.169.254", "token: x", "proxy-url"),
    ] {
        let refused = refuse(world, &kubeconfig(server, cluster, user), "kubeconfig").await?;
        let field = text(&refused["details"]["causes"][0]["field"]);
        let said = text(&refused["message"]);
        assert!(field.contains(named) || said.contains(named), "{named}: {refused}");
    }
    for server in [
        "http://127.0.0.1:6443",
        "https://169.254.169.254",
        "https://user:pass@203.0.113.7",
        "https://0.0.0.0",
    ] {
        refuse(world, &kubeconfig(server, "", "token: x"), "kubeconfig").await?;
    }
    for none in ["", "hello", "a: [", "apiVersion: v1\nkind: Config\n"] {
        refuse(world, none, "kubeconfig").await?;
    }
    nothing_is_saved(world).await
}

pub(crate) async fn connections_that_fail_say_where(world: &World) -> Result<()> {
    let foreign = world.us.kubeconfig().replace(
        &STANDARD.encode(world.us.authority()),
        &STANDARD.encode(world.eu.authority()),
    );
    assert_ne!(foreign, world.us.kubeconfig());
    let port = free_port()?;
    let trusted = format!("certificate-authority-data: {}", STANDARD.encode(world.us.authority()));
    let dead = kubeconfig(&format!("https://127.0.0.1:{port}"), &trusted, "token: x");
    let nameless = kubeconfig("https://no-such-host.invalid:6443", &trusted, "token: x");
    let stranger = kubeconfig(world.us.endpoint(), &trusted, "token: not-a-token");
    let powerless = world.us.kubeconfig_for("viewer", None)?;
    for (kubeconfig, stage) in [
        (foreign, "tls"),
        (dead, "tcp"),
        (nameless, "dns"),
        (stranger, "signIn"),
        (powerless, "permissions"),
    ] {
        refuse(world, &kubeconfig, stage).await?;
        check_fails_at(world, &kubeconfig, stage).await?;
    }
    nothing_is_saved(world).await
}

pub(crate) async fn members_that_answer_nonsense_are_not_registered(world: &World) -> Result<()> {
    let html = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: 27\r\n\r\n\
                <html>It works!</html>\n\n\n\n\n";
    let half = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 13\r\n\r\n\
                {\"major\": \"1\"";
    let cut = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{\"major\":";
    let unauthorized = "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 12\r\n\r\nUnauthorized";
    for (response, stages) in [
        (html, &["signIn", "version"][..]),
        (half, &["signIn", "version"]),
        (cut, &["signIn", "version"]),
        (unauthorized, &["signIn"]),
    ] {
        let server = OddServer::start(response).await?;
        let answer = try_to_register(world, "odd", &server.kubeconfig()).await?;
        let told = answer.json()?;
        assert_eq!(told["kind"], "Status", "{response:?}: {told}");
        assert!(!answer.status.is_success(), "{response:?}: {told}");
        let stage = text(&told["details"]["stage"]);
        assert!(stages.contains(&stage), "{response:?}: {told}");
        assert!(!text(&told["details"]["hint"]).is_empty(), "{response:?}: {told}");
    }
    nothing_is_saved(world).await
}

pub(crate) async fn a_name_that_is_no_label_is_refused(world: &World) -> Result<()> {
    let long = "x".repeat(64);
    for name in [
        "",
        "Upper",
        "under_score",
        "a.b",
        "-a",
        "a-",
        "ä",
        "a/b",
        "..",
        long.as_str(),
    ] {
        let answer = try_to_register(world, name, world.us.kubeconfig()).await?;
        let told = status(&answer, StatusCode::UNPROCESSABLE_ENTITY, "Invalid")?;
        assert_eq!(told["details"]["causes"][0]["field"], "name", "{name:?}: {told}");
    }
    nothing_is_saved(world).await
}

/// From here on eu-1 and us-1 are registered.
pub(crate) async fn a_cluster_joins_once(world: &mut World) -> Result<()> {
    for cluster in [&world.eu, &world.us] {
        register(world, cluster, "member", &json!({ "tier": "production" })).await?;
    }
    let answer = try_to_register(world, "eu-again", world.eu.kubeconfig()).await?;
    let told = status(&answer, StatusCode::CONFLICT, "AlreadyExists")?;
    assert!(text(&told["message"]).contains("eu-1"), "{told}");
    let answer = try_to_register(world, "eu-1", world.host.kubeconfig()).await?;
    status(&answer, StatusCode::CONFLICT, "AlreadyExists")?;

    let names: Vec<_> = listed(world)
        .await?
        .iter()
        .map(|cluster| cluster["name"].clone())
        .collect();
    assert_eq!(names, [json!("eu-1"), json!("us-1")]);
    let credential = json!({ "kubeconfig": world.host.kubeconfig() });
    let answer = world
        .admin
        .send(Method::PUT, "/api/v1/clusters/eu-1/credential", Some(credential), &[])
        .await?;
    assert!(answer.status.is_client_error(), "{}", answer.text);
    assert_eq!(answer.json()?["kind"], "Status");
    world.download_kubeconfig().await
}

async fn try_to_register(world: &World, name: &str, kubeconfig: &str) -> Result<atoll_testing::Answer> {
    let body = json!({ "name": name, "kubeconfig": kubeconfig });
    world.admin.post("/api/v1/clusters", body).await
}

/// A registration that fails at this stage and says how to go on.
async fn refuse(world: &World, kubeconfig: &str, stage: &str) -> Result<Value> {
    let answer = try_to_register(world, "odd", kubeconfig).await?;
    let told = answer.json()?;
    assert!(
        answer.status.is_client_error() || answer.status.is_server_error(),
        "{kubeconfig}: {told}"
    );
    let told = status(&answer, answer.status, text(&told["reason"]))?;
    assert_eq!(told["details"]["stage"], stage, "{kubeconfig}: {told}");
    assert!(!text(&told["details"]["hint"]).is_empty(), "{kubeconfig}: {told}");
    Ok(told)
}

/// The check before a registration shows the same, stage by stage.
async fn check_fails_at(world: &World, kubeconfig: &str, stage: &str) -> Result<()> {
    let body = json!({ "kubeconfig": kubeconfig });
    let headers = [("accept", "application/x-ndjson")];
    let answer = world
        .admin
        .send(Method::POST, "/api/v1/connection-checks", Some(body), &headers)
        .await?;
    let lines = answer.lines()?;
    let result = lines.last().context("a check without a result")?;
    assert_eq!(result["result"]["ok"], false, "{result}");
    assert_eq!(result["result"]["status"]["details"]["stage"], stage, "{result}");
    let failed: Vec<_> = lines
        .iter()
        .filter(|line| line["state"] == "failed")
        .map(|line| &line["stage"])
        .collect();
    assert_eq!(failed, [stage]);
    Ok(())
}

/// No cluster, no object, no credential is left of what was refused.
async fn nothing_is_saved(world: &World) -> Result<()> {
    assert_eq!(listed(world).await?, Vec::<Value>::new());
    for path in [
        "/k8s/hub/apis/core.kubefed.io/v1beta1/namespaces/kube-federation-system/kubefedclusters",
        "/k8s/hub/api/v1/namespaces/kube-federation-system/secrets",
    ] {
        let list = world.admin.get(path).await?.body(StatusCode::OK)?;
        assert_eq!(list["items"], json!([]), "{path}");
    }
    for cluster in [&world.eu, &world.us] {
        let bindings = cluster.kubectl(["get", "clusterrolebinding", "atoll:admins"]).await?;
        assert!(
            !bindings.status.success(),
            "something was written into {}",
            cluster.name()
        );
    }
    Ok(())
}
