//! How many objects are worked on at a time.
//!
//! A run that only waits for members that do not answer does no work: it gives its turn to another, or a few members
//! that hang would hold up all the rest. How many runs may wait like that has a bound too.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many runs are under way for each that works.
const WAITING: usize = 8;
/// A run that asks more members than this takes another turn for each as many: it is the requests under way that take
/// memory.
const MEMBERS: usize = 32;
/// Of all turns a run takes no more than this part, however many members it asks: others go on beside it, and there is
/// always a turn for the one that waits for the next object.
const PART: u32 = 2;

/// Turns to be had.
pub(super) struct Slots {
    runs: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    parallel: u32,
}

/// A turn, given back when it is dropped.
pub(super) struct Slot {
    turn: Option<OwnedSemaphorePermit>,
    turns: Arc<Semaphore>,
    parallel: u32,
    _run: OwnedSemaphorePermit,
}

impl Slots {
    /// So many may work at a time.
    pub(super) fn new(parallel: usize) -> Self {
        let parallel = parallel.clamp(1, Semaphore::MAX_PERMITS / WAITING);
        Self {
            runs: Arc::new(Semaphore::new(parallel * WAITING)),
            turns: Arc::new(Semaphore::new(parallel)),
            parallel: u32::try_from(parallel).unwrap_or(u32::MAX),
        }
    }

    /// Waits for a turn.
    pub(super) async fn take(&self) -> Option<Slot> {
        let run = self.runs.clone().acquire_owned().await.ok()?;
        let turn = self.turns.clone().acquire_owned().await.ok()?;
        Some(Slot {
            turn: Some(turn),
            turns: self.turns.clone(),
            parallel: self.parallel,
            _run: run,
        })
    }
}

impl Slot {
    /// Waits for as many turns as it takes to ask so many members. The one that it has is given back first, or two that
    /// want more would wait for each other.
    pub(super) async fn widen(&mut self, members: usize) {
        let turns = u32::try_from(members.div_ceil(MEMBERS)).unwrap_or(u32::MAX);
        let turns = turns.min(self.parallel / PART);
        if turns > 1 {
            self.turn = None;
            self.turn = self.turns.clone().acquire_many_owned(turns).await.ok();
        }
    }

    /// Somebody else may work.
    pub(super) fn yield_turn(&mut self) {
        self.turn = None;
    }

    /// Whether the turn has not been given away yet.
    pub(super) fn has_turn(&self) -> bool {
        self.turn.is_some()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn many_members_are_many_turns_and_half_of_them_at_most() {
        let slots = Slots::new(4);
        let (mut one, mut other) = (slots.take().await.unwrap(), slots.take().await.unwrap());
        one.widen(MEMBERS).now_or_never().unwrap();
        other.widen(10 * MEMBERS).now_or_never().unwrap();
        let third = slots.take().now_or_never().unwrap();
        assert!(slots.take().now_or_never().is_none());
        other.yield_turn();
        let fourth = slots.take().now_or_never().unwrap();
        drop((third, fourth));
    }

    #[tokio::test]
    async fn one_that_waits_for_the_next_object_holds_up_no_run() {
        for parallel in 1..6 {
            let slots = Slots::new(parallel);
            let mut run = slots.take().await.unwrap();
            let _next = slots.take().now_or_never();
            run.widen(1000 * MEMBERS).now_or_never().unwrap();
            assert!(run.has_turn());
        }
    }

    #[tokio::test]
    async fn who_only_waits_holds_nobody_up_but_not_without_end() {
        let slots = Slots::new(1);
        let mut first = slots.take().await.unwrap();
        assert!(slots.take().now_or_never().is_none());
        first.yield_turn();
        assert!(!first.has_turn());
        let mut waiting = vec![first];
        for _ in 1..WAITING {
            let mut next = slots.take().now_or_never().unwrap().unwrap();
            next.yield_turn();
            waiting.push(next);
        }
        assert!(slots.take().now_or_never().is_none());
        waiting.pop();
        assert!(slots.take().now_or_never().is_some());
    }
}
