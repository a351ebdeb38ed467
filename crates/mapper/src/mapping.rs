use arch::Arch;
use network::{Network, Plan};
use serde::{Deserialize, Serialize};

use crate::{Geometry, MappingError};

/// Where every layer lies on the board: a plain value, the same in a file and in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Name of the machine that it was made for.
    pub arch: String,
    /// Name of the network that it was made for.
    pub network: String,
    /// One entry per layer of the network, in order.
    pub layers: Vec<LayerMapping>,
}

/// Where one layer lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerMapping {
    /// Name of the layer.
    pub name: String,
    /// Row blocks of an IMA's crossbars.
    pub ima_rows: u32,
    /// Column blocks of an IMA's crossbars.
    pub ima_cols: u32,
    /// Vertical strips that the map of windows is cut into.
    pub strips: u32,
    /// Copies that share a strip; its rows are dealt to them in turn.
    pub interleave: u32,
    /// First IMA of each copy, counted over the board; the rest of the copy follows. `strips` x `interleave` entries,
    /// the copies of a strip next to each other.
    pub copies: Vec<u32>,
}

impl Mapping {
    /// Reads a mapping file.
    pub fn from_toml(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The file that [`Self::from_toml`] reads back.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a mapping has no value that TOML cannot hold")
    }

    /// Geometry of each layer, after checking that the mapping fits network and machine. All faults at once.
    pub fn geometries(&self, arch: &Arch, network: &Network, plan: &Plan) -> Result<Vec<Geometry>, Vec<MappingError>> {
        let mut faults = Vec::new();
        let mut fault =
            |layer: &str, problem: String| faults.push(MappingError::Invalid { layer: layer.to_string(), problem });
        if self.layers.len() != network.layers.len() {
            let problem = format!(
                "the mapping has {} layers, and {} has {}",
                self.layers.len(),
                network.name,
                network.layers.len()
            );
            fault(&network.name, problem);
        }
        let mut geometries = Vec::new();
        // (first IMA, end, layer) of every copy.
        let mut places: Vec<(u32, u32, &str)> = Vec::new();
        for ((mapped, layer), precision) in self.layers.iter().zip(&network.layers).zip(&plan.layers) {
            let name = &layer.name;
            if mapped.name != *name {
                fault(name, format!("the mapping has `{}` in its place: keep the order of the network", mapped.name));
            }
            if mapped.ima_rows * mapped.ima_cols == 0 || mapped.ima_rows * mapped.ima_cols > arch.ima.crossbars {
                let shape = format!("{} x {}", mapped.ima_rows, mapped.ima_cols);
                fault(name, format!("an IMA shape of {shape} does not fit ima.crossbars = {}", arch.ima.crossbars));
                continue;
            }
            let geometry = Geometry::new(arch, layer, precision, mapped.ima_rows, mapped.ima_cols);
            if let Err(problem) = geometry.check_registers(arch) {
                fault(name, problem);
            }
            let wanted = mapped.strips * mapped.interleave;
            if wanted == 0 || mapped.copies.len() != wanted as usize {
                let copies = mapped.copies.len();
                fault(name, format!("strips x interleave is {wanted}, and there are {copies} copies: make them equal"));
            }
            for &first in &mapped.copies {
                let end = u64::from(first) + u64::from(geometry.imas_per_copy());
                if end > u64::from(arch.imas()) {
                    fault(name, format!("a copy ends at IMA {end}, and the board has {}", arch.imas()));
                } else {
                    places.push((first, end as u32, name));
                }
            }
            geometries.push(geometry);
        }
        places.sort_unstable();
        for pair in places.windows(2) {
            if pair[0].1 > pair[1].0 {
                let (other, ima) = (pair[0].2, pair[1].0);
                fault(
                    pair[1].2,
                    format!("its copy at IMA {ima} overlaps a copy of {other}: an IMA belongs to one copy"),
                );
            }
        }
        if faults.is_empty() { Ok(geometries) } else { Err(faults) }
    }
}
