//! Pictures, and their conversion to the input of a network.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use index::size;
use ndarray::{Array3, Axis};
use network::{Network, Preprocessing};

use crate::Error;
use crate::decode::decode;
use crate::npy;
use crate::resample::{Sample, centre_crop, resize};

/// A picture, which may not have been decoded yet.
#[derive(Clone, Debug)]
pub struct Picture {
    /// File name without folders; for one of several in an npy file, with its place there: `FILE.npy[0]`.
    pub name: String,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    File(PathBuf),
    /// All pictures of an npy file, and the index of this one.
    Array(Arc<npy::Pictures>, usize),
}

const REMEDY: &str = "give a PNG or JPEG file, an npy file, or a folder of them";

/// Lists the pictures for `network` in a file, or in the files of a folder in the order of their names. Files of other
/// kinds in a folder are ignored.
///
/// PNG and JPEG files hold one picture each. An npy file holds any number of one size: bytes, or floats from 0 to 1, of
/// pictures x channels x height x width, pictures x height x width x channels, or grey pictures x height x width.
///
/// # Errors
/// If there are no pictures, or an npy file cannot be read. PNG and JPEG files are not opened yet.
pub fn pictures(path: &Path, network: &Network) -> Result<Vec<Picture>, Error> {
    let unreadable = |reason: &dyn ToString| Error::unreadable(path, reason.to_string(), REMEDY);
    if !fs::metadata(path).map_err(|error| unreadable(&error))?.is_dir() {
        return in_file(path, network)?.ok_or_else(|| unreadable(&"it is not called .png, .jpg, .jpeg or .npy"));
    }
    let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut files: Vec<PathBuf> =
        entries.map_err(|error| unreadable(&error))?.into_iter().map(|entry| entry.path()).collect();
    files.sort();
    let mut pictures = Vec::new();
    for file in files {
        pictures.extend(in_file(&file, network)?.unwrap_or_default());
    }
    if pictures.is_empty() { Err(unreadable(&"there are no pictures in it")) } else { Ok(pictures) }
}

/// Pictures in a file; `None` if its name does not have an extension of pictures.
fn in_file(path: &Path, network: &Network) -> Result<Option<Vec<Picture>>, Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    Ok(match extension.as_deref() {
        Some("png" | "jpg" | "jpeg") => Some(vec![Picture { name, source: Source::File(path.to_owned()) }]),
        Some("npy") => {
            let pictures = Arc::new(npy::Pictures::read(path, size(network.input.channels))?);
            let picture =
                |index| Picture { name: format!("{name}[{index}]"), source: Source::Array(pictures.clone(), index) };
            Some((0..pictures.len()).map(picture).collect())
        }
        _ => None,
    })
}

impl Picture {
    /// Input of `network` before normalisation: channels x height x width, values from 0 to 1. Grey pictures are
    /// repeated on all channels of the network, and coloured files become grey for a network of one channel.
    ///
    /// # Errors
    /// If the file cannot be read, or the picture does not have the right size or channels, or holds a NaN.
    pub fn load(&self, network: &Network) -> Result<Array3<f32>, Error> {
        let channels = size(network.input.channels);
        let fitted = match &self.source {
            Source::File(path) => {
                let pixels = decode(path, channels == 1).map_err(|error| Error::unreadable(path, error, REMEDY))?;
                self.fit(pixels, network)?.mapv(unit)
            }
            Source::Array(pictures, index) => match &**pictures {
                npy::Pictures::Bytes(bytes) => {
                    self.fit(bytes.index_axis(Axis(0), *index).to_owned(), network)?.mapv(unit)
                }
                npy::Pictures::Floats(floats) => {
                    let pixels = floats.index_axis(Axis(0), *index);
                    if let Some(value) = pixels.iter().find(|value| !(0.0..=1.0).contains(*value)) {
                        let problem = format!("holds the value {value}");
                        return Err(self.wrong(problem, "give values from 0 to 1, or bytes (uint8) from 0 to 255"));
                    }
                    self.fit(pixels.to_owned(), network)?
                }
            },
        };
        match fitted.len_of(Axis(0)) {
            found if found == channels => Ok(fitted),
            1 => Ok(ndarray::concatenate(Axis(0), &vec![fitted.view(); channels]).expect("the channels have one size")),
            found => Err(self.wrong(
                format!("has {found} channels, and {} has {channels}", network.name),
                "give pictures of as many channels as the network's input",
            )),
        }
    }

    /// Scales the shorter side and cuts out the middle, each if the network's preprocessing says so.
    fn fit<T: Sample>(&self, mut pixels: Array3<T>, network: &Network) -> Result<Array3<T>, Error> {
        let Preprocessing { resize: side, centre_crop: crops, .. } = network.preprocessing;
        if let Some(side) = side {
            pixels = resize(pixels.view(), size(side));
        }
        let (needed_height, needed_width) = (size(network.input.height), size(network.input.width));
        if crops {
            return Ok(centre_crop(pixels.view(), needed_height, needed_width));
        }
        let (_, height, width) = pixels.dim();
        if (height, width) != (needed_height, needed_width) {
            return Err(self.wrong(
                format!("is {height} x {width}, and {} looks at {needed_height} x {needed_width}", network.name),
                "give pictures of that size, or let [preprocessing] of the network file resize and centre_crop them",
            ));
        }
        Ok(pixels)
    }

    fn wrong(&self, problem: String, remedy: &str) -> Error {
        Error::WrongPicture { picture: self.name.clone(), problem, remedy: remedy.to_owned() }
    }
}

/// A byte as a value from 0 to 1.
fn unit(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}

/// Normalises the channels of a picture as a network expects them.
pub fn normalise(mut pixels: Array3<f32>, preprocessing: &Preprocessing) -> Array3<f32> {
    for (channel, mut values) in pixels.axis_iter_mut(Axis(0)).enumerate() {
        let (mean, std) = preprocessing.mean_and_std(channel);
        values.mapv_inplace(|value| (value - mean) / std);
    }
    pixels
}
