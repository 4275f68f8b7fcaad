//! The brake in a run: what the object is displaced from is weighed before anything is planned.

use std::time::Duration;

use super::Sync;
use super::context::Context;
use crate::brake::{COUNT, Judgement, confirmations, used_up};
use crate::error::Result;
use crate::fleet::Fleet;
use crate::key::Key;
use crate::queue::Verdict;

impl Sync {
    /// Asks whether what the object is displaced from is part of something larger that waits for a confirmation. A
    /// verdict ends the run: what it has read is not what is stored any more.
    pub(super) async fn weigh(&self, key: &Key, fleet: &Fleet, context: &mut Context) -> Result<Option<Verdict>> {
        let (hub, leadership, fleets) = (&self.hub, &self.leadership, &self.fleet);
        let displaced = context.displaced();
        self.brake
            .review(hub, leadership, key, &displaced, &context.records)
            .await?;
        if displaced.is_empty() {
            let Some(token) = context.useless_confirmation() else {
                return Ok(None);
            };
            // That of a namespace may be meant for what lies in it.
            if self.brake.awaits(hub, fleets, token).await? {
                return Ok(None);
            }
            used_up(hub, leadership, &key.stored(), token).await?;
            return Ok(Some(Verdict::Again));
        }
        let confirmations = confirmations(hub, fleet, key, context, &displaced);
        let judged = self
            .brake
            .judge(hub, leadership, fleets, key, &displaced, &confirmations);
        match judged.await? {
            Judgement::Free => {}
            Judgement::Held(hold, others) => {
                // What they were told to confirm would confirm nothing any more. Changes come in bursts.
                for other in others {
                    if other != *key {
                        self.queue.add_after(other, COUNT);
                    }
                }
                context.hold(hold);
            }
            Judgement::Confirmed(keys) => {
                context.confirm();
                for other in keys {
                    if other != *key {
                        self.queue.add(other);
                    }
                }
            }
            Judgement::Outdated => return Ok(Some(Verdict::Failed(Duration::ZERO))),
        }
        Ok(None)
    }
}
