//! Pixels against those of Pillow, which `scripts/check_preprocessing.py --golden` wrote to `tests/data/pillow`.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use dataset::pictures;
use ndarray::{Array2, Array3, Array4, ArrayD, Axis, Ix2, IxDyn, OwnedRepr};
use ndarray_npy::{NpzReader, WriteNpyExt};
use network::{Network, Preprocessing};
use proptest::prelude::*;

/// Size of the committed pictures.
const SIZE: [usize; 2] = [37, 53];

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pillow")
}

/// A network that looks at pictures of this size.
fn looking_at([height, width]: [usize; 2], channels: u32, preprocessing: Preprocessing) -> Network {
    let mut network = network::load("tiny").unwrap();
    (network.input.height, network.input.width, network.input.channels) = (height as u32, width as u32, channels);
    Network { preprocessing, ..network }
}

/// The grey levels that a network looks at: height x width x channels.
fn levels(path: &Path, network: &Network) -> ArrayD<u8> {
    let pixels = pictures(path, network).unwrap()[0].load(network).unwrap();
    let levels = pixels.mapv(|value| (255.0 * value).round() as u8).permuted_axes([1, 2, 0]);
    if network.input.channels == 1 { levels.remove_axis(Axis(2)).into_dyn() } else { levels.into_dyn() }
}

/// The largest distance of two arrays, and the mean.
fn distance(a: &ArrayD<u8>, b: &ArrayD<u8>) -> (u8, f64) {
    assert_eq!(a.shape(), b.shape());
    let distances: Vec<u8> = a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).collect();
    let sum: f64 = distances.iter().map(|&distance| f64::from(distance)).sum();
    (distances.iter().copied().max().unwrap_or(0), sum / distances.len() as f64)
}

/// Distances from Pillow's references of files with this extension.
fn from_pillow(extension: &str) -> BTreeMap<String, (u8, f64)> {
    let mut references = NpzReader::new(File::open(data().join("references.npz")).unwrap()).unwrap();
    let mut distances = BTreeMap::new();
    for name in references.names().unwrap() {
        let reference: ArrayD<u8> = references.by_name::<OwnedRepr<u8>, IxDyn>(&name).unwrap();
        let mut parts = name.split('.');
        let (file, mode) = (parts.next().unwrap(), parts.next().unwrap());
        let (stem, found) = file.rsplit_once('_').unwrap();
        if found != extension {
            continue;
        }
        let channels = if mode == "L" { 1 } else { 3 };
        let network = if parts.next().is_none() {
            looking_at(SIZE, channels, Preprocessing::default())
        } else {
            let fitting = Preprocessing { resize: Some(17), centre_crop: true, ..Preprocessing::default() };
            looking_at([16, 20], channels, fitting)
        };
        distances
            .insert(name.clone(), distance(&reference, &levels(&data().join(format!("{stem}.{found}")), &network)));
    }
    distances
}

#[test]
fn png_pictures_of_all_kinds_are_pillows_to_the_last_bit() {
    let distances = from_pillow("png");
    // Eleven kinds, in grey and in colour, whole and fitted.
    assert_eq!(distances.len(), 11 * 2 * 2);
    for (name, (most, _)) in distances {
        assert_eq!(most, 0, "{name}");
    }
}

#[test]
fn jpeg_pictures_are_pillows_but_for_the_rounding_of_the_decoder() {
    let distances = from_pillow("jpg");
    assert_eq!(distances.len(), 6 * 2);
    let far = distances.into_iter().filter(|(_, (most, mean))| *most > JPEG_MOST || *mean > JPEG_MEAN);
    assert_eq!(far.collect::<Vec<_>>(), []);
}

/// Grey levels that the JPEG decoder is off from libjpeg-turbo's, at the most and in the mean.
const JPEG_MOST: u8 = 3;
const JPEG_MEAN: f64 = 0.5;

/// Writes an array as one grey picture, and gives what `network` sees of it.
fn seen(array: Array2<u8>, network: &Network) -> Array2<f32> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    array.insert_axis(Axis(0)).write_npy(File::create(&path).unwrap()).unwrap();
    pictures(&path, network).unwrap()[0].load(network).unwrap().remove_axis(Axis(0))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// The row and column of each pixel of a centre crop, by Python's `int(round((from - to) / 2.0))`; zeros around a
    /// smaller picture, one more behind it than before it.
    #[test]
    fn a_centre_crop_is_where_python_rounds_to(from in (1usize..12, 1usize..12), to in (1usize..12, 1usize..12)) {
        let array = Array2::from_shape_fn(from, |(y, x)| (1 + 12 * y + x) as u8);
        let cropping = Preprocessing { centre_crop: true, ..Preprocessing::default() };
        let network = looking_at([to.0, to.1], 1, cropping);
        let cropped = seen(array.clone(), &network);
        let offset = |from: usize, to: usize| {
            let difference = from as i64 - to as i64;
            // Halves to even: -0.5 and 0.5 to 0, 1.5 to 2, 2.5 to 2.
            let rounded = (difference as f64 / 2.0).round_ties_even() as i64;
            if difference < 0 { -(-difference / 2) } else { rounded }
        };
        for ((y, x), value) in cropped.indexed_iter() {
            let at = (y as i64 + offset(from.0, to.0), x as i64 + offset(from.1, to.1));
            let expected = usize::try_from(at.0).ok().zip(usize::try_from(at.1).ok()).and_then(|at| array.get(at));
            prop_assert_eq!((255.0 * value).round() as u8, expected.copied().unwrap_or(0));
        }
    }

    /// Bytes are scaled with rounding between the passes, floats without: they differ by a level and a half at most,
    /// and a constant picture stays constant.
    #[test]
    fn bytes_and_floats_are_scaled_alike(size in (2usize..40, 2usize..40), side in 1u32..40, seed in 0u32..1000) {
        let level = |y: usize, x: usize| ((y * 57 + x * 101 + y * x * 13 + seed as usize * 7) % 256) as u8;
        let array = Array2::from_shape_fn(size, |(y, x)| level(y, x));
        let scaled = |length: usize| side as usize * length / size.0.min(size.1);
        let preprocessing = Preprocessing { resize: Some(side), ..Preprocessing::default() };
        let network = looking_at([scaled(size.0), scaled(size.1)], 1, preprocessing);
        let bytes = seen(array.clone(), &network);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        let floats = array.mapv(|level| f64::from(level) / 255.0).insert_axis(Axis(0));
        floats.write_npy(File::create(&path).unwrap()).unwrap();
        let floats = pictures(&path, &network).unwrap()[0].load(&network).unwrap();
        for (byte, float) in bytes.iter().zip(&floats) {
            prop_assert!((byte - float).abs() < 1.5 / 255.0, "{byte} {float}");
        }
        let constant = seen(Array2::from_elem(size, 201), &network);
        prop_assert!(constant.iter().all(|value| *value == 201.0 / 255.0));
    }
}

#[test]
fn arrays_of_all_axes_and_types_are_the_same_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let create = || File::create(&path).unwrap();
    let network = looking_at([6, 7], 3, Preprocessing::default());
    let nchw = Array4::from_shape_fn((2, 3, 6, 7), |(n, c, y, x)| (100 * n + 40 * c + 7 * y + x) as u8);
    let nhwc = nchw.clone().permuted_axes([0, 2, 3, 1]);
    let load = |network: &Network| {
        let pictures = pictures(&path, network).unwrap();
        pictures.iter().map(|picture| picture.load(network).unwrap()).collect::<Vec<Array3<f32>>>()
    };
    nchw.write_npy(create()).unwrap();
    let expected = load(&network);
    assert_eq!(expected[1][(2, 5, 6)], f32::from(nchw[(1, 2, 5, 6)]) / 255.0);
    nhwc.as_standard_layout().write_npy(create()).unwrap();
    assert_eq!(load(&network), expected);
    // In Fortran order, as a transposed array is written.
    nhwc.write_npy(create()).unwrap();
    assert_eq!(load(&network), expected);
    nhwc.mapv(|level| f32::from(level) / 255.0).write_npy(create()).unwrap();
    assert_eq!(load(&network), expected);
    nchw.mapv(|level| f64::from(level) / 255.0).write_npy(create()).unwrap();
    assert_eq!(load(&network), expected);
    // Grey pictures, without an axis for channels, for one channel and for three.
    let grey = nchw.index_axis(Axis(1), 0).to_owned();
    grey.write_npy(create()).unwrap();
    let one = load(&looking_at([6, 7], 1, Preprocessing::default()));
    assert_eq!(one[1].index_axis(Axis(0), 0), expected[1].index_axis(Axis(0), 0));
    assert!(load(&network)[1].outer_iter().all(|channel| channel == one[1].index_axis(Axis(0), 0)));
}

/// Writes an npy file by hand: its header as NumPy writes it, then numbers.
fn write_npy(path: &Path, descr: &str, shape: &str, numbers: &[u8]) {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let start = [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), numbers];
    std::fs::write(path, start.concat()).unwrap();
}

#[test]
fn halves_and_other_byte_orders_are_read_and_other_types_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let network = looking_at([1, 2], 1, Preprocessing::default());
    let values = || {
        let pictures = pictures(&path, &network).map_err(|error| error.to_string())?;
        Ok::<_, String>(pictures[0].load(&network).unwrap().into_iter().collect::<Vec<f32>>())
    };
    write_npy(&path, "<f2", "(1, 1, 2)", &[0x00, 0x38, 0x00, 0x3c]);
    assert_eq!(values(), Ok(vec![0.5, 1.0]));
    write_npy(&path, ">f4", "(1, 1, 2)", &[0x3f, 0, 0, 0, 0x3f, 0x80, 0, 0]);
    assert_eq!(values(), Ok(vec![0.5, 1.0]));
    write_npy(&path, "<i8", "(1, 1, 2)", &[0; 16]);
    assert!(values().unwrap_err().ends_with("it has numbers of type <i8"));
    write_npy(&path, "<f4", "(1, 1, 2)", &[0; 7]);
    assert!(values().unwrap_err().ends_with("it does not have the 8 bytes of numbers that its header says"));
    write_npy(&path, "<f4", "(99999999999, 99999999999, 2)", &[0; 7]);
    assert!(values().unwrap_err().ends_with("its shape is too large"));
    std::fs::write(&path, b"\x93NUMPY\x01\x00\xff\xffnothing").unwrap();
    assert!(values().unwrap_err().ends_with("it ends within its header"));
}

#[test]
fn arrays_with_other_axes_are_refused_with_the_likely_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.npy");
    let network = looking_at([6, 7], 3, Preprocessing::default());
    for (shape, reason) in [
        (&[6, 7][..], "it looks like one grey picture"),
        (&[6, 7, 3], "axis 2 looks like the channels of a single picture"),
        (&[3, 6, 7], "axis 0 may be the channels of a single picture, or as many grey pictures"),
        (&[9, 6, 3, 7], "axis 2 looks like the channels"),
        (&[3, 9, 6, 7], "axis 0 looks like the channels"),
        (&[9, 6, 7, 4], "axis 3 looks like 4 channels, and the network has 3"),
        (&[9, 6, 7, 8], "neither axis 1 nor axis 3 has the network's 3 channels"),
        (&[1, 1, 3, 6, 7], "it does not have three or four axes"),
    ] {
        ArrayD::<u8>::zeros(shape).write_npy(File::create(&path).unwrap()).unwrap();
        let error = pictures(&path, &network).unwrap_err();
        assert!(error.to_string().ends_with(&format!("has an array of shape {shape:?}: {reason}")), "{error}");
        assert!(!error.remedy().is_empty());
    }
}

#[test]
fn orientation_that_exif_states_is_not_applied() {
    let network = looking_at(SIZE, 3, Preprocessing::default());
    assert_eq!(levels(&data().join("turned.jpg"), &network), levels(&data().join("rgb.jpg"), &network));
    let shape = levels(&data().join("grey.jpg"), &looking_at(SIZE, 1, Preprocessing::default()));
    assert!(shape.into_dimensionality::<Ix2>().is_ok());
}
