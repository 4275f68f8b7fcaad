//! One connection, asked several things in turn: for the staged check, and for probes that must not trust a pool.

use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::rt::Executor as _;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::{Ask, MAX_BUFFER, Origin, SendError};
use crate::connect::{Connector, Stream};
use crate::forward::RequestBody;
use crate::request::{Answer, OwnError, OwnRequest};
use crate::scrub::Scrub;
use crate::tasks::Tasks;

/// A connection that is opened when it is needed, and again when the member closed it.
pub(crate) struct Session {
    connector: Connector,
    origin: Origin,
    tasks: Tasks,
    limit: Duration,
    sender: Option<SendRequest<RequestBody>>,
}

impl Session {
    pub(crate) fn new(connector: Connector, origin: Origin, tasks: Tasks, limit: Duration) -> Self {
        Self {
            connector,
            origin,
            tasks,
            limit,
            sender: None,
        }
    }

    /// Opens it.
    pub(crate) async fn open(&mut self) -> Result<(), OwnError> {
        let stream = self.connector.connect().await.map_err(OwnError::Connect)?;
        self.take(stream).await
    }

    /// Goes on over a connection that is open.
    pub(crate) async fn take(&mut self, stream: Stream) -> Result<(), OwnError> {
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_BUFFER)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| SendError::of(&error))?;
        self.tasks.execute(connection);
        self.sender = Some(sender);
        Ok(())
    }

    async fn send(&mut self, request: Request<RequestBody>) -> Result<Response<Incoming>, OwnError> {
        let open = match &mut self.sender {
            Some(sender) => sender.ready().await.is_ok(),
            None => false,
        };
        if !open {
            self.open().await?;
        }
        let sender = self
            .sender
            .as_mut()
            .ok_or_else(|| OwnError::Broken("the connection is closed".to_owned()))?;
        let (parts, body) = request.into_parts();
        // Over one connection a request carries its path alone.
        let mut request = Request::from_parts(parts, body);
        if let Some(path) = request.uri().path_and_query().cloned() {
            *request.uri_mut() = path.into();
        }
        Ok(sender
            .send_request(request)
            .await
            .map_err(|error| SendError::of(&error))?)
    }
}

impl Ask for Session {
    async fn ask(&mut self, request: OwnRequest) -> Result<Answer, OwnError> {
        let most = request.most;
        let request = self.origin.own_request(request)?;
        let limit = self.limit;
        let exchange = async {
            let response = self.send(request).await?;
            Answer::read(response, most).await
        };
        match timeout(limit, exchange).await {
            Ok(answer) => answer,
            Err(_) => {
                // Half an answer may still be on its way.
                self.sender = None;
                Err(OwnError::TimedOut(limit))
            }
        }
    }

    fn scrub(&self) -> &Scrub {
        &self.origin.scrub
    }
}
