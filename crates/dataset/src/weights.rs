//! Assignment of the tensors of a file to the layers of a network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use index::size;
use ndarray::{Array1, ArrayD};
use network::{Activation, Layer, LayerKind, Network, Operation};
use numeric::{LayerWeights, StageWeights, Weights};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::Error;
use crate::tensors::TensorFile;

/// Most names listed one by one in a note or an error.
const LISTED: usize = 6;

/// The last part of the names of tensors that normalise activations, as torch and Keras have them.
const STATISTICS: [&str; 6] = ["running_mean", "running_var", "moving_mean", "moving_variance", "gamma", "beta"];

/// Weights of a network, with notes on the assignment of tensors to layers.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedWeights {
    /// The weights.
    pub weights: Weights,
    /// Notes on a common prefix of the tensors' names, missing biases, and tensors that no layer uses.
    pub notes: Vec<String>,
}

/// Reads the weights and biases of every layer of `network`, and the values of its stages, in single precision, from a
/// `.safetensors` or `.npz` file.
///
/// A layer's tensors are named after the layer (`conv1_1.weight`, `conv1_1.bias`), or as in torchvision: the
/// tensors `features.N.weight` belong to the convolutions and `classifier.N.weight` to the fully connected layers, in
/// the order of N. All may have one prefix, such as `module.`. Shapes are torch's: outputs x input channels x kernel
/// height x kernel width, and outputs x inputs. Half, single and double precision are read, brain floats from
/// safetensors. A network that has no biases at all gets zeros.
///
/// Affine nodes have the tensors `NODE.weight` and `NODE.bias` with a factor and an offset for each channel, nodes with
/// a `PRelu` the tensor `NODE.slope`.
///
/// # Errors
/// All tensors that are missing, misnamed or misshapen; tensors that normalise activations, which would be ignored; the
/// first tensor with a value that is not finite. Names and shapes are checked before the first value is read.
pub fn load_weights(path: &Path, network: &Network) -> Result<LoadedWeights, Vec<Error>> {
    assign(TensorFile::open(path).map_err(|error| vec![error])?, network)
}

/// Assigns tensors that were read from the file at `path`, as [`load_weights`] does.
///
/// # Errors
/// As [`load_weights`].
pub fn assign_weights(
    path: &Path,
    tensors: BTreeMap<String, ArrayD<f32>>,
    network: &Network,
) -> Result<LoadedWeights, Vec<Error>> {
    assign(TensorFile::of_tensors(path, tensors), network)
}

fn assign(mut file: TensorFile, network: &Network) -> Result<LoadedWeights, Vec<Error>> {
    refuse_normalisation(&file, network).map_err(|error| vec![error])?;
    let Names { prefix, stems } = names(&file, network).map_err(|error| vec![error])?;
    let has_biases = stems.iter().any(|stem| file.shapes.contains_key(&bias(stem)));
    check(&file, network, &stems, &prefix, has_biases)?;

    let mut notes = Vec::new();
    if !prefix.is_empty() {
        notes.push(format!("the tensors' names begin with {prefix}, which is left out"));
    }
    if !has_biases {
        notes.push("there are no biases: all are taken as zero".to_owned());
    }
    let stage_tensors = stage_tensors(network, &prefix);
    let used: BTreeSet<String> = stems.iter().flat_map(|stem| [weight(stem), bias(stem)]).collect();
    let is_used = |name: &String| used.contains(name) || stage_tensors.iter().any(|stage| stage.tensor == *name);
    let unused: Vec<&str> = file.shapes.keys().filter(|name| !is_used(name)).map(String::as_str).collect();
    if !unused.is_empty() {
        notes.push(format!("no layer of {} uses {}", network.name, listed(&unused)));
    }
    let layers = stems.iter().zip(&network.layers).map(|(stem, layer)| {
        let outputs = size(layer.output.channels);
        let bias = if has_biases { vector(&mut file, &bias(stem))? } else { Array1::zeros(outputs) };
        Ok(LayerWeights { weights: file.read(&weight(stem))?, bias })
    });
    let layers = layers.collect::<Result<_, Error>>().map_err(|error| vec![error])?;
    let mut stages = StageWeights::default();
    for StageTensor { node, tensor, kind, .. } in stage_tensors {
        let values = vector(&mut file, &tensor).map_err(|error| vec![error])?;
        let of_kind = match kind {
            StageKind::Factors => &mut stages.factors,
            StageKind::Offsets => &mut stages.offsets,
            StageKind::Slopes => &mut stages.slopes,
        };
        of_kind.insert(node.to_owned(), values);
    }
    let weights = Weights { layers, stages };
    let notes = notes.into_iter().map(|note| format!("{}: {note}", file.path.display())).collect();
    Ok(LoadedWeights { weights, notes })
}

/// A tensor of one dimension whose shape was checked.
fn vector(file: &mut TensorFile, tensor: &str) -> Result<Array1<f32>, Error> {
    let values = file.read(tensor)?;
    let length = values.len();
    Ok(values.into_shape_with_order(length).expect("a tensor of one dimension"))
}

/// Kind of the values of a stage.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StageKind {
    Factors,
    Offsets,
    Slopes,
}

/// A tensor with values of a stage.
struct StageTensor<'a> {
    /// Node of the network.
    node: &'a str,
    /// Name in the file.
    tensor: String,
    kind: StageKind,
    /// Values that the stages of the node need at least.
    channels: usize,
}

/// The tensors that the stages of `network` need, each once.
fn stage_tensors<'a>(network: &'a Network, prefix: &str) -> Vec<StageTensor<'a>> {
    let mut tensors: Vec<StageTensor> = Vec::new();
    for stage in network.maps.iter().flat_map(|map| &map.stages) {
        let (kinds, range): (&[_], _) = match &stage.operation {
            Operation::Affine(range) => (&[(StageKind::Factors, "weight"), (StageKind::Offsets, "bias")], range),
            Operation::Activation(Activation::PRelu(range)) => (&[(StageKind::Slopes, "slope")], range),
            _ => continue,
        };
        for &(kind, last) in kinds {
            let tensor = format!("{prefix}{}.{last}", stage.name);
            let channels = size(range.end);
            match tensors.iter_mut().find(|known| known.tensor == tensor) {
                Some(known) => known.channels = known.channels.max(channels),
                None => tensors.push(StageTensor { node: &stage.name, tensor, kind, channels }),
            }
        }
    }
    tensors
}

/// Returns the bytes of a safetensors file with these tensors: name, sizes and numbers in row-major order.
pub fn to_safetensors<'a>(tensors: impl Iterator<Item = (&'a str, &'a [usize], &'a [f32])>) -> Vec<u8> {
    let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let tensors: Vec<_> = tensors.map(|(name, dims, values)| (name, dims.to_vec(), bytes(values))).collect();
    let views = tensors.iter().map(|(name, dims, bytes)| {
        let view = TensorView::new(Dtype::F32, dims.clone(), bytes);
        (*name, view.expect("a tensor has as many numbers as its sizes ask for"))
    });
    safetensors::serialize(views, None).expect("tensors of these types can be written")
}

fn weight(stem: &str) -> String {
    format!("{stem}.weight")
}

fn bias(stem: &str) -> String {
    format!("{stem}.bias")
}

/// The first names, and the number of further ones.
fn listed(names: &[impl AsRef<str>]) -> String {
    let first: Vec<&str> = names.iter().take(LISTED).map(AsRef::as_ref).collect();
    let more = names.len().saturating_sub(LISTED);
    if more > 0 { format!("{} and {more} more tensors", first.join(", ")) } else { first.join(", ") }
}

/// Refuses tensors that normalise activations: leaving them out would change every answer.
fn refuse_normalisation(file: &TensorFile, network: &Network) -> Result<(), Error> {
    // Prefixes are not known yet.
    let is_layer = |stem: &str| network.layers.iter().any(|layer| layer.name == stem);
    let stages = stage_tensors(network, "");
    let is_stage = |name: &str| {
        let is_of = |prefix: &str| prefix.is_empty() || prefix.ends_with('.');
        stages.iter().any(|stage| name.strip_suffix(&stage.tensor).is_some_and(is_of))
    };
    let normalises = |name: &str, shape: &[usize]| {
        let (stem, last) = name.rsplit_once('.').unwrap_or(("", name));
        // A scale for each channel is no layer's matrix. A counter that belongs to no module is no evidence.
        STATISTICS.contains(&last)
            || last == "num_batches_tracked" && !stem.is_empty()
            || last == "weight" && shape.len() == 1 && !is_layer(stem) && !is_stage(name)
    };
    let found: Vec<&str> =
        file.shapes.iter().filter(|(name, shape)| normalises(name, shape)).map(|(name, _)| name.as_str()).collect();
    if found.is_empty() {
        return Ok(());
    }
    Err(Error::Normalisation { file: file.path.clone(), tensors: listed(&found), network: network.name.clone() })
}

/// Names of a network's tensors in a file.
struct Names {
    /// Common prefix, up to and including a dot; may be empty.
    prefix: String,
    /// The names of each layer's tensors, without `.weight` and `.bias`.
    stems: Vec<String>,
}

/// Finds the one prefix, which may be none, under which all layers have weights.
fn names(file: &TensorFile, network: &Network) -> Result<Names, Error> {
    let mut layers_found: BTreeMap<&str, usize> = BTreeMap::from([("", 0)]);
    for name in file.shapes.keys() {
        let Some(stem) = name.strip_suffix(".weight") else { continue };
        let by_layer = network.layers.iter().filter_map(|layer| stem.strip_suffix(layer.name.as_str()));
        let numbered = stem.rsplit_once('.').filter(|(_, number)| number.parse::<u32>().is_ok());
        let by_torchvision =
            numbered.and_then(|(part, _)| part.strip_suffix("features").or(part.strip_suffix("classifier")));
        for prefix in by_layer.chain(by_torchvision).filter(|prefix| prefix.is_empty() || prefix.ends_with('.')) {
            *layers_found.entry(prefix).or_default() += 1;
        }
    }
    let has_all = |stems: &[String]| stems.iter().all(|stem| file.shapes.contains_key(&weight(stem)));
    let mut complete: Vec<Names> = Vec::new();
    for &prefix in layers_found.keys() {
        if let Some(stems) = stems(file, network, prefix).ok().filter(|stems| has_all(stems)) {
            complete.push(Names { prefix: prefix.to_owned(), stems });
        }
    }
    match complete.len() {
        0 => {
            // Missing tensors are reported for the prefix under which most layers have weights.
            let (prefix, _) = layers_found.into_iter().rev().max_by_key(|(_, found)| *found).expect("none is one");
            Ok(Names { prefix: prefix.to_owned(), stems: stems(file, network, prefix)? })
        }
        1 => Ok(complete.remove(0)),
        _ => Err(Error::SeveralPrefixes {
            file: file.path.clone(),
            prefixes: complete.into_iter().map(|names| format!("{:?}", names.prefix)).collect::<Vec<_>>().join(", "),
            network: network.name.clone(),
        }),
    }
}

/// Names of each layer's tensors under a prefix: after the layers if any is, or else as in torchvision.
fn stems(file: &TensorFile, network: &Network, prefix: &str) -> Result<Vec<String>, Error> {
    let by_layer = |layer: &Layer| format!("{prefix}{}", layer.name);
    if network.layers.iter().any(|layer| file.shapes.contains_key(&weight(&by_layer(layer)))) {
        return Ok(network.layers.iter().map(by_layer).collect());
    }
    let parts = [
        (LayerKind::Convolution, "features.", "features.N.weight", "convolutions"),
        (LayerKind::FullyConnected, "classifier.", "classifier.N.weight", "fully connected layers"),
    ];
    let mut stems: Vec<String> = vec![String::new(); network.layers.len()];
    for (kind, part, pattern, kind_name) in parts {
        let part = format!("{prefix}{part}");
        let number = |name: &String| name.strip_prefix(&part)?.strip_suffix(".weight")?.parse::<u32>().ok();
        let mut numbers: Vec<u32> = file.shapes.keys().filter_map(number).collect();
        numbers.sort_unstable();
        let needed = network.layers.iter().filter(|layer| layer.kind == kind).count();
        if numbers.len() != needed {
            return Err(Error::TensorCount {
                file: file.path.clone(),
                pattern: format!("{prefix}{pattern}"),
                found: numbers.len(),
                kind: kind_name,
                needed,
                network: network.name.clone(),
            });
        }
        let layers = network.layers.iter().zip(&mut stems).filter(|(layer, _)| layer.kind == kind);
        for ((_, stem), number) in layers.zip(numbers) {
            *stem = format!("{part}{number}");
        }
    }
    Ok(stems)
}

/// Checks that all tensors are present and of the right shapes.
fn check(
    file: &TensorFile,
    network: &Network,
    stems: &[String],
    prefix: &str,
    has_biases: bool,
) -> Result<(), Vec<Error>> {
    let mut errors = Vec::new();
    for (layer, stem) in network.layers.iter().zip(stems) {
        let outputs = size(layer.output.channels);
        let kernel = [layer.input.channels / layer.groups, layer.kernel.size.y, layer.kernel.size.x].map(size);
        let mut shapes = vec![[&[outputs][..], &kernel].concat()];
        if layer.kind == LayerKind::FullyConnected {
            shapes.insert(0, vec![outputs, size(layer.rows())]);
        }
        let biases = has_biases.then(|| (bias(stem), vec![vec![outputs]]));
        for (tensor, shapes) in [(weight(stem), shapes)].into_iter().chain(biases) {
            match file.shapes.get(&tensor) {
                None => errors.push(Error::MissingTensor {
                    file: file.path.clone(),
                    tensor,
                    layer: layer.name.clone(),
                    network: network.name.clone(),
                }),
                Some(found) if !shapes.contains(found) => errors.push(file.wrong(
                    &tensor,
                    format!(
                        "has the shape {found:?}, and layer {} of {} needs {:?}",
                        layer.name, network.name, shapes[0]
                    ),
                    "give the weights of this network, or the network of these weights",
                )),
                Some(_) => {}
            }
        }
    }
    for StageTensor { node, tensor, channels, .. } in stage_tensors(network, prefix) {
        match file.shapes.get(&tensor).map(Vec::as_slice) {
            None => errors.push(Error::MissingTensor {
                file: file.path.clone(),
                tensor,
                layer: node.to_owned(),
                network: network.name.clone(),
            }),
            Some(&[length]) if length >= channels => {}
            Some(found) => errors.push(file.wrong(
                &tensor,
                format!("has the shape {found:?}, and {node} of {} needs {:?}", network.name, [channels]),
                "give a value for each channel of the node",
            )),
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}
