//! `atoll health`: asks a running hub whether it is ready, for container images without a shell.
//!
//! It asks the metrics listener, which speaks plain HTTP whatever the address, so no certificate has to be trusted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Failure, Outcome};

/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whom to ask.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The address that the hub was started with as --metrics-listen
    #[arg(
        long,
        env = "ATOLL_METRICS_LISTEN",
        default_value = "127.0.0.1:9090",
        value_name = "ADDRESS:PORT"
    )]
    metrics_listen: SocketAddr,
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    let address = reachable(arguments.metrics_listen);
    match timeout(PATIENCE, ask(address)).await {
        Ok(Ok(200)) => {
            println!("ready");
            Ok(ExitCode::SUCCESS)
        }
        Ok(Ok(code)) => Err(Failure::Failed(format!("{address} answered {code}"))),
        Ok(Err(error)) => Err(Failure::Failed(format!("cannot ask {address}: {error}"))),
        Err(_) => Err(Failure::Failed(format!(
            "{address} did not answer within {} s",
            PATIENCE.as_secs()
        ))),
    }
}

/// The address under which a listener on all addresses is found on this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn ask(address: SocketAddr) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    stream.take(64).read_to_end(&mut head).await?;
    status(&head).ok_or_else(|| std::io::Error::other("the answer is not HTTP"))
}

/// The code of a status line such as `HTTP/1.1 200 OK`.
fn status(head: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(head.get(..12)?).ok()?;
    text.strip_prefix("HTTP/1.1 ")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_are_asked_on_loopback() {
        assert_eq!(
            reachable("0.0.0.0:9090".parse().unwrap()),
            "127.0.0.1:9090".parse().unwrap()
        );
        assert_eq!(reachable("[::]:9090".parse().unwrap()), "[::1]:9090".parse().unwrap());
        assert_eq!(reachable("10.0.0.1:9".parse().unwrap()), "10.0.0.1:9".parse().unwrap());
    }

    #[test]
    fn a_status_line_says_the_code_and_nothing_else_does() {
        assert_eq!(status(b"HTTP/1.1 200 OK\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.1 503 Serv"), Some(503));
        assert_eq!(status(b"SSH-2.0-x"), None);
        assert_eq!(status(b""), None);
    }
}
