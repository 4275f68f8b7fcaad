//! `atoll serve`: the hub, from options to a drained end.
//!
//! Order matters. Options and files are judged first, then the data dir is taken, the store opened and the ports bound,
//! so that nothing is made by a start that cannot go on; then the installation is made, and members are opened, which are
//! never the hub's own addresses; and the first request is answered when everything behind it runs.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use atoll_clusters::{AddressPolicy, Clusters, Network};
use atoll_controllers::Controllers;
use atoll_store::{DataDir, DatabaseUrl, Installation, Store};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::database::{Place, read_secret};
use super::{Ending, Failure, Outcome};
use crate::app::initialise::{ADMIN, Started, initialise};
use crate::auth::directory::Directory;
use crate::auth::session::Sessions;
use crate::config::Config;
use crate::listen::{Authority, Listener, ServerCertificate};
use crate::state::{AppState, Hub, Parts};
use crate::{auth, hub, metrics, router, telemetry};

/// Everything `atoll serve` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: Config,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let config = arguments.config;
    telemetry::start(config.logs.log_format, &config.logs.log).map_err(Failure::Usage)?;
    let mut ending = Ending::listen()?;
    let running = tokio::select! {
        running = Running::start(&config, false) => running?,
        () = ending.asked() => return Err(Failure::Failed("ended before it was ready".to_owned())),
    };
    if let Some(password) = &running.generated_password {
        println!("{}", first_start(&running.state.hub.public_url, password));
    }
    tracing::info!(
        url = running.state.hub.public_url,
        address = %running.address,
        metrics.address = %running.metrics_address,
        version = env!("CARGO_PKG_VERSION"),
        "the hub is running"
    );
    ending.asked().await;
    tracing::info!("ending: no new connections, and 20 s for requests under way; ask again to end at once");
    tokio::select! {
        () = running.end() => Ok(ExitCode::SUCCESS),
        () = ending.asked() => Err(Failure::Failed("ended at once, as asked".to_owned())),
    }
}

/// What the first start prints, once.
fn first_start(url: &str, password: &SecretString) -> String {
    format!(
        "This is the first start of this hub. Sign in at {url}\n  user:     {ADMIN}\n  password: {}\n\
         It is shown this once. Change it with `atoll user set-password`.",
        password.expose_secret()
    )
}

/// A hub that runs.
pub(super) struct Running {
    pub(super) state: AppState,
    pub(super) address: SocketAddr,
    pub(super) metrics_address: SocketAddr,
    pub(super) generated_password: Option<SecretString>,
    shutdown: CancellationToken,
    listeners: TaskTracker,
    _data_dir: Option<DataDir>,
}

impl Running {
    /// Starts a hub.
    pub(super) async fn start(config: &Config, demo: bool) -> Result<Self, Failure> {
        let place = Place::of(&config.data)?;
        let password = read_password(config)?;
        let files = certificate_files(config)?;
        let data_dir = place.lock()?;
        let store = place.open().await?;
        // Before the installation is made: a first start that cannot listen would lose the password that it shows once.
        let (listener, metrics_listener) = bind(config).await?;
        let now = Timestamp::now();
        let started = initialise(&store, password, now)
            .await
            .map_err(|error| place.unreadable(&error))?;
        hub::seed(&store, now)
            .await
            .map_err(|error| Failure::while_doing("cannot prepare the hub's API", &error))?;
        let Started {
            installation,
            authority,
            generated_password,
        } = started;

        let ca = files.is_none().then(|| authority.certificate_pem().to_owned());
        let certificate = files.unwrap_or_else(|| own_certificate(config, authority));
        let tls = certificate
            .load(now)
            .map_err(|error| Failure::Usage(crate::error::chain(&error)))?;
        let listener = listener.with_tls(tls.clone());
        let address = listener
            .local_address()
            .map_err(|error| Failure::while_doing("cannot listen", &error))?;
        let metrics_address = metrics_listener
            .local_address()
            .map_err(|error| Failure::while_doing("cannot listen", &error))?;

        let state = assemble(
            config,
            &place,
            store,
            &installation,
            ca,
            [address, metrics_address],
            demo,
        );
        let shutdown = CancellationToken::new();
        let listeners = TaskTracker::new();
        listeners.spawn(certificate.keep_fresh(tls, Timestamp::now, shutdown.clone()));
        let (following, until) = (state.clone(), shutdown.clone());
        listeners.spawn(async move { following.directory.follow(until).await });
        listeners.spawn(hub::learn(state.clone(), shutdown.clone()));
        let tunnels = state.tunnels.clone();
        listeners.spawn(metrics_listener.serve(metrics::router(state.clone()), shutdown.clone(), tunnels.clone()));
        listeners.spawn(listener.serve(router::router(state.clone()), shutdown.clone(), tunnels));
        listeners.close();
        warn_of_postgres_defaults(&place.url, config);
        Ok(Self {
            state,
            address,
            metrics_address,
            generated_password,
            shutdown,
            listeners,
            _data_dir: data_dir,
        })
    }

    /// Ends it: requests under way first, then streams and tunnels, then the controllers, which give their lease back,
    /// then the members, and the store last.
    pub(super) async fn end(self) {
        self.shutdown.cancel();
        self.listeners.wait().await;
        self.state.tunnels.cancel();
        self.state.controllers.stop().await;
        self.state.clusters.close().await;
        self.state.tasks.close();
        let _ = tokio::time::timeout(std::time::Duration::from_secs(5), self.state.tasks.wait()).await;
        let store = self.state.store.clone();
        drop(self.state);
        store.close().await;
        tracing::info!("the hub has ended");
    }
}

fn read_password(config: &Config) -> Result<Option<SecretString>, Failure> {
    let Some(file) = &config.access.admin_password_file else {
        return Ok(None);
    };
    let password = read_secret(file, "--admin-password-file")?;
    auth::password::check_new(&password).map_err(|error| Failure::Usage(format!("--admin-password-file: {error}")))?;
    Ok(Some(password))
}

/// The certificate from files, tried before anything else happens.
fn certificate_files(config: &Config) -> Result<Option<ServerCertificate>, Failure> {
    let (Some(certificate), Some(key)) = (&config.listen.tls_cert, &config.listen.tls_key) else {
        return Ok(None);
    };
    let files = ServerCertificate::Files {
        certificate: certificate.clone(),
        key: key.clone(),
    };
    files
        .load(Timestamp::now())
        .map_err(|error| Failure::Usage(format!("--tls-cert, --tls-key: {}", crate::error::chain(&error))))?;
    Ok(Some(files))
}

/// Names that this hub is reached by, beside its addresses.
fn extra_names(config: &Config) -> Vec<String> {
    let public = config
        .listen
        .public_url
        .as_ref()
        .and_then(|url| url.host_str())
        .map(|host| host.trim_start_matches('[').trim_end_matches(']').to_owned());
    config.listen.tls_name.iter().cloned().chain(public).collect()
}

fn own_certificate(config: &Config, authority: Authority) -> ServerCertificate {
    ServerCertificate::Own {
        authority: Arc::new(authority),
        names: ServerCertificate::names(config.listen.listen, extra_names(config)),
    }
}

async fn bind(config: &Config) -> Result<(Listener, Listener), Failure> {
    let cannot = |option: &str, address: SocketAddr, error: &std::io::Error| {
        Failure::Failed(format!("cannot listen on {address} ({option}): {error}"))
    };
    let listen = config.listen.listen;
    let listener = Listener::bind_plain(listen)
        .await
        .map_err(|error| cannot("--listen", listen, &error))?;
    let address = config.listen.metrics_listen;
    let metrics = Listener::bind_plain(address)
        .await
        .map_err(|error| cannot("--metrics-listen", address, &error))?;
    Ok((listener, metrics))
}

/// Puts the parts together, and lets members and controllers begin.
fn assemble(
    config: &Config,
    place: &Place,
    store: Store,
    installation: &Installation,
    authority_certificate: Option<String>,
    own_listeners: [SocketAddr; 2],
    demo: bool,
) -> AppState {
    let [address, _] = own_listeners;
    let network = Network::new(AddressPolicy {
        allow_loopback: config.access.allow_loopback_members,
        own_listeners: own_listeners.to_vec(),
    });
    let clusters = Clusters::new(atoll_clusters::Options::new(network));
    let options = atoll_controllers::Options::new(installation.hub_uid.to_string(), holder(&place.url));
    let controllers = Controllers::start(store.clone(), clusters.clone(), options);
    let names = ServerCertificate::names(address, extra_names(config));
    let host_names: BTreeSet<String> = names.into_iter().map(|name| name.to_ascii_lowercase()).collect();
    AppState::new(Parts {
        clusters,
        controllers,
        hub: Hub {
            uid: installation.hub_uid,
            public_url: config.listen.public_url(address),
            host_names,
            any_address: address.ip().is_unspecified(),
            authority_certificate,
            session_hours: config.access.session_hours,
            demo,
        },
        sessions: Sessions::new(installation.signing_key.expose_secret()),
        directory: Directory::new(store.clone()),
        limiter: auth::limiter::Limiter::default(),
        verifier: auth::password::Verifier::default(),
        tickets: auth::ticket::Tickets::default(),
        feeds: crate::api::stream::feed::Feeds::default(),
        catalogs: hub::Catalogs::default(),
        metrics: metrics::Metrics::default(),
        tasks: TaskTracker::new(),
        tunnels: CancellationToken::new(),
        clock: Timestamp::now,
        store,
    })
}

/// The name of this process among replicas. One that has its database for itself keeps its name, so that after a restart
/// it need not wait for its own lease to end.
fn holder(url: &DatabaseUrl) -> String {
    if matches!(url, DatabaseUrl::Sqlite(_)) {
        return "the only one".to_owned();
    }
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => "atoll",
        host => host,
    };
    format!("{host}-{}", uuid::Uuid::new_v4())
}

/// Several replicas share a database, and each reads its own key file.
fn warn_of_postgres_defaults(url: &DatabaseUrl, config: &Config) {
    if matches!(url, DatabaseUrl::Postgres(_)) && config.data.key_file.is_none() {
        tracing::warn!("the key file is read from the data dir; every replica needs the same one (--key-file)");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_s_name_is_its_own_and_that_of_a_single_process_stays() {
        let shared = DatabaseUrl::Postgres("postgres://atoll@db/atoll".into());
        assert_ne!(holder(&shared), holder(&shared));
        assert!(!holder(&shared).contains('\n'));
        let own = DatabaseUrl::Sqlite("atoll.db".into());
        assert_eq!(holder(&own), holder(&own));
    }

    #[test]
    fn the_first_start_says_where_and_as_whom_to_sign_in() {
        let text = first_start("https://hub.example", &SecretString::from("abc"));
        assert!(text.contains("https://hub.example") && text.contains("admin") && text.contains("abc"));
    }
}
