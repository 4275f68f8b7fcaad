//! The ways to one member.
//!
//! Forwarded and own calls with an end share pooled connections; watches, logs and tunnels each get one of their own,
//! which is used once. HTTP/1.1 throughout: an HTTP/2 connection has a hundred streams, and the hundred-and-first
//! request waits for ever.

mod origin;
mod session;

use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioTimer;
use tokio::time::timeout;

pub(crate) use origin::{Origin, RequestError, empty};
pub(crate) use session::Session;

use crate::connect::{ConnectError, Connector, Deadlines, Network};
use crate::connection::{Connection, ConnectionError};
use crate::forward::RequestBody;
use crate::request::{Answer, OwnError, OwnRequest};
use crate::scrub::Scrub;
use crate::tasks::Tasks;

/// What hyper may buffer on each side of a connection.
pub(crate) const MAX_BUFFER: usize = 64 * 1024;
/// Idle connections that are kept to one member.
const MAX_IDLE: usize = 32;
/// How long an idle connection is kept, and at most twice as long: the pool looks so often. One takes 50 kB, and after a
/// burst over a thousand members there are thousands; probes keep one alive in any case.
const IDLE: Duration = Duration::from_secs(30);

/// Somebody to ask: a member's pool, or one connection.
pub(crate) trait Ask: Send {
    /// One question with its deadline.
    fn ask(&mut self, request: OwnRequest) -> impl Future<Output = Result<Answer, OwnError>> + Send;

    /// Cleans what is answered.
    fn scrub(&self) -> &Scrub;
}

/// The pools of one member.
pub(crate) struct Transport {
    pub(crate) origin: Origin,
    connector: Connector,
    tasks: Tasks,
    deadlines: Deadlines,
    short: Client<Connector, RequestBody>,
    long: Client<Connector, RequestBody>,
}

/// Which kind of connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pool {
    /// Used again and again.
    Shared,
    /// Used once.
    Single,
}

impl Transport {
    pub(crate) fn new(connection: &Connection, network: &Network, tasks: Tasks) -> Result<Self, ConnectionError> {
        let connector = Connector::new(connection, network)?;
        let client = |idle: usize| {
            Client::builder(tasks.clone())
                .timer(TokioTimer::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(idle)
                .http1_max_buf_size(MAX_BUFFER)
                .set_host(false)
                .build(connector.clone())
        };
        Ok(Self {
            origin: Origin::new(connection)?,
            short: client(MAX_IDLE),
            long: client(0),
            deadlines: network.deadlines,
            connector,
            tasks,
        })
    }

    /// Sends a request that [`Origin`] made. It is tried again only when no byte of it was sent.
    pub(crate) async fn send(
        &self,
        pool: Pool,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, SendError> {
        let client = match pool {
            Pool::Shared => &self.short,
            Pool::Single => &self.long,
        };
        client.request(request).await.map_err(|error| SendError::of(&error))
    }

    /// Asks over a pooled connection.
    pub(crate) async fn ask(&self, request: OwnRequest, limit: Duration) -> Result<Answer, OwnError> {
        let most = request.most;
        let exchange = async {
            let response = self.send(Pool::Shared, self.origin.own_request(request)?).await?;
            Answer::read(response, most).await
        };
        timeout(limit, exchange).await.map_err(|_| OwnError::TimedOut(limit))?
    }

    /// Begins a stream of lines over a connection of its own; only the head of the answer has a deadline.
    pub(crate) async fn stream(&self, request: OwnRequest) -> Result<Response<Incoming>, OwnError> {
        let limit = self.deadlines.own_request;
        let head = async { Ok(self.send(Pool::Single, self.origin.own_request(request)?).await?) };
        timeout(limit, head).await.map_err(|_| OwnError::TimedOut(limit))?
    }

    /// Somebody to ask over pooled connections.
    pub(crate) fn asker(&self) -> Pooled<'_> {
        Pooled { transport: self }
    }

    /// A single connection, not opened yet.
    pub(crate) fn session(&self, limit: Duration) -> Session {
        Session::new(self.connector.clone(), self.origin.clone(), self.tasks.clone(), limit)
    }
}

/// Asks over pooled connections, each question within the deadline for questions.
pub(crate) struct Pooled<'a> {
    transport: &'a Transport,
}

impl Ask for Pooled<'_> {
    async fn ask(&mut self, request: OwnRequest) -> Result<Answer, OwnError> {
        self.transport.ask(request, self.transport.deadlines.question).await
    }

    fn scrub(&self) -> &Scrub {
        &self.transport.origin.scrub
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum SendError {
    /// No connection.
    Connect(ConnectError),
    /// The connection did not hold, or what came over it was no HTTP.
    Broken(String),
}

impl SendError {
    /// Looks for our own error among the causes; the rest is hyper's to say.
    pub(crate) fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut causes = std::iter::successors(Some(error), |error| error.source());
        if let Some(found) = causes.find_map(|cause| cause.downcast_ref::<ConnectError>()) {
            return Self::Connect(found.clone());
        }
        let texts: Vec<String> = std::iter::successors(Some(error), |error| error.source())
            .map(ToString::to_string)
            .filter(|text| text != "client error (SendRequest)" && text != "client error (Canceled)")
            .collect();
        Self::Broken(texts.join(": "))
    }
}

impl From<SendError> for OwnError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Connect(error) => Self::Connect(error),
            SendError::Broken(text) => Self::Broken(text),
        }
    }
}
