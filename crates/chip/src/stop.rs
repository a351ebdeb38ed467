//! Early end of runs, requested by another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Request to end runs. All clones are one request, which is never withdrawn.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Requests the end: runs end with the cycle in progress.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// True if the end was requested.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use components::{Event, Probe};
    use network::Plan;

    use super::*;
    use crate::{Options, SimulationError, run_probed};

    /// Requests the end with the first event, and counts further ones.
    struct Stopper(Stop, u32);

    impl Probe for Stopper {
        fn observe(&mut self, _: impl FnOnce() -> Event) {
            self.0.request();
            self.1 += 1;
        }
    }

    #[test]
    fn a_run_ends_with_the_cycle_in_which_the_end_is_requested() {
        let (arch, network) = (arch::load("tiny").expect("a preset"), network::load("tiny").expect("a preset"));
        let layout = mapper::balance(&arch, &network, &Plan::uniform(&network, 16, 16)).expect("it fits");
        let stop = Stop::default();
        let options = Options { images: 1000, stop: stop.clone(), ..Options::default() };
        let (outcome, Stopper(_, events)) = run_probed(&arch, &layout, &options, Stopper(stop, 0));
        assert!(matches!(outcome, Err(SimulationError::Stopped)));
        // The whole run has some 600 an image.
        assert!((1..100).contains(&events), "{events} events");
    }
}
