//! ResNet-18 as it runs by default. What is counted of a run repeats, where times do not.

use chip::{Options, Probe};
use components::Event;
use network::Plan;

use crate::support::{isaac, preset};

/// Number of events.
struct Events(u64);

impl Probe for Events {
    fn observe(&mut self, _: impl FnOnce() -> Event) {
        self.0 += 1;
    }
}

#[test]
fn an_image_takes_the_cycles_the_digest_and_the_work_that_it_took() {
    let (arch, network) = (isaac(&[]), preset("resnet18"));
    let plan = Plan::uniform(&network, 16, 16);
    let layout = mapper::balance(&arch, &network, &plan).expect("it fits");
    let (outcome, Events(events)) = chip::run_probed(&arch, &layout, &Options::default(), Events(0));
    let outcome = outcome.expect("it ends");
    assert_eq!((outcome.cycles, outcome.digest), (2453, 0x7046_2483_23f4_d68f));
    let counts = outcome.counts();
    assert_eq!((counts.windows, counts.router_flit_hops), (30_234, 6_744_802));
    // Everything that a trace can show, 831,844 events in 0.05 s: more of it takes longer.
    assert!(events <= 850_000, "{events} events");
}
