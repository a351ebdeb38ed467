//! The latest of some values that take long to make.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};

/// Values that are kept: those used last. A layout of VGG16 and its routes take some 10 MB.
const MOST: usize = 8;

/// Values by their keys, of which each must follow. Those used last are kept; threads that ask for the same value at
/// the same time wait for one of them to make it.
pub(crate) struct Recent<K, V> {
    /// The value used last comes first.
    entries: Mutex<VecDeque<Arc<Entry<K, V>>>>,
}

struct Entry<K, V> {
    key: K,
    value: OnceLock<Arc<V>>,
}

impl<K: PartialEq, V> Recent<K, V> {
    pub(crate) fn new() -> Self {
        Self { entries: Mutex::default() }
    }

    /// Returns the value of `key`, which `make` makes of the key if it is not kept.
    pub(crate) fn get(&self, key: K, make: impl FnOnce(&K) -> V) -> Arc<V> {
        let entry = self.entry(key);
        entry.value.get_or_init(|| Arc::new(make(&entry.key))).clone()
    }

    fn entry(&self, key: K) -> Arc<Entry<K, V>> {
        let mut entries = self.entries.lock().expect("values are made while the lock is free");
        let known = entries.iter().position(|entry| entry.key == key).and_then(|known| entries.remove(known));
        let entry = known.unwrap_or_else(|| Arc::new(Entry { key, value: OnceLock::new() }));
        entries.truncate(MOST - 1);
        entries.push_front(entry.clone());
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_used_last_are_kept() {
        let recent = Recent::new();
        let mut made = Vec::new();
        let most = u32::try_from(MOST).expect("it is small");
        for key in (0..most).chain([0]).chain(most..=most).chain([0, 1]) {
            assert_eq!(
                *recent.get(key, |&key| {
                    made.push(key);
                    10 * key
                }),
                10 * key
            );
        }
        assert_eq!(made, (0..=most).chain([1]).collect::<Vec<_>>());
    }
}
