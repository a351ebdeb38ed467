//! A context that records what a part of a tile sends, and the parts of a tile with one IMA of ISAAC.
//!
//! The layer is a 1 x 1 convolution of a map of 2 x 2 positions with 128 channels of 16 bits, so that a position takes a
//! quarter of a cycle at the eDRAM port and a window reads one position.

use arch::Arch;
use des::{Clock, Cycle, Fingerprint, Probed, Send, Server, Shared};
use index::{IndexVec, Set};
use mapper::{GroupId, Layout, LevelId, ReceiverId, ReplicaId, TileId};
use network::{LayerId, MapId, Plan};

use crate::tile::{EdramBuffer, ImaBank, Results, TileInputs, TileOutputs};
use crate::{
    ChipId, Completions, ControlId, Crossing, Exit, Fidelity, Full, Ima, ImaId, InputId, LayerControl, LockstepGroup,
    NoProbe, Packet, PartAddress, PartialSums, RoomId, Rooms, SegmentId, SliceBuffer, SumsSpec, Target, TileMessage,
    Trees,
};

/// Bits of a position of the input map.
pub(crate) const POSITION_BITS: u32 = 128 * 16;

/// Records what is sent, with the cycle of arrival.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) now: Cycle,
    pub(crate) rooms: Rooms,
    pub(crate) completions: Completions,
    pub(crate) sent: Vec<(Cycle, TileMessage)>,
    pub(crate) packets: Vec<(Cycle, Packet)>,
    /// Link, by number.
    pub(crate) crossings: Vec<(Cycle, u32)>,
    /// Tiles that the messages went to.
    pub(crate) receivers: Vec<(Cycle, u32)>,
    pub(crate) probe: NoProbe,
}

impl Record {
    /// A context in cycle 1 for a machine with one input slice of the board, whose limit is `limit`.
    pub(crate) fn new(limit: u32) -> Self {
        Self { now: 1, rooms: Rooms::new([limit]), ..Self::default() }
    }
}

impl Record {
    /// Cycle of the last completion of image 0; 0 if there was none.
    pub(crate) fn last_completion(&self) -> Cycle {
        self.completions.images().first().map_or(0, |image| image.last_at)
    }
}

impl Clock for Record {
    fn now(&self) -> Cycle {
        self.now
    }
}

impl Probed for Record {
    type Probe = NoProbe;

    fn probe(&mut self) -> &mut NoProbe {
        &mut self.probe
    }
}

impl Shared<Rooms> for Record {
    fn shared(&mut self) -> &mut Rooms {
        &mut self.rooms
    }
}

impl Shared<Completions> for Record {
    fn shared(&mut self) -> &mut Completions {
        &mut self.completions
    }
}

impl Send<TileMessage> for Record {
    fn send(&mut self, delay: Cycle, to: u32, message: TileMessage) {
        self.receivers.push((self.now + delay, to));
        self.sent.push((self.now + delay, message));
    }
}

impl Send<Packet> for Record {
    fn send(&mut self, delay: Cycle, _: u32, packet: Packet) {
        self.packets.push((self.now + delay, packet));
    }
}

impl Send<Crossing> for Record {
    fn send(&mut self, delay: Cycle, to: u32, _: Crossing) {
        self.crossings.push((self.now + delay, to));
    }
}

/// Checks that a state and the states that each of `changes` makes of it all have fingerprints of their own, as added by
/// `add` at the end of cycle 100, with three images complete.
pub(crate) fn assert_told_apart<T: Clone>(state: &T, add: impl Fn(&T, &mut Fingerprint), changes: &[fn(&mut T)]) {
    let hash = |state: &T| {
        let mut print = Fingerprint::new(100, 3);
        add(state, &mut print);
        print.hash()
    };
    let mut seen = vec![hash(state)];
    for (number, change) in changes.iter().enumerate() {
        let mut other = state.clone();
        change(&mut other);
        let hash = hash(&other);
        assert!(!seen.contains(&hash), "change {number} is not told apart");
        seen.push(hash);
    }
}

/// ISAAC-CE, and the mapping of the layer to one IMA of it.
pub(crate) struct OneLayer {
    pub(crate) arch: Arch,
    pub(crate) layout: Layout,
    trees: Trees,
    /// Results go to no input slice.
    targets: IndexVec<ReceiverId, Target>,
    /// Tree of a window from tile 0 to tile 9.
    to_tile_9: SegmentId,
}

impl OneLayer {
    pub(crate) fn new(change: impl FnOnce(&mut Arch)) -> Self {
        let mut arch = arch::load("isaac-ce").expect("the preset is built in");
        change(&mut arch);
        let text = r#"
            name = "one-layer"
            input = { height = 2, width = 2, channels = 128 }

            [[layers]]
            name = "conv"
            kind = "convolution"
            kernel = 1
            channels = 128
        "#;
        let network = network::parse(text, "one-layer.toml").expect("the network is valid");
        let layout = mapper::balance_to(&arch, &network, &Plan::uniform(&network, 16, 16), 4, 4);
        let layout = layout.expect("one IMA holds the layer");
        let to_tile_9 = [(TileId(0), &[TileId(9)][..], 128 * 16)];
        let (trees, tree) = Trees::of_routes(&arch, &layout, &to_tile_9);
        Self { arch, layout, trees, targets: IndexVec::default(), to_tile_9: tree[0] }
    }

    fn layer(&self) -> &mapper::LayerLayout {
        self.layout.layers.iter().next().expect("there is one layer")
    }

    /// Input side with an empty buffer that producers fill; each position comes in one packet.
    pub(crate) fn inputs(&self) -> TileInputs<'_> {
        let slice = self.layer().slices.iter().next().expect("the layer has inputs");
        let slice = SliceBuffer::new(slice, (LayerId(0), RoomId(0)), 1, 1, Some(2));
        let port = Some(8 * u64::from(self.arch.edram.bytes_per_cycle));
        let control =
            LayerControl::new((LayerId(0), self.layer()), ReplicaId(0), 1, true, vec![InputId(0)], Set::below(1));
        TileInputs::new(EdramBuffer::new(port, [slice], Results::new([4])), [control].into_iter().collect())
    }

    /// The IMA, in a lockstep group of its own.
    pub(crate) fn imas(&self) -> ImaBank<Full> {
        let spec = self.layer().geometry.ima(0);
        let ima = Ima::new(&self.arch, self.arch.conversions_per_cycle(), spec);
        let group = LockstepGroup::new(ControlId(0), [(ImaId(0), ima.timing())]);
        let (imas, groups) = ([ima].into_iter().collect(), [group].into_iter().collect());
        ImaBank::new(&self.arch, imas, groups, Fidelity::Operation, Full)
    }

    /// The output register, with room for `slots` windows. Its tile is the accumulator, or a contributor that may send
    /// `credit` windows to it.
    pub(crate) fn outputs<'a>(&'a self, slots: u32, accumulator: &'a [PartAddress], credit: u32) -> TileOutputs<'a> {
        let part = PartialSums::new(SumsSpec {
            chip: ChipId(0),
            tile: TileId(0),
            layer: self.layer(),
            layer_id: LayerId(0),
            exits: vec![Exit {
                level: LevelId(0),
                map: &self.layout.maps[MapId(1)],
                targets: &self.targets,
                is_read_here: self.targets.iter().any(|target| target.tile == TileId(0)),
                trees: self.trees.map(MapId(1)),
                values: 128,
            }],
            operands: Vec::new(),
            result_positions: 4,
            replica: ReplicaId(0),
            group: GroupId(0),
            accumulators: accumulator,
            contributors: Vec::new(),
            pools: 0,
            feeders: vec![Vec::new()].into(),
            slots,
            credit,
            partial_sum_bits: self.arch.tile.partial_sum_bits,
            to_accumulator: Some(self.to_tile_9),
            trees: &self.trees,
        });
        TileOutputs::new(IndexVec::from(vec![part]))
    }

    pub(crate) fn bus(&self) -> Server {
        Server::new(Some(8 * u64::from(self.arch.bus.bytes_per_cycle)))
    }
}
