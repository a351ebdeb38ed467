//! How long each shared resource of a machine is needed for an image, and by which layer.

use std::ops::Range;

use arch::Arch;
use chip::{Probe, Unit};
use components::{Direction, MeshGeometry, Port};
use des::Cycle;

/// Adds up what passes the buses, eDRAM ports, router ports and links during a run.
///
/// A resource that is needed for more cycles per image than any other sets the pace, however the others wait for each
/// other: no image can follow the one before any faster.
pub struct Loads {
    layers: usize,
    routers: u32,
    columns: u32,
    tiles_of_router: usize,
    /// Ports of one router: from its tiles, to its tiles, to its neighbours.
    ports: usize,
    /// Bits over each tile's bus, by layer.
    bus: Vec<u64>,
    /// Bits through each tile's eDRAM port, by layer.
    edram: Vec<u64>,
    /// Flits through each port of each router, by layer.
    router: Vec<u64>,
    /// Bits over each link, by layer.
    link: Vec<u64>,
    /// Ports that the packet under way has taken.
    passed: Vec<usize>,
}

/// A resource, and what an image needs of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// Which resource it is.
    pub resource: String,
    /// Cycles for which an image needs it.
    pub cycles: f64,
    /// The layer that needs most of it.
    pub layer: usize,
    /// The part that this layer needs, 0 to 1.
    pub share: f64,
}

impl Loads {
    /// Loads of `arch` under a network of `layers` layers; nothing has passed yet.
    pub fn new(arch: &Arch, layers: usize) -> Loads {
        let tiles_of_router = (arch.router.tile_columns * arch.router.tile_rows) as usize;
        let (ports, routers) = (2 * tiles_of_router + 4, MeshGeometry::new(arch).routers());
        let chips = arch.board.chips as usize;
        Loads {
            layers,
            routers,
            columns: arch.chip.tile_columns / arch.router.tile_columns,
            tiles_of_router,
            ports,
            bus: vec![0; arch.tiles() as usize * layers],
            edram: vec![0; arch.tiles() as usize * layers],
            router: vec![0; chips * routers as usize * ports * layers],
            link: vec![0; chips * Direction::ALL.len() * layers],
            passed: Vec::new(),
        }
    }

    /// The resource that `images` images need longest.
    pub fn busiest(&self, arch: &Arch, images: u32) -> Option<Load> {
        let of = |loads: &[u64], units_per_cycle: f64, name: &dyn Fn(usize) -> String| {
            let each = loads.chunks(self.layers).enumerate();
            // Of equals the first.
            let (index, by_layer) = each.rev().max_by_key(|(_, by_layer)| by_layer.iter().sum::<u64>())?;
            let total: u64 = by_layer.iter().sum();
            let (layer, most) = by_layer.iter().enumerate().rev().max_by_key(|(_, units)| **units)?;
            (total > 0).then(|| Load {
                resource: name(index),
                cycles: total as f64 / units_per_cycle / f64::from(images),
                layer,
                share: *most as f64 / total as f64,
            })
        };
        let loads = [
            of(&self.bus, 8.0 * f64::from(arch.bus.bytes_per_cycle), &|tile| format!("bus of tile {tile}")),
            of(&self.edram, 8.0 * f64::from(arch.edram.bytes_per_cycle), &|tile| format!("eDRAM port of tile {tile}")),
            of(&self.router, arch.flits_per_cycle().per_cycle(), &|port| self.port_name(port)),
            of(&self.link, arch.link_bits_per_cycle().per_cycle(), &|link| {
                let (chip, side) = (link / Direction::ALL.len(), Direction::ALL[link % Direction::ALL.len()]);
                format!("link into chip {chip} from the {}", side.name())
            }),
        ];
        loads.into_iter().flatten().max_by(|a, b| a.cycles.total_cmp(&b.cycles))
    }

    fn port_name(&self, index: usize) -> String {
        let (router, port) = (index / self.ports, index % self.ports);
        let (chip, router) = (router as u32 / self.routers, router as u32 % self.routers);
        let (column, row) = (router % self.columns, router / self.columns);
        let port = match port.checked_sub(2 * self.tiles_of_router) {
            Some(direction) => format!("{} port", Direction::ALL[direction].name()),
            None if port < self.tiles_of_router => format!("port from tile {port}"),
            None => format!("port to tile {}", port - self.tiles_of_router),
        };
        format!("{port} of router {column},{row} on chip {chip}")
    }
}

impl Probe for Loads {
    fn fetch(&mut self, unit: Unit, _: u32, bits: u64, _: Range<Cycle>) {
        let place = unit.tile as usize * self.layers + usize::from(unit.layer);
        self.bus[place] += bits;
        self.edram[place] += bits;
    }

    fn result(&mut self, unit: Unit, _: u32, bits: u64, _: Range<Cycle>) {
        self.bus[unit.tile as usize * self.layers + usize::from(unit.layer)] += bits;
    }

    fn write(&mut self, tile: u32, layer: Option<u16>, _: u32, bits: u32, _: Range<Cycle>) {
        // The network's own results are the last layer's.
        let layer = layer.map_or(self.layers - 1, usize::from);
        self.edram[tile as usize * self.layers + layer] += u64::from(bits);
    }

    fn port(&mut self, chip: u32, (column, row): (u32, u32), port: Port, _: u32, _: Cycle) {
        let port = port.number(self.tiles_of_router);
        self.passed.push((chip * self.routers + row * self.columns + column) as usize * self.ports + port);
    }

    fn packet(&mut self, _: u32, _: (u32, u32), layer: u16, flits: u32, _: u32, _: Range<Cycle>) {
        for port in self.passed.drain(..) {
            self.router[port * self.layers + usize::from(layer)] += u64::from(flits);
        }
    }

    fn crossing(&mut self, to: u32, enters: Direction, layer: u16, bits: u32, _: Range<Cycle>) {
        let link = to as usize * Direction::ALL.len() + enters as usize;
        self.link[link * self.layers + usize::from(layer)] += u64::from(bits);
    }
}

#[cfg(test)]
mod tests {
    use chip::{Options, Outcome};
    use network::{FULL_PRECISION_BITS, Plan};

    use super::*;

    /// A run of the tiny network on the tiny machine with other values of some keys.
    fn run(overrides: &[(&str, toml::Value)], images: u32) -> (Arch, Outcome, Loads) {
        let (text, file) = arch::text("tiny").expect("a preset");
        let arch = arch::with_overrides(&text, &file, overrides).expect("a good machine");
        let network = network::load("tiny").expect("a preset");
        let plan = Plan::uniform(&network, FULL_PRECISION_BITS, FULL_PRECISION_BITS);
        let layout = mapper::balance(&arch, &network, &plan).expect("it fits");
        let options = Options { images, ..Options::default() };
        let (outcome, loads) = chip::run_probed(&arch, &layout, &options, Loads::new(&arch, layout.layers.len()));
        (arch, outcome.expect("it runs"), loads)
    }

    #[test]
    fn everything_that_is_counted_is_a_load_of_something() {
        let (_, outcome, loads) = run(&[("board.chips", 2.into()), ("chip.tile_rows", 2.into())], 3);
        let counts = outcome.counts();
        let sum = |loads: &[u64]| loads.iter().sum::<u64>();
        assert_eq!(sum(&loads.bus), counts.bus_bits);
        let written = counts.edram_bits_written - counts.host_bits_written;
        assert_eq!(sum(&loads.edram), counts.edram_bits_read + written);
        assert_eq!(sum(&loads.link), counts.link_bits);
        // Flits are counted once for each router: where they leave it.
        let ports = loads.router.chunks(loads.layers).enumerate();
        let out = ports.filter(|(port, _)| port % loads.ports >= loads.tiles_of_router);
        assert_eq!(out.map(|(_, by_layer)| sum(by_layer)).sum::<u64>(), counts.router_flit_hops);
        for (layer, outcome) in outcome.layers.iter().enumerate() {
            let bus: u64 = loads.bus.iter().skip(layer).step_by(loads.layers).sum();
            assert_eq!(bus, outcome.counts.bus_bits, "layer {layer}");
        }
    }

    #[test]
    fn what_is_narrow_is_named_and_sets_the_pace() {
        for (overrides, name) in [
            (vec![("bus.bytes_per_cycle", 4.into())], "bus of tile"),
            (vec![("edram.bytes_per_cycle", 4.into())], "eDRAM port of tile"),
            (vec![("router.clock_ghz", 0.01.into()), ("router.flit_bits", 8.into())], "of router"),
        ] {
            let (arch, outcome, loads) = run(&overrides, 30);
            let busiest = loads.busiest(&arch, 30).expect("something passed");
            assert!(busiest.resource.contains(name), "{} for {name}", busiest.resource);
            let pace = outcome.steady_interval_cycles().expect("several images");
            assert!((pace / busiest.cycles - 1.0).abs() < 0.05, "{name}: {pace} cycles for {}", busiest.cycles);
        }
    }
}
