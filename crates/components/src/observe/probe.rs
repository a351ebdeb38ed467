use crate::Event;

/// Observes a run: traces, timelines and analyses are probes. A probe cannot influence the simulation.
///
/// The probe is a type parameter of the schedule, and events come as closures, so that a run without one ([`NoProbe`])
/// works out no event.
///
/// A span is reported as soon as its end is known, often at its start, so events are not in the order of their cycles.
/// Operations and waits of one IMA are, and they cover every cycle.
pub trait Probe {
    /// False for a probe that ignores every event, so that nothing needs to be worked out for it.
    const OBSERVES: bool = true;

    /// Receives an event.
    fn observe(&mut self, event: impl FnOnce() -> Event);
}

/// Observes nothing, at no cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProbe;

impl Probe for NoProbe {
    const OBSERVES: bool = false;

    #[inline(always)]
    fn observe(&mut self, _: impl FnOnce() -> Event) {}
}

/// Those of two probes that are present observe the same run.
impl<A: Probe, B: Probe> Probe for (Option<A>, Option<B>) {
    const OBSERVES: bool = A::OBSERVES || B::OBSERVES;

    #[inline]
    fn observe(&mut self, event: impl FnOnce() -> Event) {
        match self {
            (None, None) => {}
            (Some(only), None) => only.observe(event),
            (None, Some(only)) => only.observe(event),
            (Some(first), Some(second)) => {
                let event = event();
                first.observe(|| event.clone());
                second.observe(|| event);
            }
        }
    }
}
