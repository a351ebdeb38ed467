use arch::Arch;
use network::{Network, Plan};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Geometry, MappingError};

/// What a mapping file says to those who edit it.
const HEADER: &str = "\
# Where the copies of each layer lie on the board. Edit it and run it with `aquasim run --mapping FILE`.
#
# arch, network    names of the machine and the network that the mapping is for
# ima_rows         row blocks that the crossbars of one IMA hold: more inputs, fewer partial sums
# ima_cols         column blocks that they hold: more results; ima_rows x ima_cols crossbars at the most are used
# strips           vertical strips that the map of windows is cut into
# interleave       copies that share a strip; its rows are dealt to them in turn
# copies           first IMA of each copy, counted over the board (chip by chip, tile by tile); the rest of the copy
#                  follows it. strips x interleave entries, the copies of a strip next to each other

";

/// Where every layer lies on the board: a plain value, the same in a file and in memory.
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
    /// Copies that share a strip; its rows are dealt to them in turn.
    #[schemars(range(min = 1, max = 16384))]
    pub interleave: u32,
    /// First IMA of each copy, counted over the board; the rest of the copy follows. `strips` x `interleave` entries,
    /// the copies of a strip next to each other.
    pub copies: Vec<u32>,
}

impl Mapping {
    /// The file that [`Layout::load`](crate::Layout::load) reads back.
    pub fn to_toml(&self) -> String {
        let mapping = toml::to_string(self).expect("a mapping has no value that TOML cannot hold");
        HEADER.to_owned() + &mapping
    }

    /// Geometry of each layer, after checking that the mapping fits network and machine. All faults at once.
    pub fn geometries(&self, arch: &Arch, network: &Network, plan: &Plan) -> Result<Vec<Geometry>, Vec<MappingError>> {
        let mut faults = self.misnamed_layers(network);
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut geometries = Vec::new();
        // (first IMA, end, layer) of every copy.
        let mut places: Vec<(u32, u32, &str)> = Vec::new();
        for ((mapped, layer), precision) in self.layers.iter().zip(&network.layers).zip(&plan.layers) {
            let name = &layer.name;
            let LayerMapping { ima_rows, ima_cols, .. } = *mapped;
            if ima_rows * ima_cols > arch.ima.crossbars {
                faults.push(invalid(
                    name,
                    "ima_rows",
                    format!("an IMA shape of {ima_rows} x {ima_cols} needs {} crossbars", ima_rows * ima_cols),
                    format!("an IMA has {} (ima.crossbars)", arch.ima.crossbars),
                ));
                continue;
            }
            let geometry = Geometry::new(arch, layer, precision, ima_rows, ima_cols);
            faults.extend(geometry.check_registers(arch, name).err());
            let (copies, wanted) = (mapped.copies.len(), mapped.strips * mapped.interleave);
            if copies != wanted as usize {
                faults.push(invalid(
                    name,
                    "copies",
                    format!("there are {copies} copies, and strips x interleave is {wanted}"),
                    "make them equal",
                ));
            }
            for &first in &mapped.copies {
                let end = u64::from(first) + u64::from(geometry.imas_per_copy());
                if end > u64::from(arch.imas()) {
                    faults.push(invalid(
                        name,
                        "copies",
                        format!("its copy at IMA {first} ends at IMA {}", end - 1),
                        format!("the last IMA of the board is {}", arch.imas() - 1),
                    ));
                } else {
                    places.push((first, end as u32, name));
                }
            }
            geometries.push(geometry);
        }
        faults.extend(overlaps(places));
        if faults.is_empty() { Ok(geometries) } else { Err(faults) }
    }

    /// Layers of the mapping that are not those of the network.
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

/// Copies that take IMAs of others; `places` are (first IMA, end, layer).
fn overlaps(mut places: Vec<(u32, u32, &str)>) -> Vec<MappingError> {
    places.sort_unstable();
    let overlapping = places.windows(2).filter(|pair| pair[0].1 > pair[1].0).map(|pair| {
        let [(_, _, other), (first, _, layer)] = [pair[0], pair[1]];
        invalid(
            layer,
            "copies",
            format!("its copy at IMA {first} overlaps one of {other}"),
            "move one of them: an IMA belongs to one copy",
        )
    });
    overlapping.collect()
}

fn invalid(layer: &str, key: &'static str, problem: impl Into<String>, remedy: impl Into<String>) -> MappingError {
    MappingError::Invalid { layer: layer.to_owned(), key, problem: problem.into(), remedy: remedy.into() }
}
