//! Network files: from TOML to a list of nodes, and back to the file with what is wrong.
//!
//! Keys and names of all entries are checked here, sizes by [`NodeList::lower`] up to the first misfit on the way to a
//! value that leaves its size unknown.

use std::collections::HashMap;

use document::Document;

use crate::entry::{Entry, Function, KEYS, Kind, MapCrop, NetworkFile};
use crate::list::{ListedNode, NodeList, Operator, Origin};
use crate::{Activation, CropSize, Kernel, Network};

/// Name of the input image among inputs.
const IMAGE: &str = "input";

/// A list of nodes as far as it could be read.
pub(crate) struct Reading {
    pub(crate) list: NodeList,
    /// True for each node that is known; the others are stand-ins.
    known: Vec<bool>,
    crops: Vec<MapCrop>,
}

/// Reads the nodes of `file`. Faults are added to `document`.
pub(crate) fn read(file: NetworkFile, document: &mut Document) -> Reading {
    if file.layers.is_empty() {
        document.fault(&["layers"], "the network has no layers", "add at least one [[layers]]");
    }
    file.preprocessing.check(file.input, document);
    let mut reader = Reader { names: reading_names(&file, document), document };
    let last_crossbar = file.layers.iter().rposition(|entry| entry.kind.is_crossbar());
    let (mut nodes, mut known) = (Vec::new(), Vec::new());
    for (index, entry) in file.layers.iter().enumerate() {
        let has_relu = entry.kind.is_crossbar() && Some(index) != last_crossbar;
        let node = reader.node(index, entry, has_relu);
        known.push(node.is_some() && reader.document.is_sound("input"));
        // The stand-in tells which kind of layer the next ones stand behind.
        nodes.push(node.unwrap_or_else(|| stand_in(index, entry)));
    }
    let results = reader.results(&file);
    let NetworkFile { name, input, preprocessing, crops, .. } = file;
    Reading { list: NodeList { name, input, preprocessing, nodes, results }, known, crops }
}

impl Reading {
    /// Lowers the list. Misfits are added to `document`; the network is complete only if there are no faults.
    pub(crate) fn lower(self, document: &mut Document) -> Option<Network> {
        match self.list.lower_known(&self.known) {
            Ok(mut network) => {
                crop_by_size(&mut network, &self.crops, document);
                Some(network)
            }
            Err(misfits) => {
                for misfit in misfits {
                    let paths: Vec<String> = match &misfit.keys[..] {
                        [] => vec![format!("layers[{}]", misfit.node)],
                        keys => keys.iter().map(|key| key_of(misfit.node, key)).collect(),
                    };
                    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
                    document.fault(&paths, misfit.message, misfit.remedy);
                }
                None
            }
        }
    }
}

/// Returns the place of each layer by its name, and reports names that are given twice.
fn reading_names(file: &NetworkFile, document: &mut Document) -> HashMap<String, usize> {
    let mut names = HashMap::new();
    for (index, entry) in file.layers.iter().enumerate() {
        let first = *names.entry(entry.name.clone()).or_insert(index);
        if first < index {
            document.fault(
                &[&key_of(index, "name"), &key_of(first, "name")],
                format!("two layers are called {}", entry.name),
                "give each layer a name of its own",
            );
        }
    }
    names
}

/// Gives the convolutions with maps of a size in `crops` the crop of that size.
fn crop_by_size(network: &mut Network, crops: &[MapCrop], document: &mut Document) {
    for (number, &MapCrop { map, x, y }) in crops.iter().enumerate() {
        let at = format!("crops[{number}]");
        if x > map || y > map {
            document.fault(&[&at], "the crop is larger than its map", format!("give x and y of at most {map}"));
        }
        let mut found = false;
        for layer in &mut network.layers {
            if layer.kind == crate::LayerKind::Convolution && (layer.output.height, layer.output.width) == (map, map) {
                found = true;
                layer.crop = layer.crop.or(Some(CropSize { x, y }));
            }
        }
        if !found {
            document.fault(
                &[&format!("{at}.map")],
                format!("no convolution has a map of {map} x {map}"),
                "remove the entry, or give the size of a convolution's map before any pool",
            );
        }
    }
}

/// Returns a node of the kind of `entry` that reads the layer before it.
fn stand_in(index: usize, entry: &Entry) -> ListedNode {
    let operator = match entry.kind {
        Kind::Convolution => Operator::Convolution { kernel: Kernel::square(1, 1, 0), channels: 1, groups: 1 },
        Kind::FullyConnected => Operator::FullyConnected { channels: 1 },
        Kind::MaxPool | Kind::AveragePool | Kind::GlobalAveragePool => Operator::GlobalAveragePool,
        _ => Operator::Activation,
    };
    let inputs = vec![before(index)];
    ListedNode { name: entry.name.clone(), inputs, operator, activation: None, crop: None }
}

struct Reader<'a> {
    document: &'a mut Document,
    /// Place of each layer by its name.
    names: HashMap<String, usize>,
}

impl Reader<'_> {
    /// Returns the node of an entry; `None` if a key is missing or wrong. `has_relu` says that a ReLU follows if the
    /// entry states no activation.
    fn node(&mut self, index: usize, entry: &Entry, has_relu: bool) -> Option<ListedNode> {
        let sound = KEYS.iter().all(|key| self.document.is_sound(&key_of(index, key)));
        self.check_keys(index, entry);
        let inputs = self.inputs(index, entry);
        let activation = self.activation(index, entry, has_relu);
        let operator = entry.operator()?;
        let (inputs, activation) = (inputs?, activation?);
        sound.then(|| ListedNode { name: entry.name.clone(), inputs, operator, activation, crop: entry.crop })
    }

    /// Reports keys that the kind of layer requires and the entry lacks, and keys that the kind does not have.
    fn check_keys(&mut self, index: usize, entry: &Entry) {
        use Kind::{Activation, AveragePool, Channels, Convolution, FullyConnected, MaxPool, Shuffle};
        let is = |kinds: &[Kind]| kinds.contains(&entry.kind);
        let has_window = is(&[Convolution, MaxPool, AveragePool]);
        let has_channels = is(&[Convolution, FullyConnected, Channels]);
        let computes = !is(&[Kind::Concat, Channels, Shuffle]);
        // Key; true if it is given, if the kind has it, if the kind requires it.
        let keys = [
            ("kernel", entry.kernel.is_some(), has_window, has_window),
            ("stride", entry.stride.is_some(), has_window, false),
            ("padding", entry.padding.is_some(), has_window, false),
            ("dilation", entry.dilation.is_some(), is(&[Convolution, MaxPool]), false),
            ("counted_padding", entry.counted_padding.is_some(), is(&[AveragePool]), false),
            ("channels", entry.channels.is_some(), has_channels, has_channels),
            ("first", entry.first.is_some(), is(&[Channels]), false),
            ("groups", entry.groups.is_some(), is(&[Convolution, Shuffle]), is(&[Shuffle])),
            ("activation", entry.activation.is_some(), computes, is(&[Activation])),
            ("crop", entry.crop.is_some(), is(&[Convolution]), false),
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

    /// Returns what the entry reads; `None` if a name is wrong.
    fn inputs(&mut self, index: usize, entry: &Entry) -> Option<Vec<Origin>> {
        let Some(names) = &entry.inputs else {
            return Some(vec![before(index)]);
        };
        let path = key_of(index, "inputs");
        let one = !matches!(entry.kind, Kind::Add | Kind::Concat);
        let fits = match entry.kind {
            Kind::Add => names.len() >= 2,
            Kind::Concat => !names.is_empty(),
            _ => names.len() == 1,
        };
        if !fits {
            let wanted = if one { "one name" } else { "two names or more" };
            let kind = entry.kind.article_and_name();
            self.document.fault(
                &[&path, &key_of(index, "kind")],
                format!("{} has {} inputs", entry.name, names.len()),
                format!("give {wanted}: it is {kind}"),
            );
        }
        let origins: Vec<_> =
            names.iter().enumerate().map(|(n, name)| self.origin(index, &format!("{path}[{n}]"), name)).collect();
        origins.into_iter().collect::<Option<_>>().filter(|_| fits)
    }

    fn origin(&mut self, index: usize, path: &str, name: &str) -> Option<Origin> {
        match self.names.get(name) {
            Some(&place) if place < index => Some(Origin::Node(place)),
            Some(&place) => {
                self.document.fault(
                    &[path, &key_of(place, "name")],
                    format!("{name} does not come before its reader"),
                    "put each layer after those that it reads",
                );
                None
            }
            None if name == IMAGE => Some(Origin::Image),
            None => {
                let known = self.names.keys().map(String::as_str).chain([IMAGE]);
                let remedy = match document::nearest(name, known) {
                    Some(near) => format!("did you mean {near}?"),
                    None => "give the name of an earlier layer, or input for the image".to_owned(),
                };
                self.document.fault(&[path], format!("there is no layer {name}"), remedy);
                None
            }
        }
    }

    /// Returns the activation of an entry, if it has one; `None` if its keys are wrong.
    #[expect(clippy::option_option, reason = "the outer one is the result of a check")]
    fn activation(&mut self, index: usize, entry: &Entry, has_relu: bool) -> Option<Option<Activation>> {
        let default = if has_relu { Function::Relu } else { Function::None };
        let function = entry.activation.unwrap_or(default);
        // Key; the value, if given; the default, if the function has the key; true if it requires it.
        let (clip, hard) = (function == Function::Clip, function == Function::HardSigmoid);
        let leaky = function == Function::LeakyRelu;
        let keys = [
            ("low", entry.low, clip, false),
            ("high", entry.high, clip, clip),
            ("slope", entry.slope, leaky || hard, leaky),
            ("offset", entry.offset, hard, false),
        ];
        let name = function.name();
        let mut sound = true;
        for (key, given, allowed, required) in keys {
            let path = key_of(index, key);
            let paths = [path.as_str(), &key_of(index, "activation")];
            if given.is_some() && !allowed {
                self.document.fault(&paths, format!("the activation {name} has no {key}"), format!("remove {key}"));
                sound = false;
            } else if required && given.is_none() {
                self.document.fault(&paths, format!("{path} is missing"), format!("add {key}: {name} needs it"));
                sound = false;
            }
        }
        if function == Function::PRelu && entry.kind != Kind::Activation {
            self.document.fault(
                &[&key_of(index, "activation")],
                format!("{} has weights of its own and cannot have those of a p_relu", entry.name),
                "add a layer of kind activation after it",
            );
            sound = false;
        }
        let low = entry.low.unwrap_or(0.0);
        if clip && entry.high.is_some_and(|high| high < low) {
            self.document.fault(
                &[&key_of(index, "high"), &key_of(index, "low")],
                format!("{} clips to an empty range", entry.name),
                format!("give high at least {low}"),
            );
            sound = false;
        }
        let slope = |default: f32| entry.slope.unwrap_or(default);
        let activation = match function {
            Function::None => None,
            Function::Relu => Some(Activation::Relu),
            Function::Clip => Some(Activation::Clip { low, high: entry.high.unwrap_or(low) }),
            Function::LeakyRelu => Some(Activation::LeakyRelu(slope(0.0))),
            Function::PRelu => Some(Activation::PRelu(0..0)),
            Function::Sigmoid => Some(Activation::Sigmoid),
            Function::Tanh => Some(Activation::Tanh),
            Function::HardSigmoid => {
                Some(Activation::HardSigmoid { slope: slope(0.2), offset: entry.offset.unwrap_or(0.5) })
            }
            Function::HardSwish => Some(Activation::HardSwish),
            Function::Swish => Some(Activation::Swish),
        };
        sound.then_some(activation)
    }

    fn results(&mut self, file: &NetworkFile) -> Vec<usize> {
        if file.results.is_empty() {
            return file.layers.len().checked_sub(1).into_iter().collect();
        }
        let names = file.results.iter().enumerate();
        let origins = names.map(|(n, name)| self.origin(file.layers.len(), &format!("results[{n}]"), name));
        let origins: Vec<_> = origins.collect();
        let nodes = origins.into_iter().flatten().filter_map(|origin| match origin {
            Origin::Image => None,
            Origin::Node(node) => Some(node),
        });
        nodes.collect()
    }
}

/// Returns what an entry reads by default.
fn before(index: usize) -> Origin {
    index.checked_sub(1).map_or(Origin::Image, Origin::Node)
}

fn key_of(index: usize, key: &str) -> String {
    format!("layers[{index}].{key}")
}
