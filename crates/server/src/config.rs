//! Options of `atoll serve`: one struct per concern, checked before any port is bound.
//!
//! Every option is also an environment variable with the prefix `ATOLL_`; secrets come from files alone, so that no
//! process list and no crash report shows them.
#![expect(
    clippy::doc_markdown,
    reason = "doc comments of options are help texts, which are plain text"
)]
#![allow(rustdoc::bare_urls, reason = "as above; only rustdoc knows this one")]

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::telemetry::LogFormat;

/// Everything `atoll serve` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Config {
    /// Addresses and names
    #[command(flatten)]
    pub listen: Listen,
    /// Where data lives
    #[command(flatten)]
    pub data: Data,
    /// How people get in
    #[command(flatten)]
    pub access: Access,
    /// What is logged
    #[command(flatten)]
    pub logs: Logs,
}

/// Where the hub listens and what it is called.
#[derive(Debug, Clone, clap::Args)]
pub struct Listen {
    /// Address for TLS, and on loopback also for plain HTTP
    #[arg(
        long,
        env = "ATOLL_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS:PORT"
    )]
    pub listen: SocketAddr,

    /// Address for Prometheus metrics: plain HTTP without credentials, so keep it private
    #[arg(
        long,
        env = "ATOLL_METRICS_LISTEN",
        default_value = "127.0.0.1:9090",
        value_name = "ADDRESS:PORT"
    )]
    pub metrics_listen: SocketAddr,

    /// Certificate chain in PEM; without it the hub makes its own authority and certificate
    #[arg(long, env = "ATOLL_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// Private key in PEM that belongs to --tls-cert
    #[arg(long, env = "ATOLL_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Another name or address the hub is reached by; may be given several times
    #[arg(long, env = "ATOLL_TLS_NAME", value_delimiter = ',', value_name = "NAME", value_parser = parse_tls_name)]
    pub tls_name: Vec<String>,

    /// What kubeconfigs and links name when a proxy stands in front, such as https://atoll.example
    #[arg(long, env = "ATOLL_PUBLIC_URL", value_name = "URL", value_parser = parse_public_url)]
    pub public_url: Option<url::Url>,
}

/// Where data is kept.
#[derive(Debug, Clone, clap::Args)]
pub struct Data {
    /// Folder for the SQLite file, the key file and the hub's certificate authority
    #[arg(long, env = "ATOLL_DATA_DIR", default_value = "atoll-data", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Database: sqlite:PATH or postgres://…; the default is a SQLite file in the data dir
    #[arg(
        long,
        env = "ATOLL_DATABASE",
        value_name = "URL",
        conflicts_with = "database_file",
        hide_env_values = true
    )]
    pub database: Option<String>,

    /// File that holds the database URL, for URLs with a password
    #[arg(long, env = "ATOLL_DATABASE_FILE", value_name = "FILE")]
    pub database_file: Option<PathBuf>,

    /// File with the keys that seal credentials, lines of id:base64; made on a first start with SQLite
    #[arg(long, env = "ATOLL_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

/// How people and members get in.
#[derive(Debug, Clone, clap::Args)]
pub struct Access {
    /// File with the password of the user admin, read on the first start only; without it one is generated and printed once
    #[arg(long, env = "ATOLL_ADMIN_PASSWORD_FILE", value_name = "FILE")]
    pub admin_password_file: Option<PathBuf>,

    /// Hours until a sign-in ends
    #[arg(long, env = "ATOLL_SESSION_HOURS", default_value_t = 12, value_name = "HOURS", value_parser = clap::value_parser!(u16).range(1..=720))]
    pub session_hours: u16,

    /// Accept members on loopback addresses, for clusters on this machine
    #[arg(long, env = "ATOLL_ALLOW_LOOPBACK_MEMBERS")]
    pub allow_loopback_members: bool,
}

/// What is logged, and how.
#[derive(Debug, Clone, clap::Args)]
pub struct Logs {
    /// Form of the log lines on standard error
    #[arg(long, env = "ATOLL_LOG_FORMAT", default_value = "text", value_enum)]
    pub log_format: LogFormat,

    /// What is logged, such as info or atoll_server=debug,info
    #[arg(long, env = "ATOLL_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,
}

impl Listen {
    /// The URL that kubeconfigs and links name; never taken from a request.
    pub fn public_url(&self, bound: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None if bound.ip().is_unspecified() => {
                let host = self.tls_name.first().map_or("localhost", String::as_str);
                format!("https://{host}:{}", bound.port())
            }
            None => format!("https://{bound}"),
        }
    }
}

/// A name that a certificate can carry and a request can ask for.
fn parse_tls_name(text: &str) -> Result<String, String> {
    match rustls_pki_types::ServerName::try_from(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("must be a DNS name or an IP address, without scheme, port and brackets".into()),
    }
}

fn parse_public_url(text: &str) -> Result<url::Url, String> {
    let url = url::Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err("must be https://HOST[:PORT]".into());
    }
    let is_loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "http" && !is_loopback {
        return Err("must be https://: kubectl sends no credential to a server without TLS".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not carry a user name or a password".into());
    }
    if url.query().is_some() || url.fragment().is_some() || url.path() != "/" {
        return Err("must end after the host and port".into());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tls_name_is_a_name_or_an_address_alone() {
        for good in ["atoll.example", "localhost", "10.0.0.1", "fd00::1"] {
            assert!(parse_tls_name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a b",
            "https://atoll.example",
            "atoll.example:8443",
            "[::1]",
            "*.example",
        ] {
            assert!(parse_tls_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_public_url_is_scheme_host_and_port_alone() {
        assert!(parse_public_url("https://atoll.example:8443").is_ok());
        assert!(parse_public_url("http://127.0.0.1:8080").is_ok());
        for bad in [
            "atoll.example",
            "ftp://atoll.example",
            "http://atoll.example",
            "https://u:p@atoll.example",
            "https://atoll.example/x",
            "https://a/?q",
        ] {
            assert!(parse_public_url(bad).is_err(), "{bad}");
        }
    }
}
