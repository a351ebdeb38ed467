//! Levels: the grids of positions on which values of a layer exist in the tiles that finish them.
//!
//! The first level of a layer are its windows; a pool makes another level of one. Stages between two pools change
//! values and not the grid: they are the work of the level. Maps of a layer that begin with the same stages share levels
//! and their work. Maps with other channels have levels of their own.
//!
//! Windows that are kept for one map pass through all levels. A map that does not store their positions does not send
//! them ([`MapLayout::finishes`](crate::MapLayout)).

use std::collections::BTreeSet;
use std::ops::Range;

use index::{IndexVec, Lists, size};
use network::{Axes, Kernel, Layer, Map, MapId, Operation, Part, Shape, Sides, Stage};

use crate::ids::Position;
use crate::input_slice::overlap;
use crate::{LevelId, MapLayout, OutputGroup, ReplicaId, Window, receive};

/// Additions that multiply a value by a constant of 16 bits.
const PRODUCT: u32 = 16;

/// Completion of a position, by the last window under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finish {
    /// Replica with the last window, which finishes the position.
    pub replica: ReplicaId,
    /// Step of the last window.
    pub step: u32,
    /// Number of the position among those that the replica finishes.
    pub ordinal: u32,
}

/// Values of a layer on one grid of positions: its windows, or what a pool makes of another level.
#[derive(Clone, Debug)]
pub struct Level {
    /// Pool that makes the values; `None` for the windows.
    pub pool: Option<Pool>,
    /// Outputs of the layer that the values belong to.
    pub outputs: Range<u32>,
    /// Rows of positions.
    pub height: u32,
    /// Columns of positions.
    pub width: u32,
    /// Levels whose pools take the values.
    pub above: Vec<LevelId>,
    /// Maps that leave the tiles from here.
    pub maps: Vec<MapId>,
    /// Operands that are merged into the values.
    pub merges: Vec<Merge>,
    /// Look-ups of the sigmoid unit for each value.
    pub look_ups: u32,
    /// Additions of the tile's shift-and-add for each value, beside those of merges.
    pub additions: u32,
    /// Completions of the positions. Empty for windows that no map leaves from.
    pub finishes: Finishes,
    /// Values that the pool takes into each position that a replica finishes, by ordinal.
    contributions: Lists<ReplicaId, u32>,
    /// Sorted pairs (finisher, feeder): a replica that finishes a position and a replica that finishes a value under it.
    /// Empty where every position lies within one replica.
    feeds: Vec<(ReplicaId, ReplicaId)>,
    /// The same with the replicas whose windows lie under the positions; `None` where they are those of `feeds`.
    window_feeds: Option<Vec<(ReplicaId, ReplicaId)>>,
    /// Steps and positions that each replica finishes, in order. Empty unless operands are merged into what a pool makes.
    merging: Lists<ReplicaId, (u32, u32)>,
}

/// Completion of each position of a level or map; `None` where it is cropped.
#[derive(Clone, Debug, Default)]
pub struct Finishes {
    all: IndexVec<Position, Option<Finish>>,
    /// Columns of positions.
    width: u32,
}

impl Finishes {
    /// Returns the completion of position `position`.
    #[inline]
    pub fn of(&self, position: u32) -> Option<Finish> {
        self.all[Position(position)]
    }

    /// Returns the completion of the position at row `y` and column `x`.
    #[inline]
    pub fn at(&self, y: u32, x: u32) -> Option<Finish> {
        self.of(y * self.width + x)
    }

    /// Returns the completions of all positions, in order.
    pub fn iter(&self) -> impl Iterator<Item = Option<Finish>> {
        self.all.iter().copied()
    }

    /// Returns the completions of the positions in row `y` between `columns`.
    pub(crate) fn between(&self, y: u32, columns: &Range<u32>) -> &[Option<Finish>] {
        let row = &self.all.as_slice()[size(y * self.width)..][..size(self.width)];
        // A window in the padding reads no columns.
        row.get(size(columns.start)..size(columns.end)).unwrap_or_default()
    }

    /// True if a position is never finished.
    pub fn is_cropped(&self) -> bool {
        self.all.iter().any(Option::is_none)
    }

    /// Returns the completions without those of positions that are not `stored`; `None` if all are.
    pub(crate) fn stored(&self, stored: &[bool]) -> Option<Self> {
        let all = || self.all.iter().zip(stored);
        if !all().any(|(finish, stored)| finish.is_some() && !stored) {
            return None;
        }
        let all = all().map(|(finish, stored)| finish.filter(|_| *stored));
        Some(Self { all: all.collect(), width: self.width })
    }
}

/// Pool of a level.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Level whose values the pool takes.
    pub of: LevelId,
    /// Window.
    pub kernel: Kernel,
    /// Padding that counts in the divisor of a mean; `None` for a maximum.
    pub mean: Option<Sides>,
}

/// Operand that is merged into the values of a level.
#[derive(Clone, Debug, PartialEq)]
pub struct Merge {
    /// Node of the network that asks for it.
    pub name: String,
    /// Parts of the operand, by the channels of the level.
    pub parts: Vec<Part>,
}

impl Level {
    fn new(pool: Option<Pool>, outputs: Range<u32>, shape: Shape) -> Self {
        Self {
            pool,
            outputs,
            height: shape.height,
            width: shape.width,
            above: Vec::new(),
            maps: Vec::new(),
            merges: Vec::new(),
            look_ups: 0,
            additions: 0,
            finishes: Finishes::default(),
            contributions: Lists::default(),
            feeds: Vec::new(),
            window_feeds: None,
            merging: Lists::default(),
        }
    }

    /// Returns the levels of `layer`, whose values leave its tiles as `maps`.
    pub(crate) fn of_layer<'a>(layer: &Layer, maps: impl Iterator<Item = (MapId, &'a Map)>) -> IndexVec<LevelId, Self> {
        let mut levels: IndexVec<LevelId, Self> = IndexVec::default();
        // Channels and stages up to each level, and up to each stage that has been counted.
        let mut known: Vec<(Range<u32>, &[Stage], LevelId)> = Vec::new();
        let mut counted: Vec<(Range<u32>, &[Stage])> = Vec::new();
        for (id, map) in maps {
            let shapes: Vec<Shape> = map.shapes(layer.output).collect();
            let mut at = None;
            for end in 0..=map.stages.len() {
                let stages = &map.stages[..end];
                let operation = stages.last().map(|stage| &stage.operation);
                let key = (map.channels.clone(), stages);
                let pool = match operation {
                    Some(Operation::MaxPool(kernel)) => Some((*kernel, None)),
                    Some(Operation::AveragePool { kernel, counted }) => Some((*kernel, Some(*counted))),
                    _ => None,
                };
                if end == 0 || pool.is_some() {
                    let same = known.iter().find(|(channels, of, _)| (channels, *of) == (&key.0, key.1));
                    at = Some(if let Some((_, _, level)) = same {
                        *level
                    } else {
                        let pool = pool.map(|(kernel, mean)| Pool { of: at.expect("a pool has values"), kernel, mean });
                        let below = pool.as_ref().map(|pool| pool.of);
                        let level = levels.push(Self::new(pool, map.channels.clone(), shapes[end]));
                        if let Some(below) = below {
                            levels[below].above.push(level);
                        }
                        known.push((key.0, key.1, level));
                        level
                    });
                } else if !counted.contains(&key) {
                    let level = &mut levels[at.expect("the windows come first")];
                    match &stages[end - 1] {
                        Stage { operation: Operation::Activation(_), .. } => level.look_ups += 1,
                        Stage { operation: Operation::Affine(_), .. } => level.additions += PRODUCT + 1,
                        Stage { operation: Operation::Add(parts), name } => {
                            level.merges.push(Merge { name: name.clone(), parts: parts.clone() });
                        }
                        Stage { operation: Operation::MaxPool(_) | Operation::AveragePool { .. }, .. } => {}
                    }
                    counted.push(key);
                }
            }
            levels[at.expect("the windows come first")].maps.push(id);
        }
        // The sigmoid unit hands on every result of a window, also where no function is asked for.
        for level in levels.iter_mut().filter(|level| level.pool.is_none()) {
            level.look_ups = level.look_ups.max(1);
        }
        levels
    }

    /// Finds the last window, the finisher and the contributions of each position of `levels`. The replicas compute
    /// `windows`.
    pub(crate) fn finish_all(levels: &mut IndexVec<LevelId, Self>, windows: &Lists<ReplicaId, Window>) {
        let replicas = windows.iter().count();
        for id in levels.indices() {
            let level = &levels[id];
            let (mut finishes, contributions, mut feeds) = match &level.pool {
                None => (level.finish_windows(windows), Vec::new(), Feeds::new()),
                Some(pool) => level.finish_pooled(&pool.kernel, &levels[pool.of]),
            };
            let mut next_ordinal: IndexVec<ReplicaId, u32> = IndexVec::filled(0, replicas);
            for finish in finishes.iter_mut().flatten() {
                finish.ordinal = next_ordinal[finish.replica];
                next_ordinal[finish.replica] += 1;
            }
            if !feeds.is_empty() {
                let finishing = next_ordinal.enumerate().filter(|(_, finished)| **finished > 0);
                feeds.extend(finishing.map(|(finisher, _)| (finisher, finisher)));
            }
            let takes_pools = level.pool.as_ref().is_some_and(|pool| levels[pool.of].pool.is_some());
            // Where no position is shared, nobody is held back.
            let window_feeds = (takes_pools && !feeds.is_empty()).then(|| {
                let positions =
                    finishes.iter().zip(0..).filter_map(|(finish, at)| Some((finish.as_ref()?.replica, at)));
                let of_position = |(finisher, at)| Self::under(levels, id, at).map(move |feeder| (finisher, feeder));
                positions.flat_map(of_position).collect::<Feeds>().into_iter().collect()
            });
            let of_finishers = finishes.iter().flatten().zip(&contributions);
            let of_finishers = of_finishers.map(|(finish, values)| (finish.replica, *values));
            let contributions = Lists::grouped(replicas, of_finishers);
            let level = &mut levels[id];
            (level.contributions, level.feeds) = (contributions, feeds.into_iter().collect());
            level.window_feeds = window_feeds;
            level.finishes = Finishes { all: finishes, width: level.width };
            if level.pool.is_some() && !level.merges.is_empty() {
                level.merging = level.in_order(replicas);
            }
        }
        // Windows that only pools take are known by their replicas.
        for level in levels.iter_mut().filter(|level| level.pool.is_none() && level.maps.is_empty()) {
            level.finishes = Finishes::default();
        }
    }

    /// Returns the replicas of the windows under a position of level `id`.
    fn under(levels: &IndexVec<LevelId, Self>, id: LevelId, position: u32) -> impl Iterator<Item = ReplicaId> + use<> {
        let level = &levels[id];
        let replicas: BTreeSet<ReplicaId> = match &level.pool {
            None => level.finishes.of(position).map(|finish| finish.replica).into_iter().collect(),
            Some(Pool { of, kernel, .. }) => {
                let below = &levels[*of];
                let rows = kernel.rows(position / level.width, below.height).step_by(size(kernel.dilation.y));
                let columns = kernel.columns(position % level.width, below.width).step_by(size(kernel.dilation.x));
                let values = rows.flat_map(|y| columns.clone().map(move |x| y * below.width + x));
                values.flat_map(|value| Self::under(levels, *of, value).collect::<Vec<_>>()).collect()
            }
        };
        replicas.into_iter()
    }

    /// Returns the completions of windows: each is its own last window.
    fn finish_windows(&self, windows: &Lists<ReplicaId, Window>) -> Completions {
        let mut finishes = IndexVec::filled(None, size(self.positions()));
        for (windows, replica) in windows.iter().zip((0..).map(ReplicaId)) {
            for (window, step) in windows.iter().zip(0..) {
                let position = self.position(window.y.into(), window.x.into());
                finishes[position] = Some(Finish { replica, step, ordinal: 0 });
            }
        }
        finishes
    }

    /// Returns the completions of a pool's positions, the values that it takes into each position that is finished, and
    /// the feeds of positions with values of several replicas. Values are those of the level `below`.
    fn finish_pooled(&self, kernel: &Kernel, below: &Level) -> (Completions, Vec<u32>, Feeds) {
        let (mut finishes, mut contributions, mut feeds) = (Completions::default(), Vec::new(), Feeds::new());
        let columns: Vec<Range<u32>> = (0..self.width).map(|x| kernel.columns(x, below.width)).collect();
        for (y, columns) in (0..self.height).flat_map(|y| columns.iter().map(move |columns| (y, columns))) {
            let rows = kernel.rows(y, below.height).step_by(size(kernel.dilation.y));
            let values = rows.flat_map(|y| below.finishes.between(y, columns).iter().step_by(size(kernel.dilation.x)));
            let values = values.copied().flatten();
            let (mut last, mut taken, mut is_shared): (Option<Finish>, u32, bool) = (None, 0, false);
            values.clone().for_each(|value| {
                taken += 1;
                is_shared |= last.is_some_and(|last| last.replica != value.replica);
                // Of values of the same step, that of the last replica finishes the position.
                if last.is_none_or(|last| (last.step, last.replica) <= (value.step, value.replica)) {
                    last = Some(value);
                }
            });
            if let Some(Finish { replica, .. }) = last {
                contributions.push(taken);
                if is_shared {
                    feeds.extend(values.map(|value| (replica, value.replica)));
                }
            }
            finishes.push(last);
        }
        (finishes, contributions, feeds)
    }

    /// Returns the number of outputs of a group that belong to the level.
    pub fn values(&self, group: &OutputGroup) -> u32 {
        overlap(std::slice::from_ref(&self.outputs), &group.outputs)
    }

    /// True if positions of `map` are merged into the values.
    pub(crate) fn has_operand(&self, map: MapId) -> bool {
        self.merges.iter().flat_map(|merge| &merge.parts).any(|part| part.map == map)
    }

    /// Returns the operands that are merged into the outputs of a group, each as a map and outputs of its producer.
    pub(crate) fn operands(&self, maps: &IndexVec<MapId, MapLayout>, group: &OutputGroup) -> Vec<(MapId, Range<u32>)> {
        let outputs = group.outputs.start.max(self.outputs.start)..group.outputs.end.min(self.outputs.end);
        if outputs.is_empty() {
            return Vec::new();
        }
        let channels = outputs.start - self.outputs.start..outputs.end - self.outputs.start;
        self.merges.iter().flat_map(|merge| receive::outputs(maps, &merge.parts, &channels)).collect()
    }

    /// Returns the number of positions.
    pub fn positions(&self) -> u32 {
        self.height * self.width
    }

    fn position(&self, y: u32, x: u32) -> Position {
        Position(y * self.width + x)
    }

    /// Returns the steps and positions that each replica finishes, in order.
    fn in_order(&self, replicas: usize) -> Lists<ReplicaId, (u32, u32)> {
        let finished = self.finishes.iter().zip(0..).filter_map(|(finish, position)| Some((finish?, position)));
        let mut finished: Vec<_> = finished.map(|(finish, at)| (finish.replica, (finish.step, at))).collect();
        finished.sort_unstable();
        Lists::grouped(replicas, finished.into_iter())
    }

    /// Returns the positions, as (row, column), into which operands are merged together with `window`, the one of number
    /// `step` of `replica`: those that it finishes.
    pub fn merging(
        &self,
        replica: ReplicaId,
        step: u32,
        window: &Window,
    ) -> impl Iterator<Item = (u32, u32)> + use<'_> {
        let (own, finished) = if self.pool.is_none() {
            (Some((window.y.into(), window.x.into())), &[][..])
        } else {
            let finished = &self.merging[replica];
            let first = finished.partition_point(|&(of, _)| of < step);
            let count = finished[first..].iter().take_while(|&&(of, _)| of == step).count();
            (None, &finished[first..first + count])
        };
        own.into_iter().chain(finished.iter().map(|&(_, position)| (position / self.width, position % self.width)))
    }

    /// Returns, by ordinal, the values that the pool takes into each position that replica `replica` finishes.
    pub fn contributions(&self, replica: ReplicaId) -> &[u32] {
        &self.contributions[replica]
    }

    /// Returns the positions of the level, as (row, column), whose pool takes the value at row `y` and column `x` of the
    /// level below.
    #[inline]
    pub fn positions_over(&self, y: u32, x: u32) -> impl Iterator<Item = (u32, u32)> + use<> {
        let (rows, columns, kernel) = match &self.pool {
            Some(Pool { kernel, .. }) => {
                // With dilation, not all positions over a value read it.
                let gaps = (kernel.dilation != Axes::both(1)).then_some(*kernel);
                (kernel.rows_over(y, self.height), kernel.columns_over(x, self.width), gaps)
            }
            None => (y..y + 1, x..x + 1, None),
        };
        // One loop, since most values have one position above them.
        let (top, height) = (rows.start, rows.end.saturating_sub(rows.start));
        let (left, width) = (columns.start, columns.end.saturating_sub(columns.start));
        let positions = (0..height * width).map(move |at| (top + at / width, left + at % width));
        positions.filter(move |&position| kernel.is_none_or(|kernel| reads(&kernel, position, (y, x))))
    }

    /// True if a position lies over values of more than one replica.
    pub fn shares_positions(&self) -> bool {
        !self.feeds.is_empty()
    }

    /// Returns, in order, the replicas that finish values under the positions that `finisher` finishes. Empty where every
    /// position lies within one replica.
    pub fn feeders(&self, finisher: ReplicaId) -> impl Iterator<Item = ReplicaId> + '_ {
        feeders_in(&self.feeds, finisher)
    }

    /// Returns, in order, the replicas with windows under the positions that `finisher` finishes. Empty where every position
    /// has values of one replica.
    pub fn window_feeders(&self, finisher: ReplicaId) -> impl Iterator<Item = ReplicaId> + '_ {
        feeders_in(self.window_feeds.as_ref().unwrap_or(&self.feeds), finisher)
    }

    /// Returns the additions that divide the sum of a mean at row `y` and column `x`, for each value: none if the divisor
    /// is a power of two.
    pub fn additions_to_divide(&self, y: u32, x: u32, below: &Level) -> u32 {
        let Some(Pool { kernel, mean: Some(counted), .. }) = &self.pool else { return 0 };
        // The divisor counts the positions of the window within the map enlarged by `counted`.
        let along = |at: u32, size: u32, stride: u32, dilation: u32, padding: u32, counted: (u32, u32), length: u32| {
            let inside = |k: &u32| {
                let at = i64::from(at * stride + k * dilation) - i64::from(padding);
                (-i64::from(counted.0)..i64::from(length) + i64::from(counted.1)).contains(&at)
            };
            u32::try_from((0..size).filter(inside).count()).expect("fewer than the kernel has")
        };
        let Kernel { size, stride, dilation, padding } = kernel;
        let rows = along(y, size.y, stride.y, dilation.y, padding.top, (counted.top, counted.bottom), below.height);
        let columns = along(x, size.x, stride.x, dilation.x, padding.left, (counted.left, counted.right), below.width);
        if (rows * columns).is_power_of_two() { 0 } else { PRODUCT }
    }
}

/// Returns the feeders of `finisher` in sorted pairs (finisher, feeder).
fn feeders_in(feeds: &[(ReplicaId, ReplicaId)], finisher: ReplicaId) -> impl Iterator<Item = ReplicaId> + '_ {
    let first = feeds.partition_point(|&(of, _)| of < finisher);
    feeds[first..].iter().take_while(move |&&(of, _)| of == finisher).map(|&(_, feeder)| feeder)
}

/// True if the window of `kernel` at row and column `window` reads the position `at`, over which it reaches.
fn reads(kernel: &Kernel, window: (u32, u32), at: (u32, u32)) -> bool {
    let Kernel { stride, dilation, padding, .. } = kernel;
    (at.0 + padding.top - window.0 * stride.y).is_multiple_of(dilation.y)
        && (at.1 + padding.left - window.1 * stride.x).is_multiple_of(dilation.x)
}

/// Completion of each position of a level under construction.
type Completions = IndexVec<Position, Option<Finish>>;

/// Pairs (finisher, feeder) of replicas.
type Feeds = BTreeSet<(ReplicaId, ReplicaId)>;
