//! Live rows: one WebSocket for everything that moves on a page.
//!
//! The page subscribes to topics (`clusters`, `federated/deployments.apps`, one object of either) and gets the whole
//! list first, then what has changed, at most every 100 ms. Rows come from shared [`feed`]s: a connection only compares
//! the list it has sent with the newest one, so a slow reader gets fewer frames rather than a queue, and cannot lose
//! its place. A stream ends with the sign-in it was opened with.

pub mod feed;
mod frame;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures::StreamExt;
use http::header::{ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use http::{Extensions, HeaderMap};
use serde::Deserialize;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_stream::StreamMap;
use tokio_stream::wrappers::WatchStream;

use self::feed::{Published, Source};
use self::frame::Subscription;
use crate::auth::{self, Caller, bearer, ticket};
use crate::authz::{Action, Resource, Verb};
use crate::error::{Error, Result};
use crate::state::AppState;

/// Where the stream is opened.
pub const PATH: &str = "/api/v1/stream";
/// The subprotocol.
const PROTOCOL: &str = "atoll.v1";
/// Longest message that a page may send, in bytes.
const MAX_MESSAGE: usize = 16 * 1024;
/// Most subscriptions of one connection.
const MAX_SUBSCRIPTIONS: usize = 32;
/// Most messages of one connection between two pings.
const MAX_MESSAGES: u32 = 200;
/// Most open streams of one person.
const MAX_STREAMS: usize = 50;
/// How often the other end is asked whether it is there.
const PING: Duration = Duration::from_secs(20);
/// How long the other end may be silent.
const SILENCE: Duration = Duration::from_secs(60);
/// How long one frame may take to be taken.
const SENDING: Duration = Duration::from_secs(20);

/// What a page says.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "camelCase")]
enum Request {
    /// It wants rows.
    Subscribe {
        sub: u64,
        resource: String,
        namespace: Option<String>,
        name: Option<String>,
    },
    /// It wants them no more.
    Unsubscribe { sub: u64 },
}

/// Opens the stream: a WebSocket with the subprotocols `atoll.v1` and `ticket.<ticket>`, or with a bearer token.
#[utoipa::path(
    get, path = "/api/v1/stream", tag = "stream",
    responses((status = 101, description = "The stream begins")),
)]
pub async fn open_stream(
    State(state): State<AppState>,
    extensions: Extensions,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response> {
    if headers.contains_key(ORIGIN) {
        bearer::same_origin(&headers)?;
    }
    let caller = caller(&state, &headers, &extensions).await?;
    caller.may(&Action::console(Resource::Stream, Verb::Get))?;
    let upgrade = upgrade.map_err(|rejection| Error::bad_request(rejection.body_text()))?;
    let slot = state
        .feeds
        .open(&caller.subject.user, MAX_STREAMS)
        .ok_or_else(|| Error::too_many_requests(format!("there are {MAX_STREAMS} open streams already"), 10))?;
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE);
    Ok(upgrade.on_upgrade(move |socket| async move {
        state.metrics.streams.inc();
        Stream::new(state.clone(), caller, socket).run().await;
        state.metrics.streams.dec();
        drop(slot);
    }))
}

/// Who opens the stream: by ticket or bearer. A cookie alone is none, because every page of this host sends it.
async fn caller(state: &AppState, headers: &HeaderMap, extensions: &Extensions) -> Result<Caller> {
    let offered = headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let mut tickets = offered.filter_map(|protocol| protocol.trim().strip_prefix(ticket::PROTOCOL_PREFIX));
    let Some(ticket) = tickets.next() else {
        return auth::bearer_caller(headers, auth::tls(extensions), state).await;
    };
    if tickets.next().is_some() {
        return Err(Error::bad_request("more than one ticket"));
    }
    let caller = state
        .tickets
        .redeem(ticket, PATH, state.now())
        .ok_or_else(Error::unauthorized)?;
    caller.recheck(state).await?;
    Ok(caller)
}

/// Why a connection ends.
enum End {
    /// The other end is gone, or too slow.
    Gone,
    /// With a code and a reason that the page can tell apart.
    Close(u16, &'static str),
}

struct Stream {
    state: AppState,
    caller: Caller,
    socket: WebSocket,
    subscriptions: BTreeMap<u64, Subscription>,
    feeds: StreamMap<u64, WatchStream<Published>>,
    heard: Instant,
    messages: u32,
}

impl Stream {
    fn new(state: AppState, caller: Caller, socket: WebSocket) -> Self {
        Self {
            state,
            caller,
            socket,
            subscriptions: BTreeMap::new(),
            feeds: StreamMap::new(),
            heard: Instant::now(),
            messages: 0,
        }
    }

    async fn run(mut self) {
        if let End::Close(code, reason) = self.serve().await {
            let frame = CloseFrame {
                code,
                reason: reason.into(),
            };
            let _ = timeout(SENDING, self.socket.send(Message::Close(Some(frame)))).await;
        }
    }

    async fn serve(&mut self) -> End {
        let state = self.state.clone();
        let caller = self.caller.clone();
        let ended = caller.ended(&state);
        tokio::pin!(ended);
        let mut ping = interval(PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let outcome = tokio::select! {
                () = &mut ended => return End::Close(1008, "the sign-in has ended"),
                () = state.tunnels.cancelled() => return End::Close(1001, "the hub is shutting down"),
                _ = ping.tick() => self.ping().await,
                received = self.socket.recv() => match received {
                    Some(Ok(message)) => self.receive(message).await,
                    Some(Err(_)) | None => return End::Gone,
                },
                Some((sub, published)) = self.feeds.next() => self.publish(sub, published).await,
            };
            if let Err(end) = outcome {
                return end;
            }
        }
    }

    async fn ping(&mut self) -> Result<(), End> {
        self.messages = 0;
        if self.heard.elapsed() > SILENCE {
            return Err(End::Gone);
        }
        self.send(Message::Ping(Vec::new().into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(SENDING, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    async fn receive(&mut self, message: Message) -> Result<(), End> {
        self.heard = Instant::now();
        self.messages += 1;
        if self.messages > MAX_MESSAGES {
            return Err(End::Close(1008, "too many messages"));
        }
        match message {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(request) => self.answer(request).await,
                Err(_) => Err(End::Close(1007, "a message cannot be read")),
            },
            Message::Binary(_) => Err(End::Close(1003, "messages are text")),
            Message::Close(_) => Err(End::Gone),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
        }
    }

    async fn answer(&mut self, request: Request) -> Result<(), End> {
        match request {
            Request::Unsubscribe { sub } => {
                self.subscriptions.remove(&sub);
                self.feeds.remove(&sub);
                Ok(())
            }
            Request::Subscribe {
                sub,
                resource,
                namespace,
                name,
            } => match self.subscribe(sub, &resource, namespace, name) {
                Ok(()) => Ok(()),
                Err(error) => self.send(Message::Text(frame::error(sub, &error).into())).await,
            },
        }
    }

    fn subscribe(&mut self, sub: u64, resource: &str, namespace: Option<String>, name: Option<String>) -> Result<()> {
        let source = Source::parse(&self.state.configuration().types, resource)
            .ok_or_else(|| Error::not_found(format!("there is no topic {resource:?}")))?;
        let of = match source {
            Source::Clusters => Resource::Clusters,
            Source::Federated(_) => Resource::Federated,
        };
        self.caller.may(&Action::console(of, Verb::List))?;
        if self.subscriptions.len() >= MAX_SUBSCRIPTIONS && !self.subscriptions.contains_key(&sub) {
            return Err(Error::too_many_requests(
                format!("at most {MAX_SUBSCRIPTIONS} topics at once"),
                1,
            ));
        }
        let feed = self.state.feeds.subscribe(&self.state, source);
        self.subscriptions
            .insert(sub, Subscription::new(source, namespace, name));
        self.feeds.insert(sub, WatchStream::new(feed));
        Ok(())
    }

    async fn publish(&mut self, sub: u64, published: Published) -> Result<(), End> {
        let Some(snapshot) = published else { return Ok(()) };
        let Some(subscription) = self.subscriptions.get_mut(&sub) else {
            return Ok(());
        };
        for text in subscription.frames(sub, snapshot) {
            self.send(Message::Text(text.into())).await?;
        }
        Ok(())
    }
}
