//! Logs of containers: a few lines at the start, then one now and then, always the same for the same container.

use std::convert::Infallible;
use std::time::Duration;

use atoll_kubeapi::{Attributes, Status};
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::header::{CONTENT_TYPE, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::find;
use crate::catalog::Kind;
use crate::fields::{items, name, time, uid};
use crate::objects::Objects;
use crate::seed::trait_of;

/// A line comes about this often.
const PERIOD: i64 = 5;
/// What a container says first, at once.
const FIRST: [&str; 4] = [
    "starting",
    "configuration loaded from environment",
    "listening on {port}",
    "ready",
];
/// Lines that are kept; a node rotates its logs as well.
const KEPT: i64 = 2000;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options {
    container: Option<String>,
    follow: Option<String>,
    previous: Option<String>,
    timestamps: Option<String>,
    tail_lines: Option<i64>,
    since_seconds: Option<i64>,
    since_time: Option<Timestamp>,
    limit_bytes: Option<usize>,
}

fn is_set(flag: Option<&String>) -> bool {
    flag.is_some_and(|value| value != "false" && value != "0")
}

/// A container whose log is read.
#[derive(Clone)]
struct Log {
    pod: String,
    seed: u32,
    port: i64,
    started: Timestamp,
    ended: Option<Timestamp>,
    stamped: bool,
}

pub(super) fn read(
    objects: &Objects,
    ended: &CancellationToken,
    attributes: &Attributes,
    request: &Request,
) -> Result<Response, Status> {
    let pod = find(objects, Kind::Pod, attributes)?;
    let options = axum::extract::Query::<Options>::try_from_uri(request.uri())
        .map_err(|_| Status::bad_request("the options of the log cannot be read"))?
        .0;
    let container = choose(&pod, options.container.as_deref())?;
    let container_name = name_of(container);
    if is_set(options.previous.as_ref()) {
        let message = format!(
            "previous terminated container {container_name:?} in pod {:?} not found",
            name(&pod)
        );
        return Err(Status::bad_request(message));
    }
    let log = Log::of(&pod, container, is_set(options.timestamps.as_ref()))?;
    let now = Timestamp::now();
    let since = options.since_time.or_else(|| {
        let seconds = options.since_seconds?;
        now.checked_sub(SignedDuration::from_secs(seconds)).ok()
    });
    let end = log.lines_until(now);
    let first = (end - KEPT).max(0);
    let first = (first..end)
        .find(|index| since.is_none_or(|since| log.time(*index) >= since))
        .unwrap_or(end);
    let first = options.tail_lines.map_or(first, |tail| first.max(end - tail.max(0)));
    let mut text: String = (first..end).map(|index| log.line(index)).collect();
    if let Some(limit) = options.limit_bytes {
        text.truncate(limit);
    }
    let body = if is_set(options.follow.as_ref()) {
        follow(objects.clone(), ended.clone(), attributes.clone(), log, end, text)
    } else {
        Body::from(text)
    };
    let mut response = body.into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    Ok(response)
}

fn name_of(container: &Value) -> &str {
    container["name"].as_str().unwrap_or_default()
}

/// The container that is meant.
fn choose<'a>(pod: &'a Value, wanted: Option<&str>) -> Result<&'a Value, Status> {
    let containers = items(&pod["spec"]["containers"]);
    if let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) {
        let first = items(&pod["spec"]["initContainers"]);
        return containers
            .iter()
            .chain(first)
            .find(|container| name_of(container) == wanted)
            .ok_or_else(|| Status::bad_request(format!("container {wanted} is not valid for pod {}", name(pod))));
    }
    match containers {
        [only] => Ok(only),
        several => {
            let names: Vec<&str> = several.iter().map(name_of).collect();
            let message = format!(
                "a container name must be specified for pod {}, choose one of: [{}]",
                name(pod),
                names.join(" ")
            );
            Err(Status::bad_request(message))
        }
    }
}

impl Log {
    fn of(pod: &Value, container: &Value, stamped: bool) -> Result<Self, Status> {
        let own_name = name_of(container);
        let status = ["containerStatuses", "initContainerStatuses"]
            .iter()
            .flat_map(|field| items(&pod["status"][*field]))
            .find(|one| one["name"] == own_name);
        let state = status.map(|status| &status["state"]).unwrap_or(&Value::Null);
        let running = &state["running"]["startedAt"];
        let terminated = &state["terminated"];
        let started = time(running)
            .or_else(|| time(&terminated["startedAt"]))
            .ok_or_else(|| {
                let reason = state["waiting"]["reason"].as_str().unwrap_or("ContainerCreating");
                Status::bad_request(format!(
                    "container {own_name:?} in pod {:?} is waiting to start: {reason}",
                    name(pod)
                ))
            })?;
        Ok(Self {
            pod: name(pod).to_owned(),
            seed: trait_of(&format!("{}/{own_name}", uid(pod))),
            port: items(&container["ports"])
                .first()
                .and_then(|port| port["containerPort"].as_i64())
                .unwrap_or(8080),
            started,
            ended: time(&terminated["finishedAt"]),
            stamped,
        })
    }

    fn time(&self, index: i64) -> Timestamp {
        let after = if index < count(&FIRST) {
            SignedDuration::from_millis(index * 40)
        } else {
            SignedDuration::from_secs((index - count(&FIRST) + 1) * PERIOD)
        };
        self.started.checked_add(after).unwrap_or(self.started)
    }

    /// How many lines there are up to a moment.
    fn lines_until(&self, now: Timestamp) -> i64 {
        let until = self.ended.map_or(now, |ended| ended.min(now));
        let runs = until.duration_since(self.started).as_secs().max(0);
        count(&FIRST) + runs / PERIOD
    }

    fn line(&self, index: i64) -> String {
        let time = self.time(index);
        let text = usize::try_from(index)
            .ok()
            .and_then(|index| FIRST.get(index))
            .map_or_else(
                || self.request(index),
                |text| text.replace("{port}", &format!(":{}", self.port)),
            );
        let line = format!("{time:.3} INFO {text} pod={}\n", self.pod);
        if self.stamped {
            format!("{time:.9} {line}")
        } else {
            line
        }
    }

    /// A request that was answered.
    fn request(&self, index: i64) -> String {
        const PATHS: [&str; 5] = ["/", "/healthz", "/api/items", "/api/orders", "/metrics"];
        let chance = trait_of(&format!("{}/{index}", self.seed));
        let path = PATHS[chance as usize % PATHS.len()];
        let code = if chance.is_multiple_of(41) { 404 } else { 200 };
        format!("GET {path} {code} {}ms", 1 + (chance >> 8) % 90)
    }
}

fn count(list: &[&str]) -> i64 {
    i64::try_from(list.len()).unwrap_or_default()
}

/// The lines so far, then each when it comes, until the container ends.
fn follow(
    objects: Objects,
    ended: CancellationToken,
    attributes: Attributes,
    log: Log,
    next: i64,
    text: String,
) -> Body {
    let rest = stream::unfold((log, next), move |(mut log, next)| {
        let (objects, ended, attributes) = (objects.clone(), ended.clone(), attributes.clone());
        async move {
            loop {
                let now = Timestamp::now();
                if next < log.lines_until(now) {
                    let line = log.line(next);
                    return Some((line, (log, next + 1)));
                }
                if log.ended.is_some() {
                    return None;
                }
                tokio::select! {
                    () = ended.cancelled() => return None,
                    () = tokio::time::sleep(Duration::from_millis(500)) => {}
                }
                let pod = objects.get(Kind::Pod, &attributes.namespace, &attributes.name)?;
                if uid(&pod).is_empty() {
                    return None;
                }
                log.ended = items(&pod["status"]["containerStatuses"])
                    .iter()
                    .find_map(|one| time(&one["state"]["terminated"]["finishedAt"]));
            }
        }
    });
    let lines = stream::iter([text])
        .chain(rest)
        .map(|line| Ok::<_, Infallible>(Bytes::from(line)));
    Body::from_stream(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(state: Value) -> Value {
        json!({"metadata": {"name": "web-1", "uid": "u"}, "spec": {"containers": [{"name": "web", "ports": [{"containerPort": 80}]}]},
            "status": {"containerStatuses": [{"name": "web", "state": state}]}})
    }

    #[test]
    fn the_same_line_reads_the_same_whenever_it_is_read() {
        let running = pod(json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}}));
        let log = Log::of(&running, &running["spec"]["containers"][0], false).unwrap();
        assert_eq!(
            log.line(2),
            "2026-01-01T00:00:00.080Z INFO listening on :80 pod=web-1\n"
        );
        assert_eq!(log.line(9), log.clone().line(9));
        let minute = "2026-01-01T00:01:00Z".parse().unwrap();
        assert_eq!(log.lines_until(minute), 16);
        assert!(log.time(15) <= minute && log.time(16) > minute);
    }

    #[test]
    fn a_container_that_has_not_started_has_no_log() {
        let waiting = pod(json!({"waiting": {"reason": "ImagePullBackOff"}}));
        let refused = Log::of(&waiting, &waiting["spec"]["containers"][0], false)
            .err()
            .unwrap();
        assert_eq!(
            (refused.code, refused.message.as_str()),
            (
                400,
                "container \"web\" in pod \"web-1\" is waiting to start: ImagePullBackOff"
            )
        );
    }

    #[test]
    fn among_several_containers_one_has_to_be_named() {
        let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a"}, {"name": "b"}]}});
        assert!(
            choose(&pod, None)
                .unwrap_err()
                .message
                .ends_with("choose one of: [a b]")
        );
        assert_eq!(choose(&pod, Some("b")).unwrap()["name"], "b");
        assert_eq!(choose(&pod, Some("c")).unwrap_err().code, 400);
    }
}
