//! Forwarding `/k8s/clusters/{cluster}/…` to a member, as the person who asks.
//!
//! In this order, and nothing is dialled before the last: who asks ([`caller`]), what they ask ([`request_info`]),
//! whether they may, which member, whether it is ready ([`readiness`]). Then headers are built anew ([`headers`]), bodies
//! stream both ways, and what the member says is passed on unchanged, except where it cannot be the member's own voice
//! ([`answer`]). An upgrade becomes a tunnel ([`tunnel`]) or an error on a closed connection.
//!
//! Watches, followed logs and tunnels end when their caller loses access, when the member goes, and when the hub stops.

mod answer;
mod caller;
pub mod headers;
mod readiness;
pub mod request_info;
mod tunnel;

use atoll_clusters::{BoxError, ForwardClass, ForwardError, ForwardRequest, Identity, Member};
use atoll_kubeapi::request::Target;
use axum::body::Body;
use axum::extract::{OriginalUri, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::upgrade::OnUpgrade;

use crate::auth::{self, Caller};
use crate::authz::Action;
use crate::error::{Error, Reason, Result};
use crate::metrics::Metrics;
use crate::state::AppState;
use headers::Upgrade;
use request_info::{Refused, RequestInfo};
pub(crate) use tunnel::until_ended;

/// Where members are, in paths.
const PREFIX: &str = "/k8s/clusters/";

/// Forwards a request, or says why not.
pub async fn handle(State(state): State<AppState>, request: Request) -> Response {
    let upgrades = request.headers().contains_key(header::UPGRADE);
    match forward(&state, request).await {
        Ok(response) => response,
        Err(error) => {
            let mut response = error.into_response();
            if upgrades {
                // Whatever the client sent after its handshake is not a request.
                close(&mut response);
            }
            response
        }
    }
}

fn close(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
}

/// A request without its body.
type Head = http::Request<()>;

/// What is forwarded, judged.
struct Judged {
    caller: Caller,
    identity: Identity,
    info: RequestInfo,
    upgrade: Option<Upgrade>,
}

async fn forward(state: &AppState, request: Request) -> Result<Response> {
    // The body is nobody's to look at, and stays apart.
    let (parts, body) = request.into_parts();
    let mut head = http::Request::from_parts(parts, ());
    let judged = judge(state, &head).await?;
    let member = state
        .clusters
        .member(&judged.info.cluster)
        .ok_or_else(|| Error::no_cluster(&judged.info.cluster))?;
    readiness::check(&member)?;
    let counted = Counted::new(state);
    match judged.upgrade {
        None => exchange(state, &member, judged, head.map(|()| body), counted).await,
        Some(upgrade) => {
            let client = hyper::upgrade::on(&mut head);
            switch(state, &member, judged, head.map(|()| body), upgrade, client, counted).await
        }
    }
}

/// Everything that is decided without the member.
async fn judge(state: &AppState, request: &Head) -> Result<Judged> {
    let request_id = auth::request_id(request.extensions());
    let uri = request
        .extensions()
        .get::<OriginalUri>()
        .map_or_else(|| request.uri(), |original| &original.0);
    let upgrade = headers::requested_upgrade(request.headers());
    let caller = caller::authenticate(state, request, upgrade, uri.path()).await?;
    // Over HTTP/1.1 a URL instead of a path is a request to a proxy, and a tunnel to somewhere is one too.
    if request.version() < Version::HTTP_2 && uri.authority().is_some() {
        return Err(Error::bad_request("the request names another server in its first line"));
    }
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        return Err(Error::method_not_allowed(request.method()));
    }
    let upgrade = upgrade.map_err(|unknown| Error::bad_request(unknown.to_string()))?;
    let raw = uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let info = RequestInfo::parse(request.method(), raw, uri.query(), upgrade.is_some())
        .map_err(|refused| refuse(&refused, raw))?;
    if !is_document(request.method(), &info.path) {
        refuse_impersonation(request.headers())?;
    }
    caller.may(&Action::Member {
        cluster: &info.cluster,
        verb: &info.verb,
        group: &info.group,
        resource: &info.resource,
        subresource: &info.subresource,
        namespace: &info.namespace,
    })?;
    if let Some(upgrade) = upgrade {
        check_upgrade(&info, upgrade, request)?;
    }
    let identity = caller.identity()?;
    tracing::debug!(
        request.id = request_id,
        user.name = identity.user(),
        cluster.name = info.cluster,
        verb = info.verb,
        path = info.path,
        "forwarding a request"
    );
    Ok(Judged {
        caller,
        identity,
        info,
        upgrade,
    })
}

/// Whether a request reads what is the same for everybody (discovery, OpenAPI, the version). Clients begin with it, and
/// cannot show a refusal of it: `kubectl --as` gets to the request that it was called for and shows that one's.
pub(crate) fn is_document(method: &Method, path: &str) -> bool {
    let is_document = Target::parse(path).is_some_and(|target| !matches!(target, Target::Resource(_)));
    is_document && matches!(*method, Method::GET | Method::HEAD)
}

/// 403 for a request in somebody else's name.
pub(crate) fn refuse_impersonation(headers: &HeaderMap) -> Result<()> {
    let Some(other) = headers::impersonated(headers) else {
        return Ok(());
    };
    let message = format!(
        "users {other:?} is forbidden: the hub acts as the person who signed in and as nobody else; leave out --as, --as-group \
         and --as-uid, or use a token of that person"
    );
    Err(Error::new(Reason::Forbidden, message))
}

fn refuse(refused: &Refused, raw: &str) -> Error {
    match refused {
        Refused::NoCluster => match request_info::cluster_segment(raw) {
            Some(name) => Error::no_cluster(&name),
            None => Error::bad_request(refused.to_string()),
        },
        Refused::Segment | Refused::Encoding | Refused::TooLong | Refused::Repeated(_) => {
            Error::bad_request(refused.to_string())
        }
    }
}

/// An upgrade is forwarded where Kubernetes has one, and only when it was asked for as the protocol says.
fn check_upgrade(info: &RequestInfo, upgrade: Upgrade, request: &Head) -> Result<()> {
    let place =
        matches!(info.subresource.as_str(), "exec" | "attach" | "portforward" | "proxy") || info.verb == "watch";
    if !place {
        return Err(Error::bad_request(
            "upgrades are forwarded for exec, attach, portforward, proxy and watch alone",
        ));
    }
    let named = request
        .headers()
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok());
    if !named
        .flat_map(|value| value.split(','))
        .any(|word| word.trim().eq_ignore_ascii_case("upgrade"))
    {
        return Err(Error::bad_request("an upgrade is named in the header Connection"));
    }
    let method = match upgrade {
        Upgrade::WebSocket => *request.method() == Method::GET,
        Upgrade::Spdy => matches!(*request.method(), Method::GET | Method::POST),
    };
    if method {
        Ok(())
    } else {
        Err(Error::method_not_allowed(request.method()))
    }
}

/// A request that is answered by a response.
async fn exchange(
    state: &AppState,
    member: &Member,
    judged: Judged,
    request: Request,
    counted: Counted,
) -> Result<Response> {
    let class = judged.info.class;
    let cluster = judged.info.cluster.clone();
    let caller = judged.caller.clone();
    let proxied = judged.info.subresource == "proxy";
    let forwarded = send(member, judged, request).await?;
    let (parts, body) = forwarded.response.into_parts();
    answer::check(&cluster, proxied, &parts)?;
    let body = counted.attach(Body::new(body));
    let body = match class {
        ForwardClass::Short => body,
        ForwardClass::Long | ForwardClass::Upgrade => until_ended(body, caller, state.clone()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = parts.status;
    *response.headers_mut() = headers::relayed(&parts.headers, false);
    Ok(response)
}

/// An upgrade: a tunnel when the member agrees, its own words when it says no, and 502 for everything else.
async fn switch(
    state: &AppState,
    member: &Member,
    judged: Judged,
    request: Request,
    upgrade: Upgrade,
    client: OnUpgrade,
    counted: Counted,
) -> Result<Response> {
    let cluster = judged.info.cluster.clone();
    let caller = judged.caller.clone();
    let path = judged.info.path.clone();
    let proxied = judged.info.subresource == "proxy";
    let forwarded = send(member, judged, request).await?;
    let (parts, body) = forwarded.response.into_parts();
    let Some(far) = forwarded.upgrade else {
        if !(parts.status.is_client_error() || parts.status.is_server_error()) {
            return Err(not_switched(&cluster, parts.status));
        }
        answer::check(&cluster, proxied, &parts)?;
        let mut response = Response::new(counted.attach(Body::new(body)));
        *response.status_mut() = parts.status;
        *response.headers_mut() = headers::relayed(&parts.headers, false);
        close(&mut response);
        return Ok(response);
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let relayed = response.headers_mut();
    *relayed = headers::relayed(&parts.headers, true);
    relayed.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    relayed.insert(header::UPGRADE, HeaderValue::from_static(upgrade.token()));
    let tunnel = tunnel::Tunnel {
        state: state.clone(),
        caller,
        cluster,
        path,
        ended: member.ended(),
        // The member's place for this tunnel, and the hub's count of it.
        held: (body, counted),
    };
    state.tasks.spawn(tunnel.run(client, far));
    Ok(response)
}

fn not_switched(cluster: &str, status: StatusCode) -> Error {
    let message = format!("cluster {cluster:?} answered the upgrade with {status} instead of switching protocols");
    Error::new(Reason::BadGateway, message).in_cluster(cluster)
}

/// Hands the request to the member, as the person who asks.
async fn send(member: &Member, judged: Judged, request: Request) -> Result<atoll_clusters::Forwarded> {
    let Judged {
        identity,
        info,
        upgrade,
        ..
    } = judged;
    let (parts, body) = request.into_parts();
    let forwarded = ForwardRequest {
        method: parts.method,
        path: info.path,
        query: info.query,
        headers: headers::forwarded(&parts.headers, upgrade),
        body: body.map_err(BoxError::from).boxed_unsync(),
        class: info.class,
    };
    member
        .forward(forwarded, &identity)
        .await
        .map_err(|error| failed(&info.cluster, error))
}

fn failed(cluster: &str, error: ForwardError) -> Error {
    let (stage, hint) = (error.stage(), error.hint().map(str::to_owned));
    let retry = match &error {
        ForwardError::Malformed(_) | ForwardError::Connect(_) | ForwardError::TimedOut(_) => {
            Some(readiness::RETRY_SECONDS)
        }
        ForwardError::Busy | ForwardError::Broken(_) | ForwardError::Identity(_) => None,
    };
    Error::from(error).in_cluster(cluster).with(|details| {
        if let Some(stage) = stage {
            details.stage = stage.to_owned();
        }
        if let Some(hint) = hint {
            details.hint = hint;
        }
        details.retry_after_seconds = details.retry_after_seconds.or(retry);
    })
}

/// A forwarded request in the metrics, until it is dropped.
struct Counted(AppState);

impl Counted {
    fn new(state: &AppState) -> Self {
        let metrics: &Metrics = &state.metrics;
        metrics.forwarded_in_flight.inc();
        Self(state.clone())
    }

    /// The same body; it is counted until its end.
    fn attach(self, body: Body) -> Body {
        Body::new(body.map_frame(move |frame| {
            let Self(_) = &self;
            frame
        }))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.metrics.forwarded_in_flight.dec();
    }
}
