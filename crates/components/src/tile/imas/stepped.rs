//! Iteration fidelity: operations in progress, performed stage by stage.
//!
//! Nothing delays an operation that has started, so IMAs of one timing that start in the same cycle perform every stage
//! of every iteration in the same cycles, and share its messages. Their blocks count when the operations end, by the
//! stages that have been performed.

use index::Set;

use super::ima::{ImaTiming, Operation, Performed};
use crate::ImaId;

/// Batches of operations in progress, in the order of their starts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stepped {
    batches: Vec<SteppedBatch>,
    /// Number of the first batch, modulo 2^16. An IMA takes part in few, so far fewer are in progress.
    first: u16,
}

/// Operations that IMAs of the same timing started in the same cycle.
#[derive(Clone, Debug)]
pub(crate) struct SteppedBatch {
    pub(crate) timing: ImaTiming,
    /// Reads of each operation.
    pub(crate) iterations: u32,
    pub(crate) imas: Set<ImaId>,
    /// Operations of those IMAs in which not all crossbars take part.
    pub(crate) partial: Vec<(ImaId, Operation)>,
    /// Stages performed so far; none until all IMAs that start in this cycle have joined.
    pub(crate) performed: Performed,
}

impl Stepped {
    /// Adds operations that `imas` start in this cycle to the batch of their kind. Those of `partial` have the given size,
    /// in all others all crossbars take part.
    pub(crate) fn start(
        &mut self,
        imas: Set<ImaId>,
        partial: Vec<(ImaId, Operation)>,
        timing: ImaTiming,
        iterations: u32,
    ) {
        let of_kind = |batch: &&mut SteppedBatch| (batch.timing, batch.iterations) == (timing, iterations);
        let begun = self.begun();
        if let Some(batch) = self.batches[begun..].iter_mut().find(of_kind) {
            batch.imas |= imas;
            batch.partial.extend(partial);
        } else {
            let performed = Performed::default();
            self.batches.push(SteppedBatch { timing, iterations, imas, partial, performed });
        }
    }

    /// Number of a batch that has not performed its first read.
    pub(crate) fn to_begin(&self) -> Option<u16> {
        let begun = self.begun();
        let number = || self.first.wrapping_add(u16::try_from(begun).expect("an IMA takes part in few batches"));
        (begun < self.batches.len()).then(number)
    }

    /// Batches up to the last that has performed its first read.
    fn begun(&self) -> usize {
        self.batches.iter().rposition(|batch| batch.performed.reads > 0).map_or(0, |last| last + 1)
    }

    /// Batch of number `number`.
    #[inline]
    pub(crate) fn batch(&mut self, number: u16) -> &mut SteppedBatch {
        &mut self.batches[usize::from(number.wrapping_sub(self.first))]
    }

    /// Forgets batches that have ended and before which none is in progress.
    pub(crate) fn forget_ended(&mut self) {
        while self.batches.first().is_some_and(SteppedBatch::has_ended) {
            self.batches.remove(0);
            self.first = self.first.wrapping_add(1);
        }
    }
}

impl SteppedBatch {
    /// True if the last merge has been performed.
    #[inline]
    pub(crate) fn has_ended(&self) -> bool {
        self.performed.merges == u64::from(self.iterations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imas_of_one_timing_that_start_together_share_a_batch() {
        let timing = |cycles_per_read| ImaTiming { cycles_per_read, convert_cycles: 1, merge_cycles: 1 };
        let mut stepped = Stepped::default();
        for (ima, cycles_per_read) in [(0, 1), (1, 2), (2, 1)] {
            stepped.start(Set::one(ImaId(ima)), Vec::new(), timing(cycles_per_read), 1);
        }
        let mut begin = || {
            let number = stepped.to_begin()?;
            stepped.batch(number).performed.reads += 1;
            Some((number, stepped.batch(number).imas.bits()))
        };
        assert_eq!([begin(), begin(), begin()], [Some((0, 0b101)), Some((1, 0b010)), None]);
        stepped.start(Set::one(ImaId(0)), Vec::new(), timing(1), 1);
        assert_eq!(stepped.to_begin(), Some(2), "a later start is a batch of its own");
    }

    #[test]
    fn a_batch_keeps_its_number_whichever_batch_ends_first() {
        let timing = ImaTiming { cycles_per_read: 1, convert_cycles: 1, merge_cycles: 1 };
        let mut stepped = Stepped { first: u16::MAX, ..Stepped::default() };
        let numbers = [u16::MAX, 0, 1];
        for (number, iterations) in numbers.into_iter().zip(3..) {
            stepped.start(Set::one(ImaId(0)), Vec::new(), timing, iterations);
            assert_eq!(stepped.to_begin(), Some(number));
            stepped.batch(number).performed.reads += 1;
        }
        for (ended, iterations) in [(0, 4), (u16::MAX, 3)] {
            stepped.batch(ended).performed = Performed::all(iterations);
            stepped.forget_ended();
            assert_eq!(stepped.batch(1).iterations, 5);
        }
        assert_eq!(stepped.batches.len(), 1);
    }
}
