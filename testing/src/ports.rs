//! Loopback ports for servers that must be told theirs before they start.
//!
//! They are taken from below the range the system hands out by itself, so that
//! no outgoing connection and no listener on port 0 can come in between.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

use anyhow::{Result, bail};

const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// How far this process has come; 0 until the first call.
static TAKEN: AtomicU16 = AtomicU16::new(0);

/// A port that nobody listens on and that this process does not give out again.
pub fn free_port() -> Result<u16> {
    let start = start();
    loop {
        let taken = TAKEN.fetch_add(1, Ordering::Relaxed);
        if taken >= COUNT {
            bail!("all ports have been given out");
        }
        let port = FIRST + (start + taken) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
}

/// Test processes that run at the same time begin far apart.
fn start() -> u16 {
    const STRIDE: u32 = 97;
    let start = std::process::id().wrapping_mul(STRIDE) % u32::from(COUNT);
    u16::try_from(start).expect("a remainder of COUNT fits")
}
