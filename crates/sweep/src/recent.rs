//! The latest of some values that take long to make.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// Values by the keys that they follow from. Those used last are kept; threads that ask for the same value at the same
/// time wait for one of them to make it.
pub(crate) struct Recent<K, V> {
    /// Number of values that are kept.
    most: usize,
    /// The value used last comes first.
    entries: Mutex<VecDeque<Arc<Entry<K, V>>>>,
    made: AtomicU64,
}

struct Entry<K, V> {
    key: K,
    value: OnceLock<Arc<V>>,
}

impl<K: PartialEq, V> Recent<K, V> {
    /// Keeps `most` values, at least one.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, entries: Mutex::default(), made: AtomicU64::new(0) }
    }

    /// Returns the number of values made so far.
    pub(crate) fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// Returns the value of `key`, which `make` makes of the key if it is not kept.
    pub(crate) fn get(&self, key: K, make: impl FnOnce(&K) -> V) -> Arc<V> {
        let entry = self.entry(key);
        let value = entry.value.get_or_init(|| {
            self.made.fetch_add(1, Ordering::Relaxed);
            Arc::new(make(&entry.key))
        });
        value.clone()
    }

    fn entry(&self, key: K) -> Arc<Entry<K, V>> {
        let mut entries = self.entries.lock().expect("values are made while the lock is free");
        let known = entries.iter().position(|entry| entry.key == key).and_then(|known| entries.remove(known));
        let entry = known.unwrap_or_else(|| Arc::new(Entry { key, value: OnceLock::new() }));
        entries.truncate(self.most - 1);
        entries.push_front(entry.clone());
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_used_last_are_kept() {
        let recent = Recent::new(2);
        let mut made = Vec::new();
        for key in [0, 1, 0, 2, 0, 1] {
            let value = recent.get(key, |&key| {
                made.push(key);
                10 * key
            });
            assert_eq!(*value, 10 * key);
        }
        assert_eq!(recent.made(), 4);
        assert_eq!(made, [0, 1, 2, 1]);
    }
}
