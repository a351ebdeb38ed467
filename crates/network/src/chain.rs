//! Network files, and the check that their layers follow one another.
//!
//! [`chain`] goes through the entries in order with the map that the next layer reads. Keys, padding and order of all
//! entries are checked. Sizes are checked up to the first fault that leaves the map unknown.

use std::collections::HashMap;

use document::Document;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{CropSize, Kernel, Layer, LayerKind, Network, Preprocessing, Shape};

/// A network file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkFile {
    /// Name shown in reports.
    #[schemars(length(min = 1, max = 128))]
    name: String,
    /// One input image.
    input: Shape,
    /// Steps from a picture to the input.
    #[serde(default)]
    preprocessing: Preprocessing,
    /// Layers in order.
    layers: Vec<Entry>,
}

/// A layer of a network file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Name, unique in the network.
    #[schemars(length(min = 1, max = 128))]
    name: String,
    /// Operation of the layer.
    kind: Kind,
    /// Side of the square kernel.
    #[schemars(range(min = 1, max = 1024))]
    kernel: Option<u32>,
    /// Step of the window, 1 by default.
    #[schemars(range(min = 1, max = 1024))]
    stride: Option<u32>,
    /// Zeros around the map on each side, 0 by default.
    #[schemars(range(max = 1023))]
    padding: Option<u32>,
    /// Channels of the output.
    #[schemars(range(min = 1, max = 65536))]
    channels: Option<u32>,
    /// Columns (x) and rows (y) that a cut takes from an edge of the output map.
    crop: Option<CropSize>,
}

#[derive(Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// A kernel moved over the map.
    Convolution,
    /// The largest value of each window.
    MaxPool,
    /// Every input to every output.
    FullyConnected,
}

impl Kind {
    fn article_and_name(self) -> &'static str {
        match self {
            Kind::Convolution => "a convolution",
            Kind::MaxPool => "a max-pool",
            Kind::FullyConnected => "a fully connected layer",
        }
    }
}

/// Chains the layers of `file`. Faults are added to `document`; the network is complete only if there are none.
pub(crate) fn chain(file: NetworkFile, document: &mut Document) -> Network {
    if file.layers.is_empty() {
        document.fault(&["layers"], "the network has no layers", "add at least one [[layers]]");
    }
    let mut names = HashMap::new();
    for (index, entry) in file.layers.iter().enumerate() {
        let first = *names.entry(entry.name.as_str()).or_insert(index);
        if first < index {
            document.fault(
                &[&format!("layers[{index}].name"), &format!("layers[{first}].name")],
                format!("two layers are called {}", entry.name),
                "give each layer a name of its own",
            );
        }
    }
    file.preprocessing.check(file.input, document);
    let mut chain = Chain { document: &mut *document, layers: Vec::new(), map: Some(file.input), last: None };
    if !chain.document.is_sound("input") {
        chain.map = None;
    }
    for (index, entry) in file.layers.into_iter().enumerate() {
        chain.add(index, entry);
    }
    let mut layers = chain.layers;
    if layers.len() > usize::from(u16::MAX) {
        let message = format!("the network has {} layers with weights", layers.len());
        document.fault(&["layers"], message, "give at most 65535");
        layers.clear();
    }
    Network::chain(file.name, file.input, file.preprocessing, layers.into())
}

struct Chain<'a> {
    document: &'a mut Document,
    layers: Vec<Layer>,
    /// Map that the next layer reads; `None` once a fault has made it unknown, which ends the check of sizes.
    map: Option<Shape>,
    /// Kind of the previous layer with weights.
    last: Option<Kind>,
}

impl Chain<'_> {
    fn add(&mut self, index: usize, entry: Entry) {
        let map = self.map.take();
        let sizes = ["kind", "kernel", "stride", "padding", "channels"];
        let sound = sizes.iter().all(|key| self.document.is_sound(&key_of(index, key)));
        self.check_keys(index, &entry);
        self.check_padding(index, &entry);
        self.check_order(index, &entry);
        if let (true, Some(map)) = (sound, map) {
            self.map = match entry.kind {
                Kind::Convolution => self.convolution(index, entry, map),
                Kind::MaxPool => self.max_pool(index, &entry, map),
                Kind::FullyConnected => self.fully_connected(index, entry, map),
            };
        }
    }

    /// Reports keys that the kind of layer requires and the entry lacks, and keys that the kind does not have.
    fn check_keys(&mut self, index: usize, entry: &Entry) {
        let kernel = entry.kind != Kind::FullyConnected;
        let channels = entry.kind != Kind::MaxPool;
        let crop = entry.kind == Kind::Convolution;
        // Key; true if it is given, if the kind has it, if the kind requires it.
        let keys = [
            ("kernel", entry.kernel.is_some(), kernel, kernel),
            ("stride", entry.stride.is_some(), kernel, false),
            ("padding", entry.padding.is_some(), kernel, false),
            ("channels", entry.channels.is_some(), channels, channels),
            ("crop", entry.crop.is_some(), crop, false),
        ];
        let kind = entry.kind.article_and_name();
        for (key, given, allowed, required) in keys {
            let path = key_of(index, key);
            let paths = [path.as_str(), &key_of(index, "kind")];
            if given && !allowed {
                self.document.fault(&paths, format!("{kind} has no {key}"), format!("remove {key}"));
            } else if required && !given {
                self.document.fault(&paths, format!("{path} is missing"), format!("add {key}: {kind} needs it"));
            }
        }
    }

    /// Reports padding so wide that a window can lie wholly on it.
    fn check_padding(&mut self, index: usize, entry: &Entry) {
        let (Some(kernel), Some(padding)) = (entry.kernel, entry.padding) else {
            return;
        };
        if padding >= kernel {
            self.document.fault(
                &[&key_of(index, "padding"), &key_of(index, "kernel")],
                format!("{} has windows that see nothing but padding", entry.name),
                format!("give its {kernel} x {kernel} kernel a padding of at most {}", kernel - 1),
            );
        }
    }

    /// Reports a layer that cannot follow those before it.
    fn check_order(&mut self, index: usize, entry: &Entry) {
        let after = self.last;
        if entry.kind != Kind::MaxPool {
            self.last = Some(entry.kind);
        }
        let name = &entry.name;
        let (message, remedy) = match (after, entry.kind) {
            (None, Kind::MaxPool) => (
                format!("{name} pools the input image"),
                "start with a convolution: a pool belongs to the layer before it",
            ),
            (Some(Kind::FullyConnected), Kind::MaxPool) => (
                format!("{name} pools a fully connected layer, whose map is a single position"),
                "remove it, or put it before the fully connected layers",
            ),
            (Some(Kind::FullyConnected), Kind::Convolution) => (
                format!("{name} is a convolution behind a fully connected layer"),
                "put all convolutions before the fully connected layers",
            ),
            _ => return,
        };
        self.document.fault(&[&key_of(index, "kind")], message, remedy);
    }

    fn convolution(&mut self, index: usize, entry: Entry, map: Shape) -> Option<Shape> {
        let channels = entry.channels?;
        let kernel = entry.kernel()?;
        let (height, width) = self.windows(index, &entry, kernel, map)?;
        if let Some(crop) = entry.crop
            && (crop.x > width || crop.y > height)
        {
            self.document.fault(
                &[&key_of(index, "crop")],
                format!("the crop of {} is larger than its map, {height} x {width}", entry.name),
                format!("give x at most {width} and y at most {height}"),
            );
        }
        let output = Shape { height, width, channels };
        self.push(
            index,
            Layer {
                name: entry.name,
                kind: LayerKind::Convolution,
                input: map,
                kernel,
                groups: 1,
                output,
                pool: None,
                pooled: output,
                crop: entry.crop,
            },
        )
    }

    fn fully_connected(&mut self, index: usize, entry: Entry, map: Shape) -> Option<Shape> {
        let output = Shape { height: 1, width: 1, channels: entry.channels? };
        self.push(
            index,
            Layer {
                name: entry.name,
                kind: LayerKind::FullyConnected,
                input: map,
                kernel: Kernel::covering(map),
                groups: 1,
                output,
                pool: None,
                pooled: output,
                crop: None,
            },
        )
    }

    fn max_pool(&mut self, index: usize, entry: &Entry, map: Shape) -> Option<Shape> {
        let kernel = entry.kernel()?;
        let (height, width) = self.windows(index, entry, kernel, map)?;
        let pooled = Shape { height, width, ..map };
        // A pool without a layer before it has been reported; the layers after it can still be checked.
        let Some(layer) = self.layers.last_mut() else {
            return Some(pooled);
        };
        layer.pool = match layer.pool {
            None => Some(kernel),
            Some(first) => first.then(&kernel),
        };
        if layer.pool.is_none() {
            self.document.fault(
                &[&format!("layers[{index}]")],
                format!("the pools behind {} have a window or stride of 2^32 or more together", layer.name),
                "remove pools: one of the size of the map leaves a single position",
            );
            return None;
        }
        layer.pooled = pooled;
        Some(pooled)
    }

    /// Returns height and width of the map of windows, or reports a kernel that is larger than the padded map.
    fn windows(&mut self, index: usize, entry: &Entry, kernel: Kernel, map: Shape) -> Option<(u32, u32)> {
        let (side, padding) = (kernel.size.y, kernel.padding.top);
        let Shape { height, width, .. } = map;
        let name = &entry.name;
        let windows = kernel.windows(map);
        if windows.is_none() {
            self.document.fault(
                &[&key_of(index, "kernel")],
                format!(
                    "the {side} x {side} kernel of {name} is larger than its map, \
                     {height} x {width} with padding {padding}"
                ),
                "give it a smaller kernel or more padding, or shrink the map less before it",
            );
        }
        windows
    }

    fn push(&mut self, index: usize, layer: Layer) -> Option<Shape> {
        let Shape { height, width, channels } = layer.input;
        let positions = u64::from(layer.kernel.size.y) * u64::from(layer.kernel.size.x);
        if positions * u64::from(channels) > u64::from(u32::MAX) {
            self.document.fault(
                &[&format!("layers[{index}]")],
                format!(
                    "a window of {} has 2^32 inputs or more; its map is {height} x {width} x {channels}",
                    layer.name
                ),
                "give it a smaller kernel or map",
            );
            return None;
        }
        let pooled = layer.pooled;
        self.layers.push(layer);
        Some(pooled)
    }
}

impl Entry {
    fn kernel(&self) -> Option<Kernel> {
        Some(Kernel::square(self.kernel?, self.stride.unwrap_or(1), self.padding.unwrap_or(0)))
    }
}

fn key_of(index: usize, key: &str) -> String {
    format!("layers[{index}].{key}")
}
