//! Parallel work on many items, with results in the order of the items.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use crossbeam_channel::bounded;

/// Items started ahead of the oldest result not yet taken, per thread. An item that takes several times as long as the
/// others does not block them, and the number of results that wait for it is bounded.
const AHEAD: usize = 8;

/// Does `work` on every item, on `threads` threads, and passes the results to `take` in the order of the items as they
/// become ready. If `take` breaks, its value is returned, and only the few items already handed out are still started.
pub fn in_order<T: Sync, R: Send, B>(
    items: &[T],
    threads: NonZeroUsize,
    work: impl Fn(&T) -> R + Sync,
    mut take: impl FnMut(&T, R) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let ahead = AHEAD * threads.get();
    thread::scope(|scope| {
        let (give, given) = bounded::<usize>(ahead);
        let (report, results) = bounded(ahead);
        for _ in 0..threads.get().min(items.len()) {
            let (given, report, work) = (given.clone(), report.clone(), &work);
            scope.spawn(move || {
                given.into_iter().try_for_each(|index| {
                    // A panic is sent as a result, so that the receiver does not wait for it forever.
                    let result = catch_unwind(AssertUnwindSafe(|| work(&items[index])));
                    report.send((index, result))
                })
            });
        }
        let mut left = 0..items.len();
        let mut give_next = || {
            if let Some(index) = left.next() {
                give.send(index).expect("the threads take items as long as results are taken");
            }
        };
        (0..ahead).for_each(|_| give_next());
        let mut early = BTreeMap::new();
        for (due, item) in items.iter().enumerate() {
            while !early.contains_key(&due) {
                let (index, result) = results.recv().expect("every item that was given out has a result");
                early.insert(index, result.unwrap_or_else(|panic| resume_unwind(panic)));
            }
            take(item, early.remove(&due).expect("it has just been found"))?;
            give_next();
        }
        ControlFlow::Continue(())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

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
    fn few_items_are_begun_after_a_break() {
        let begun = AtomicUsize::new(0);
        let items: Vec<u64> = (0..100_000).collect();
        let work = |_: &u64| begun.fetch_add(1, Ordering::Relaxed);
        let end = in_order(&items, THREADS, work, |&item, _| match item {
            5 => ControlFlow::Break("enough"),
            _ => ControlFlow::Continue(()),
        });
        assert_eq!(end, ControlFlow::Break("enough"));
        assert!(begun.into_inner() <= 5 + AHEAD * THREADS.get());
    }

    #[test]
    #[should_panic = "no answer to 7"]
    fn a_panic_ends_the_work() {
        let items: Vec<u64> = (0..100).collect();
        let _ = in_order(
            &items,
            THREADS,
            |item| assert!(*item != 7, "no answer to {item}"),
            |_, ()| ControlFlow::<()>::Continue(()),
        );
    }
}
