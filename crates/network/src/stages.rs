//! Maps in the making: how stages and merges apply to parts of maps.
//!
//! A stage on parts of a map is a stage of that map, or of one with fewer channels. A merge of two lists of parts is,
//! channel by channel, a stage of the part whose layer comes later.

use std::collections::BTreeSet;
use std::ops::Range;

use index::{Index, IndexVec};

use crate::map::{joined, slice};
use crate::{Activation, Map, MapId, Node, Operation, Part, Shape, Stage};

/// Maps so far, whether somebody reads them or not.
pub(crate) struct Maps {
    maps: IndexVec<MapId, Map>,
}

impl Maps {
    /// Returns the input image alone.
    pub(crate) fn new(input: Shape) -> Self {
        let mut maps = Self { maps: IndexVec::default() };
        maps.values_of(Node::Host, input);
        maps
    }

    /// Adds the values of `producer`, and returns all of them.
    pub(crate) fn values_of(&mut self, producer: Node, shape: Shape) -> Part {
        let channels = 0..shape.channels;
        let map = self.maps.push(Map { producer, channels: channels.clone(), stages: Vec::new(), shape });
        Part { map, channels }
    }

    /// Returns `parts` after a stage that treats all channels alike: once on each map that they are of.
    pub(crate) fn every_channel(&mut self, parts: &[Part], stage: &Stage) -> Vec<Part> {
        let mut staged = parts.to_vec();
        for old in parts.iter().map(|part| part.map).collect::<BTreeSet<MapId>>() {
            let read = || parts.iter().filter(|part| part.map == old).map(|part| &part.channels);
            let first = read().map(|channels| channels.start).min().expect("the map has a part");
            let end = read().map(|channels| channels.end).max().expect("the map has a part");
            let narrowed = self.narrow(old, &(first..end));
            let map = self.then(narrowed, stage.clone());
            for (to, part) in staged.iter_mut().zip(parts).filter(|(_, part)| part.map == old) {
                *to = Part { map, channels: part.channels.start - first..part.channels.end - first };
            }
        }
        staged
    }

    /// Returns `parts` after a stage with values of its own for each channel: once on each part. `stage` returns the one
    /// with those of the given channels of the whole.
    pub(crate) fn each_channel(&mut self, parts: &[Part], stage: impl Fn(Range<u32>) -> Stage) -> Vec<Part> {
        let mut first = 0;
        let mut staged = Vec::new();
        for part in parts {
            let count = part.channels.end - part.channels.start;
            let narrowed = self.narrow(part.map, &part.channels);
            let map = self.then(narrowed, stage(first..first + count));
            staged.push(Part { map, channels: 0..count });
            first += count;
        }
        staged
    }

    /// Returns the sum of `a` and `b`, which have equally many channels: the layer of the later operand merges the
    /// earlier one, in a stage called `name`. Fails with the producer if it is the same for both.
    pub(crate) fn merged(&mut self, name: &str, a: &[Part], b: &[Part]) -> Result<Vec<Part>, Node> {
        // Channels from one end of a part to the next, in either operand.
        let ends = |parts: &[Part]| -> BTreeSet<u32> {
            let length = |part: &Part| part.channels.end - part.channels.start;
            let end = parts.iter().scan(0, |end, part| {
                *end += length(part);
                Some(*end)
            });
            end.collect()
        };
        // Channels of a map that merges, and what it merges into them.
        let mut merges: Vec<(Part, Vec<Part>)> = Vec::new();
        let mut start = 0;
        for end in &ends(a) | &ends(b) {
            let [first, second] = [a, b].map(|parts| slice(parts, &(start..end)).remove(0));
            start = end;
            let producer = |part: &Part| self.maps[part.map].producer.layer();
            if producer(&first) == producer(&second) {
                return Err(self.maps[first.map].producer);
            }
            // The host, which is no layer, comes first.
            let (earlier, later) = if producer(&first) < producer(&second) { (first, second) } else { (second, first) };
            match merges.last_mut() {
                Some((last, operand)) if last.map == later.map && last.channels.end == later.channels.start => {
                    last.channels.end = later.channels.end;
                    operand.push(earlier);
                }
                _ => merges.push((later, vec![earlier])),
            }
        }
        let mut parts = Vec::new();
        for (later, operand) in merges {
            let narrowed = self.narrow(later.map, &later.channels);
            let map = self.then(narrowed, Stage { name: name.to_owned(), operation: Operation::Add(joined(operand)) });
            parts.push(Part { map, channels: 0..later.channels.end - later.channels.start });
        }
        Ok(parts)
    }

    /// Returns the map with these channels of `map` only.
    fn narrow(&mut self, map: MapId, channels: &Range<u32>) -> MapId {
        let whole = &self.maps[map];
        if *channels == (0..whole.shape.channels) {
            return map;
        }
        let within = |range: &Range<u32>| range.start + channels.start..range.start + channels.end;
        let narrowed = |stage: &Stage| {
            let operation = match &stage.operation {
                Operation::Affine(range) => Operation::Affine(within(range)),
                Operation::Activation(Activation::PRelu(range)) => {
                    Operation::Activation(Activation::PRelu(within(range)))
                }
                Operation::Add(operand) => Operation::Add(slice(operand, channels)),
                same @ (Operation::Activation(_) | Operation::MaxPool(_) | Operation::AveragePool { .. }) => {
                    same.clone()
                }
            };
            Stage { name: stage.name.clone(), operation }
        };
        let narrowed = Map {
            producer: whole.producer,
            channels: within(&whole.channels),
            stages: whole.stages.iter().map(narrowed).collect(),
            shape: Shape { channels: channels.end - channels.start, ..whole.shape },
        };
        self.the_map(narrowed)
    }

    /// Returns the map `map` after one more stage.
    fn then(&mut self, map: MapId, stage: Stage) -> MapId {
        let mut map = self.maps[map].clone();
        map.shape = stage.operation.shape(map.shape).expect("the size of the window has been checked");
        map.stages.push(stage);
        self.the_map(map)
    }

    /// Returns the number of `map`, which is new unless there is one like it.
    fn the_map(&mut self, map: Map) -> MapId {
        let known = self.maps.enumerate().find(|(_, known)| **known == map).map(|(id, _)| id);
        known.unwrap_or_else(|| self.maps.push(map))
    }

    /// Returns the maps that somebody reads, numbered in the order of their layers, and renumbers the `readings`.
    pub(crate) fn kept<'a>(self, readings: impl Iterator<Item = &'a mut Vec<Part>>) -> IndexVec<MapId, Map> {
        let readings: Vec<&mut Vec<Part>> = readings.collect();
        let mut kept: BTreeSet<MapId> = BTreeSet::from([MapId::INPUT]);
        let mut pending: Vec<MapId> = readings.iter().flat_map(|parts| parts.iter()).map(|part| part.map).collect();
        while let Some(map) = pending.pop() {
            if kept.insert(map) {
                pending.extend(self.maps[map].operands().flat_map(|(_, parts)| parts).map(|part| part.map));
            }
        }
        let mut kept: Vec<MapId> = kept.into_iter().collect();
        kept.sort_by_key(|&map| self.maps[map].producer.layer());
        let mut numbers: IndexVec<MapId, MapId> = IndexVec::filled(MapId::INPUT, self.maps.len());
        for (number, &map) in kept.iter().enumerate() {
            numbers[map] = MapId::new(number);
        }
        let renumber = |parts: &mut Vec<Part>| parts.iter_mut().for_each(|part| part.map = numbers[part.map]);
        readings.into_iter().for_each(renumber);
        let mut maps: IndexVec<MapId, Map> = kept.iter().map(|&map| self.maps[map].clone()).collect();
        for stage in maps.iter_mut().flat_map(|map| &mut map.stages) {
            if let Operation::Add(operand) = &mut stage.operation {
                renumber(operand);
            }
        }
        maps
    }
}
