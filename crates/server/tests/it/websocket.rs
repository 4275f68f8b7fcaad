//! A WebSocket client of a few lines (RFC 6455), so that tests see what is really on the wire.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};

pub(crate) struct WebSocket {
    stream: TcpStream,
    pub(crate) protocol: String,
}

/// What arrives.
#[derive(Debug, PartialEq)]
pub(crate) enum Message {
    Text(Value),
    Close(u16),
    End,
}

impl WebSocket {
    /// Shakes hands; the error is the status code of a refusal.
    pub(crate) async fn open(address: SocketAddr, protocols: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let key = STANDARD.encode([7_u8; 16]);
        let mut request = format!(
            "GET /api/v1/stream HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        );
        if !protocols.is_empty() {
            request.push_str(&format!("Sec-WebSocket-Protocol: {protocols}\r\n"));
        }
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.map_err(|_| 0_u16)?);
        }
        let head = String::from_utf8(head).unwrap();
        let code: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        if code != 101 {
            return Err(code);
        }
        let protocol = head
            .lines()
            .find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("sec-websocket-protocol: ")
                    .map(str::to_owned)
            })
            .unwrap_or_default();
        Ok(Self { stream, protocol })
    }

    pub(crate) async fn send(&mut self, value: &Value) {
        self.send_text(&value.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.frame(0x1, text.as_bytes()).await;
    }

    async fn frame(&mut self, opcode: u8, payload: &[u8]) {
        let mask = [1_u8, 2, 3, 4];
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            length @ 0..=125 => frame.push(0x80 | u8::try_from(length).unwrap()),
            length => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
            }
        }
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        // The other end may have closed already; what it said is read next.
        let _ = self.stream.write_all(&frame).await;
    }

    /// The next message, pings answered on the way.
    pub(crate) async fn next(&mut self) -> Message {
        timeout(Duration::from_secs(20), self.read())
            .await
            .expect("a message in time")
    }

    async fn read(&mut self) -> Message {
        loop {
            let Ok(first) = self.stream.read_u8().await else {
                return Message::End;
            };
            let length = match self.stream.read_u8().await.unwrap() {
                126 => usize::from(self.stream.read_u16().await.unwrap()),
                127 => usize::try_from(self.stream.read_u64().await.unwrap()).unwrap(),
                short => usize::from(short),
            };
            let mut payload = vec![0; length];
            self.stream.read_exact(&mut payload).await.unwrap();
            match first & 0x0f {
                0x1 => return Message::Text(serde_json::from_slice(&payload).unwrap()),
                0x8 => return Message::Close(payload.first_chunk().map_or(0, |code| u16::from_be_bytes(*code))),
                0x9 => self.frame(0xa, &payload).await,
                _ => {}
            }
        }
    }

    /// The next text.
    pub(crate) async fn text(&mut self) -> Value {
        match self.next().await {
            Message::Text(value) => value,
            other => panic!("{other:?}"),
        }
    }
}
