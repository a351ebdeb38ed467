//! Weights from safetensors and npz files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use ndarray::{ArrayD, IxDyn, OwnedRepr};
use ndarray_npy::NpzReader;
use network::{Layer, LayerKind, Network};
use numeric::LayerWeights;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use crate::Error;

/// Reads the weights and biases of every layer of `network`, in single precision, from a `.safetensors` or `.npz` file.
///
/// A layer's tensors are called after the layer (`conv1_1.weight`, `conv1_1.bias`), or as torchvision calls them: the
/// tensors `features.N.weight` belong to the convolutions and `classifier.N.weight` to the fully connected layers, in
/// the order of N. Shapes are torch's: outputs x input channels x kernel height x kernel width, and outputs x inputs.
/// Half, brain, single and double precision are read from safetensors, single and double from npz.
///
/// # Errors
/// If a tensor is missing, misnamed or misshapen, or holds a value that is not finite. Names and shapes of all tensors
/// are checked before the values of the first are read.
pub fn load_weights(path: &Path, network: &Network) -> Result<Vec<LayerWeights>, Error> {
    let mut file = WeightsFile::open(path)?;
    let stems = stems(&file, network)?;
    let layers = || network.layers.iter().zip(&stems);
    for (layer, stem) in layers() {
        for (tensor, shapes) in tensors_of(layer, stem) {
            file.check(&tensor, &shapes, layer, network)?;
        }
    }
    layers()
        .map(|(_, stem)| {
            let bias = file.read(&format!("{stem}.bias"))?;
            let outputs = bias.len();
            let bias = bias.into_shape_with_order(outputs).expect("a bias was found to have one dimension");
            Ok(LayerWeights { weights: file.read(&format!("{stem}.weight"))?, bias })
        })
        .collect()
}

/// The two tensors of a layer, and the shapes that each may have.
fn tensors_of(layer: &Layer, stem: &str) -> [(String, Vec<Vec<usize>>); 2] {
    let outputs = layer.output.channels as usize;
    let kernel = [layer.input.channels, layer.kernel_height, layer.kernel_width].map(|n| n as usize);
    let mut shapes = vec![[&[outputs][..], &kernel].concat()];
    if layer.kind == LayerKind::FullyConnected {
        shapes.insert(0, vec![outputs, layer.rows() as usize]);
    }
    [(format!("{stem}.weight"), shapes), (format!("{stem}.bias"), vec![vec![outputs]])]
}

/// What the tensors of each layer are called, without `.weight` and `.bias`.
fn stems(file: &WeightsFile, network: &Network) -> Result<Vec<String>, Error> {
    let by_layer = |layer: &Layer| file.shapes.contains_key(&format!("{}.weight", layer.name));
    if network.layers.iter().any(by_layer) {
        return Ok(network.layers.iter().map(|layer| layer.name.clone()).collect());
    }
    let numbers = |part: &str| {
        let number = |name: &String| name.strip_prefix(part)?.strip_suffix(".weight")?.parse::<u32>().ok();
        let mut numbers: Vec<u32> = file.shapes.keys().filter_map(number).collect();
        numbers.sort_unstable();
        numbers
    };
    let parts = [
        (LayerKind::Convolution, "features.", "features.N.weight", "convolutions"),
        (LayerKind::FullyConnected, "classifier.", "classifier.N.weight", "fully connected layers"),
    ];
    let mut stems: Vec<String> = vec![String::new(); network.layers.len()];
    for (kind, part, pattern, kind_name) in parts {
        let numbers = numbers(part);
        let needed = network.layers.iter().filter(|layer| layer.kind == kind).count();
        if numbers.len() != needed {
            return Err(Error::TensorCount {
                file: file.path.clone(),
                pattern,
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

/// A file of named tensors.
struct WeightsFile {
    path: PathBuf,
    /// Shape of each tensor.
    shapes: BTreeMap<String, Vec<usize>>,
    tensors: Tensors,
}

enum Tensors {
    /// What the header says, and where the data begins.
    Safetensors {
        file: File,
        infos: BTreeMap<String, TensorInfo>,
        start: u64,
    },
    Npz(BTreeMap<String, ArrayD<f32>>),
}

const REMEDY: &str = "give a file that torch's safetensors or numpy.savez has written";

impl WeightsFile {
    fn open(path: &Path) -> Result<WeightsFile, Error> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension {
            Some("safetensors") => WeightsFile::open_safetensors(path),
            Some("npz") => WeightsFile::open_npz(path),
            _ => Err(Error::unreadable(path, "its name does not end in .safetensors or .npz", REMEDY)),
        }
    }

    /// Reads the header only: the data may be larger than what else is in memory.
    fn open_safetensors(path: &Path) -> Result<WeightsFile, Error> {
        let unreadable = |reason: String| Error::unreadable(path, reason, REMEDY);
        let mut file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
        let length = file.metadata().map_err(|error| unreadable(error.to_string()))?.len();
        let mut size = [0; 8];
        file.read_exact(&mut size).map_err(|_| unreadable("it has no header".into()))?;
        let size = u64::from_le_bytes(size);
        if size > length {
            return Err(unreadable("its header is longer than the file".into()));
        }
        let mut header = vec![0; size as usize];
        file.read_exact(&mut header).map_err(|error| unreadable(error.to_string()))?;
        let metadata: Metadata = serde_json::from_slice(&header).map_err(|error| unreadable(error.to_string()))?;
        let start = 8 + size;
        if start + metadata.data_len() as u64 != length {
            return Err(unreadable("it does not have as many bytes as its header says".into()));
        }
        let infos: BTreeMap<String, TensorInfo> =
            metadata.tensors().into_iter().map(|(name, info)| (name, info.clone())).collect();
        let shapes = infos.iter().map(|(name, info)| (name.clone(), info.shape.clone())).collect();
        Ok(WeightsFile { path: path.to_owned(), shapes, tensors: Tensors::Safetensors { file, infos, start } })
    }

    fn open_npz(path: &Path) -> Result<WeightsFile, Error> {
        let unreadable = |reason: String| Error::unreadable(path, reason, REMEDY);
        let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
        let mut archive = NpzReader::new(file).map_err(|error| unreadable(error.to_string()))?;
        let names = archive.names().map_err(|error| unreadable(error.to_string()))?;
        let mut arrays = BTreeMap::new();
        for name in names {
            let single = archive.by_name::<OwnedRepr<f32>, IxDyn>(&name);
            let array = single.or_else(|_| {
                let double = archive.by_name::<OwnedRepr<f64>, IxDyn>(&name)?;
                Ok(double.mapv(|value| value as f32))
            });
            let array = array.map_err(|error: ndarray_npy::ReadNpzError| Error::WrongTensor {
                file: path.to_owned(),
                tensor: name.clone(),
                problem: format!("cannot be read: {error}"),
                remedy: "store it in single or double precision",
            })?;
            arrays.insert(name, array);
        }
        let shapes = arrays.iter().map(|(name, array)| (name.clone(), array.shape().to_vec())).collect();
        Ok(WeightsFile { path: path.to_owned(), shapes, tensors: Tensors::Npz(arrays) })
    }

    /// Finds a tensor there and of one of these shapes.
    fn check(&self, tensor: &str, shapes: &[Vec<usize>], layer: &Layer, network: &Network) -> Result<(), Error> {
        let Some(found) = self.shapes.get(tensor) else {
            return Err(Error::MissingTensor {
                file: self.path.clone(),
                tensor: tensor.to_owned(),
                layer: layer.name.clone(),
                network: network.name.clone(),
            });
        };
        if shapes.contains(found) {
            return Ok(());
        }
        Err(self.wrong(
            tensor,
            format!("has the shape {found:?}, and layer {} of {} needs {:?}", layer.name, network.name, shapes[0]),
            "give the weights of this network, or the network of these weights",
        ))
    }

    /// The values of a tensor that is there.
    fn read(&mut self, tensor: &str) -> Result<ArrayD<f32>, Error> {
        let values = match &mut self.tensors {
            Tensors::Npz(arrays) => arrays.remove(tensor).expect("tensors are checked before they are read"),
            Tensors::Safetensors { file, infos, start } => {
                let info = &infos[tensor];
                let (first, end) = info.data_offsets;
                let mut bytes = vec![0; end - first];
                file.seek(SeekFrom::Start(*start + first as u64))
                    .and_then(|_| file.read_exact(&mut bytes))
                    .map_err(|error| Error::unreadable(&self.path, error, REMEDY))?;
                let Some(values) = single_precision(info.dtype, &bytes) else {
                    let problem = format!("holds values of type {:?}", info.dtype);
                    return Err(self.wrong(tensor, problem, "store it as F16, BF16, F32 or F64"));
                };
                ArrayD::from_shape_vec(info.shape.clone(), values).expect("the header was found to be consistent")
            }
        };
        match values.iter().find(|value| !value.is_finite()) {
            None => Ok(values),
            Some(value) => Err(self.wrong(
                tensor,
                format!("holds a value that is not finite: {value}"),
                "train the network again, or look for the overflow that made this value",
            )),
        }
    }

    fn wrong(&self, tensor: &str, problem: String, remedy: &'static str) -> Error {
        Error::WrongTensor { file: self.path.clone(), tensor: tensor.to_owned(), problem, remedy }
    }
}

/// Little-endian numbers in single precision; `None` if they are not of a floating-point type.
fn single_precision(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    fn each<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        bytes.as_chunks().0.iter().map(|&bytes| value(bytes)).collect()
    }
    match dtype {
        Dtype::F32 => Some(each(bytes, f32::from_le_bytes)),
        Dtype::F64 => Some(each(bytes, |bytes| f64::from_le_bytes(bytes) as f32)),
        Dtype::BF16 => Some(each(bytes, |bytes| f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16))),
        Dtype::F16 => Some(each(bytes, |bytes| half(u16::from_le_bytes(bytes)))),
        _ => None,
    }
}

/// A number of IEEE 754 half precision.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (bits >> 10 & 0x1f, f32::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * 2f32.powi(-24),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(i32::from(exponent) - 15),
    };
    sign * magnitude
}

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn half_precision_is_read_exactly() {
        let values = [0x0000, 0x8001, 0x03ff, 0x0400, 0x3c00, 0xc000, 0x7bff].map(half);
        let smallest = 2f32.powi(-24);
        assert_eq!(values, [0.0, -smallest, 1023.0 * smallest, 2f32.powi(-14), 1.0, -2.0, 65504.0]);
        assert!(half(0x7c00).is_infinite() && half(0x7e00).is_nan());
    }
}
