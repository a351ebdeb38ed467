//! Pictures in npy files: the order of their axes.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use ndarray::{Array4, ArrayD, Axis, Ix4};

use crate::Error;
use crate::numbers::{NpyHeader, Number};

/// Pictures x channels x height x width; grey ones may have one channel where a network has more.
#[derive(Clone, Debug)]
pub(crate) enum Pictures {
    Bytes(Array4<u8>),
    /// Values from 0 to 1.
    Floats(Array4<f32>),
}

impl Pictures {
    /// Reads the pictures for a network of `channels` channels.
    pub(crate) fn read(path: &Path, channels: usize) -> Result<Pictures, Error> {
        let remedy = "give bytes (uint8), or floats from 0 to 1 (float16, float32, float64)";
        let unreadable = |reason: String| Error::unreadable(path, reason, remedy);
        let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
        let mut reader = BufReader::new(file);
        let header = NpyHeader::read(&mut reader).map_err(unreadable)?;
        let number = header.number().ok_or_else(|| unreadable(format!("it has numbers of type {}", header.descr)))?;
        let axes = axes(&header.shape, channels, number == Number::U8).map_err(|(reason, remedy)| Error::Axes {
            file: path.to_owned(),
            shape: header.shape.clone(),
            reason,
            remedy,
        })?;
        let bytes = header.read_bytes(number, &mut reader).map_err(unreadable)?;
        Ok(match number {
            Number::U8 => Pictures::Bytes(arranged(header.array(bytes), axes)),
            _ => Pictures::Floats(arranged(header.array(number.decode(&bytes)), axes)),
        })
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Pictures::Bytes(pictures) => pictures.len_of(Axis(0)),
            Pictures::Floats(pictures) => pictures.len_of(Axis(0)),
        }
    }
}

/// Position of the axis of channels.
#[derive(Clone, Copy)]
enum Axes {
    /// None: grey pictures x height x width.
    Grey,
    /// Pictures x channels x height x width.
    Second,
    /// Pictures x height x width x channels.
    Last,
}

fn arranged<T: Clone>(array: ArrayD<T>, axes: Axes) -> Array4<T> {
    let array = match axes {
        Axes::Grey => array.insert_axis(Axis(1)),
        Axes::Second | Axes::Last => array,
    };
    let array = array.into_dimensionality::<Ix4>().expect("the number of axes was checked");
    match axes {
        Axes::Last => array.permuted_axes([0, 3, 1, 2]),
        Axes::Grey | Axes::Second => array,
    }
}

/// Finds the axis of the channels by its length. Where two axes qualify, bytes have it last and floats second, as in
/// NumPy and torch.
fn axes(shape: &[usize], channels: usize, are_bytes: bool) -> Result<Axes, (String, String)> {
    let wrong = |reason: String, remedy: &str| Err((reason, remedy.to_owned()));
    let looks_like_channels = |axis: usize| shape[axis] == channels || (1..=4).contains(&shape[axis]);
    match *shape {
        [_, _, last] if channels > 1 && last == channels => wrong(
            "axis 2 looks like the channels of a single picture".into(),
            "give it an axis for pictures, array[None]; grey pictures this narrow as array[..., None]",
        ),
        [first, ..] if shape.len() == 3 && channels > 1 && first == channels => wrong(
            "axis 0 may be the channels of a single picture, or as many grey pictures".into(),
            "give one picture as array[None], and grey pictures as array[:, None]",
        ),
        [_, _, _] => Ok(Axes::Grey),
        [_, second, _, last] => {
            let (usual, other) = if are_bytes { (last, second) } else { (second, last) };
            let (usual_axis, other_axis) =
                if are_bytes { (Axes::Last, Axes::Second) } else { (Axes::Second, Axes::Last) };
            match (usual, other) {
                _ if usual == channels => Ok(usual_axis),
                _ if other == channels => Ok(other_axis),
                (1, _) => Ok(usual_axis),
                (_, 1) => Ok(other_axis),
                _ => {
                    let likely = [3, 1, 2, 0].into_iter().find(|&axis| looks_like_channels(axis));
                    match likely {
                        Some(axis @ (1 | 3)) => wrong(
                            format!("axis {axis} looks like {} channels, and the network has {channels}", shape[axis]),
                            "give pictures of as many channels as the network's input, or grey ones",
                        ),
                        Some(axis) => Err((
                            format!("axis {axis} looks like the channels"),
                            format!("move it to axis 1: np.moveaxis(array, {axis}, 1)"),
                        )),
                        None => wrong(
                            format!("neither axis 1 nor axis 3 has the network's {channels} channels"),
                            "store pictures x channels x height x width, or pictures x height x width x channels",
                        ),
                    }
                }
            }
        }
        [_, _] => wrong("it looks like one grey picture".into(), "give it an axis for pictures: array[None]"),
        _ => wrong(
            "it does not have three or four axes".into(),
            "store pictures x channels x height x width, or grey pictures x height x width",
        ),
    }
}
