//! `atoll serve` as it is built, on a data dir and ports of its own.

use std::{
    env, fs,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::{
    folder::Folder,
    kubectl::Kubectl,
    ports::free_port,
    process::{Process, Program, Stop},
    programs::Programs,
    readiness::until,
    rest::Rest,
};

/// Ample: a debug build on a busy machine starts in a second or two.
const PATIENCE: Duration = Duration::from_secs(60);

/// The user that the first start creates.
pub const ADMIN: &str = "admin";

/// Where a hub keeps its rows.
#[derive(Clone, Debug)]
pub enum Database {
    /// A file in the data dir.
    Sqlite,
    /// A PostgreSQL database, by URL.
    Postgres(String),
}

/// A hub that can be killed and started again on the same data and ports.
/// Dropping it ends it and removes its data.
pub struct Hub {
    process: Option<Process>,
    program: Program,
    port: u16,
    metrics_port: u16,
    password: String,
    folder: Folder,
}

impl Hub {
    /// Starts a new hub that accepts members on loopback, and waits until it
    /// is ready.
    pub async fn start(database: &Database) -> Result<Self> {
        let folder = Folder::new("atoll-hub-")?;
        let (port, metrics_port) = (free_port()?, free_port()?);
        let password = Uuid::new_v4().simple().to_string();
        let password_file = folder.join("admin-password");
        fs::write(&password_file, format!("{password}\n"))?;
        let mut arguments = vec![
            "serve".to_owned(),
            format!("--listen=127.0.0.1:{port}"),
            format!("--metrics-listen=127.0.0.1:{metrics_port}"),
            format!("--data-dir={}", folder.join("data").display()),
            format!("--admin-password-file={}", password_file.display()),
            "--allow-loopback-members".to_owned(),
        ];
        if let Database::Postgres(url) = database {
            let (url_file, key_file) = (folder.join("database-url"), folder.join("keys"));
            fs::write(&url_file, url)?;
            write_key(&key_file)?;
            arguments.push(format!("--database-file={}", url_file.display()));
            arguments.push(format!("--key-file={}", key_file.display()));
        }
        let program = Program {
            name: "atoll",
            path: binary()?,
            arguments,
            stop: Stop::Kill,
        };
        let mut hub = Self {
            process: None,
            program,
            port,
            metrics_port,
            password,
            folder,
        };
        hub.start_again().await?;
        Ok(hub)
    }

    /// Its address for plain HTTP.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The password of [`ADMIN`].
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Everything it has logged.
    pub fn log(&self) -> Result<String> {
        let log = self.folder.join(format!("{}.log", self.program.name));
        fs::read_to_string(&log).with_context(|| format!("cannot read {}", log.display()))
    }

    /// A folder for what belongs to this hub, which goes when it does.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A client of it without credentials.
    pub fn rest(&self) -> Rest {
        Rest::new(self.url())
    }

    /// A client of its metrics.
    pub fn metrics(&self) -> Rest {
        Rest::new(format!("http://127.0.0.1:{}", self.metrics_port))
    }

    /// A client signed in as [`ADMIN`].
    pub async fn sign_in(&self) -> Result<Rest> {
        let credentials = json!({ "username": ADMIN, "password": self.password });
        let answer = self.rest().post("/api/v1/sessions", credentials).await?;
        let session = answer.body(StatusCode::CREATED)?;
        let token = session["token"].as_str().context("a session without a token")?;
        Ok(self.rest().with_token(token))
    }

    /// kubectl with the kubeconfig that this client gets from the hub, all of
    /// whose contexts name this hub.
    pub async fn kubectl(&self, rest: &Rest) -> Result<Kubectl> {
        let headers = [("accept", "application/yaml")];
        let answer = rest
            .send(http::Method::POST, "/api/v1/kubeconfigs", Some(json!({})), &headers)
            .await?;
        ensure!(answer.status.is_success(), "{}: {}", answer.status, answer.text);
        let home = self.folder.join(format!("kubectl-{}", Uuid::new_v4().simple()));
        fs::create_dir(&home)?;
        let kubeconfig = home.join("config");
        fs::write(&kubeconfig, answer.text)?;
        Ok(Kubectl::new(&Programs::newest()?, kubeconfig, home))
    }

    /// The id of its process.
    pub fn process_id(&self) -> Result<u32> {
        let process = self.process.as_ref().context("the hub is not running")?;
        Ok(process.id())
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) -> Result<()> {
        match self.process.take() {
            Some(mut process) => {
                process.end()?;
                Ok(())
            }
            None => bail!("the hub is not running"),
        }
    }

    /// Starts a killed hub again and waits until it is ready.
    pub async fn start_again(&mut self) -> Result<()> {
        let program = self.program.clone();
        self.run(&program).await
    }

    /// The same, but with a clock that is some hours ahead.
    pub async fn start_again_later(&mut self, hours: u32) -> Result<()> {
        let mut program = self.program.clone();
        let wrapped = program.path.display().to_string();
        // Timers count from the start of the machine and stay as they are.
        let clock = [
            "--exclude-monotonic".to_owned(),
            "-f".to_owned(),
            format!("+{hours}h"),
            wrapped,
        ];
        program.arguments.splice(0..0, clock);
        program.path = PathBuf::from("faketime");
        self.run(&program)
            .await
            .context("with another clock, for which the package `faketime` is needed")
    }

    async fn run(&mut self, program: &Program) -> Result<()> {
        ensure!(self.process.is_none(), "the hub is running");
        let mut process = program.start(self.folder.path())?;
        let rest = self.rest();
        until("the hub", PATIENCE, async || {
            process.check()?;
            Ok(rest.get("/readyz").await.is_ok_and(|answer| answer.status.is_success()))
        })
        .await?;
        self.process = Some(process);
        Ok(())
    }
}

/// The binary that belongs to the running test: cargo puts both below the same
/// `target/<profile>`.
pub fn binary() -> Result<PathBuf> {
    let own = env::current_exe()?;
    let profile = own
        .ancestors()
        .nth(1)
        .map(|folder| {
            if folder.ends_with("deps") {
                folder.parent()
            } else {
                Some(folder)
            }
        })
        .context("this program is in no folder")?
        .context("this program is in no folder")?;
    let binary = profile.join("atoll");
    ensure!(
        binary.is_file(),
        "{} is missing: run `cargo build --bin atoll`, with --release for a release",
        binary.display()
    );
    Ok(binary)
}

/// A key file with one new key, which PostgreSQL's replicas would share.
fn write_key(path: &Path) -> Result<()> {
    let mut key = [0; 32];
    fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
    fs::write(path, format!("test:{}\n", STANDARD.encode(key)))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(())
}
