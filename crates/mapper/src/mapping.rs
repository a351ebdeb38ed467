//! Mappings: plain values that can be written to a file, edited and run.
//!
//! A [`Mapping`] names a machine and a network and has one entry per layer, in the order of the network.
//! [`Mapping::geometries`] checks names, IMA shapes, IMA registers, dealt windows and the places of replicas, and
//! reports all faults at once. Needs of buffers and tile output registers follow from the layout, so
//! [`Layout::new`](crate::Layout::new) checks these.

use index::count;
use network::{Layer, LayerId, LayerPlan, Network, Plan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crops::Crops;
use crate::grid::cell;
use crate::{Area, Fabric, Geometry, MappingError};

/// Comment at the head of a mapping file, which explains its keys.
const HEADER: &str = "\
# Where the replicas of each layer lie on the board. Edit it and run it with `aquasim run --mapping FILE`.
#
# arch, network    names of the machine and the network that the mapping is for
# ima_rows         row blocks that the crossbars of one IMA hold: more inputs, fewer partial sums
# ima_cols         column blocks that they hold: more results; ima_rows x ima_cols crossbars at the most are used
# strips           vertical strips that the map of windows is cut into
# interleave       replicas that share a strip; its rows are dealt to them in turn
# windows          the rectangle of windows that is dealt (top, left, height, width); the whole map if it is left out.
#                  It must hold all windows that are not cropped, and those that an addition or a mean keeps
# copies           first IMA of each replica, counted over the board (chip by chip, tile by tile); the rest follows it.
#                  strips x interleave entries, the replicas of a strip next to each other

";

/// Placement of every layer on the board: a plain value, the same in a file and in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Name of the machine that it was made for.
    #[schemars(length(min = 1))]
    pub arch: String,
    /// Name of the network that it was made for.
    #[schemars(length(min = 1))]
    pub network: String,
    /// One entry per layer of the network, in order.
    pub layers: Vec<LayerMapping>,
}

/// Where one layer lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LayerMapping {
    /// Name of the layer.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Row blocks of an IMA's crossbars.
    #[schemars(range(min = 1, max = 64))]
    pub ima_rows: u32,
    /// Column blocks of an IMA's crossbars.
    #[schemars(range(min = 1, max = 64))]
    pub ima_cols: u32,
    /// Vertical strips that the map of windows is cut into.
    #[schemars(range(min = 1, max = 16384))]
    pub strips: u32,
    /// Replicas that share a strip; its rows are dealt to them in turn.
    #[schemars(range(min = 1, max = 16384))]
    pub interleave: u32,
    /// First IMA of each replica, counted over the board; the rest of the replica follows. `strips` x `interleave`
    /// entries, the replicas of a strip next to each other.
    #[serde(rename = "copies")]
    pub replicas: Vec<u32>,
    /// The windows that are dealt to the replicas, among them all that are not cropped; the whole map by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<Area>,
}

impl Mapping {
    /// Returns the JSON Schema of mapping files.
    pub fn schema() -> serde_json::Value {
        document::schema::<Mapping>()
    }
}

impl LayerMapping {
    /// Returns the windows of `layer` that are dealt to the replicas.
    pub(crate) fn area(&self, layer: &Layer) -> Area {
        self.windows.unwrap_or(Area::whole(layer))
    }

    fn check_windows(
        &self,
        (id, layer): (LayerId, &Layer),
        plan: &LayerPlan,
        crops: &Crops,
    ) -> Result<(), MappingError> {
        let Some(dealt) = self.windows else {
            return Ok(());
        };
        let Area { top, left, height, width } = dealt;
        let (rows, columns) = (layer.output.height, layer.output.width);
        let wrong = |problem: &str, remedy: String| Err(invalid(&self.name, "windows", problem, remedy));
        if top + height > rows || left + width > columns {
            return wrong("windows lies outside the map", format!("the map has {rows} rows and {columns} columns"));
        }
        let cell = cell(layer);
        let aligned = |start: u32, size: u32, end: u32| {
            start.is_multiple_of(cell) && (size.is_multiple_of(cell) || start + size == end)
        };
        if !aligned(top, height, rows) || !aligned(left, width, columns) {
            let remedy = format!("give multiples of {cell}, up to the end of the map");
            return wrong("windows cuts a cell of the max-pool in two", remedy);
        }
        let mut missed = (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x)));
        let Some((y, x)) = missed.find(|&(y, x)| !dealt.contains(y, x) && crops.passes(id, y, x, columns)) else {
            return Ok(());
        };
        let why = if plan.bits_at(y, x) > 0 { "which is not cropped" } else { "which an addition or a mean keeps" };
        wrong(
            &format!("windows leaves out the window at row {y} and column {x}, {why}"),
            "enlarge it, or leave it out".to_owned(),
        )
    }
}

impl Mapping {
    /// Returns the text of a mapping file, which [`Layout::load`](crate::Layout::load) reads back.
    pub fn to_toml(&self) -> String {
        let mapping = toml::to_string(self).expect("a mapping has no value that TOML cannot hold");
        HEADER.to_owned() + &mapping
    }

    /// Returns the geometry of each layer, or all faults that keep the mapping from fitting network and machine.
    pub(crate) fn geometries(
        &self,
        fabric: &Fabric,
        network: &Network,
        plan: &Plan,
        crops: &Crops,
    ) -> Result<Vec<Geometry>, Vec<MappingError>> {
        let mut faults = self.misnamed_layers(network);
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut geometries = Vec::new();
        let per_tile = u64::from(fabric.tile.imas);
        // (first IMA, end, layer) of every replica.
        let mut places: Vec<(u32, u32, &str)> = Vec::new();
        for ((mapped, (id, layer)), precision) in self.layers.iter().zip(network.layers.enumerate()).zip(&plan.layers) {
            let name = &layer.name;
            let LayerMapping { ima_rows, ima_cols, .. } = *mapped;
            if ima_rows * ima_cols > fabric.ima.crossbars {
                faults.push(invalid(
                    name,
                    "ima_rows",
                    format!("an IMA shape of {ima_rows} x {ima_cols} needs {} crossbars", ima_rows * ima_cols),
                    format!("an IMA has {} (ima.crossbars)", fabric.ima.crossbars),
                ));
                continue;
            }
            let geometry = Geometry::new(fabric, layer, precision.weight_bits, ima_rows, ima_cols);
            faults.extend(geometry.check_registers(fabric, name).err());
            let (replicas, wanted) = (mapped.replicas.len(), mapped.strips * mapped.interleave);
            if count(replicas) != u64::from(wanted) {
                faults.push(invalid(
                    name,
                    "copies",
                    format!("there are {replicas} replicas, and strips x interleave is {wanted}"),
                    "make them equal",
                ));
            }
            faults.extend(mapped.check_windows((id, layer), precision, crops).err());
            for &first in &mapped.replicas {
                match first.checked_add(geometry.imas_per_replica()) {
                    Some(end) if end <= fabric.imas() => places.push((first, end, name)),
                    _ => {
                        let last = u64::from(first) + u64::from(geometry.imas_per_replica()) - 1;
                        let on_board = fabric.imas() - 1;
                        faults.push(invalid(
                            name,
                            "copies",
                            format!("its replica at IMA {first} ends at IMA {last}, in tile {}", last / per_tile),
                            format!("the last IMA of the board is {on_board}, in tile {}", fabric.tiles() - 1),
                        ));
                    }
                }
            }
            geometries.push(geometry);
        }
        faults.extend(overlaps(places, fabric.tile.imas));
        if faults.is_empty() { Ok(geometries) } else { Err(faults) }
    }

    /// Returns the faults of the layers' names and order; empty if they are those of the network.
    fn misnamed_layers(&self, network: &Network) -> Vec<MappingError> {
        let mapped = || self.layers.iter().map(|layer| layer.name.as_str());
        let known = || network.layers.iter().map(|layer| layer.name.as_str());
        let mut faults = Vec::new();
        let mut meant = Vec::new();
        for name in mapped().filter(|name| !known().any(|known| known == *name)) {
            let near = document::nearest(name, known());
            meant.extend(near);
            let remedy = near.map_or("remove its entry".to_owned(), |near| format!("did you mean {near}?"));
            faults.push(invalid(name, "name", format!("{} has no such layer", network.name), remedy));
        }
        for name in known().filter(|name| !mapped().any(|mapped| mapped == *name) && !meant.contains(name)) {
            faults.push(invalid(
                name,
                "name",
                "the mapping has no entry for it",
                "add a [[layers]] entry with this name",
            ));
        }
        if !faults.is_empty() || mapped().eq(known()) {
            return faults;
        }
        let misplaced = mapped().zip(known().map(Some).chain(std::iter::repeat(None)));
        let first = misplaced.filter(|(mapped, known)| Some(*mapped) != *known).map(|(mapped, _)| mapped).next();
        let first = first.expect("as many entries as layers or more, not all in their places");
        let order = known().collect::<Vec<_>>().join(", ");
        vec![invalid(
            first,
            "name",
            "its entry is not in its place, or there are two",
            format!("give each layer one entry, in the order of the network: {order}"),
        )]
    }
}

/// Returns a fault for each replica that overlaps another; `places` are (first IMA, end, layer) of all replicas.
fn overlaps(mut places: Vec<(u32, u32, &str)>, imas_per_tile: u32) -> Vec<MappingError> {
    places.sort_unstable();
    let overlapping = places.windows(2).filter(|pair| pair[0].1 > pair[1].0).map(|pair| {
        let [(_, _, other), (first, _, layer)] = [pair[0], pair[1]];
        invalid(
            layer,
            "copies",
            format!("its replica at IMA {first}, in tile {}, overlaps one of {other}", first / imas_per_tile),
            "move one of them: an IMA belongs to one replica",
        )
    });
    overlapping.collect()
}

fn invalid(layer: &str, key: &'static str, problem: impl Into<String>, remedy: impl Into<String>) -> MappingError {
    MappingError::Invalid { layer: layer.to_owned(), key, problem: problem.into(), remedy: remedy.into() }
}
