//! How many wrong passwords are answered, decided in memory before any row is read.
//!
//! Three windows: five tries in 15 minutes for one name from one source, ten a minute from one source whatever the
//! name, a hundred a day for one name from anywhere. The first lock is on name *and* source, so that a stranger
//! cannot lock `admin` out of the office. A try is counted when it begins, not when it fails: two hundred parallel
//! guesses are no more than one after the other. The source is the peer of the connection, never a header.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// Most keys one window remembers; past that, keys whose window is over go first, then those with fewest tries.
const MAX_KEYS: usize = 65_536;

/// One kind of limit: `tries` within `seconds`.
struct Window<K> {
    tries: u32,
    seconds: i64,
    counts: HashMap<K, Count>,
}

#[derive(Clone, Copy)]
struct Count {
    tries: u32,
    began: Timestamp,
}

impl<K: Eq + Hash + Clone> Window<K> {
    fn new(tries: u32, seconds: i64) -> Self {
        Self {
            tries,
            seconds,
            counts: HashMap::new(),
        }
    }

    /// Seconds until `key` may try again; `None` when it may now.
    fn locked_for(&self, key: &K, now: Timestamp) -> Option<i64> {
        let count = self.counts.get(key)?;
        let left = self.seconds - now.duration_since(count.began).as_secs();
        (count.tries >= self.tries && left > 0).then_some(left)
    }

    fn count(&mut self, key: K, now: Timestamp) {
        if self.counts.len() >= MAX_KEYS && !self.counts.contains_key(&key) {
            self.make_room(now);
        }
        let seconds = self.seconds;
        let count = self.counts.entry(key).or_insert(Count { tries: 0, began: now });
        if now.duration_since(count.began).as_secs() >= seconds {
            *count = Count { tries: 0, began: now };
        }
        count.tries = count.tries.saturating_add(1);
    }

    fn make_room(&mut self, now: Timestamp) {
        let seconds = self.seconds;
        self.counts
            .retain(|_, count| now.duration_since(count.began).as_secs() < seconds);
        if self.counts.len() < MAX_KEYS {
            return;
        }
        // Locked keys stay: flooding the table with names must not unlock anybody.
        let (tries, mut spare) = (self.tries, MAX_KEYS / 8);
        self.counts.retain(|_, count| {
            let drop = spare > 0 && count.tries < tries;
            spare -= usize::from(drop);
            !drop
        });
    }

    fn forgive(&mut self, key: &K) {
        self.counts.remove(key);
    }
}

/// Where a try comes from: an IPv4 address, or the /64 network of an IPv6 address, which one household owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source(IpAddr);

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                Self(IpAddr::V6(network.into()))
            }
            v4 @ IpAddr::V4(_) => Self(v4),
        }
    }
}

/// The limiter of sign-ins.
pub struct Limiter {
    windows: Mutex<Windows>,
}

struct Windows {
    name_and_source: Window<(String, Source)>,
    source: Window<Source>,
    name: Window<String>,
}

/// Too many tries; the whole seconds until the next one is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked {
    /// At least 1.
    pub retry_after_seconds: i64,
}

impl Default for Limiter {
    fn default() -> Self {
        Self {
            windows: Mutex::new(Windows {
                name_and_source: Window::new(5, 15 * 60),
                source: Window::new(10, 60),
                name: Window::new(100, 24 * 60 * 60),
            }),
        }
    }
}

impl Limiter {
    /// Counts a try for `name` from `source`, unless one of the windows is full.
    ///
    /// # Errors
    /// [`Locked`] when the password may not even be looked at.
    pub fn begin(&self, name: &str, source: Source, now: Timestamp) -> Result<(), Locked> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = (name.to_owned(), source);
        let locked = [
            windows.name_and_source.locked_for(&pair, now),
            windows.source.locked_for(&source, now),
            windows.name.locked_for(&pair.0, now),
        ];
        if let Some(seconds) = locked.into_iter().flatten().max() {
            return Err(Locked {
                retry_after_seconds: seconds.max(1),
            });
        }
        windows.name.count(pair.0.clone(), now);
        windows.source.count(source, now);
        windows.name_and_source.count(pair, now);
        Ok(())
    }

    /// Forgets the tries of somebody who knew the password.
    pub fn succeeded(&self, name: &str, source: Source) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.name_and_source.forgive(&(name.to_owned(), source));
        windows.source.forgive(&source);
        windows.name.forgive(&name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn source(last: u8) -> Source {
        IpAddr::from([192, 0, 2, last]).into()
    }

    #[test]
    fn the_sixth_try_within_the_window_is_locked_and_the_window_ends() {
        let limiter = Limiter::default();
        for second in 0..5 {
            limiter.begin("admin", source(1), at(second)).unwrap();
        }
        let locked = limiter.begin("admin", source(1), at(5)).unwrap_err();
        assert_eq!(locked.retry_after_seconds, 15 * 60 - 5);
        assert!(
            limiter
                .begin("admin", source(1), at(0).checked_add(16.minutes()).unwrap())
                .is_ok()
        );
    }

    #[test]
    fn a_lock_holds_for_its_source_alone() {
        let limiter = Limiter::default();
        for _ in 0..5 {
            limiter.begin("admin", source(1), at(0)).unwrap();
        }
        assert!(limiter.begin("admin", source(1), at(1)).is_err());
        assert!(limiter.begin("admin", source(2), at(1)).is_ok());
    }

    #[test]
    fn one_source_may_not_try_many_names() {
        let limiter = Limiter::default();
        for number in 0..10 {
            limiter.begin(&format!("user-{number}"), source(1), at(0)).unwrap();
        }
        assert!(limiter.begin("user-11", source(1), at(0)).is_err());
        assert!(limiter.begin("user-11", source(1), at(61)).is_ok());
    }

    #[test]
    fn success_forgets_earlier_tries() {
        let limiter = Limiter::default();
        for _ in 0..4 {
            limiter.begin("admin", source(1), at(0)).unwrap();
        }
        limiter.succeeded("admin", source(1));
        for _ in 0..5 {
            limiter.begin("admin", source(1), at(1)).unwrap();
        }
    }

    #[test]
    fn a_flood_of_names_unlocks_nobody() {
        let mut window = Window::new(2, 1000);
        window.count("admin".to_owned(), at(0));
        window.count("admin".to_owned(), at(0));
        for number in 0..MAX_KEYS + 10 {
            window.count(format!("user-{number}"), at(1));
        }
        assert!(window.locked_for(&"admin".to_owned(), at(2)).is_some());
        assert!(window.counts.len() <= MAX_KEYS);
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_source() {
        let (one, two): (IpAddr, IpAddr) = ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap());
        assert_eq!(Source::from(one), Source::from(two));
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        assert_eq!(Source::from(mapped), source(1));
    }
}
