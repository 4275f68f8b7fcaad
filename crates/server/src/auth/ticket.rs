//! One-use tickets for opening a WebSocket.
//!
//! A page cannot add a header to a WebSocket handshake, and a cookie alone is sent by any page of any port of this
//! host. So a page asks for a ticket first and shows it as a subprotocol. It is good once, for 30 s, for one path and
//! for the sign-in that asked; it lives in the memory of this process alone.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use super::Caller;

/// Prefix of the subprotocol that carries a ticket.
pub const PROTOCOL_PREFIX: &str = "ticket.";
/// How long a ticket is good.
const LIFE: SignedDuration = SignedDuration::from_secs(30);
/// Most tickets at once; past that the oldest goes.
const MAX_TICKETS: usize = 4096;

struct Ticket {
    caller: Caller,
    path: String,
    expires_at: Timestamp,
}

/// Tickets that wait to be used.
#[derive(Default)]
pub struct Tickets {
    waiting: Mutex<HashMap<[u8; 32], Ticket>>,
}

impl Tickets {
    /// A ticket for `caller` to open `path`; returns it with its end.
    pub fn issue(&self, caller: &Caller, path: &str, now: Timestamp) -> (String, Timestamp) {
        let random: [u8; 32] = rand::random();
        let expires_at = now.checked_add(LIFE).unwrap_or(now);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= MAX_TICKETS {
            waiting.retain(|_, ticket| ticket.expires_at > now);
        }
        if waiting.len() >= MAX_TICKETS
            && let Some(oldest) = waiting
                .iter()
                .min_by_key(|(_, ticket)| ticket.expires_at)
                .map(|(key, _)| *key)
        {
            waiting.remove(&oldest);
        }
        let ticket = Ticket {
            caller: caller.clone(),
            path: path.to_owned(),
            expires_at,
        };
        waiting.insert(super::digest(&random), ticket);
        (URL_SAFE_NO_PAD.encode(random), expires_at)
    }

    /// Uses a ticket up. Whatever it is for, it is gone afterwards.
    pub fn redeem(&self, text: &str, path: &str, now: Timestamp) -> Option<Caller> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let ticket = self
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&super::digest(&bytes))?;
        (ticket.expires_at > now && ticket.path == path).then_some(ticket.caller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::tests::caller;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_ticket_is_good_once() {
        let tickets = Tickets::default();
        let (ticket, _) = tickets.issue(&caller("ada"), "/api/v1/stream", at(0));
        assert_eq!(
            tickets.redeem(&ticket, "/api/v1/stream", at(29)).unwrap().subject.user,
            "ada"
        );
        assert!(tickets.redeem(&ticket, "/api/v1/stream", at(29)).is_none());
    }

    #[test]
    fn a_ticket_is_good_for_thirty_seconds_and_one_path() {
        let tickets = Tickets::default();
        let (late, _) = tickets.issue(&caller("ada"), "/api/v1/stream", at(0));
        assert!(tickets.redeem(&late, "/api/v1/stream", at(31)).is_none());
        let (elsewhere, _) = tickets.issue(&caller("ada"), "/api/v1/stream", at(0));
        assert!(tickets.redeem(&elsewhere, "/k8s/clusters/a", at(1)).is_none());
        assert!(
            tickets.redeem(&elsewhere, "/api/v1/stream", at(1)).is_none(),
            "used up by the first try"
        );
        assert!(tickets.redeem("not a ticket", "/api/v1/stream", at(1)).is_none());
    }

    #[test]
    fn tickets_that_nobody_uses_take_no_more_than_their_room() {
        let tickets = Tickets::default();
        for second in 0..5 {
            for _ in 0..1000 {
                tickets.issue(&caller("ada"), "/api/v1/stream", at(second));
            }
        }
        assert!(tickets.waiting.lock().unwrap().len() <= MAX_TICKETS);
    }
}
