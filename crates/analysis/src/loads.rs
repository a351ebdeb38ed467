//! Loads of shared resources over time.
//!
//! Every carrier has a fixed number, so a load is an entry of a vector. Numbers ascend in the order of [`Carrier`],
//! which is also the order in which the loads of a stretch are emitted. Transfers may be booked for a later stretch
//! than the present one; those wait in a queue, one entry for each stretch.

use std::collections::VecDeque;

use components::{ChipId, Direction};
use des::Cycle;
use index::{Index, IndexVec};
use mapper::TileId;
use network::LayerId;

use crate::Scene;

/// Length of a stretch: the cycles over which loads are summed.
pub const LOAD_CYCLES: Cycle = 64;

/// Carrier of a load. Chips and tiles are numbered over the board, routers on their chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// Layer; counts operations of its IMAs.
    Layer(LayerId),
    /// Mesh of a chip; counts flits, once for each router that they pass.
    Mesh(ChipId),
    /// Link that enters a chip on a side; counts bits.
    Link(ChipId, Direction),
    /// Mesh link, by chip, router and direction; counts flits.
    Channel(ChipId, u32, Direction),
    /// Bus of a tile; counts bits.
    Bus(TileId),
    /// eDRAM buffer of a tile; counts bits written.
    Writes(TileId),
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
    /// First numbers of layers, meshes, links, channels, buses and writes.
    starts: [u32; 6],
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
        Loads::of(scene.layers().len(), scene.chips().len(), scene.routers(), scene.tiles().len())
    }

    fn of(layers: usize, chips: usize, routers: (u32, u32), tiles: usize) -> Loads {
        let per_chip = routers.0 * routers.1;
        let (chips, tiles) = (|| (0..chips).map(ChipId::new), || (0..tiles).map(TileId::new));
        let sides = |chip| Direction::ALL.map(|side| Carrier::Link(chip, side));
        let channels =
            |chip| (0..per_chip).flat_map(move |router| Direction::ALL.map(|way| Carrier::Channel(chip, router, way)));
        let kinds: [Vec<Carrier>; 6] = [
            (0..layers).map(LayerId::new).map(Carrier::Layer).collect(),
            chips().map(Carrier::Mesh).collect(),
            chips().flat_map(sides).collect(),
            chips().flat_map(channels).collect(),
            tiles().map(Carrier::Bus).collect(),
            tiles().map(Carrier::Writes).collect(),
        ];
        let mut carriers: IndexVec<CarrierId, Carrier> = IndexVec::default();
        let starts = kinds.map(|kind| {
            let first = CarrierId::new(carriers.len());
            for carrier in kind {
                carriers.push(carrier);
            }
            first.0
        });
        Loads {
            starts,
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
        let [layers, meshes, links, channels, buses, writes] = self.starts;
        CarrierId(match carrier {
            Carrier::Layer(layer) => layers + u32::from(layer.0),
            Carrier::Mesh(chip) => meshes + chip.0,
            Carrier::Link(chip, side) => links + 4 * chip.0 + side.number(),
            Carrier::Channel(chip, router, direction) => {
                channels + 4 * (chip.0 * self.routers.0 * self.routers.1 + router) + direction.number()
            }
            Carrier::Bus(tile) => buses + tile.0,
            Carrier::Writes(tile) => writes + tile.0,
        })
    }

    /// Returns the mesh link from the router at (column, row) of a chip.
    #[inline]
    pub fn channel(&self, chip: ChipId, (column, row): (u32, u32), direction: Direction) -> Carrier {
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
                for (number, amount) in later {
                    self.add_now(number, amount);
                }
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
        assert_eq!(loads.carriers.last(), Some(&Carrier::Writes(TileId(4))));
    }

    #[test]
    fn a_stretch_tells_what_was_added_in_it_and_the_next_what_was_added_before_its_time() {
        let mut loads = loads();
        loads.add(Carrier::Layer(LayerId(0)), 2, 1);
        loads.add(Carrier::Layer(LayerId(1)), 7, 130);
        loads.add(Carrier::Layer(LayerId(0)), 3, 63);
        assert!(loads.is_over(64) && !loads.is_over(63));
        assert_eq!(loads.take(200), [(0, Carrier::Layer(LayerId(0)), 5)]);
        assert_eq!(loads.take(200), []);
        assert_eq!(loads.take(200), [(128, Carrier::Layer(LayerId(1)), 7)]);
        assert!(!loads.is_loaded());
        assert!(loads.is_over(256) && !loads.is_over(255));
    }
}
