//! What shared resources carry, added up over stretches of cycles.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use des::Cycle;
use mapper::InputOrder;

use crate::Scene;

/// Cycles over which loads are added up.
pub const LOAD_CYCLES: Cycle = 64;

/// What carries a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// A layer: operations of its IMAs.
    Layer(u16),
    /// All routers of a chip: flits that passed one.
    Mesh(u32),
    /// The link that enters a chip on a side: bits.
    Link(u32, u8),
    /// A mesh link, by chip, router and direction: flits.
    Channel(u32, u32, u8),
    /// The bus of a tile: bits.
    Bus(u32),
    /// The eDRAM buffer of a tile: bits that were written.
    Writes(u32),
}

impl Carrier {
    /// What is counted.
    pub fn unit(self) -> &'static str {
        match self {
            Carrier::Layer(_) => "operations",
            Carrier::Mesh(_) | Carrier::Channel(..) => "flits",
            Carrier::Link(..) | Carrier::Bus(_) | Carrier::Writes(_) => "bits",
        }
    }
}

/// Loads of the present stretch.
pub(crate) struct Loads {
    layers: u32,
    chips: u32,
    routers: u32,
    tiles: u32,
    /// First cycle after the stretch.
    end: Cycle,
    values: Vec<u64>,
    /// Carriers with a load, by number.
    loaded: Vec<u32>,
    /// Loads of the stretches after it.
    later: VecDeque<Vec<(u32, u64)>>,
}

impl Loads {
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

    /// Where the numbers of meshes, links, channels, buses and writes begin. Carriers have their order.
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

    /// Whether cycle `now` lies behind the stretch, so that its loads have to be told.
    #[inline]
    pub fn is_over(&self, now: Cycle) -> bool {
        now >= self.end
    }

    /// Adds to a load in cycle `at`, which lies in the stretch or after it.
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

    /// The loads of the stretch, with its first cycle, in the order of the carriers. The next that has a load begins,
    /// or that of cycle `now`.
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

    /// Whether loads have not been told.
    pub fn is_loaded(&self) -> bool {
        !self.loaded.is_empty() || !self.later.is_empty()
    }
}

/// What a buffer holds of the inputs of one layer.
#[derive(Clone, Debug)]
struct Held {
    tile: u32,
    layer: u16,
    position_bits: u64,
    /// Positions that have arrived, and that have left, counted over all images.
    arrived: u64,
    left: u64,
    /// For each step, the positions of an image that have left before.
    left_before: Rc<[u32]>,
    /// When it last changed, if that has not been told.
    changed_at: Option<Cycle>,
}

/// How full the buffers are. What the host writes is not told, so those of the first layer's inputs are left out.
#[derive(Clone, Debug)]
pub(crate) struct Fills {
    /// Tile by tile.
    held: Vec<Held>,
    /// For each tile, where its own begin.
    first: Vec<u32>,
    /// Those whose change has not been told.
    changed: Vec<u32>,
}

impl Fills {
    pub fn new(scene: &Scene<'_>) -> Fills {
        let mut fills = Fills { held: Vec::new(), first: Vec::new(), changed: Vec::new() };
        // Tiles with parts of the same replicas have the same order of inputs.
        let mut orders: HashMap<*const InputOrder, Rc<[u32]>> = HashMap::new();
        for tile in 0..scene.tiles() {
            fills.first.push(fills.held.len() as u32);
            for &layer in scene.buffered(tile) {
                let slice = scene.slice(tile, layer);
                let left_before =
                    orders.entry(&raw const *slice.order).or_insert_with(|| slice.order.dropped_before().into());
                fills.held.push(Held {
                    tile,
                    layer,
                    position_bits: slice.position_bits,
                    arrived: 0,
                    left: 0,
                    left_before: left_before.clone(),
                    changed_at: None,
                });
            }
        }
        fills
    }

    #[inline]
    fn held(&mut self, tile: u32, layer: u16) -> (u32, &mut Held) {
        let mut number = self.first[tile as usize];
        while self.held[number as usize].layer != layer {
            number += 1;
        }
        (number, &mut self.held[number as usize])
    }

    /// A position of the inputs of `layer` has arrived. Returns the number of the inputs.
    #[inline]
    pub fn arrive(&mut self, tile: u32, layer: u16) -> u32 {
        let (number, held) = self.held(tile, layer);
        held.arrived += 1;
        number
    }

    /// Windows before `step` of `image` have been read. Returns the number of the inputs, and the bits of those that
    /// leave.
    #[inline]
    pub fn progress(&mut self, tile: u32, layer: u16, image: u32, step: u32) -> (u32, u64) {
        let (number, held) = self.held(tile, layer);
        let of_image = |step: usize| u64::from(held.left_before[step]);
        // A replica with fewer windows than the longest may be told of none: it needs no more of the image.
        let last = held.left_before.len() - 1;
        let left = u64::from(image) * of_image(last) + of_image((step as usize).min(last));
        let leaving = left.saturating_sub(held.left);
        held.left += leaving;
        (number, leaving * held.position_bits)
    }

    /// Bits of inputs `number`.
    pub fn bits(&self, number: u32) -> u64 {
        let held = &self.held[number as usize];
        held.arrived.saturating_sub(held.left) * held.position_bits
    }

    /// Whether there are changes that have not been told.
    #[inline]
    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Notes that inputs `number` changed in cycle `at`.
    pub fn change(&mut self, number: u32, at: Cycle) {
        if self.held[number as usize].changed_at.replace(at).is_none() {
            self.changed.push(number);
        }
    }

    /// What has changed, in order: tile, layer, bits, cycle of the last change.
    pub fn take_changed(&mut self) -> Vec<(u32, u16, u64, Cycle)> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.sort_unstable();
        let emitted = changed.iter().map(|&number| {
            let bits = self.bits(number);
            let held = &mut self.held[number as usize];
            (held.tile, held.layer, bits, held.changed_at.take().unwrap_or_default())
        });
        let emitted = emitted.collect();
        changed.clear();
        self.changed = changed;
        emitted
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
