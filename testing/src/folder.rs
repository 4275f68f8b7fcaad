//! A temporary folder that is removed when its owner ends, even by a signal.
//!
//! As with processes, a shell waits on a pipe of ours and does the removal when
//! the pipe closes. It is the only remover, so there is one path to get right.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};

/// Tries for ten seconds, as processes that are just ending may still write.
const REMOVE: &str = r#"
read -r _
tries=0
while [ -e "$1" ] && [ "$tries" -lt 100 ]; do
    rm -rf -- "$1" || sleep 0.1
    tries=$((tries + 1))
done
"#;

/// A folder of our own under the system's temporary one.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    remover: Child,
}

impl Folder {
    /// Makes a folder that only this user can enter.
    pub(crate) fn new(prefix: &str) -> Result<Self> {
        let path = tempfile::Builder::new()
            .prefix(prefix)
            .tempdir()
            .context("cannot make a temporary folder")?
            .keep();
        let remover = Command::new("/bin/sh")
            .args(["-c", REMOVE, "remove"])
            .arg(&path)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start the remover of a temporary folder")?;
        Ok(Self { path, remover })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.remover.stdin.take());
        if let Err(error) = self.remover.wait() {
            tracing::warn!(folder = %self.path.display(), %error, "cannot remove a folder");
        }
    }
}
