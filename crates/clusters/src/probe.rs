//! The task of a member: it asks how the member is, for as long as the member is in the set.
//!
//! Most probes go over a pooled connection. At least once a minute, and whenever the last one was not good, a new
//! connection is opened for it: only that sees a certificate that ended, a name that leads elsewhere, or another
//! cluster behind the same address. A member is reported ready only after it was seen to be the one that is meant.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Fuse, FusedFuture as _, FutureExt as _};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::backoff::jittered;
use crate::facts::{ask_identity, ask_nodes, ask_version};
use crate::health::{Facts, Outcome};
use crate::member::Member;
use crate::members::HealthCheck;
use crate::request::{Answer, OwnError, OwnRequest};
use crate::transport::{Ask, Transport};

/// Probes from one new connection, and one round of facts, to the next.
const ROUND: u32 = 6;
/// Probes that are left out after the member refused the credential: asking again helps nobody.
const REFUSED: u32 = 6;

type Learning<'a> = Fuse<Pin<Box<dyn Future<Output = Option<Facts>> + Send + 'a>>>;

/// Probes a member until it leaves, then lets what is under way come to an end.
pub(crate) async fn attend(member: Arc<Member>, first: Duration) {
    if member.ended.run_until_cancelled(sleep(first)).await.is_some() {
        if let Some(message) = member.malformed() {
            member.note(&Outcome::Malformed {
                message: message.to_owned(),
            });
        } else if let Ok(transport) = member.transport() {
            let probes = Probes {
                member: &member,
                transport: &transport,
                check: member.check.clone(),
                opened: None,
                learned: None,
            };
            let _ = member.ended.run_until_cancelled(probes.run()).await;
        }
    }
    member.ended.cancelled().await;
    let _ = member
        .cut
        .run_until_cancelled(sleep(member.network.deadlines.response_header))
        .await;
    member.cut.cancel();
}

struct Probes<'a> {
    member: &'a Member,
    transport: &'a Transport,
    /// How it is done.
    check: watch::Receiver<HealthCheck>,
    /// When a new connection was last good.
    opened: Option<Instant>,
    /// When facts were last asked for.
    learned: Option<Instant>,
}

impl<'a> Probes<'a> {
    async fn run(mut self) {
        let mut learning: Learning<'a> = Fuse::terminated();
        loop {
            let outcome = self.probe().await;
            let good = matches!(outcome, Outcome::Ok { .. });
            let refused = matches!(outcome, Outcome::AuthFailed { .. });
            self.member.note(&outcome);
            if good && learning.is_terminated() && self.is_due(self.learned) {
                self.learned = Some(Instant::now());
                learning = learn(self.member, self.transport).boxed().fuse();
            }
            let reported = self.member.health().conditions.iter().any(|c| c.kind == "AuthFailed");
            let period = self.check.borrow_and_update().period;
            let wait = if refused && reported { period * REFUSED } else { period };
            self.wait(jittered(wait), &mut learning).await;
        }
    }

    /// Waits for the next turn, or for somebody who wants to know now; facts come in meanwhile.
    async fn wait(&mut self, wait: Duration, learning: &mut Learning<'a>) {
        let turn = sleep(wait);
        tokio::pin!(turn);
        loop {
            tokio::select! {
                () = &mut turn => return,
                () = self.member.wake.notified() => return,
                Ok(()) = self.check.changed() => return,
                facts = &mut *learning, if !learning.is_terminated() => match facts {
                    Some(facts) => self.member.learn(facts),
                    None => self.learned = None,
                }
            }
        }
    }

    fn is_due(&self, last: Option<Instant>) -> bool {
        // A little less than the round, since periods are jittered.
        let period = self.check.borrow().period;
        last.is_none_or(|last| last.elapsed() + period / 2 >= period * ROUND)
    }

    async fn probe(&mut self) -> Outcome {
        if !self.is_due(self.opened) {
            let limit = self.check.borrow().timeout;
            let begun = Instant::now();
            let outcome = match self.transport.ask(OwnRequest::get("/healthz"), limit).await {
                Ok(answer) => self.judge(answer, begun),
                Err(error) => unanswered(&error),
            };
            if !matches!(outcome, Outcome::Ok { .. }) {
                self.opened = None;
            }
            return outcome;
        }
        let outcome = self.probe_anew().await;
        self.opened = matches!(outcome, Outcome::Ok { .. }).then(Instant::now);
        outcome
    }

    /// Over a connection of its own, asking also which cluster this is.
    async fn probe_anew(&self) -> Outcome {
        let deadlines = self.member.network.deadlines;
        let limit = self.check.borrow().timeout;
        let mut session = self.transport.session(limit);
        match timeout(deadlines.connect, session.open()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return unanswered(&error),
            Err(_) => return unanswered(&OwnError::TimedOut(deadlines.connect)),
        }
        let begun = Instant::now();
        let outcome = match session.ask(OwnRequest::get("/healthz")).await {
            Ok(answer) => self.judge(answer, begun),
            Err(error) => unanswered(&error),
        };
        if !matches!(outcome, Outcome::Ok { .. }) {
            return outcome;
        }
        match ask_identity(&mut session).await {
            Ok(uid) => match self.member.uid() {
                Some(meant) if meant != uid => Outcome::WrongIdentity {
                    message: format!("the cluster behind this address has the UID {uid}, not {meant}"),
                },
                Some(_) | None => {
                    self.member.expect_uid(&uid);
                    outcome
                }
            },
            Err(error) if error.is_unauthorized() => Outcome::AuthFailed {
                message: error.to_string(),
            },
            // Who may not see the namespace cannot tell. That is trouble only if something was promised.
            Err(error @ (OwnError::Refused(_) | OwnError::NotKubernetes(_))) => match self.member.uid() {
                Some(_) => Outcome::NotOk {
                    message: format!("which cluster this is cannot be told: {error}"),
                },
                None => outcome,
            },
            Err(error) => unanswered(&error),
        }
    }

    fn judge(&self, answer: Answer, begun: Instant) -> Outcome {
        let latency_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let scrub = &self.transport.origin.scrub;
        match answer.status.as_u16() {
            200 if answer.body.trim_ascii() == b"ok" => Outcome::Ok { latency_ms },
            401 => match answer.json(scrub) {
                Err(OwnError::Refused(refusal)) => Outcome::AuthFailed {
                    message: refusal.message,
                },
                Err(error) => Outcome::AuthFailed {
                    message: error.to_string(),
                },
                Ok(_) => Outcome::AuthFailed {
                    message: "Unauthorized".to_owned(),
                },
            },
            code => {
                let message = format!("/healthz responded without ok: {code}{}", scrub.excerpt(&answer.body));
                Outcome::NotOk { message }
            }
        }
    }
}

/// What it means that there is no answer.
fn unanswered(error: &OwnError) -> Outcome {
    match error {
        OwnError::Connect(error) if error.is_certificate() => Outcome::CertInvalid {
            message: error.to_string(),
        },
        OwnError::Connect(error) => Outcome::Unreachable {
            message: error.to_string(),
        },
        OwnError::TimedOut(limit) => Outcome::Unreachable {
            message: format!("no answer within {} s", limit.as_secs_f32()),
        },
        OwnError::Broken(_)
        | OwnError::TooLarge(_)
        | OwnError::Busy
        | OwnError::Malformed(_)
        | OwnError::Refused(_)
        | OwnError::NotKubernetes(_) => Outcome::Unreachable {
            message: error.to_string(),
        },
    }
}

/// Asks a member about itself; `None` when nothing new could be told.
async fn learn(member: &Member, transport: &Transport) -> Option<Facts> {
    let limit = member.network.deadlines.own_request;
    let known = member.health().facts.clone();
    let mut asker = transport.asker();
    let version = timeout(limit, ask_version(&mut asker)).await.ok()?.ok()?;
    let same_cluster = known.uid.is_none() || known.uid == member.uid();
    let mut facts = if same_cluster { known } else { Facts::default() };
    facts.kubernetes_version = Some(version);
    facts.uid = member.uid();
    match timeout(limit, ask_nodes(&mut asker, &mut facts)).await {
        Ok(Ok(())) => {}
        // Who may not count the nodes has no numbers; who could not this time keeps the old ones.
        Ok(Err(error)) if error.is_forbidden() => {
            facts = Facts {
                kubernetes_version: facts.kubernetes_version,
                uid: facts.uid,
                ..Facts::default()
            };
        }
        Ok(Err(error)) => tracing::debug!(cluster.name = member.name(), %error, "the nodes could not be counted"),
        Err(_) => tracing::debug!(cluster.name = member.name(), "the nodes could not be counted in time"),
    }
    Some(facts)
}
