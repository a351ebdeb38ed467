//! Operations of the IMAs, in closed form or read by read.
//!
//! An operation in which all crossbars take part is counted by its lockstep group for all IMAs at once. Where row
//! blocks without inputs are skipped, or each read is an event, the blocks of each IMA count for themselves.

use des::Cycle;
use mapper::Window;

use super::{Batch, Tile};
use crate::bits::{ImaSet, ones};
use crate::{Cause, Context, Event, Fidelity, LockstepGroup, Probe, Stage, TileMessage};

impl Tile<'_> {
    /// Starts the next operation of each of `imas`, and books its reads and the pause before it.
    pub(super) fn start<C: Context>(&mut self, mut imas: u64, context: &mut C) {
        let now = context.now();
        let mut read = Batch::new(self.id, |imas| TileMessage::ReadsDone { imas });
        let mut ready = Batch::new(self.id, |imas| TileMessage::ResultsReady { imas });
        while let Some((number, own)) = Self::take_lockstep(&self.lockstep_of, &self.locksteps, &mut imas) {
            let LockstepGroup { starting: index, started_at: lockstep_started_at, control, .. } =
                self.locksteps[number];
            let of = usize::from(control);
            let window = self.controls[of].window(index);
            let iterations = self.iterations[usize::from(window.bits)];
            let skips = self.skips_row_blocks(window);
            for group in 0..self.locksteps[number].timings.len() {
                let (imas, timing) = self.locksteps[number].timings[group];
                let own = own & imas;
                if own == 0 {
                    continue;
                }
                let reads = timing.reads(iterations);
                for ima in ones(own) {
                    let control = &mut self.controls[of];
                    let unit = control.unit(self.id, ima);
                    let pause = self.idle_since[ima]..now;
                    if !pause.is_empty() {
                        for (cause, cycles) in self.imas[ima].pause(index, lockstep_started_at, pause) {
                            control.stalls.add(cause, cycles.end - cycles.start);
                            if !cycles.is_empty() {
                                context.probe().observe(|| Event::Wait { unit, cause, cycles });
                            }
                        }
                    }
                    self.idle_since[ima] = now + reads;
                    context.probe().observe(|| Event::Operation { unit, window: index, at: now, iterations, timing });
                }
                self.controls[of].stalls.add(Cause::Computing, reads * u64::from(own.count_ones()));
                if skips || self.fidelity == Fidelity::Iteration {
                    self.hand_to_blocks(own, of, index, iterations, context);
                }
                if self.fidelity == Fidelity::Iteration {
                    continue;
                }
                read.add(now + reads, own, context);
                ready.add(now + timing.results(iterations), own, context);
            }
            let lockstep = &mut self.locksteps[number];
            if self.pipeline.start(own, lockstep.imas) {
                lockstep.starting += 1;
                lockstep.started_at = now;
                if !skips && self.fidelity == Fidelity::Operation {
                    lockstep.closed_form = (lockstep.closed_form.0 + 1, lockstep.closed_form.1 + u64::from(iterations));
                }
            }
        }
        read.send(context);
        ready.send(context);
    }

    /// True if row blocks without inputs are left out of an operation for `window`.
    #[inline]
    fn skips_row_blocks(&self, window: &Window) -> bool {
        self.skip_zero_row_blocks && !window.whole
    }

    /// Hands the operation for window `index` of layer control `of` to the blocks of each of `imas`. Used where the
    /// lockstep group cannot count for all of them.
    fn hand_to_blocks<C: Context>(&mut self, imas: u64, of: usize, index: u32, iterations: u32, context: &mut C) {
        let control = &self.controls[of];
        let window = control.window(index);
        let inputs = &self.edram.inputs[usize::from(control.inputs)];
        let read = self.skips_row_blocks(window).then(|| inputs.read_by(&control.layer.layer, window));
        for ima in ones(imas) {
            let unit = &mut self.imas[ima];
            let operation = match &read {
                Some(read) => unit.operation(iterations, |rows| read.among(rows) > 0),
                None => unit.whole_operation(iterations),
            };
            match self.fidelity {
                Fidelity::Operation => unit.operate(&operation),
                Fidelity::Iteration => {
                    let number = unit.keep(index, operation);
                    self.read_once(ima as u8, number, 0, context);
                }
            }
        }
    }

    /// Reports one iteration of a stage, which begins now, to the probe.
    #[inline]
    fn report_stage<C: Context>(&self, ima: u8, stage: Stage, context: &mut C) {
        let now = context.now();
        context.probe().observe(|| {
            let ima = usize::from(ima);
            let (control, timing) = (&self.controls[self.control_of(ima)], self.imas[ima].timing());
            let cycles = match stage {
                Stage::Read => 1,
                Stage::Convert => Cycle::from(timing.convert_cycles),
                Stage::Accumulate => Cycle::from(timing.merge_cycles),
            };
            Event::Stage { unit: control.unit(self.id, ima), stage, cycles: now..now + cycles }
        });
    }

    /// Iteration fidelity: performs one read and schedules its conversion and the next read.
    #[inline]
    pub(super) fn read_once<C: Context>(&mut self, ima: u8, operation: u8, iteration: u16, context: &mut C) {
        self.report_stage(ima, Stage::Read, context);
        let unit = &mut self.imas[usize::from(ima)];
        let last = u32::from(iteration) + 1 == unit.read_once(operation);
        context.send(1, self.id, TileMessage::Convert { ima, operation, last });
        let next = match last {
            true => TileMessage::ReadsDone { imas: ImaSet::from(1 << ima) },
            false => TileMessage::Read { ima, operation, iteration: iteration + 1 },
        };
        context.send(Cycle::from(unit.timing().cycles_per_read), self.id, next);
    }

    /// Iteration fidelity: converts the columns of one read and schedules their shift-and-add.
    #[inline]
    pub(super) fn convert_once<C: Context>(&mut self, ima: u8, operation: u8, last: bool, context: &mut C) {
        self.report_stage(ima, Stage::Convert, context);
        let unit = &mut self.imas[usize::from(ima)];
        unit.convert_once(operation);
        let delay = Cycle::from(unit.timing().convert_cycles);
        context.send(delay, self.id, TileMessage::Accumulate { ima, operation, last });
    }

    /// Iteration fidelity: merges the conversions of one read; after the last read, schedules the results.
    #[inline]
    pub(super) fn merge_once<C: Context>(&mut self, ima: u8, operation: u8, last: bool, context: &mut C) {
        self.report_stage(ima, Stage::Accumulate, context);
        let unit = &mut self.imas[usize::from(ima)];
        unit.merge_once(operation);
        if last {
            let delay = Cycle::from(unit.timing().merge_cycles);
            context.send(delay, self.id, TileMessage::ResultsReady { imas: ImaSet::from(1 << ima) });
        }
    }
}
