//! Loads of shared resources over time.
//!
//! Every carrier has a fixed number, so a load is an entry of a vector. Numbers ascend in the order of [`Carrier`],
//! which is also the order in which the loads of a stretch are emitted. Transfers may be booked for a later stretch
//! than the present one; those wait in a queue, one entry for each stretch.

use std::collections::VecDeque;

use components::Direction;
use des::Cycle;
use index::IndexVec;

use crate::Scene;

/// Length of a stretch: the cycles over which loads are summed.
pub const LOAD_CYCLES: Cycle = 64;

/// Carrier of a load. Chips and tiles are numbered over the board, routers on their chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// Layer; counts operations of its IMAs.
    Layer(u16),
    /// Mesh of a chip; counts flits, once for each router that they pass.
    Mesh(u32),
    /// Link that enters a chip on a side; counts bits.
    Link(u32, Direction),
    /// Mesh link, by chip, router and direction; counts flits.
    Channel(u32, u32, Direction),
    /// Bus of a tile; counts bits.
    Bus(u32),
    /// eDRAM buffer of a tile; counts bits written.
    Writes(u32),
}

impl Carrier {
    /// Returns the unit of the load.
    pub fn unit(self) -> &'static str {
        match self {
            Carrier::Layer(_) => "operations",
            Carrier::Mesh(_) | Carrier::Channel(..) => "flits",
            Carrier::Link(..) | Carrier::Bus(_) | Carrier::Writes(_) => "bits",
        }
    }
}

index::index! {
    /// Number of a carrier in the order of [`Carrier`].
    struct CarrierId(u32);
}

/// Loads of the present stretch and of later ones.
pub struct Loads {
    /// First numbers of meshes, links, channels, buses and writes. Layers start at 0.
    starts: [u32; 5],
    /// Columns and rows of routers of a chip.
    routers: (u32, u32),
    carriers: IndexVec<CarrierId, Carrier>,
    /// First cycle after the stretch.
    end: Cycle,
    values: IndexVec<CarrierId, u64>,
    /// Carriers with a load in the present stretch.
    loaded: Vec<CarrierId>,
    /// Loads of later stretches.
    later: VecDeque<Vec<(CarrierId, u64)>>,
}

impl Loads {
    /// Creates loads of 0.
    pub fn new(scene: &Scene<'_>) -> Loads {
        Loads::of(scene.layers().end, scene.chips().end, scene.routers(), scene.tiles().end)
    }

    fn of(layers: u16, chips: u32, routers: (u32, u32), tiles: u32) -> Loads {
        let per_chip = routers.0 * routers.1;
        let sides = |chip: u32| Direction::ALL.map(|side| Carrier::Link(chip, side));
        let channels = |chip: u32| {
            (0..per_chip).flat_map(move |router| Direction::ALL.map(|way| Carrier::Channel(chip, router, way)))
        };
        let carriers: IndexVec<CarrierId, Carrier> = ((0..layers).map(Carrier::Layer))
            .chain((0..chips).map(Carrier::Mesh))
            .chain((0..chips).flat_map(sides))
            .chain((0..chips).flat_map(channels))
            .chain((0..tiles).map(Carrier::Bus))
            .chain((0..tiles).map(Carrier::Writes))
            .collect();
        let meshes = u32::from(layers);
        let buses = meshes + chips * (1 + 4 + 4 * per_chip);
        Loads {
            starts: [meshes, meshes + chips, meshes + 5 * chips, buses, buses + tiles],
            routers,
            end: LOAD_CYCLES,
            values: IndexVec::filled(0, carriers.len()),
            carriers,
            loaded: Vec::new(),
            later: VecDeque::new(),
        }
    }

    #[inline]
    fn number(&self, carrier: Carrier) -> CarrierId {
        let [meshes, links, channels, buses, writes] = self.starts;
        CarrierId(match carrier {
            Carrier::Layer(layer) => u32::from(layer),
            Carrier::Mesh(chip) => meshes + chip,
            Carrier::Link(chip, side) => links + 4 * chip + side as u32,
            Carrier::Channel(chip, router, direction) => {
                channels + 4 * (chip * self.routers.0 * self.routers.1 + router) + direction as u32
            }
            Carrier::Bus(tile) => buses + tile,
            Carrier::Writes(tile) => writes + tile,
        })
    }

    /// Returns the mesh link from the router at (column, row) of a chip.
    #[inline]
    pub fn channel(&self, chip: u32, (column, row): (u32, u32), direction: Direction) -> Carrier {
        Carrier::Channel(chip, row * self.routers.0 + column, direction)
    }

    /// True if the present stretch ends before cycle `now`, so that its loads must be emitted.
    #[inline]
    pub fn is_over(&self, now: Cycle) -> bool {
        now >= self.end
    }

    /// Adds to a load in cycle `at`, which lies in the present stretch or a later one.
    #[inline]
    pub fn add(&mut self, carrier: Carrier, amount: u64, at: Cycle) {
        let number = self.number(carrier);
        if at < self.end {
            self.add_now(number, amount);
        } else {
            let stretch = (at - self.end) / LOAD_CYCLES;
            let stretch = usize::try_from(stretch).expect("transfers are booked a bounded time ahead");
            while self.later.len() <= stretch {
                self.later.push_back(Vec::new());
            }
            self.later[stretch].push((number, amount));
        }
    }

    #[inline]
    fn add_now(&mut self, number: CarrierId, amount: u64) {
        let value = &mut self.values[number];
        if *value == 0 && amount > 0 {
            self.loaded.push(number);
        }
        *value += amount;
    }

    /// Returns the loads of the present stretch with its first cycle, in the order of the carriers. Advances to the
    /// next stretch if later ones have loads, otherwise to the stretch of cycle `now`.
    pub fn take(&mut self, now: Cycle) -> Vec<(Cycle, Carrier, u64)> {
        let from = self.end - LOAD_CYCLES;
        let mut loaded = std::mem::take(&mut self.loaded);
        loaded.sort_unstable();
        let emitted = loaded.iter().map(|&number| {
            let amount = std::mem::take(&mut self.values[number]);
            (from, self.carriers[number], amount)
        });
        let emitted = emitted.collect();
        loaded.clear();
        self.loaded = loaded;
        match self.later.pop_front() {
            Some(later) => {
                self.end += LOAD_CYCLES;
                later.into_iter().for_each(|(number, amount)| self.add_now(number, amount));
            }
            None => self.end = (now / LOAD_CYCLES + 1) * LOAD_CYCLES,
        }
        emitted
    }

    /// True if loads remain to be emitted.
    pub fn is_loaded(&self) -> bool {
        !self.loaded.is_empty() || !self.later.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loads() -> Loads {
        Loads::of(3, 2, (2, 2), 5)
    }

    #[test]
    fn every_carrier_has_a_number_of_its_own_in_their_order() {
        let loads = loads();
        assert!(loads.carriers.as_slice().is_sorted_by(|a, b| a < b));
        assert!(loads.carriers.enumerate().all(|(number, &carrier)| loads.number(carrier) == number));
        assert_eq!(loads.carriers.last(), Some(&Carrier::Writes(4)));
    }

    #[test]
    fn a_stretch_tells_what_was_added_in_it_and_the_next_what_was_added_before_its_time() {
        let mut loads = loads();
        loads.add(Carrier::Layer(0), 2, 1);
        loads.add(Carrier::Layer(1), 7, 130);
        loads.add(Carrier::Layer(0), 3, 63);
        assert!(loads.is_over(64) && !loads.is_over(63));
        assert_eq!(loads.take(200), [(0, Carrier::Layer(0), 5)]);
        assert_eq!(loads.take(200), []);
        assert_eq!(loads.take(200), [(128, Carrier::Layer(1), 7)]);
        assert!(!loads.is_loaded());
        assert!(loads.is_over(256) && !loads.is_over(255));
    }
}
