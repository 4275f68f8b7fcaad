//! kwok in place of the kubelets: it makes nodes and pods live, and serves what
//! `kubectl logs`, `exec`, `attach` and `port-forward` ask a kubelet for.
//!
//! No container runs. Every pod's log is one file, a command is run on this
//! machine in a folder of the cluster, and a forwarded port echoes.

use std::{fs, io::Write, path::Path};

use anyhow::{Context, Result};
use serde_json::json;

use crate::{folder::Folder, programs::Programs};

/// The log of every pod, in the format container runtimes write.
const POD_LOG: &str = "pod.log";

const FIRST_LINES: &str = "\
2026-01-01T00:00:00.000000000Z stdout F starting\n\
2026-01-01T00:00:01.000000000Z stdout F ready\n";

/// Writes kwok's configuration and the files it refers to.
pub(super) fn configure(folder: &Folder, programs: &Programs) -> Result<String> {
    let commands = folder.join("commands");
    let log = folder.join(POD_LOG);
    fs::create_dir(&commands)?;
    fs::write(&log, FIRST_LINES)?;

    let stages = programs.kwok_stages();
    let mut text = fs::read_to_string(&stages).with_context(|| format!("cannot read {}", stages.display()))?;
    for (kind, spec) in [
        (
            "ClusterExec",
            json!({ "execs": [{ "local": { "workDir": commands } }] }),
        ),
        ("ClusterLogs", json!({ "logs": [{ "logsFile": log, "follow": true }] })),
        ("ClusterAttach", json!({ "attaches": [{ "logsFile": log }] })),
        ("ClusterPortForward", json!({ "forwards": [{ "command": ["cat"] }] })),
    ] {
        let document = json!({
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": kind,
            "metadata": { "name": "all-pods" },
            "spec": spec,
        });
        text.push_str("\n---\n");
        text.push_str(&document.to_string());
    }
    let file = folder.join("kwok.yaml");
    fs::write(&file, text)?;
    Ok(file.display().to_string())
}

/// Adds a line to what every pod has logged, at a time given in RFC 3339.
pub(super) fn append_log(folder: &Path, time: &str, line: &str) -> Result<()> {
    let mut log = fs::File::options().append(true).open(folder.join(POD_LOG))?;
    writeln!(log, "{time} stdout F {line}")?;
    Ok(())
}
