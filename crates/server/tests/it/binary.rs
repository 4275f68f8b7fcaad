//! The program itself: exit codes, one line of complaint, first start, and a drained end.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

fn atoll(arguments: &[&str]) -> Output {
    atoll_with(arguments, "")
}

fn atoll_with(arguments: &[&str], input: &str) -> Output {
    let mut child = command().args(arguments).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_atoll"));
    command.env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn example(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../federation/tests/it/render");
    folder.join(name).to_str().unwrap().to_owned()
}

#[test]
fn bad_values_are_one_line_and_exit_2_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let missing = folder.path().join("missing");
    let missing = missing.to_str().unwrap();
    let short = folder.path().join("short");
    std::fs::write(&short, "short\n").unwrap();
    let short = short.to_str().unwrap();
    for (options, named) in [
        (vec!["--database", "mysql://x"], "database URL"),
        (vec!["--database-file", missing], "--database-file"),
        (vec!["--admin-password-file", missing], "--admin-password-file"),
        (vec!["--admin-password-file", short], "12 characters"),
        (vec!["--tls-cert", missing, "--tls-key", missing], "--tls-cert"),
        (vec!["--log", "a=b=c"], "--log"),
        (vec!["--listen", "nowhere"], "--listen"),
        (vec!["--public-url", "ftp://x"], "--public-url"),
        (vec!["--tls-name", "a b"], "--tls-name"),
        (vec!["--session-hours", "0"], "--session-hours"),
    ] {
        let mut arguments = vec!["serve", "--data-dir", data];
        arguments.extend(options);
        let output = atoll(&arguments);
        let complaint = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {complaint}");
        assert!(complaint.contains(named), "{arguments:?}: {complaint}");
        assert!(output.stdout.is_empty() && !Path::new(data).exists(), "{arguments:?}");
    }
}

#[test]
fn plan_and_render_exit_as_they_went() {
    let plan = "{key: a/b, preference: {totalReplicas: 3, clusters: {'*': {weight: 1}}}, clusters: [{name: eu-1}]}";
    let output = atoll_with(&["plan"], plan);
    assert_eq!(output.status.code(), Some(0));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json, serde_json::json!({"plan": {"eu-1": 3}, "overflow": {}}));
    assert!(text(&atoll_with(&["plan", "-o", "table", "-"], plan).stdout).contains("eu-1"));
    let output = atoll_with(&["plan"], "{key: 5}");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stderr).lines().count(), 1, "{}", text(&output.stderr));
    assert_eq!(atoll(&["plan", "/no/such/file"]).status.code(), Some(2));

    let good = example("web-in-europe.yaml");
    let output = atoll(&["render", &good]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("# cluster: eu-1"));
    let output = atoll(&["render", "-o", "json", &example("one-bad-override.yaml")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("ApplyOverridesFailed"));
    let output = atoll_with(&["render"], "[1, 2");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stderr).lines().count(), 1, "{}", text(&output.stderr));
    let both = atoll(&["render", "-o", "json", "--scope", "Namespaced", &good]);
    assert_eq!(both.status.code(), Some(0), "{}", text(&both.stderr));
}

#[test]
fn the_document_and_the_version_are_printed() {
    let hub = atoll(&["openapi", "hub"]);
    let document: serde_json::Value = serde_json::from_slice(&hub.stdout).unwrap();
    let path = "/apis/types.kubefed.io/v1beta1/namespaces/{namespace}/federateddeployments/{name}";
    assert!(document["paths"][path]["patch"].is_object());
    let output = atoll(&["openapi", "console"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["paths"]["/api/v1/clusters"]["post"].is_object());
    assert!(text(&atoll(&["version"]).stdout).starts_with("atoll "));
    assert_eq!(atoll(&["no-such-command"]).status.code(), Some(2));
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let good = example("web-in-europe.yaml");
    for arguments in [vec!["openapi"], vec!["render", &good]] {
        let mut child = command().args(&arguments).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
    }
}

/// A hub that runs on ports the system chose.
struct Served {
    child: Child,
    lines: Vec<String>,
    log: String,
}

impl Served {
    /// Starts one and waits until it runs.
    async fn start(data: &str) -> Self {
        let mut command = tokio::process::Command::from(command());
        command.args([
            "serve",
            "--data-dir",
            data,
            "--listen",
            "127.0.0.1:0",
            "--metrics-listen",
            "127.0.0.1:0",
        ]);
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = String::new();
        while !log.contains("the hub is running") {
            let next = tokio::time::timeout(Duration::from_secs(30), errors.next_line())
                .await
                .expect("it runs in time");
            let Ok(Some(line)) = next else {
                panic!("it ended: {log}")
            };
            log.push_str(&line);
        }
        // Read on, so that it never waits for somebody to read its log.
        let reader = async move { while let Ok(Some(_)) = errors.next_line().await {} };
        tokio_util::task::TaskTracker::new().spawn(reader);
        Self {
            child,
            lines: Vec::new(),
            log,
        }
    }

    /// The value of a field of the line that says it runs.
    fn field(&self, name: &str) -> String {
        let (_, rest) = self.log.split_once(&format!("{name}=")).unwrap();
        rest.split_whitespace().next().unwrap().trim_matches('"').to_owned()
    }

    /// Asks it to end, and waits for that.
    async fn end(mut self) -> (Option<i32>, String) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let mut output = BufReader::new(self.child.stdout.take().unwrap()).lines();
        while let Ok(Some(line)) = output.next_line().await {
            self.lines.push(line);
        }
        let status = tokio::time::timeout(Duration::from_secs(10), self.child.wait())
            .await
            .expect("it ends in time");
        (status.unwrap().code(), self.lines.join("\n"))
    }
}

#[tokio::test]
async fn the_first_start_prints_a_password_once_and_a_second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let served = Served::start(data).await;
    let second = tokio::task::spawn_blocking({
        let data = data.to_owned();
        move || {
            atoll(&[
                "serve",
                "--data-dir",
                &data,
                "--listen",
                "127.0.0.1:0",
                "--metrics-listen",
                "127.0.0.1:0",
            ])
        }
    });
    let second = second.await.unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(
        text(&second.stderr).contains("in use by another process"),
        "{}",
        text(&second.stderr)
    );

    let metrics = served.field("metrics.address");
    let health = tokio::task::spawn_blocking(move || atoll(&["health", "--metrics-listen", &metrics]));
    assert_eq!(health.await.unwrap().status.code(), Some(0));
    let set = tokio::task::spawn_blocking({
        let data = data.to_owned();
        move || atoll(&["user", "set-password", "--data-dir", &data])
    });
    let set = set.await.unwrap();
    assert_eq!(set.status.code(), Some(0), "{}", text(&set.stderr));
    assert_eq!(text(&set.stdout).trim().len(), 24);
    let token = tokio::task::spawn_blocking({
        let data = data.to_owned();
        move || atoll(&["token", "create", "--data-dir", &data, "--name", "ci", "--days", "1"])
    });
    assert!(text(&token.await.unwrap().stdout).starts_with("atoll_"));

    let began = Instant::now();
    let (code, output) = served.end().await;
    assert_eq!(code, Some(0));
    assert!(began.elapsed() < Duration::from_secs(9), "nothing was under way");
    assert!(output.contains("password:"), "{output}");

    let again = Served::start(data).await;
    let (code, output) = again.end().await;
    assert_eq!((code, output.as_str()), (Some(0), ""), "the password is printed once");

    let keys = Path::new(data).join("keys");
    std::fs::write(&keys, format!("2:{}=\n", "A".repeat(43))).unwrap();
    let anywhere = ["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"];
    let output = atoll(&[&["serve", "--data-dir", data], &anywhere[..]].concat());
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert!(complaint.contains("--key-file: no key in"), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
}

#[test]
fn commands_beside_a_hub_make_no_hub() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    for arguments in [
        ["user", "set-password", "--data-dir", data],
        ["token", "create", "--data-dir", data],
    ] {
        let output = atoll(&arguments);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        assert!(!Path::new(data).exists());
    }
    assert_eq!(atoll(&["migrate", "--data-dir", data]).status.code(), Some(0));
    for arguments in [
        vec!["token", "create", "--data-dir", data, "--user", "nobody"],
        vec!["user", "set-password", "nobody", "--data-dir", data],
    ] {
        let nobody = atoll(&arguments);
        assert_eq!(nobody.status.code(), Some(2), "{arguments:?}");
        assert!(
            text(&nobody.stderr).contains("there is no user \"nobody\""),
            "{}",
            text(&nobody.stderr)
        );
    }
    assert_eq!(
        atoll(&["health", "--metrics-listen", "127.0.0.1:1"]).status.code(),
        Some(1)
    );
}
