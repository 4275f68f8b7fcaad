//! Commands in containers, over WebSocket: nothing is run. The terminal shows which command was asked for, and gives
//! back what is typed, so that everything between a person and a container can be tried.

use atoll_kubeapi::{Attributes, Status};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{FromRequestParts, Request};
use axum::response::Response;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::find;
use crate::catalog::Kind;
use crate::fields::items;
use crate::objects::Objects;

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STATUS: u8 = 3;
const CLOSE: u8 = 255;
/// Protocols that are spoken; the first can close single channels.
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

/// What a client asks for.
#[derive(Debug, Default, PartialEq)]
struct Asked {
    command: Vec<String>,
    has_stdin: bool,
    has_terminal: bool,
}

impl Asked {
    fn read(query: &str) -> Result<Self, Status> {
        let uri: http::Uri = format!("/?{query}")
            .parse()
            .map_err(|_| Status::bad_request("the options of the command cannot be read"))?;
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri)
            .map_err(|_| Status::bad_request("the options of the command cannot be read"))?
            .0;
        let mut asked = Self::default();
        for (key, value) in pairs {
            let is_set = !matches!(value.as_str(), "false" | "0");
            match key.as_str() {
                "command" => asked.command.push(value),
                "stdin" => asked.has_stdin = is_set,
                "tty" => asked.has_terminal = is_set,
                _ => {}
            }
        }
        if asked.command.is_empty() {
            return Err(Status::bad_request(
                "you must specify at least 1 command for the container",
            ));
        }
        Ok(asked)
    }
}

pub(super) async fn run(
    objects: &Objects,
    ended: &CancellationToken,
    attributes: &Attributes,
    request: Request,
) -> Result<Response, Status> {
    let pod = find(objects, Kind::Pod, attributes)?;
    let asked = Asked::read(request.uri().query().unwrap_or_default())?;
    let runs = items(&pod["status"]["containerStatuses"])
        .iter()
        .any(|one| one["state"]["running"].is_object());
    if !runs {
        return Err(Status::bad_request(format!(
            "cannot exec into a container in a completed pod; current phase is {}",
            pod["status"]["phase"].as_str().unwrap_or("Unknown")
        )));
    }
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &())
        .await
        .map_err(|_| Status::bad_request("Upgrade request required: simulated members speak WebSocket, not SPDY"))?;
    let ended = ended.clone();
    Ok(upgrade.protocols(PROTOCOLS).on_upgrade(move |socket| async move {
        tokio::select! {
            () = ended.cancelled() => {}
            () = echo(socket, asked) => {}
        }
    }))
}

fn frame(channel: u8, bytes: &[u8]) -> Message {
    Message::Binary([&[channel], bytes].concat().into())
}

/// What closing the input, or asking to leave, looks like.
fn leaves(typed: &[u8], has_terminal: bool) -> bool {
    const END_OF_TRANSMISSION: u8 = 4;
    has_terminal && typed.contains(&END_OF_TRANSMISSION) || typed.trim_ascii() == b"exit"
}

/// Shows the command, then gives back what comes until the input ends.
async fn echo(mut socket: WebSocket, asked: Asked) {
    let end_of_line = if asked.has_terminal { "\r\n" } else { "\n" };
    let greeting = format!("simulated: {}{end_of_line}", asked.command.join(" "));
    if socket.send(frame(STDOUT, greeting.as_bytes())).await.is_err() {
        return;
    }
    if asked.has_stdin && give_back(&mut socket, asked.has_terminal).await.is_none() {
        return;
    }
    let status: Value = json!({"metadata": {}, "status": "Success"});
    // Whoever has left already needs no farewell.
    let _ = socket.send(frame(STATUS, status.to_string().as_bytes())).await;
    let farewell = CloseFrame {
        code: close_code::NORMAL,
        reason: Utf8Bytes::default(),
    };
    let _ = socket.send(Message::Close(Some(farewell))).await;
}

/// Gives back what is typed until the input ends; `None` when the connection does.
async fn give_back(socket: &mut WebSocket, has_terminal: bool) -> Option<()> {
    loop {
        let Message::Binary(bytes) = socket.recv().await?.ok()? else {
            continue;
        };
        match bytes.split_first() {
            Some((&STDIN, typed)) if leaves(typed, has_terminal) => return Some(()),
            Some((&CLOSE, [STDIN, ..])) => return Some(()),
            Some((&STDIN, typed)) => {
                // A terminal in raw mode sends a bare carriage return for each line.
                let shown: Vec<u8> = typed
                    .iter()
                    .flat_map(|byte| match byte {
                        b'\r' if has_terminal => vec![b'\r', b'\n'],
                        byte => vec![*byte],
                    })
                    .collect();
                socket.send(frame(STDOUT, &shown)).await.ok()?;
            }
            // A resized window, or a channel that only the other side uses.
            Some(_) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_word_by_word() {
        let asked = Asked::read("command=sh&command=-c&command=a%20b&stdin=true&tty=false").unwrap();
        assert_eq!(asked.command, ["sh", "-c", "a b"]);
        assert!(asked.has_stdin && !asked.has_terminal);
        assert_eq!(Asked::read("stdin=true").unwrap_err().code, 400);
    }
}
