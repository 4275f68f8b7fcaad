//! A line of keys in which lanes take turns.

use std::collections::{HashMap, VecDeque};

use super::Fair;

/// Keys that wait, by lane, and the lanes in the order of their turns.
pub(super) struct Line<K> {
    lanes: HashMap<String, VecDeque<K>>,
    turns: VecDeque<String>,
}

impl<K> Default for Line<K> {
    fn default() -> Self {
        Self {
            lanes: HashMap::new(),
            turns: VecDeque::new(),
        }
    }
}

impl<K: Fair> Line<K> {
    /// A key comes last in its lane.
    pub(super) fn push(&mut self, key: K) {
        match self.lanes.get_mut(key.lane()) {
            Some(lane) => lane.push_back(key),
            None => {
                let name = key.lane().to_owned();
                self.turns.push_back(name.clone());
                self.lanes.insert(name, VecDeque::from([key]));
            }
        }
    }

    /// The first key of the lane whose turn it is.
    pub(super) fn pop(&mut self) -> Option<K> {
        let name = self.turns.pop_front()?;
        let lane = self.lanes.get_mut(&name)?;
        let key = lane.pop_front();
        if lane.is_empty() {
            self.lanes.remove(&name);
        } else {
            self.turns.push_back(name);
        }
        key
    }

    /// Whether no key stands in it.
    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }
}
