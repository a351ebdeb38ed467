//! The same work on many things, on all processors.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Does `work` on every item, on `threads` threads, and hands the results to `take` in the order of the items as they
/// become ready. Once `take` breaks, no further item is begun, and what it broke with is returned.
pub fn in_order<T: Sync, R: Send, B>(
    items: &[T],
    threads: NonZeroUsize,
    work: impl Fn(&T) -> R + Sync,
    mut take: impl FnMut(&T, R) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads.get().min(items.len()) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    if sender.send((index, work(item))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let (mut early, mut due) = (BTreeMap::new(), 0);
        for (index, result) in receiver {
            early.insert(index, result);
            while let Some(result) = early.remove(&due) {
                take(&items[due], result)?;
                due += 1;
            }
        }
        ControlFlow::Continue(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREADS: NonZeroUsize = NonZeroUsize::new(3).unwrap();

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u64> = (0..100).collect();
        let mut taken = Vec::new();
        let end = in_order(
            &items,
            THREADS,
            |item| item * item,
            |&item, square| {
                taken.push((item, square));
                ControlFlow::<()>::Continue(())
            },
        );
        assert!(end.is_continue());
        assert_eq!(taken, items.iter().map(|item| (*item, item * item)).collect::<Vec<_>>());
    }

    #[test]
    fn no_item_is_begun_after_a_break() {
        let begun = AtomicUsize::new(0);
        let items: Vec<u64> = (0..100_000).collect();
        let work = |_: &u64| begun.fetch_add(1, Ordering::Relaxed);
        let end = in_order(&items, THREADS, work, |&item, _| match item {
            5 => ControlFlow::Break("enough"),
            _ => ControlFlow::Continue(()),
        });
        assert_eq!(end, ControlFlow::Break("enough"));
        assert!(begun.into_inner() < 100_000);
    }
}
