//! From a file to a list of nodes, their weights and a report.

use std::collections::BTreeMap;
use std::path::Path;

use document::{Fault, Faults};
use index::size;
use network::{ListedNode, Network, NodeList, Operator, Preprocessing, Shape};

use crate::draft::{Affine, Draft, DraftNode, Parameters};
use crate::format::{Input, Model, narrowed};
use crate::reader::{Form, Map, Reader, Refused};
use crate::{Report, fold, format, report};

/// Most refused nodes that are listed one by one.
const LISTED: usize = 20;

/// Choices of an import.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Rows and columns of the image, where the model leaves them open.
    pub input_size: Option<(u32, u32)>,
    /// Leave local response normalisations out, which changes values.
    pub drop_lrn: bool,
}

/// A model that has been read.
pub struct Import {
    /// The network, as a network file has it.
    pub list: NodeList,
    /// Largest absolute value of the results of a node, where the model states it by quantising them.
    pub ranges: BTreeMap<String, f64>,
    /// Fate of the model's nodes.
    pub report: Report,
    draft: Draft,
}

/// A tensor of weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// Name: that of the node, and `weight`, `bias` or `slope`.
    pub name: String,
    /// Sizes.
    pub dims: Vec<usize>,
    /// Numbers in row-major order.
    pub values: Vec<f32>,
}

/// Reads the model in the file at `path`.
pub fn import(path: &Path, options: &Options) -> Result<Import, Faults> {
    let model = format::read(path)?;
    let file = path.display().to_string();
    let (image, form, input) = image(&model, &file, options)?;
    let map = Map::new(network::Origin::Image, form);
    let mut reader = Reader::new(&model, &image, map, input, options.drop_lrn);
    reader.read(&model);
    let Reader { mut draft, refused, .. } = reader;
    if !refused.is_empty() {
        return Err(faults(&file, &refused));
    }
    fold::fold(&mut draft);
    if draft.results.is_empty() || draft.results.contains(&network::Origin::Image) {
        let remedy = "give a model with at least one convolution or fully connected layer";
        return Err(Fault::new(format!("{file} computes nothing from its image"), remedy).into());
    }
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let list = list(&draft, if name.is_empty() { "network".to_owned() } else { name });
    let report = report::of(&draft);
    Ok(Import { list, ranges: draft.ranges.clone(), report, draft })
}

/// Returns the text of a preset or a network file, or of the network file that a model in a file ending in `.onnx`
/// becomes, and the name to show in faults.
pub fn text(preset_or_path: &str) -> Result<(String, String), Faults> {
    let path = Path::new(preset_or_path);
    if !path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx")) {
        return document::preset_or_file(network::PRESETS, preset_or_path);
    }
    let import = import(path, &Options::default())?;
    import.lower()?;
    Ok((import.list.to_toml(), preset_or_path.to_owned()))
}

/// Loads a preset, a network file, or the network of a model in a file ending in `.onnx`.
pub fn load(preset_or_path: &str) -> Result<Network, Faults> {
    let (text, file) = text(preset_or_path)?;
    network::parse(&text, &file)
}

/// Returns name, form and size of the image that the model takes.
fn image(model: &Model, file: &str, options: &Options) -> Result<(String, Form, Shape), Faults> {
    let read = |input: &&Input| model.nodes.iter().any(|node| node.inputs.contains(&input.name));
    let images: Vec<&Input> = model.inputs.iter().filter(read).collect();
    let [image] = images[..] else {
        let names: Vec<&str> = images.iter().map(|input| input.name.as_str()).collect();
        let remedy = "give a model with one input, an image";
        return Err(Fault::new(format!("{file} has {} inputs: {}", images.len(), names.join(", ")), remedy).into());
    };
    let name = &image.name;
    let text = |dims: &[Option<u64>]| {
        let of = |dim: &Option<u64>| dim.map_or_else(|| "?".to_owned(), |dim| dim.to_string());
        dims.iter().map(of).collect::<Vec<_>>().join(" x ")
    };
    let wrong = |problem: String, remedy: &str| {
        Faults::from(Fault::new(format!("the input {name} of {file} {problem}"), remedy))
    };
    let few = |dim: Option<u64>| dim.is_some_and(|dim| dim <= 4);
    let (batch, form, [channels, height, width]) = match image.dims[..] {
        // Channels come last where the last axis could be the colours and the first could not.
        [batch, height, width, channels] if few(channels) && !few(height) => {
            (batch, Form::ChannelsLast, [channels, height, width])
        }
        [batch, channels, height, width] => (batch, Form::Channels, [channels, height, width]),
        _ => {
            let dims = text(&image.dims);
            return Err(wrong(format!("has the sizes {dims}"), "an image has four: 1 x channels x rows x columns"));
        }
    };
    if batch.is_some_and(|batch| batch > 1) {
        let problem = format!("holds {} images at once", batch.unwrap_or(1));
        return Err(wrong(problem, "export the model for one image, or for any number of them"));
    }
    let size = match (options.input_size, height, width) {
        (Some((rows, columns)), height, width) => {
            let fits = |given: u32, stated: Option<u64>| stated.is_none_or(|stated| stated == u64::from(given));
            if !fits(rows, height) || !fits(columns, width) {
                let problem = format!("has {} rows and columns, not {rows} x {columns}", text(&[height, width]));
                return Err(wrong(problem, "leave --input-size out: the model states the size"));
            }
            Some((rows.into(), columns.into()))
        }
        (None, Some(height), Some(width)) => Some((height, width)),
        _ => None,
    };
    let Some((height, width)) = size else {
        return Err(wrong(
            format!("leaves its size open: {}", text(&image.dims)),
            "give it with --input-size, as in 224x224",
        ));
    };
    let number = |size: u64, most: u64| u32::try_from(size).ok().filter(|size| (1..=most).contains(&u64::from(*size)));
    let (height, width) = (number(height, 16_384), number(width, 16_384));
    match (channels.and_then(|channels| number(channels, 65_536)), height, width) {
        (Some(channels), Some(height), Some(width)) => Ok((name.clone(), form, Shape { height, width, channels })),
        _ => Err(wrong(
            format!("has the sizes {}", text(&image.dims)),
            "give a model with a known number of channels, and at most 16384 rows and columns",
        )),
    }
}

fn faults(file: &str, refused: &[Refused]) -> Faults {
    let fault = |Refused { node, operator, reads, refusal }: &Refused| {
        let place = if reads.is_empty() { String::new() } else { format!(", which reads {reads},") };
        Fault::new(format!("{file}: {operator} {node:?}{place} {}", refusal.reason), refusal.remedy.clone())
    };
    let mut faults: Vec<Fault> = refused.iter().take(LISTED).map(fault).collect();
    if refused.len() > LISTED {
        let rest = refused.len() - LISTED;
        faults.push(Fault::new(format!("{file}: {rest} more nodes are refused"), "see those above first"));
    }
    faults.into()
}

fn list(draft: &Draft, name: String) -> NodeList {
    let node = |node: &DraftNode| ListedNode {
        name: node.name.clone(),
        inputs: node.inputs.clone(),
        operator: node.operator.clone(),
        activation: node.activation.clone(),
        crop: None,
    };
    let results = draft.results.iter().filter_map(|origin| match origin {
        network::Origin::Image => None,
        network::Origin::Node(node) => Some(*node),
    });
    NodeList {
        name,
        input: draft.input,
        preprocessing: Preprocessing::default(),
        nodes: draft.nodes.iter().map(node).collect(),
        results: results.collect(),
    }
}

impl Import {
    /// Returns the network. What the machine cannot run is named.
    pub fn lower(&self) -> Result<Network, Faults> {
        self.list.clone().lower().map_err(|misfits| {
            let fault = |misfit: &network::Misfit| {
                let node = &self.draft.nodes[misfit.node].model_name;
                Fault::new(format!("{} (node {node:?} of the model)", misfit.message), misfit.remedy.clone())
            };
            Faults::from(misfits.iter().map(fault).collect::<Vec<Fault>>())
        })
    }

    /// Returns all weights, with what is folded into them, each number rounded once; those of tile nodes too.
    pub fn weights(&self) -> Result<Vec<Named>, Faults> {
        if !self.draft.missing.is_empty() {
            let missing: Vec<&str> = self.draft.missing.iter().take(6).map(String::as_str).collect();
            let more = if self.draft.missing.len() > missing.len() { " and more" } else { "" };
            let message = format!("the numbers of {}{more} lie in a file that is missing", missing.join(", "));
            let remedy = "put the model's data file beside it; only timing needs no weights";
            return Err(Fault::new(message, remedy).into());
        }
        let mut named = Vec::new();
        for node in &self.draft.nodes {
            let mut push = |part: &str, dims: Vec<usize>, values: Vec<f32>| {
                named.push(Named { name: format!("{}.{part}", node.name), dims, values });
            };
            let rounded = |vector: &[f64]| vector.iter().map(|&value| narrowed(value)).collect::<Vec<f32>>();
            match &node.parameters {
                Parameters::None => {}
                Parameters::Weights(weights) => {
                    let inputs = self.channels_before(node);
                    let (outputs, groups) = match &node.operator {
                        Operator::Convolution { channels, groups, .. } => (*channels, *groups),
                        _ => (node.shape.channels, 1),
                    };
                    let (outputs, groups) = (size(outputs), size(groups));
                    let folded = weights.folded(outputs, inputs, groups);
                    let (values, bias) = folded.expect("no numbers are missing");
                    let dims = match &node.operator {
                        Operator::Convolution { .. } => weights.tensor.dims.clone(),
                        _ => vec![outputs, values.len() / outputs],
                    };
                    push("weight", dims, values);
                    push("bias", vec![outputs], bias);
                }
                Parameters::Affine(Affine { factor: Some(factor), offset: Some(offset) }) => {
                    push("weight", vec![factor.len()], rounded(factor));
                    push("bias", vec![offset.len()], rounded(offset));
                }
                Parameters::Slopes(Some(slopes)) => push("slope", vec![slopes.len()], rounded(slopes)),
                Parameters::Affine(_) | Parameters::Slopes(None) => unreachable!("no numbers are missing"),
            }
        }
        Ok(named)
    }

    fn channels_before(&self, node: &DraftNode) -> usize {
        let shape = match node.inputs[0] {
            network::Origin::Image => self.draft.input,
            network::Origin::Node(before) => self.draft.nodes[before].shape,
        };
        size(shape.channels)
    }
}
