//! Keys of one lane whose time has come: those that somebody waits for first, but not for ever.

use std::collections::VecDeque;

/// So many urgent keys go before the others of their lane have a turn again.
const STREAK: u32 = 4;

/// Ready keys that share a lane. A key that was overtaken by itself stands in both lines: only the first counts.
pub(super) struct Lane<K> {
    pub(super) urgent: VecDeque<K>,
    pub(super) others: VecDeque<K>,
    /// Urgent keys since one of the others had its turn.
    streak: u32,
}

impl<K> Default for Lane<K> {
    fn default() -> Self {
        Self {
            urgent: VecDeque::new(),
            others: VecDeque::new(),
            streak: 0,
        }
    }
}

impl<K> Lane<K> {
    /// The next key.
    pub(super) fn pop(&mut self) -> Option<K> {
        let others_turn = self.streak >= STREAK && !self.others.is_empty();
        if !others_turn && let Some(key) = self.urgent.pop_front() {
            self.streak += 1;
            return Some(key);
        }
        self.streak = 0;
        self.others.pop_front().or_else(|| self.urgent.pop_front())
    }

    /// Whether no key stands in it.
    pub(super) fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.others.is_empty()
    }
}
