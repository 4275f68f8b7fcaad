//! A PostgreSQL server of our own, from Debian's package.
//!
//! It listens on one loopback port, keeps its data in a temporary folder and
//! does not wait for the disk. One server is enough for a whole test binary:
//! every test asks for a database of its own.

use std::{
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use uuid::Uuid;

use crate::{
    folder::Folder,
    ports::free_port,
    process::{Process, Program, Stop},
    readiness::until,
};

/// Where Debian puts each major version.
const INSTALLED: &str = "/usr/lib/postgresql";

/// The superuser, and the system user the server runs as under root.
const USER: &str = "postgres";

const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Dropping it ends it and removes its data.
pub struct Postgres {
    _process: Process,
    programs: PathBuf,
    port: u16,
    _folder: Folder,
}

impl Postgres {
    /// Makes a server and waits until it answers.
    pub async fn start() -> Result<Self> {
        let programs = find_programs(Path::new(INSTALLED))?;
        let folder = Folder::new("atoll-postgres-")?;
        let identity = Identity::current()?;
        if let Identity::Dropped { user, group } = identity {
            chown(folder.path(), Some(user), Some(group))?;
        }
        initialise(&programs, &folder, &identity)?;

        let port = free_port()?;
        let data = folder.join("data").display().to_string();
        let mut arguments = vec!["-D".to_owned(), data];
        for setting in [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
            "unix_socket_directories=".to_owned(),
            "fsync=off".to_owned(),
            "synchronous_commit=off".to_owned(),
            "full_page_writes=off".to_owned(),
            "shared_buffers=32MB".to_owned(),
            "max_connections=200".to_owned(),
        ] {
            arguments.extend(["-c".to_owned(), setting]);
        }
        let (path, arguments) = identity.command(programs.join("postgres"), arguments);
        let mut process = Program {
            name: "postgres",
            path,
            arguments,
            stop: Stop::Quit,
        }
        .start(folder.path())?;

        until("PostgreSQL", PATIENCE, async || {
            process.check()?;
            is_ready(&programs, port)
        })
        .await?;
        Ok(Self {
            _process: process,
            programs,
            port,
            _folder: folder,
        })
    }

    /// The address of a database, which need not exist.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database that nobody else uses, and returns its address.
    pub async fn create_database(&self) -> Result<String> {
        let database = format!("test_{}", Uuid::new_v4().simple());
        self.run_sql("postgres", &format!("CREATE DATABASE {database}")).await?;
        Ok(self.url(&database))
    }

    /// Runs one statement in a database and returns what psql prints for it:
    /// a line per row, columns separated by `|`.
    pub async fn run_sql(&self, database: &str, statement: &str) -> Result<String> {
        let output = tokio::process::Command::new(self.programs.join("psql"))
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--set", "ON_ERROR_STOP=1", "--command", statement])
            .arg(self.url(database))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .context("cannot run psql")?;
        if !output.status.success() {
            bail!("psql: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }
}

/// Whom the server runs as: it refuses to run as root.
enum Identity {
    /// As whoever runs the tests.
    Own,
    /// As [`USER`].
    Dropped { user: u32, group: u32 },
}

impl Identity {
    fn current() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        Ok(Self::Dropped {
            user: number(&["-u", USER])?,
            group: number(&["-g", USER])?,
        })
    }

    /// The command that runs a program as this identity.
    fn command(&self, program: PathBuf, arguments: Vec<String>) -> (PathBuf, Vec<String>) {
        match self {
            Self::Own => (program, arguments),
            Self::Dropped { user, group } => {
                let mut all = vec![
                    format!("--reuid={user}"),
                    format!("--regid={group}"),
                    "--clear-groups".to_owned(),
                    "--".to_owned(),
                    program.display().to_string(),
                ];
                all.extend(arguments);
                (PathBuf::from("setpriv"), all)
            }
        }
    }
}

/// What `id` says about a user.
fn number(arguments: &[&str]) -> Result<u32> {
    let output = Command::new("id").args(arguments).output()?;
    String::from_utf8(output.stdout)?
        .trim()
        .parse()
        .with_context(|| format!("there is no user {USER}: install the package `postgresql`"))
}

/// Makes the data folder with `initdb`.
fn initialise(programs: &Path, folder: &Folder, identity: &Identity) -> Result<()> {
    let data = folder.join("data").display().to_string();
    let (path, arguments) = identity.command(
        programs.join("initdb"),
        vec![
            format!("--pgdata={data}"),
            format!("--username={USER}"),
            "--auth=trust".to_owned(),
            "--encoding=UTF8".to_owned(),
            "--locale=C".to_owned(),
            "--no-sync".to_owned(),
        ],
    );
    let output = Command::new(path)
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .context("cannot run initdb")?;
    if !output.status.success() {
        bail!("initdb: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

fn is_ready(programs: &Path, port: u16) -> Result<bool> {
    let status = Command::new(programs.join("pg_isready"))
        .args(["--quiet", "--host=127.0.0.1", &format!("--port={port}")])
        .status()
        .context("cannot run pg_isready")?;
    Ok(status.success())
}

/// The programs of the newest installed major version.
fn find_programs(installed: &Path) -> Result<PathBuf> {
    let mut newest: Option<(u32, PathBuf)> = None;
    for entry in fs::read_dir(installed).into_iter().flatten().flatten() {
        let version = entry.file_name().to_string_lossy().parse().unwrap_or(0);
        let programs = entry.path().join("bin");
        let complete = programs.join("initdb").is_file() && programs.join("psql").exists();
        if complete && newest.as_ref().is_none_or(|(other, _)| version > *other) {
            newest = Some((version, programs));
        }
    }
    newest.map(|(_, programs)| programs).with_context(|| {
        format!(
            "there is no PostgreSQL server in {}: install the package `postgresql`",
            installed.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_server_names_the_package_to_install() {
        let error = find_programs(Path::new("/nonexistent")).unwrap_err();
        assert!(error.to_string().contains("`postgresql`"), "{error}");
    }

    #[test]
    fn the_newest_major_version_is_taken() {
        let installed = tempfile::tempdir().unwrap();
        for version in ["9", "15", "10"] {
            let programs = installed.path().join(version).join("bin");
            fs::create_dir_all(&programs).unwrap();
            for program in ["initdb", "psql"] {
                fs::write(programs.join(program), "").unwrap();
            }
        }
        assert_eq!(
            find_programs(installed.path()).unwrap(),
            installed.path().join("15/bin")
        );
    }
}
