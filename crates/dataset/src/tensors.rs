//! Files of named tensors: safetensors and npz. Headers are read when the file is opened, values on request.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use index::{count, size};
use ndarray::ArrayD;
use safetensors::tensor::{Metadata, TensorInfo};
use zip::ZipArchive;

use crate::Error;
use crate::numbers::{NpyHeader, Number};

/// A file of named tensors whose headers have been read.
pub(crate) struct TensorFile {
    pub(crate) path: PathBuf,
    /// Shape of each tensor.
    pub(crate) shapes: BTreeMap<String, Vec<usize>>,
    format: Format,
}

enum Format {
    /// Header, and offset of the data in bytes.
    Safetensors {
        file: File,
        infos: BTreeMap<String, TensorInfo>,
        start: u64,
    },
    Npz(ZipArchive<File>),
    /// Tensors that were read from a file of another kind.
    Read(BTreeMap<String, ArrayD<f32>>),
}

const REMEDY: &str = "give a file that torch's safetensors or numpy.savez has written";

impl TensorFile {
    /// Reads the headers of all tensors.
    pub(crate) fn open(path: &Path) -> Result<TensorFile, Error> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let open = match extension {
            Some("safetensors") => TensorFile::open_safetensors,
            Some("npz") => TensorFile::open_npz,
            _ => return Err(Error::unreadable(path, "its name does not end in .safetensors or .npz", REMEDY)),
        };
        let file = File::open(path).map_err(|error| Error::unreadable(path, error, REMEDY))?;
        open(path, file).map_err(|reason| Error::unreadable(path, reason, REMEDY))
    }

    /// Tensors that were read from the file at `path`.
    pub(crate) fn of_tensors(path: &Path, tensors: BTreeMap<String, ArrayD<f32>>) -> TensorFile {
        let shapes = tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shape().to_vec())).collect();
        TensorFile { path: path.to_owned(), shapes, format: Format::Read(tensors) }
    }

    /// Reads the header only: the data may be larger than memory.
    fn open_safetensors(path: &Path, mut file: File) -> Result<TensorFile, String> {
        let length = file.metadata().map_err(|error| error.to_string())?.len();
        let mut header_length = [0; 8];
        file.read_exact(&mut header_length).map_err(|_| "it has no header")?;
        let header_length = u64::from_le_bytes(header_length);
        if header_length > length {
            return Err("its header is longer than the file".into());
        }
        let mut header = vec![0; size(header_length)];
        file.read_exact(&mut header).map_err(|error| error.to_string())?;
        let metadata: Metadata = serde_json::from_slice(&header).map_err(|error| error.to_string())?;
        let start = 8 + header_length;
        if start + count(metadata.data_len()) != length {
            return Err("it does not have as many bytes as its header says".into());
        }
        let infos: BTreeMap<String, TensorInfo> =
            metadata.tensors().into_iter().map(|(name, info)| (name, info.clone())).collect();
        let shapes = infos.iter().map(|(name, info)| (name.clone(), info.shape.clone())).collect();
        Ok(TensorFile { path: path.to_owned(), shapes, format: Format::Safetensors { file, infos, start } })
    }

    fn open_npz(path: &Path, file: File) -> Result<TensorFile, String> {
        let mut archive = ZipArchive::new(file).map_err(|error| error.to_string())?;
        let mut shapes = BTreeMap::new();
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).map_err(|error| error.to_string())?;
            let Some(name) = entry.name().strip_suffix(".npy").map(str::to_owned) else { continue };
            let header = NpyHeader::read(&mut entry).map_err(|reason| format!("array {name}: {reason}"))?;
            shapes.insert(name, header.shape);
        }
        Ok(TensorFile { path: path.to_owned(), shapes, format: Format::Npz(archive) })
    }

    /// Values of a tensor of this file, in single precision.
    pub(crate) fn read(&mut self, tensor: &str) -> Result<ArrayD<f32>, Error> {
        let values = self.numbers(tensor).map_err(|(problem, remedy)| self.wrong(tensor, problem, remedy))?;
        match values.iter().find(|value| !value.is_finite()) {
            None => Ok(values),
            Some(value) => Err(self.wrong(
                tensor,
                format!("holds a value that is not finite: {value}"),
                "train the network again, or look for the overflow that made this value",
            )),
        }
    }

    fn numbers(&mut self, tensor: &str) -> Result<ArrayD<f32>, (String, &'static str)> {
        let cannot = |reason: &dyn ToString| (format!("cannot be read: {}", reason.to_string()), REMEDY);
        let floating = |number: Option<Number>, called: &str| match number {
            Some(number) if number != Number::U8 => Ok(number),
            _ => Err((format!("holds numbers of type {called}"), "store it as floating point: of 16, 32 or 64 bits")),
        };
        match &mut self.format {
            Format::Safetensors { file, infos, start } => {
                let info = &infos[tensor];
                let number = floating(Number::of_safetensors(info.dtype), &format!("{:?}", info.dtype))?;
                let (first, end) = info.data_offsets;
                let mut bytes = vec![0; end - first];
                file.seek(SeekFrom::Start(*start + count(first)))
                    .and_then(|_| file.read_exact(&mut bytes))
                    .map_err(|error| cannot(&error))?;
                let values = ArrayD::from_shape_vec(info.shape.clone(), number.decode(&bytes));
                Ok(values.expect("the header was found to be consistent"))
            }
            Format::Npz(archive) => {
                let mut entry = archive.by_name(&format!("{tensor}.npy")).map_err(|error| cannot(&error))?;
                let header = NpyHeader::read(&mut entry).map_err(|reason| cannot(&reason))?;
                let number = floating(header.number(), &header.descr)?;
                let bytes = header.read_bytes(number, &mut entry).map_err(|reason| cannot(&reason))?;
                Ok(header.array(number.decode(&bytes)))
            }
            Format::Read(tensors) => Ok(tensors[tensor].clone()),
        }
    }

    /// Error about a tensor of this file.
    pub(crate) fn wrong(&self, tensor: &str, problem: String, remedy: &'static str) -> Error {
        Error::WrongTensor { file: self.path.clone(), tensor: tensor.to_owned(), problem, remedy }
    }
}
