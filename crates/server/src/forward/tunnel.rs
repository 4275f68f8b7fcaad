//! Open streams and their end: both halves of an upgraded connection joined byte for byte, and bodies that go on for as
//! long as their caller may read them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use futures::StreamExt;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::auth::Caller;
use crate::state::AppState;

/// Buffer of each direction.
const BUFFER: usize = 16 << 10;
/// A tunnel in which nothing moves for this long ends, as the kubelet's streams do.
const IDLE: Duration = Duration::from_secs(4 * 60 * 60);
/// The same once one side has said its last word.
const HALF_CLOSED: Duration = Duration::from_secs(30);
/// How often it is looked at whether anything moves.
const LOOK: Duration = Duration::from_secs(5);
/// How long the client's half may take to come about once 101 is on its way.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A body that ends when its caller may no longer read it, or when the hub stops.
pub(crate) fn until_ended(body: Body, caller: Caller, state: AppState) -> Body {
    let end = async move {
        tokio::select! {
            () = caller.ended(&state) => {}
            () = state.tunnels.cancelled() => {}
        }
    };
    Body::from_stream(body.into_data_stream().take_until(Box::pin(end)))
}

/// An upgraded connection through the hub.
pub(super) struct Tunnel<H> {
    pub(super) state: AppState,
    pub(super) caller: Caller,
    pub(super) cluster: String,
    pub(super) path: String,
    /// Cancelled when the member leaves.
    pub(super) ended: CancellationToken,
    /// Kept until the tunnel ends.
    pub(super) held: H,
}

impl<H> Tunnel<H> {
    /// Joins both halves until one is closed, the caller loses access, the member leaves or the hub stops.
    pub(super) async fn run(self, client: OnUpgrade, member: OnUpgrade) {
        let Self {
            state,
            caller,
            cluster,
            path,
            ended,
            held,
        } = self;
        let begun = Instant::now();
        let activity = Arc::new(Activity::new(begun));
        let why = tokio::select! {
            outcome = join(client, member, &activity) => match outcome {
                Ok(()) => "closed",
                Err(error) if is_hang_up(&error) => "closed",
                Err(_) => "broken off",
            },
            () = activity.silence() => "idle",
            () = caller.ended(&state) => "access lost",
            () = ended.cancelled() => "cluster gone",
            () = state.tunnels.cancelled() => "shutdown",
        };
        drop(held);
        tracing::info!(
            user.name = caller.subject.user,
            cluster.name = cluster,
            path,
            sent = activity.from_client.load(Ordering::Relaxed),
            received = activity.from_member.load(Ordering::Relaxed),
            seconds = begun.elapsed().as_secs(),
            why,
            "a tunnel ended"
        );
    }
}

/// Whether one side just left. Clients do so when they are done: kubectl closes its socket without the last words of
/// TLS, and what is still to be written then has nowhere to go.
fn is_hang_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(
        error.kind(),
        UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe | NotConnected
    )
}

async fn join(client: OnUpgrade, member: OnUpgrade, activity: &Arc<Activity>) -> io::Result<()> {
    let half = |upgraded: OnUpgrade| async {
        match tokio::time::timeout(HANDSHAKE, upgraded).await {
            Ok(upgraded) => upgraded.map_err(io::Error::other),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    };
    let (client, member) = tokio::try_join!(half(client), half(member))?;
    let mut client = Half::new(client, activity, Side::Client);
    let mut member = Half::new(member, activity, Side::Member);
    copy_bidirectional_with_sizes(&mut client, &mut member, BUFFER, BUFFER)
        .await
        .map(drop)
}

/// What moves in a tunnel.
struct Activity {
    begun: Instant,
    last: AtomicU64,
    half_closed: AtomicBool,
    from_client: AtomicU64,
    from_member: AtomicU64,
}

impl Activity {
    fn new(begun: Instant) -> Self {
        Self {
            begun,
            last: AtomicU64::new(0),
            half_closed: AtomicBool::new(false),
            from_client: AtomicU64::new(0),
            from_member: AtomicU64::new(0),
        }
    }

    fn note(&self, side: Side, bytes: usize) {
        let millis = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(millis, Ordering::Relaxed);
        let counter = match side {
            Side::Client => &self.from_client,
            Side::Member => &self.from_member,
        };
        counter.fetch_add(u64::try_from(bytes).unwrap_or_default(), Ordering::Relaxed);
        if bytes == 0 {
            self.half_closed.store(true, Ordering::Relaxed);
        }
    }

    /// Returns when nothing has moved for too long.
    async fn silence(&self) {
        while !self.is_over(Instant::now()) {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        let last = self.begun + Duration::from_millis(self.last.load(Ordering::Relaxed));
        let limit = if self.half_closed.load(Ordering::Relaxed) {
            HALF_CLOSED
        } else {
            IDLE
        };
        now.saturating_duration_since(last) > limit
    }
}

#[derive(Clone, Copy)]
enum Side {
    Client,
    Member,
}

/// One half of a tunnel, which notes what comes in.
struct Half {
    io: TokioIo<Upgraded>,
    activity: Arc<Activity>,
    side: Side,
}

impl Half {
    fn new(upgraded: Upgraded, activity: &Arc<Activity>, side: Side) -> Self {
        Self {
            io: TokioIo::new(upgraded),
            activity: activity.clone(),
            side,
        }
    }
}

impl AsyncRead for Half {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        if matches!(polled, Poll::Ready(Ok(()))) {
            self.activity.note(self.side, buffer.filled().len() - before);
        }
        polled
    }
}

impl AsyncWrite for Half {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_just_leaves_has_closed_its_tunnel() {
        assert!(is_hang_up(&io::ErrorKind::UnexpectedEof.into()));
        assert!(is_hang_up(&io::ErrorKind::BrokenPipe.into()));
        assert!(!is_hang_up(&io::ErrorKind::TimedOut.into()));
        assert!(!is_hang_up(&io::Error::other("a record that is none")));
    }

    #[test]
    fn a_silent_tunnel_ends_sooner_once_one_side_is_closed() {
        let begun = Instant::now();
        let activity = Activity::new(begun);
        activity.note(Side::Client, 3);
        let later = |by: Duration| begun + by + Duration::from_secs(60);
        assert!(!activity.is_over(later(HALF_CLOSED)));
        assert!(activity.is_over(later(IDLE)));
        activity.note(Side::Member, 0);
        assert!(activity.is_over(later(HALF_CLOSED)));
        assert_eq!(activity.from_client.load(Ordering::Relaxed), 3);
    }
}
