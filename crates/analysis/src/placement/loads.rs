//! Loads of the ports between routers under an arrangement, kept up while tiles are exchanged.

use arch::Arch;
use components::{ChipId, Direction, MeshGeometry};
use index::{Index, IndexVec, size};
use mapper::TileId;

use super::arrangement::Arrangement;
use super::flows::{Flow, FlowId, Flows, PlanId};

/// Loads of all ports to neighbours, and of the links that they lead into, under each plan.
pub(super) struct Loads<'a> {
    flows: &'a Flows,
    geometry: MeshGeometry,
    /// Time above which a port is overloaded, in thousandths of a cycle per image.
    limits: &'a IndexVec<PlanId, u64>,
    /// Ports of the board.
    ports: usize,
    /// Load of each port, plan by plan, in thousandths of a cycle per image.
    loads: Vec<u64>,
    /// Sum over all ports of the squares of what is above the limit.
    overload: u128,
    /// Loads that the last exchange changed, each with its value before.
    journal: Vec<(usize, u64)>,
    /// Overload before the last exchange.
    overload_before: u128,
    /// Last flow that visited each port, so that flows to several tiles take a port once.
    visits: Vec<u64>,
    visit: u64,
    /// Last round in which each flow was visited.
    rounds: IndexVec<FlowId, u64>,
    round: u64,
}

/// Change of the loads of a flow's ports.
#[derive(Clone, Copy)]
enum Change {
    Add,
    Take,
}

impl<'a> Loads<'a> {
    /// No loads.
    pub(super) fn new(arch: &Arch, flows: &'a Flows, limits: &'a IndexVec<PlanId, u64>) -> Self {
        let geometry = MeshGeometry::new(arch);
        let ports = size(arch.board.chips * geometry.routers()) * Direction::ALL.len();
        Self {
            flows,
            geometry,
            limits,
            ports,
            loads: vec![0; ports * limits.len()],
            overload: 0,
            journal: Vec::new(),
            overload_before: 0,
            visits: vec![0; ports],
            visit: 0,
            rounds: IndexVec::filled(0, flows.iter().count()),
            round: 0,
        }
    }

    /// Returns the sum over all ports of the squares of what is above the limit; 0 if no port is overloaded.
    pub(super) fn overload(&self) -> u128 {
        self.overload
    }

    /// Returns the load of the busiest port under `plan`.
    pub(super) fn busiest(&self, plan: PlanId) -> u64 {
        let start = self.start(plan);
        self.loads[start..start + self.ports].iter().copied().max().unwrap_or(0)
    }

    /// Works out all loads anew.
    pub(super) fn arrange(&mut self, arrangement: &Arrangement) {
        self.loads.fill(0);
        self.overload = 0;
        let flows = self.flows;
        for (_, flow) in flows.iter() {
            self.journal.clear();
            self.change(flow, arrangement, Change::Add);
        }
    }

    /// Exchanges the tiles of two runs of places. Only flows of these tiles are worked out again.
    pub(super) fn exchange(&mut self, arrangement: &mut Arrangement, a: u32, b: u32, length: u32) {
        let tiles: Vec<TileId> = (a..a + length).chain(b..b + length).map(|place| arrangement.at(place)).collect();
        self.journal.clear();
        self.overload_before = self.overload;
        self.change_tiles(&tiles, arrangement, Change::Take);
        arrangement.exchange(a, b, length);
        self.change_tiles(&tiles, arrangement, Change::Add);
    }

    /// Takes the last exchange back, which was that of these runs.
    pub(super) fn take_back(&mut self, arrangement: &mut Arrangement, a: u32, b: u32, length: u32) {
        arrangement.exchange(a, b, length);
        while let Some((port, load)) = self.journal.pop() {
            self.loads[port] = load;
        }
        self.overload = self.overload_before;
    }

    /// Returns the flows that take an overloaded port.
    pub(super) fn overloading(&mut self, arrangement: &Arrangement) -> Vec<FlowId> {
        let mut overloading = Vec::new();
        for (id, flow) in self.flows.iter() {
            let mut is_overloading = false;
            self.visit_ports(flow, arrangement, |loads, port, _| {
                is_overloading |= loads.loads[loads.start(flow.plan) + port] > loads.limits[flow.plan];
            });
            if is_overloading {
                overloading.push(id);
            }
        }
        overloading
    }

    /// Changes each flow of `tiles` once.
    fn change_tiles(&mut self, tiles: &[TileId], arrangement: &Arrangement, change: Change) {
        self.round += 1;
        let flows = self.flows;
        for &id in tiles.iter().flat_map(|&tile| flows.of_tile(tile)) {
            if self.rounds[id] != self.round {
                self.rounds[id] = self.round;
                self.change(flows.flow(id), arrangement, change);
            }
        }
    }

    fn change(&mut self, flow: &Flow, arrangement: &Arrangement, change: Change) {
        let (start, limit) = (self.start(flow.plan), self.limits[flow.plan]);
        let square = |load: u64| u128::from(load.saturating_sub(limit)).pow(2);
        self.visit_ports(flow, arrangement, |loads, port, time| {
            let load = &mut loads.loads[start + port];
            let before = *load;
            loads.journal.push((start + port, before));
            match change {
                Change::Add => *load += time,
                Change::Take => *load -= time,
            }
            if before.max(*load) > limit {
                loads.overload = loads.overload - square(before) + square(*load);
            }
        });
    }

    /// Calls `visit` once with each port that a flow takes, and its time there.
    fn visit_ports(&mut self, flow: &Flow, arrangement: &Arrangement, mut visit: impl FnMut(&mut Self, usize, u64)) {
        self.visit += 1;
        let from = arrangement.place(flow.from);
        for &to in &flow.to {
            let geometry = self.geometry.clone();
            geometry.route(from, arrangement.place(to), |chip: ChipId, router, direction, leads_to_link| {
                let router = size(chip.0 * geometry.routers() + router);
                let port = router * Direction::ALL.len() + size(direction.number());
                if std::mem::replace(&mut self.visits[port], self.visit) != self.visit {
                    visit(self, port, if leads_to_link { flow.link } else { flow.port });
                }
            });
        }
    }

    fn start(&self, plan: PlanId) -> usize {
        plan.index() * self.ports
    }
}

#[cfg(test)]
mod tests {
    use components::Port;
    use mapper::Layout;
    use network::{Network, Plan};

    use super::super::arrangement::Tiles;
    use super::super::random::Random;
    use super::*;
    use crate::Demand;

    /// The tiny network on two chips, with links and routers of unequal rates.
    fn subject(multicast: bool) -> (Arch, Network, Layout) {
        let (mut arch, network) = (arch::load("tiny").unwrap(), network::load("tiny").unwrap());
        (arch.board.chips, arch.board.columns, arch.chip.tile_rows) = (3, 3, 2);
        (arch.router.multicast, arch.router.clock_ghz) = (multicast, 0.25);
        let layout = mapper::balance(&arch, &network, &Plan::uniform(&network, 16, 16)).unwrap();
        (arch, network, layout)
    }

    /// Loads of the ports to neighbours by the counts of flits and bits, in thousandths of a cycle.
    fn counted(arch: &Arch, layout: &Layout) -> Vec<u64> {
        let demand = Demand::new(&chip::Routed::new(arch, layout));
        let is_to_neighbour = |port| matches!(demand.port(port).2, Port::Neighbour(_));
        let ports = demand.router_ports.enumerate().filter(|&(port, _)| is_to_neighbour(port));
        // 25 flits a cycle.
        ports.map(|(_, flits)| flits.total() * 1000 / 25).collect()
    }

    fn loads_of<'a>(arch: &Arch, flows: &'a Flows, limits: &'a IndexVec<PlanId, u64>, at: &Arrangement) -> Loads<'a> {
        let mut loads = Loads::new(arch, flows, limits);
        loads.arrange(at);
        loads
    }

    #[test]
    fn loads_are_those_that_the_demand_counts_wherever_the_tiles_lie() {
        let (arch, network, layout) = subject(false);
        let (flows, limits) = (Flows::new(&arch, &[&layout]), vec![500].into());
        let tiles = Tiles::new(&arch, &layout, 3);
        let mut arrangement = Arrangement::unchanged(&tiles);
        let mut loads = loads_of(&arch, &flows, &limits, &arrangement);
        assert!(loads.overload() > 0, "the limit is too high to test with");
        assert_eq!(loads.loads, counted(&arch, &layout));
        let mut random = Random(1);
        let mut exchanges = 0;
        while exchanges < 50 {
            let (a, b) = (random.below(tiles.len()), random.below(tiles.len()));
            if a == b || ![a, b].iter().all(|&at| arrangement.is_movable(&(at..at + 1))) {
                continue;
            }
            let before = (loads.loads.clone(), loads.overload());
            loads.exchange(&mut arrangement, a, b, 1);
            let after = (loads.loads.clone(), loads.overload());
            loads.take_back(&mut arrangement, a, b, 1);
            assert_eq!((loads.loads.clone(), loads.overload()), before);
            loads.exchange(&mut arrangement, a, b, 1);
            assert_eq!((loads.loads.clone(), loads.overload()), after);
            exchanges += 1;
        }
        let moved = arrangement.apply(&arch, &layout.mapping);
        assert_ne!(moved, layout.mapping);
        let moved = Layout::new(&arch, &network, &Plan::uniform(&network, 16, 16), moved).unwrap();
        assert_eq!(loads.loads, counted(&arch, &moved));
        assert_eq!(loads_of(&arch, &flows, &limits, &arrangement).overload(), loads.overload());
    }

    #[test]
    fn a_value_for_several_tiles_loads_a_port_once() {
        let (arch, _, layout) = subject(true);
        let (flows, limits) = (Flows::new(&arch, &[&layout]), vec![500].into());
        let tiles = Tiles::new(&arch, &layout, 3);
        let loads = loads_of(&arch, &flows, &limits, &Arrangement::unchanged(&tiles));
        assert!(flows.iter().any(|(_, flow)| flow.to.len() > 1), "no value has several receivers");
        // Flits of packets are rounded up; flows share them out by values.
        for (load, counted) in loads.loads.iter().zip(counted(&arch, &layout)) {
            assert!(load.abs_diff(counted) * 20 <= counted, "{load} for {counted}");
        }
    }
}
