//! Loads of shared resources over time.
//!
//! Every carrier has a fixed number, so a load is an entry of a vector. Numbers ascend in the order of [`Carrier`],
//! which is also the order in which the loads of a stretch are emitted. Transfers may be booked for a later stretch
//! than the present one; those wait in a queue, one entry for each stretch.

use std::collections::VecDeque;

use des::Cycle;

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
    Link(u32, u8),
    /// Mesh link, by chip, router and direction; counts flits.
    Channel(u32, u32, u8),
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

/// Loads of the present stretch and of later ones.
pub struct Loads {
    layers: u32,
    chips: u32,
    routers: u32,
    tiles: u32,
    /// First cycle after the stretch.
    end: Cycle,
    values: Vec<u64>,
    /// Numbers of the carriers with a load in the present stretch.
    loaded: Vec<u32>,
    /// Loads of later stretches, as (carrier number, amount).
    later: VecDeque<Vec<(u32, u64)>>,
}

impl Loads {
    /// Creates loads of 0.
    pub fn new(scene: &Scene<'_>) -> Loads {
        let (layers, chips, routers) = (scene.layers().count() as u32, scene.chips(), scene.routers());
        let tiles = scene.tiles();
        let mut loads = Loads {
            layers,
            chips,
            routers,
            tiles,
            end: LOAD_CYCLES,
            values: Vec::new(),
            loaded: Vec::new(),
            later: VecDeque::new(),
        };
        loads.values = vec![0; loads.number(Carrier::Writes(tiles)) as usize];
        loads
    }

    /// Returns the first numbers of meshes, links, channels, buses and writes. Layers start at 0.
    #[inline]
    fn starts(&self) -> [u32; 5] {
        let &Loads { layers, chips, routers, tiles, .. } = self;
        let buses = layers + 5 * chips + 4 * chips * routers;
        [layers, layers + chips, layers + 5 * chips, buses, buses + tiles]
    }

    #[inline]
    fn number(&self, carrier: Carrier) -> u32 {
        let [meshes, links, channels, buses, writes] = self.starts();
        match carrier {
            Carrier::Layer(layer) => u32::from(layer),
            Carrier::Mesh(chip) => meshes + chip,
            Carrier::Link(chip, side) => links + 4 * chip + u32::from(side),
            Carrier::Channel(chip, router, direction) => {
                channels + 4 * (chip * self.routers + router) + u32::from(direction)
            }
            Carrier::Bus(tile) => buses + tile,
            Carrier::Writes(tile) => writes + tile,
        }
    }

    fn carrier(&self, number: u32) -> Carrier {
        let [meshes, links, channels, buses, writes] = self.starts();
        match number {
            _ if number < meshes => Carrier::Layer(number as u16),
            _ if number < links => Carrier::Mesh(number - meshes),
            _ if number < channels => Carrier::Link((number - links) / 4, ((number - links) % 4) as u8),
            _ if number < buses => {
                let (router, direction) = ((number - channels) / 4, (number - channels) % 4);
                Carrier::Channel(router / self.routers, router % self.routers, direction as u8)
            }
            _ if number < writes => Carrier::Bus(number - buses),
            _ => Carrier::Writes(number - writes),
        }
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
            let stretch = ((at - self.end) / LOAD_CYCLES) as usize;
            while self.later.len() <= stretch {
                self.later.push_back(Vec::new());
            }
            self.later[stretch].push((number, amount));
        }
    }

    #[inline]
    fn add_now(&mut self, number: u32, amount: u64) {
        let value = &mut self.values[number as usize];
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
            let amount = std::mem::take(&mut self.values[number as usize]);
            (from, self.carrier(number), amount)
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
        let (layers, chips, routers, tiles) = (3, 2, 4, 5);
        let later = VecDeque::new();
        Loads { layers, chips, routers, tiles, end: LOAD_CYCLES, values: vec![0; 55], loaded: Vec::new(), later }
    }

    #[test]
    fn every_carrier_has_a_number_of_its_own_in_their_order() {
        let loads = loads();
        let carriers: Vec<Carrier> = (0..3 + 2 * (1 + 4 + 16) + 2 * 5).map(|number| loads.carrier(number)).collect();
        assert!(carriers.is_sorted_by(|a, b| a < b));
        assert!((0..).zip(&carriers).all(|(number, &carrier)| loads.number(carrier) == number));
        assert_eq!(carriers.last(), Some(&Carrier::Writes(4)));
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
