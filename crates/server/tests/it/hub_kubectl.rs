//! kubectl itself against the hub, over TLS: the verbs people use, and what they read when something is wrong.
//!
//! The program is the one that `make kubernetes` builds for the test clusters; where it is missing, these tests fail and
//! say so.

use std::process::{Output, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use super::forward_fixture::Served;
use super::hub_fixture::{Hub, deployment};

pub(crate) struct Kubectl {
    inner: atoll_testing::Kubectl,
}

impl Kubectl {
    /// kubectl with a kubeconfig for this hub.
    pub(crate) fn new(hub: &Hub, served: &Served) -> Self {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "hub",
            "clusters": [{"name": "hub", "cluster": {
                "server": format!("https://{}/k8s/hub", served.address),
                "certificate-authority-data": STANDARD.encode(&served.authority),
            }}],
            "users": [{"name": "ada", "user": {"token": hub.token}}],
            "contexts": [{"name": "hub", "context": {"cluster": "hub", "user": "ada"}}],
        });
        let kubeconfig = hub.file("kubeconfig");
        std::fs::write(&kubeconfig, config.to_string()).unwrap();
        let programs = atoll_testing::Programs::newest().unwrap();
        let inner = atoll_testing::Kubectl::new(&programs, kubeconfig, hub.file("home"));
        Self { inner }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.inner.command();
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    async fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self.command(arguments).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        child.wait_with_output().await.unwrap()
    }

    /// Output of a command that succeeds.
    pub(crate) async fn ok(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "{arguments:?}: {}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// Output of a command that succeeds, and what it says beside it: warnings.
    pub(crate) async fn told(&self, arguments: &[&str], input: &str) -> (String, String) {
        let output = self.run(arguments, input).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, warned) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {said}{warned}");
        (said, warned)
    }

    /// What a command that fails says.
    pub(crate) async fn fails(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input).await;
        assert!(
            !output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    async fn apply(&self, object: &Value) -> String {
        self.ok(&["apply", "-f", "-"], &object.to_string()).await
    }
}

fn namespace() -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"team": "a"}}})
}

#[tokio::test]
async fn applying_a_file_creates_then_leaves_alone_then_changes() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let kubectl = Kubectl::new(&hub, &served);
    let mut web = deployment("web");
    assert_eq!(kubectl.apply(&namespace()).await, "namespace/shop created\n");
    assert_eq!(kubectl.apply(&namespace()).await, "namespace/shop unchanged\n");
    assert_eq!(
        kubectl.apply(&web).await,
        "federateddeployment.types.kubefed.io/web created\n"
    );
    assert_eq!(
        kubectl.apply(&web).await,
        "federateddeployment.types.kubefed.io/web unchanged\n"
    );
    web["spec"]["template"]["spec"]["replicas"] = json!(5);
    assert_eq!(
        kubectl.apply(&web).await,
        "federateddeployment.types.kubefed.io/web configured\n"
    );
    let replicas = kubectl
        .ok(
            &[
                "get",
                "fdeploy",
                "web",
                "-n",
                "shop",
                "-o",
                "jsonpath={.spec.template.spec.replicas}",
            ],
            "",
        )
        .await;
    assert_eq!(replicas, "5");
    // A built-in kind is changed by a strategic merge patch.
    let mut labelled = namespace();
    labelled["metadata"]["labels"]["team"] = json!("b");
    assert_eq!(kubectl.apply(&labelled).await, "namespace/shop configured\n");
}

#[tokio::test]
async fn server_side_apply_and_diff_write_only_what_they_say() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let kubectl = Kubectl::new(&hub, &served);
    kubectl.apply(&namespace()).await;
    let mut web = deployment("web");
    let apply = ["apply", "--server-side", "-f", "-"];
    let applied = "federateddeployment.types.kubefed.io/web serverside-applied\n";
    assert_eq!(kubectl.ok(&apply, &web.to_string()).await, applied);
    let version = [
        "get",
        "fdeploy",
        "web",
        "-n",
        "shop",
        "-o",
        "jsonpath={.metadata.resourceVersion}",
    ];
    let before = kubectl.ok(&version, "").await;
    assert_eq!(kubectl.ok(&apply, &web.to_string()).await, applied);
    kubectl
        .ok(&["diff", "--server-side", "-f", "-"], &web.to_string())
        .await;
    web["spec"]["template"]["spec"]["replicas"] = json!(7);
    for diff in [["diff", "--server-side", "-f", "-"].as_slice(), &["diff", "-f", "-"]] {
        let output = kubectl.run(diff, &web.to_string()).await;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(
            output.status.code(),
            Some(1),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(text.contains("replicas: 7"), "{text}");
    }
    assert_eq!(kubectl.ok(&version, "").await, before, "a diff writes nothing");
    let conflict = ["apply", "--server-side", "--field-manager=argo", "-f", "-"];
    let said = kubectl.fails(&conflict, &web.to_string()).await;
    assert!(
        said.contains("conflict with \"kubectl\"") && said.contains(".spec.template.spec.replicas"),
        "{said}"
    );
}

#[tokio::test]
async fn objects_are_read_watched_edited_and_deleted() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let kubectl = Kubectl::new(&hub, &served);
    kubectl.apply(&namespace()).await;
    kubectl.apply(&deployment("web")).await;
    let table = kubectl.ok(&["get", "federateddeployments", "-n", "shop"], "").await;
    let heading: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heading, ["NAME", "CLUSTERS", "READY", "PROPAGATED", "REASON", "AGE"]);
    assert!(
        kubectl
            .ok(&["get", "all", "-A"], "")
            .await
            .contains("federateddeployment.types.kubefed.io/web")
    );

    let mut watching = kubectl
        .command(&[
            "get",
            "fdeploy",
            "-n",
            "shop",
            "-w",
            "-o",
            "jsonpath={.spec.template.spec.replicas}{'\\n'}",
        ])
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut next = async || {
        let line = tokio::time::timeout(std::time::Duration::from_secs(20), lines.next_line()).await;
        line.expect("an event in time").unwrap().unwrap_or_default()
    };
    assert_eq!(next().await, "2");
    kubectl
        .ok(
            &[
                "patch",
                "fdeploy",
                "web",
                "-n",
                "shop",
                "--type=merge",
                "-p",
                r#"{"spec":{"template":{"spec":{"replicas":3}}}}"#,
            ],
            "",
        )
        .await;
    assert_eq!(next().await, "3");
    watching.kill().await.unwrap();

    kubectl
        .ok(&["label", "fdeploy", "web", "-n", "shop", "tier=front"], "")
        .await;
    kubectl
        .ok(&["annotate", "fdeploy", "web", "-n", "shop", "note=x"], "")
        .await;
    assert!(
        kubectl
            .ok(&["get", "fdeploy", "-A", "-l", "tier in (front)", "-o", "name"], "")
            .await
            .contains("web")
    );
    let editor = hub.file("editor");
    std::fs::write(&editor, "#!/bin/sh\nsed -i 's/replicas: 3/replicas: 4/' \"$1\"\n").unwrap();
    std::fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut edit = kubectl.command(&["edit", "fdeploy", "web", "-n", "shop"]);
    let edited = edit.env("KUBE_EDITOR", &editor).output().await.unwrap();
    assert!(edited.status.success(), "{}", String::from_utf8_lossy(&edited.stderr));
    let default_patch = kubectl
        .fails(&["patch", "fdeploy", "web", "-n", "shop", "-p", "{}"], "")
        .await;
    assert!(
        default_patch.contains("application/merge-patch+json"),
        "{default_patch}"
    );

    let said = kubectl.ok(&["describe", "fdeploy", "web", "-n", "shop"], "").await;
    assert!(said.contains("Replicas:") && said.contains('4'), "{said}");
    assert!(
        kubectl
            .ok(&["delete", "fdeploy", "web", "-n", "shop", "--dry-run=server"], "")
            .await
            .contains("dry run")
    );
    assert!(
        kubectl
            .ok(&["delete", "fdeploy", "web", "-n", "shop"], "")
            .await
            .contains("deleted")
    );
    assert!(
        kubectl
            .fails(&["get", "fdeploy", "web", "-n", "shop"], "")
            .await
            .contains("NotFound")
    );
    let protected = kubectl.fails(&["delete", "namespace", "default"], "").await;
    assert!(protected.contains("this namespace may not be deleted"), "{protected}");
}

#[tokio::test]
async fn people_learn_what_there_is_who_they_are_and_what_is_wrong() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let kubectl = Kubectl::new(&hub, &served);
    let who = kubectl.ok(&["auth", "whoami"], "").await;
    assert!(who.contains("atoll:ada") && who.contains("atoll:admins"), "{who}");
    assert_eq!(
        kubectl
            .ok(&["auth", "can-i", "create", "federateddeployments"], "")
            .await,
        "yes\n"
    );
    assert!(kubectl.ok(&["version"], "").await.contains("Server Version"));
    let resources = kubectl.ok(&["api-resources", "--no-headers"], "").await;
    for short in ["fdeploy", "fns", "fsvc", "fcm", "kfc"] {
        assert!(resources.contains(short), "{resources}");
    }
    let fields = kubectl
        .ok(
            &[
                "explain",
                "federateddeployment.spec.template.spec.template.spec.containers",
            ],
            "",
        )
        .await;
    assert!(
        fields.contains("image\t<string>") && fields.contains("livenessProbe"),
        "{fields}"
    );
    assert!(kubectl.ok(&["explain", "kfc.spec"], "").await.contains("apiEndpoint"));
    assert_eq!(kubectl.ok(&["get", "--raw", "/livez"], "").await, "ok");

    kubectl.apply(&namespace()).await;
    let mut bad = deployment("web");
    bad["spec"]["template"]["spec"]["selector"] = json!({});
    let said = kubectl.fails(&["apply", "-f", "-"], &bad.to_string()).await;
    assert!(
        said.contains("spec.template.spec.selector") && said.contains("matchLabels: {app: web}"),
        "{said}"
    );
    let mut typo = deployment("web");
    typo["spec"]["placment"] = json!({});
    assert!(
        kubectl
            .fails(&["apply", "-f", "-"], &typo.to_string())
            .await
            .contains("unknown field \"spec.placment\"")
    );
    let mut old = deployment("old");
    old["spec"]["placement"] = json!({"clusterNames": ["eu-1"]});
    let output = kubectl.run(&["apply", "-f", "-"], &old.to_string()).await;
    assert!(String::from_utf8_lossy(&output.stderr).contains("Warning: spec.placement.clusterNames"));
}

#[tokio::test]
async fn core_kinds_are_made_from_the_command_line() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let kubectl = Kubectl::new(&hub, &served);
    // kubectl sends these as protobuf.
    kubectl.ok(&["create", "namespace", "shop"], "").await;
    kubectl
        .ok(
            &[
                "create",
                "secret",
                "generic",
                "db",
                "-n",
                "shop",
                "--from-literal=password=x",
            ],
            "",
        )
        .await;
    kubectl
        .ok(&["create", "configmap", "c", "-n", "shop", "--from-literal=a=b"], "")
        .await;
    let password = ["get", "secret", "db", "-n", "shop", "-o", "jsonpath={.data.password}"];
    assert_eq!(kubectl.ok(&password, "").await, "eA==");
    assert!(
        kubectl
            .ok(&["get", "configmaps", "-n", "shop"], "")
            .await
            .contains("DATA")
    );
    assert!(kubectl.ok(&["get", "namespaces"], "").await.contains("Active"));
    let namespace = kubectl.ok(&["delete", "namespace", "shop", "--wait=false"], "").await;
    assert!(namespace.contains("deleted"));
    let late = kubectl
        .fails(&["create", "configmap", "late", "-n", "shop", "--from-literal=a=b"], "")
        .await;
    assert!(late.contains("being terminated"), "{late}");
}

#[tokio::test]
async fn a_cluster_is_joined_from_files_and_its_token_is_not_shown() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let kubectl = Kubectl::new(&hub, &served);
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "eu-1", "namespace": "kube-federation-system"},
        "stringData": {"token": "canary-token"}});
    // As people have it, without a namespace.
    let cluster = json!({"apiVersion": "core.kubefed.io/v1beta1", "kind": "KubeFedCluster", "metadata": {"name": "eu-1"},
        "spec": {"apiEndpoint": "api.example:6443", "secretRef": {"name": "eu-1"}}});
    for _ in 0..2 {
        kubectl.apply(&cluster).await;
        kubectl.apply(&secret).await;
    }
    let row = hub.state.store.cluster("eu-1").await.unwrap().unwrap();
    assert_eq!(row.endpoint, "https://api.example:6443");
    assert!(row.credential_revision > 0);
    let table = kubectl.ok(&["get", "kfc", "-n", "kube-federation-system"], "").await;
    assert_eq!(
        table.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(),
        ["NAME", "AGE", "READY", "KUBERNETES-VERSION"]
    );
    for format in ["yaml", "json"] {
        let shown = kubectl
            .ok(&["get", "secrets", "-n", "kube-federation-system", "-o", format], "")
            .await;
        assert!(
            !shown.contains("canary") && !shown.contains(&STANDARD.encode("canary-token")),
            "{shown}"
        );
    }
    let bad = json!({"apiVersion": "core.kubefed.io/v1beta1", "kind": "KubeFedCluster", "metadata": {"name": "us-1"},
        "spec": {"apiEndpoint": "http://api.example", "secretRef": {"name": "us-1"}, "disabledTLSValidations": ["*"]}});
    let said = kubectl.fails(&["create", "-f", "-"], &bad.to_string()).await;
    assert!(
        said.contains("spec.apiEndpoint") && said.contains("spec.disabledTLSValidations"),
        "{said}"
    );
    kubectl
        .ok(&["delete", "kfc", "eu-1", "-n", "kube-federation-system"], "")
        .await;
    assert!(hub.state.store.cluster("eu-1").await.unwrap().is_none());
}
