//! Pictures, and how they become the input of a network.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::{DynamicImage, ImageBuffer, Luma, imageops};
use ndarray::{Array2, Array3, ArrayD, ArrayView2, ArrayView3, Axis, Ix4};
use ndarray_npy::{ReadNpyError, ReadNpyExt};
use network::{Network, Preprocessing};

use crate::Error;

/// A picture that may not have been looked at yet.
#[derive(Clone, Debug)]
pub struct Picture {
    /// File name without folders; for one of several in an npy file, with its place there: `FILE.npy[0]`.
    pub name: String,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    File(PathBuf),
    /// Pictures x channels x height x width, values from 0 to 1, and which of them.
    Array(Arc<ndarray::Array4<f32>>, usize),
}

const REMEDY: &str = "give a PNG or JPEG file, an npy file, or a folder of them";

/// The pictures in a file, or in the files of a folder in the order of their names. Files of other kinds in a folder are
/// passed over.
///
/// PNG and JPEG files hold one picture each. An npy file holds any number of one size: bytes of pictures x height x
/// width x channels, or floats from 0 to 1 of pictures x channels x height x width.
///
/// # Errors
/// If there are no pictures, or an npy file cannot be read. PNG and JPEG files are not opened yet.
pub fn pictures(path: &Path) -> Result<Vec<Picture>, Error> {
    let unreadable = |reason: &dyn ToString| Error::unreadable(path, reason.to_string(), REMEDY);
    if !fs::metadata(path).map_err(|error| unreadable(&error))?.is_dir() {
        return in_file(path)?.ok_or_else(|| unreadable(&"it is not called .png, .jpg, .jpeg or .npy"));
    }
    let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut files: Vec<PathBuf> =
        entries.map_err(|error| unreadable(&error))?.into_iter().map(|entry| entry.path()).collect();
    files.sort();
    let mut pictures = Vec::new();
    for file in files {
        pictures.extend(in_file(&file)?.unwrap_or_default());
    }
    if pictures.is_empty() { Err(unreadable(&"there are no pictures in it")) } else { Ok(pictures) }
}

/// The pictures in a file; `None` if it is not called like one of pictures.
fn in_file(path: &Path) -> Result<Option<Vec<Picture>>, Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    Ok(match extension.as_deref() {
        Some("png" | "jpg" | "jpeg") => Some(vec![Picture { name, source: Source::File(path.to_owned()) }]),
        Some("npy") => {
            let array = Arc::new(read_npy(path)?);
            let picture =
                |index| Picture { name: format!("{name}[{index}]"), source: Source::Array(array.clone(), index) };
            Some((0..array.len_of(Axis(0))).map(picture).collect())
        }
        _ => None,
    })
}

fn read_npy(path: &Path) -> Result<ndarray::Array4<f32>, Error> {
    let open = || File::open(path).map_err(ReadNpyError::from);
    let bytes = open().and_then(ArrayD::<u8>::read_npy);
    let array = match bytes {
        Ok(bytes) => bytes.mapv(unit).into_dimensionality::<Ix4>().map(|array| array.permuted_axes([0, 3, 1, 2])),
        Err(_) => {
            let floats = open().and_then(ArrayD::<f32>::read_npy);
            floats.map_err(|error| Error::unreadable(path, error, REMEDY))?.into_dimensionality::<Ix4>()
        }
    };
    let remedy =
        "store bytes as pictures x height x width x channels, or floats as pictures x channels x height x width";
    array.map_err(|_| Error::unreadable(path, "its array does not have four dimensions", remedy))
}

/// A byte as a value from 0 to 1.
fn unit(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}

impl Picture {
    /// The part of the picture that `network` looks at: channels x height x width, values from 0 to 1. Grey pictures
    /// for a network of three channels have three equal ones, and coloured pictures for one channel become grey.
    ///
    /// # Errors
    /// If the file cannot be read, or the picture does not have the right size or channels, or holds a NaN.
    pub fn load(&self, network: &Network) -> Result<Array3<f32>, Error> {
        let channels = network.input.channels as usize;
        let pixels = match &self.source {
            Source::File(path) => {
                let image = image::ImageReader::open(path).map_err(image::ImageError::from);
                let image = image.and_then(|reader| reader.with_guessed_format()?.decode());
                of_image(&image.map_err(|error| Error::unreadable(path, error, REMEDY))?, channels)
            }
            Source::Array(array, index) => array.index_axis(Axis(0), *index).to_owned(),
        };
        if pixels.len_of(Axis(0)) != channels {
            return Err(self.wrong(
                format!("has {} channels, and {} has {channels}", pixels.len_of(Axis(0)), network.name),
                "give pictures of as many channels as the network's input",
            ));
        }
        if let Some(value) = pixels.iter().find(|value| !(0.0..=1.0).contains(*value)) {
            return Err(self.wrong(format!("holds the value {value}"), "give values from 0 to 1"));
        }
        self.fit(pixels, network)
    }

    /// Scales the shorter side and cuts out the middle, as far as the network says so.
    fn fit(&self, mut pixels: Array3<f32>, network: &Network) -> Result<Array3<f32>, Error> {
        let Preprocessing { resize, centre_crop, .. } = network.preprocessing;
        let size = |pixels: &Array3<f32>| (pixels.len_of(Axis(1)), pixels.len_of(Axis(2)));
        if let Some(side) = resize {
            let (height, width) = size(&pixels);
            let scale = |length: usize| (length * side as usize + height.min(width) / 2) / height.min(width).max(1);
            pixels = scaled(pixels.view(), scale(height), scale(width));
        }
        let (height, width) = size(&pixels);
        let (needed_height, needed_width) = (network.input.height as usize, network.input.width as usize);
        let fits = if centre_crop {
            height >= needed_height && width >= needed_width
        } else {
            (height, width) == (needed_height, needed_width)
        };
        if !fits {
            return Err(self.wrong(
                format!("is {height} x {width}, and {} looks at {needed_height} x {needed_width}", network.name),
                "give pictures of that size, or let [preprocessing] of the network file resize and centre_crop them",
            ));
        }
        let (top, left) = ((height - needed_height) / 2, (width - needed_width) / 2);
        pixels.slice_axis_inplace(Axis(1), (top..top + needed_height).into());
        pixels.slice_axis_inplace(Axis(2), (left..left + needed_width).into());
        Ok(pixels)
    }

    fn wrong(&self, problem: String, remedy: &str) -> Error {
        Error::WrongPicture { picture: self.name.clone(), problem, remedy: remedy.to_owned() }
    }
}

/// The pixels of an image, grey or in colour: channels x height x width.
fn of_image(image: &DynamicImage, channels: usize) -> Array3<f32> {
    let (height, width) = (image.height() as usize, image.width() as usize);
    let (samples, channels) = match channels {
        1 => (image.to_luma32f().into_raw(), 1),
        _ => (image.to_rgb32f().into_raw(), 3),
    };
    let pixels = Array3::from_shape_vec((height, width, channels), samples);
    pixels.expect("an image has as many samples as its size says").permuted_axes([2, 0, 1])
}

/// Scales each channel with a triangle filter, as wide as the pixels of the smaller picture.
fn scaled(pixels: ArrayView3<f32>, height: usize, width: usize) -> Array3<f32> {
    let channels: Vec<Array2<f32>> =
        pixels.axis_iter(Axis(0)).map(|channel| scaled_channel(channel, height, width)).collect();
    let views: Vec<ArrayView2<f32>> = channels.iter().map(|channel| channel.view()).collect();
    ndarray::stack(Axis(0), &views).expect("the channels have one size")
}

fn scaled_channel(channel: ArrayView2<f32>, height: usize, width: usize) -> Array2<f32> {
    let (from_height, from_width) = channel.dim();
    let values: Vec<f32> = channel.iter().copied().collect();
    let buffer: ImageBuffer<Luma<f32>, _> =
        ImageBuffer::from_raw(from_width as u32, from_height as u32, values).expect("one value for each pixel");
    let scaled = imageops::resize(&buffer, width as u32, height as u32, imageops::FilterType::Triangle);
    Array2::from_shape_vec((height, width), scaled.into_raw()).expect("one value for each pixel")
}

/// Normalises the channels of a picture as a network expects them.
pub fn normalise(mut pixels: Array3<f32>, preprocessing: &Preprocessing) -> Array3<f32> {
    for (channel, mut values) in pixels.axis_iter_mut(Axis(0)).enumerate() {
        let (mean, std) = preprocessing.mean_and_std(channel);
        values.mapv_inplace(|value| (value - mean) / std);
    }
    pixels
}
