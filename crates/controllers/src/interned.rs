//! Values that very many hold, kept once.
//!
//! With a hundred thousand propagations it matters that the name of an object is not kept for each of its members, and
//! that labels which all objects carry are not kept for each of them.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Below this many values nobody asks which of them are still held.
const FEW: usize = 1024;

/// Values by what they are. Those that nobody holds any more are forgotten as the others become more.
#[derive(Debug)]
pub(crate) struct Interned<T> {
    inner: Mutex<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    values: HashSet<Arc<T>>,
    /// At how many values those that nobody holds are looked for.
    limit: usize,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        let inner = Inner {
            values: HashSet::new(),
            limit: FEW,
        };
        Self {
            inner: Mutex::new(inner),
        }
    }
}

impl<T: Eq + Hash + Clone> Interned<T> {
    /// The one that equals this.
    pub(crate) fn of(&self, value: &T) -> Arc<T> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = inner.values.get(value) {
            return known.clone();
        }
        if inner.values.len() >= inner.limit {
            inner.values.retain(|value| Arc::strong_count(value) > 1);
            inner.limit = (inner.values.len() * 2).max(FEW);
            let limit = inner.limit;
            inner.values.shrink_to(limit);
        }
        let new = Arc::new(value.clone());
        inner.values.insert(new.clone());
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one_and_what_nobody_holds_is_forgotten() {
        let shared = Interned::default();
        let kept = shared.of(&0);
        assert!(Arc::ptr_eq(&kept, &shared.of(&0)));
        for number in 1..10 * FEW {
            let _ = shared.of(&number);
        }
        let inner = shared.inner.lock().unwrap();
        assert!(inner.values.len() <= FEW, "{}", inner.values.len());
        assert!(inner.values.contains(&0));
    }
}
