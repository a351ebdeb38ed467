//! Plans: the precision of each layer and region.
//!
//! A plan has one entry per layer of its network. The bits of a window are those of the last region that contains it,
//! or those of its layer. Fully connected layers have no regions and are never cropped, as in AQuA.

use std::collections::HashMap;

use document::{Document, Fault, Faults};
use index::IndexVec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::{CropSize, Edges, Layer, LayerId, LayerKind, Network, Shape};

/// Bits of a weight or activation in ISAAC and AQuA: the default of plans, and the precision of registers and rated
/// loads.
pub const FULL_PRECISION_BITS: u32 = 16;

/// Most bits of a weight or activation.
pub const MOST_BITS: u32 = 32;

/// AQuA's "16-bit varied" weights of VGG16's convolutions.
const VARIED_WEIGHTS: [u32; 13] = [11, 13, 13, 13, 13, 12, 12, 12, 11, 11, 12, 12, 12];

/// Precision of every layer and region of a network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// One entry per layer of the network.
    #[serde(serialize_with = "as_list")]
    pub layers: IndexVec<LayerId, LayerPlan>,
}

fn as_list<S: Serializer>(layers: &IndexVec<LayerId, LayerPlan>, serializer: S) -> Result<S::Ok, S::Error> {
    layers.as_slice().serialize(serializer)
}

/// Precision of one layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerPlan {
    /// N_W: bits of a weight.
    pub weight_bits: u32,
    /// N_A: bits of an activation outside the regions.
    pub activation_bits: u32,
    /// Rectangles of the output map with bits of their own. Where they overlap, the last one applies.
    pub regions: Vec<Region>,
}

/// A rectangle of a layer's output map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// First row.
    pub top: u32,
    /// First column.
    pub left: u32,
    /// Rows.
    #[schemars(range(min = 1))]
    pub height: u32,
    /// Columns.
    #[schemars(range(min = 1))]
    pub width: u32,
    /// Bits of an activation; 0 crops the region.
    #[schemars(range(max = MOST_BITS))]
    pub bits: u32,
}

impl LayerPlan {
    /// Returns the bits of the window at row `y` and column `x`; 0 if it is cropped.
    pub fn bits_at(&self, y: u32, x: u32) -> u32 {
        let within = |r: &&Region| (r.top..r.top + r.height).contains(&y) && (r.left..r.left + r.width).contains(&x);
        let region = self.regions.iter().rev().find(within);
        region.map_or(self.activation_bits, |r| r.bits)
    }

    /// Returns the bits of every window of `layer`, row by row.
    fn bits(&self, layer: &Layer) -> impl Iterator<Item = u32> {
        let (height, width) = (layer.output.height, layer.output.width);
        (0..height).flat_map(move |y| (0..width).map(move |x| self.bits_at(y, x)))
    }

    /// Returns the windows of `layer` that are computed per image: those that are not cropped.
    pub fn windows_computed(&self, layer: &Layer) -> u64 {
        index::count(self.bits(layer).filter(|&bits| bits > 0).count())
    }

    /// Returns the most bits that any window of `layer` has, in which all its inputs are stored.
    pub fn stored_bits(&self, layer: &Layer) -> u32 {
        if self.regions.is_empty() {
            return self.activation_bits;
        }
        self.bits(layer).max().unwrap_or(0)
    }
}

impl Plan {
    /// Returns a plan with the same bits in every layer and no regions.
    pub fn uniform(network: &Network, weight_bits: u32, activation_bits: u32) -> Plan {
        let layer = LayerPlan { weight_bits, activation_bits, regions: Vec::new() };
        Plan { layers: IndexVec::filled(layer, network.layers.len()) }
    }

    /// Sets the bits of weights, one entry per layer as from [`parse_weights`].
    ///
    /// # Panics
    /// If there are more or fewer entries than layers.
    pub fn with_weights(mut self, bits: &[u32]) -> Plan {
        assert_eq!(bits.len(), self.layers.len(), "one entry per layer");
        for (layer, bits) in self.layers.iter_mut().zip(bits) {
            layer.weight_bits = *bits;
        }
        self
    }

    /// Sets the bits of activations outside the regions, one entry per layer as from [`parse_activations`].
    ///
    /// # Panics
    /// If there are more or fewer entries than layers.
    pub fn with_activations(mut self, bits: &[u32]) -> Plan {
        assert_eq!(bits.len(), self.layers.len(), "one entry per layer");
        for (layer, bits) in self.layers.iter_mut().zip(bits) {
            layer.activation_bits = *bits;
        }
        self
    }

    /// Cuts `edges` from the output map of every convolution, by the sizes that the network states (AQuA Table II).
    pub fn crop(mut self, network: &Network, edges: Edges) -> Result<Plan, Faults> {
        if edges == Edges::NONE {
            return Ok(self);
        }
        let (mut unstated, mut too_small) = (Vec::new(), Vec::new());
        let layers = self.layers.iter_mut().zip(&network.layers);
        for (plan, layer) in layers.filter(|(_, layer)| layer.kind == LayerKind::Convolution) {
            match cuts(layer, edges) {
                Ok(regions) => plan.regions.extend(regions),
                Err(Uncut::Unstated) => unstated.push(layer.name.as_str()),
                Err(Uncut::TooSmall { rows, columns }) => {
                    let Shape { height, width, .. } = layer.output;
                    too_small
                        .push(format!("{rows} rows and {columns} columns from {} ({height} x {width})", layer.name));
                }
            }
        }
        let mut faults = Vec::new();
        if !unstated.is_empty() {
            faults.push(Fault::new(
                format!("{} states no crop size for {}", network.name, unstated.join(", ")),
                "add crop = { x = .., y = .. } to each of these layers of the network file, or give a plan with regions",
            ));
        }
        if !too_small.is_empty() {
            faults.push(Fault::new(
                format!("cutting {edges} takes more than the map has: {}", too_small.join(", ")),
                "cut fewer edges, or give these layers smaller crops in the network file",
            ));
        }
        if faults.is_empty() { Ok(self) } else { Err(faults.into()) }
    }

    /// Reads the plan file at `path`. Layers that it does not name have its defaults, or 16 bits.
    pub fn load(path: &str, network: &Network) -> Result<Plan, Faults> {
        Plan::parse(&document::read_text(path)?, path, network)
    }

    /// Reads the plan in `text`. Faults show the name `file`.
    pub fn parse(text: &str, file: &str, network: &Network) -> Result<Plan, Faults> {
        let mut document = Document::parse(text, file);
        let plan = document.read::<PlanFile>();
        let plan = plan.map(|plan| plan.checked(network, &mut document));
        document.finish(plan)
    }

    /// Returns the text of a plan file, which [`Plan::load`] reads back.
    ///
    /// # Panics
    /// If the plan is for another number of layers.
    pub fn to_toml(&self, network: &Network) -> String {
        assert_eq!(self.layers.len(), network.layers.len(), "one entry per layer");
        let mut text = String::new();
        for (plan, layer) in self.layers.iter().zip(&network.layers) {
            let LayerPlan { weight_bits, activation_bits, regions } = plan;
            let name = toml::Value::from(layer.name.as_str());
            text += &format!("[[layers]]\nname = {name}\nweights = {weight_bits}\nactivations = {activation_bits}\n");
            for Region { top, left, height, width, bits } in regions {
                text += &format!(
                    "[[layers.regions]]\ntop = {top}\nleft = {left}\nheight = {height}\nwidth = {width}\nbits = {bits}\n"
                );
            }
            text.push('\n');
        }
        text
    }

    /// Returns the multiply-accumulates per image of the windows that are not cropped.
    pub fn macs(&self, network: &Network) -> u64 {
        let layers = self.layers.iter().zip(&network.layers);
        layers.map(|(plan, layer)| plan.windows_computed(layer) * layer.macs_per_window()).sum()
    }
}

/// Reason why a layer cannot be cropped.
enum Uncut {
    /// The network states no crop size for the layer.
    Unstated,
    /// The cuts exceed the map.
    TooSmall { rows: u32, columns: u32 },
}

/// Returns the regions that `edges` cut from the output map of a convolution.
fn cuts(layer: &Layer, edges: Edges) -> Result<Vec<Region>, Uncut> {
    let Some(CropSize { x, y }) = layer.crop else {
        return Err(Uncut::Unstated);
    };
    let (height, width) = (layer.output.height, layer.output.width);
    let rows = y * (u32::from(edges.top) + u32::from(edges.bottom));
    let columns = x * (u32::from(edges.left) + u32::from(edges.right));
    if rows > height || columns > width {
        return Err(Uncut::TooSmall { rows, columns });
    }
    let whole = Region { top: 0, left: 0, height, width, bits: 0 };
    let mut regions = Vec::new();
    if y > 0 && edges.top {
        regions.push(Region { height: y, ..whole });
    }
    if y > 0 && edges.bottom {
        regions.push(Region { top: height - y, height: y, ..whole });
    }
    if x > 0 && edges.left {
        regions.push(Region { width: x, ..whole });
    }
    if x > 0 && edges.right {
        regions.push(Region { left: width - x, width: x, ..whole });
    }
    Ok(regions)
}

/// Reads the bits of the weights of each layer: `varied` (AQuA's set for VGG16, with 16 bits for fully connected
/// layers), one number for all layers, or one per layer separated by commas.
pub fn parse_weights(set: &str, network: &Network) -> Result<Vec<u32>, Faults> {
    if set != "varied" {
        return parse_bits(set, "weights", network, |_| 1);
    }
    let is_convolution = |layer: &&Layer| layer.kind == LayerKind::Convolution;
    let convolutions = network.layers.iter().filter(is_convolution).count();
    if convolutions != VARIED_WEIGHTS.len() {
        return Err(Fault::new(
            format!(
                "the weights called varied are for the {} convolutions of VGG16, and {} has {convolutions}",
                VARIED_WEIGHTS.len(),
                network.name
            ),
            format!("give one number of bits for all layers, or {} separated by commas", network.layers.len()),
        )
        .into());
    }
    let mut varied = VARIED_WEIGHTS.into_iter();
    let bits = network.layers.iter().map(|layer| match layer.kind {
        LayerKind::Convolution => varied.next(),
        LayerKind::FullyConnected => None,
    });
    Ok(bits.map(|bits| bits.unwrap_or(FULL_PRECISION_BITS)).collect())
}

/// Reads the bits of the activations of each layer: one number for all layers, or one per layer separated by commas.
pub fn parse_activations(bits: &str, network: &Network) -> Result<Vec<u32>, Faults> {
    parse_bits(bits, "activations", network, fewest_activation_bits)
}

/// Returns the fewest bits of the layer's activations. 0 bits crop a whole layer; AQuA never crops fully connected
/// ones.
fn fewest_activation_bits(layer: &Layer) -> u32 {
    match layer.kind {
        LayerKind::Convolution => 0,
        LayerKind::FullyConnected => 1,
    }
}

fn parse_bits(text: &str, what: &str, network: &Network, fewest: impl Fn(&Layer) -> u32) -> Result<Vec<u32>, Faults> {
    let count = network.layers.len();
    let mut entries: Vec<&str> = text.split(',').map(str::trim).collect();
    if entries.len() == 1 {
        entries = vec![entries[0]; count];
    }
    if entries.len() != count {
        return Err(Fault::new(
            format!("{what} are given for {} layers, and {} has {count}", entries.len(), network.name),
            format!(
                "give one number of bits for all layers, or {count} separated by commas, \
                 fully connected layers included"
            ),
        )
        .into());
    }
    let mut bits = Vec::new();
    // Each refused entry with its layers: one fault per entry, however many layers it is given for.
    let mut wrong: Vec<(&str, Vec<&Layer>)> = Vec::new();
    for (entry, layer) in entries.into_iter().zip(&network.layers) {
        match entry.parse() {
            Ok(number) if (fewest(layer)..=MOST_BITS).contains(&number) => bits.push(number),
            _ => match wrong.iter_mut().find(|(other, _)| *other == entry) {
                Some((_, layers)) => layers.push(layer),
                None => wrong.push((entry, vec![layer])),
            },
        }
    }
    let fault = |(entry, layers): (&str, Vec<&Layer>)| {
        let names = || layers.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>().join(", ");
        let whose = if layers.len() == count && count > 1 { "all layers".to_owned() } else { names() };
        let least = layers.iter().map(|layer| fewest(layer)).min().unwrap_or(1);
        let mut remedy = format!("give a whole number from {least} to {MOST_BITS}");
        if least == 0 {
            remedy += "; 0 crops a convolution, and fully connected layers have at least 1";
        }
        if entry == "float" || entry.parse().is_ok_and(|bits: u64| bits > MOST_BITS.into()) {
            remedy += "; crossbars hold fixed-point numbers of no more bits";
            if what == "weights" {
                remedy +=
                    " (`aquasim tolerance --weight-sets float` has the accuracy of 32-bit floating-point weights)";
            }
        }
        Fault::new(format!("{what} of {whose} cannot have {entry:?} bits"), remedy)
    };
    let faults: Vec<Fault> = wrong.into_iter().map(fault).collect();
    if faults.is_empty() { Ok(bits) } else { Err(faults.into()) }
}

/// A plan file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    /// N_W of the layers that do not state it, 16 by default.
    #[schemars(range(min = 1, max = MOST_BITS))]
    weights: Option<u32>,
    /// N_A of the layers that do not state it, 16 by default.
    #[schemars(range(min = 1, max = MOST_BITS))]
    activations: Option<u32>,
    /// Layers that differ from the defaults.
    #[serde(default)]
    layers: Vec<PlanEntry>,
}

/// A layer of a plan file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlanEntry {
    /// Name of a layer of the network.
    #[schemars(length(min = 1))]
    name: String,
    /// N_W: bits of a weight.
    #[schemars(range(min = 1, max = MOST_BITS))]
    weights: Option<u32>,
    /// N_A: bits of an activation outside the regions; 0 crops them.
    #[schemars(range(max = MOST_BITS))]
    activations: Option<u32>,
    /// Rectangles of the output map with bits of their own.
    #[serde(default)]
    regions: Vec<Region>,
}

impl Plan {
    /// Returns the JSON Schema of plan files.
    pub fn schema() -> serde_json::Value {
        document::schema::<PlanFile>()
    }
}

impl PlanFile {
    fn checked(self, network: &Network, document: &mut Document) -> Plan {
        let mut plan = Plan::uniform(
            network,
            self.weights.unwrap_or(FULL_PRECISION_BITS),
            self.activations.unwrap_or(FULL_PRECISION_BITS),
        );
        let layers = network.layers.iter().zip(&mut plan.layers);
        let mut layers: HashMap<&str, (&Layer, &mut LayerPlan)> =
            layers.map(|(layer, plan)| (layer.name.as_str(), (layer, plan))).collect();
        let mut planned = HashMap::new();
        for (index, entry) in self.layers.iter().enumerate() {
            let at = |key: &str| format!("layers[{index}].{key}");
            let first = *planned.entry(entry.name.as_str()).or_insert(index);
            if first < index {
                document.fault(
                    &[&at("name"), &format!("layers[{first}].name")],
                    format!("{} is planned twice", entry.name),
                    "put both entries into one",
                );
            }
            let Some((layer, plan)) = layers.get_mut(entry.name.as_str()) else {
                let names = || network.layers.iter().map(|layer| layer.name.as_str());
                let remedy = match document::nearest(&entry.name, names()) {
                    Some(name) => format!("did you mean {name}?"),
                    None => format!("its layers are {}", names().collect::<Vec<_>>().join(", ")),
                };
                document.fault(&[&at("name")], format!("{} has no layer {}", network.name, entry.name), remedy);
                continue;
            };
            entry.check(layer, index, document);
            plan.weight_bits = entry.weights.unwrap_or(plan.weight_bits);
            plan.activation_bits = entry.activations.unwrap_or(plan.activation_bits);
            plan.regions.clone_from(&entry.regions);
        }
        plan
    }
}

impl PlanEntry {
    fn check(&self, layer: &Layer, index: usize, document: &mut Document) {
        let name = &layer.name;
        if self.activations.is_some_and(|bits| bits < fewest_activation_bits(layer)) {
            document.fault(
                &[&format!("layers[{index}].activations")],
                format!("{name} is fully connected and cannot be cropped"),
                format!("give it 1 to {MOST_BITS} bits"),
            );
        }
        if layer.kind == LayerKind::FullyConnected && !self.regions.is_empty() {
            document.fault(
                &[&format!("layers[{index}].regions")],
                format!("{name} is fully connected and has no regions"),
                "give it activations instead",
            );
            return;
        }
        let (height, width) = (layer.output.height, layer.output.width);
        for (number, region) in self.regions.iter().enumerate() {
            let ends_in = |start: u32, length: u32, end: u32| start.checked_add(length).is_some_and(|sum| sum <= end);
            if !ends_in(region.top, region.height, height) || !ends_in(region.left, region.width, width) {
                document.fault(
                    &[&format!("layers[{index}].regions[{number}]")],
                    format!("the region lies outside {name}"),
                    format!(
                        "its map has {height} rows and {width} columns: \
                         top + height and left + width must not exceed them"
                    ),
                );
            }
        }
    }
}
