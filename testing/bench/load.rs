//! The same request over and over on some connections at once.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;

use crate::connection::{Connection, Target};

/// How many connections ask at the same time.
pub(crate) const CONNECTIONS: usize = 16;

/// How one round went.
#[derive(Clone, Debug, Default)]
pub(crate) struct Round {
    /// The time of each request.
    pub(crate) latencies: Vec<Duration>,
    /// How long it took altogether.
    pub(crate) duration: Duration,
}

impl Round {
    pub(crate) fn requests_per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.duration.as_secs_f64()
    }
}

/// Asks for a path as often as a time allows; every answer has to be a success.
pub(crate) async fn run(target: &Target, path: &str, duration: Duration) -> Result<Round> {
    let began = Instant::now();
    let workers = (0..CONNECTIONS).map(|_| work(target, path, began + duration));
    let latencies = try_join_all(workers).await?.concat();
    Ok(Round {
        latencies,
        duration: began.elapsed(),
    })
}

async fn work(target: &Target, path: &str, until: Instant) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(target).await?;
    let mut latencies = Vec::new();
    while Instant::now() < until {
        let began = Instant::now();
        let request = Request::get(path).body(Full::<Bytes>::default())?;
        let response = connection.send(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(
            status.is_success(),
            "{path}: {status}: {}",
            String::from_utf8_lossy(&body)
        );
        latencies.push(began.elapsed());
    }
    Ok(latencies)
}
