use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use dataset::{Error, Labels, LoadedWeights, load_weights, normalise, pictures};
use image::{GrayImage, RgbImage};
use ndarray::{Array1, Array3, Array4, ArrayD};
use ndarray_npy::{NpzWriter, WriteNpyExt};
use network::{Network, Preprocessing};
use safetensors::tensor::{Dtype, TensorView};

type Tensors = HashMap<String, ArrayD<f32>>;

/// Tensors of a network by torchvision's names, all values 0.5.
fn tensors(network: &Network) -> Tensors {
    let mut tensors = Tensors::new();
    let (mut features, mut classifier) = (0, 0);
    for layer in &network.layers {
        let outputs = layer.output.channels as usize;
        let (stem, shape) = if layer.kernel.size.y == 3 {
            features += 2;
            (format!("features.{features}"), vec![outputs, layer.input.channels as usize, 3, 3])
        } else {
            classifier += 3;
            (format!("classifier.{classifier}"), vec![outputs, layer.rows() as usize])
        };
        tensors.insert(format!("{stem}.weight"), ArrayD::from_elem(shape, 0.5));
        tensors.insert(format!("{stem}.bias"), ArrayD::from_elem(vec![outputs], features as f32));
    }
    tensors
}

fn write_safetensors(path: &Path, tensors: &Tensors) {
    let bytes: HashMap<&String, Vec<u8>> = tensors
        .iter()
        .map(|(name, array)| (name, array.iter().flat_map(|value| value.to_le_bytes()).collect()))
        .collect();
    let views = tensors
        .iter()
        .map(|(name, array)| (name, TensorView::new(Dtype::F32, array.shape().to_vec(), &bytes[name]).unwrap()));
    safetensors::serialize_to_file(views, None, path).unwrap();
}

fn write_npz(path: &Path, tensors: &Tensors) {
    let mut archive = NpzWriter::new(File::create(path).unwrap());
    for (name, array) in tensors {
        archive.add_array(name.as_str(), array).unwrap();
    }
    archive.finish().unwrap();
}

fn tiny() -> Network {
    network::load("tiny").unwrap()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}

/// Message of an error, without the folder.
fn problem(error: &Error, folder: &Path) -> String {
    error.to_string().replace(&format!("{}/", folder.display()), "")
}

#[test]
fn both_formats_give_the_same_weights_in_the_order_of_the_layers() {
    let (_guard, folder) = folder();
    let (network, tensors) = (tiny(), tensors(&tiny()));
    let (safetensors, npz) = (folder.join("tiny.safetensors"), folder.join("tiny.npz"));
    write_safetensors(&safetensors, &tensors);
    write_npz(&npz, &tensors);
    let loaded = load_weights(&safetensors, &network).unwrap();
    assert_eq!(loaded, load_weights(&npz, &network).unwrap());
    assert_eq!(loaded.notes, [""; 0]);
    let weights = loaded.weights.layers;
    let biases: Vec<f32> = weights.iter().map(|layer| layer.bias[0]).collect();
    assert_eq!(biases, [2.0, 4.0, 6.0, 6.0, 6.0]);
    assert_eq!(weights[0].bias, Array1::from_elem(8, 2.0));
}

#[test]
fn wrong_tensors_are_refused_with_file_and_name() {
    let (_guard, folder) = folder();
    let path = folder.join("w.safetensors");
    let says = |change: &dyn Fn(&mut Tensors)| {
        let mut tensors = tensors(&tiny());
        change(&mut tensors);
        write_safetensors(&path, &tensors);
        let errors = load_weights(&path, &tiny()).unwrap_err();
        errors.iter().map(|error| problem(error, &folder)).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(
        says(&|tensors| drop(tensors.remove("features.4.weight"))),
        "w.safetensors has 2 tensors called features.N.weight, and tiny has 3 convolutions"
    );
    assert_eq!(
        says(&|tensors| drop(tensors.remove("classifier.3.bias"))),
        "w.safetensors has no tensor classifier.3.bias, which layer fc4 of tiny needs"
    );
    assert_eq!(
        says(&|tensors| drop(tensors.insert("features.2.weight".into(), ArrayD::zeros(vec![8, 1, 3, 3])))),
        "tensor features.2.weight of w.safetensors has the shape [8, 1, 3, 3], and layer conv1 of tiny needs \
         [8, 3, 3, 3]"
    );
    assert_eq!(
        says(&|tensors| tensors.get_mut("features.6.bias").unwrap()[[3]] = f32::NAN),
        "tensor features.6.bias of w.safetensors holds a value that is not finite: NaN"
    );
    assert_eq!(
        says(&|tensors| {
            let weight = tensors.remove("features.2.weight").unwrap();
            tensors.insert("conv1.weight".into(), weight);
        }),
        ["conv2", "conv3", "fc4", "fc5"]
            .map(|layer| format!("w.safetensors has no tensor {layer}.weight, which layer {layer} of tiny needs"))
            .join("; ")
    );
    fs::write(&path, [200; 64]).unwrap();
    let broken = load_weights(&path, &tiny()).unwrap_err();
    assert_eq!(problem(&broken[0], &folder), "w.safetensors cannot be read: its header is longer than the file");
}

/// Both formats, with these tensors: what is wrong or what is to be known, without the folder.
fn read(tensors: &Tensors) -> Result<LoadedWeights, Vec<String>> {
    let (_guard, folder) = folder();
    let [one, other] = ["w.safetensors", "w.npz"].map(|name| folder.join(name));
    write_safetensors(&one, tensors);
    write_npz(&other, tensors);
    let [one, other] = [one, other].map(|path| {
        let plain = |text: &str| text.replace(&format!("{}/", folder.display()), "").replace(".npz", ".safetensors");
        let loaded = load_weights(&path, &tiny());
        loaded
            .map(|loaded| LoadedWeights { notes: loaded.notes.iter().map(|note| plain(note)).collect(), ..loaded })
            .map_err(|errors| errors.iter().map(|error| plain(&error.to_string())).collect())
    });
    assert_eq!(one, other, "both formats follow one rule");
    one
}

/// The tensors of tiny, called after its layers.
fn by_layer() -> Tensors {
    let stems = ["features.2", "features.4", "features.6", "classifier.3", "classifier.6"];
    let mut named = Tensors::new();
    for (name, tensor) in tensors(&tiny()) {
        let (stem, last) = name.rsplit_once('.').unwrap();
        let layer = tiny().layers.into_iter().zip(stems).find(|(_, known)| *known == stem).unwrap().0;
        named.insert(format!("{}.{last}", layer.name), tensor);
    }
    named
}

fn with_prefix(prefix: &str, tensors: &Tensors) -> Tensors {
    tensors.iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone())).collect()
}

#[test]
fn one_common_prefix_is_found_and_said() {
    for (tensors, plain) in [(tensors(&tiny()), "by torchvision"), (by_layer(), "by layer")] {
        let expected = read(&tensors).unwrap();
        for prefix in ["module.", "model.", "backbone.", "state_dict.module.", "x."] {
            let mut prefixed = with_prefix(prefix, &tensors);
            prefixed.insert("epoch".to_owned(), ArrayD::zeros(vec![1]));
            let found = read(&prefixed).unwrap();
            assert_eq!(found.weights, expected.weights, "{plain} {prefix}");
            let said = format!("w.safetensors: the tensors' names begin with {prefix}, which is left out");
            assert_eq!(found.notes, [said, "w.safetensors: no layer of tiny uses epoch".to_owned()]);
        }
        let mut averaged = with_prefix("model.", &tensors);
        averaged.extend(with_prefix("ema.", &tensors));
        let several = "w.safetensors has weights for all layers of tiny under several prefixes: \"ema.\", \"model.\"";
        assert_eq!(read(&averaged).unwrap_err(), [several]);
        // What is missing is said of the names that are there.
        let mut prefixed = with_prefix("module.", &by_layer());
        prefixed.remove("module.conv2.weight");
        let missing = "w.safetensors has no tensor module.conv2.weight, which layer conv2 of tiny needs";
        assert_eq!(read(&prefixed).unwrap_err(), [missing]);
    }
}

#[test]
fn tensors_that_normalise_are_refused_by_name() {
    for (name, shape) in [
        ("bn1.running_mean", vec![8]),
        ("bn1.running_var", vec![8]),
        ("bn1.num_batches_tracked", vec![]),
        ("running_mean", vec![8]),
        ("features.3.weight", vec![8]),
        ("norm.weight", vec![8]),
        ("layers.batch_normalization.moving_mean", vec![8]),
        ("layer_norm.gamma", vec![8]),
    ] {
        for prefix in ["", "module."] {
            for plain in [tensors(&tiny()), by_layer()] {
                let mut tensors = with_prefix(prefix, &plain);
                tensors.insert(format!("{prefix}{name}"), ArrayD::zeros(shape.clone()));
                let said =
                    format!("w.safetensors normalises activations, and tiny has no layer for that: {prefix}{name}");
                assert_eq!(read(&tensors).unwrap_err(), [said]);
            }
        }
    }
    let mut tensors = tensors(&tiny());
    for index in 10..20 {
        tensors.insert(format!("bn{index}.running_var"), ArrayD::zeros(vec![8]));
    }
    let errors = read(&tensors).unwrap_err();
    assert!(
        errors[0].ends_with(
            ": bn10.running_var, bn11.running_var, bn12.running_var, bn13.running_var, \
        bn14.running_var, bn15.running_var and 4 more tensors"
        ),
        "{errors:?}"
    );
}

#[test]
fn tensors_that_no_layer_uses_are_named() {
    let mut tensors = by_layer();
    for name in ["epoch", "num_batches_tracked", "head.weight", "head.bias"] {
        tensors.insert(name.to_owned(), ArrayD::zeros(vec![2, 2]));
    }
    let said = "w.safetensors: no layer of tiny uses epoch, head.bias, head.weight, num_batches_tracked";
    assert_eq!(read(&tensors).unwrap().notes, [said]);
}

#[test]
fn biases_are_zero_only_where_a_network_has_none() {
    let with = read(&by_layer()).unwrap();
    let mut tensors = by_layer();
    tensors.retain(|name, _| name.ends_with(".weight"));
    let without = read(&tensors).unwrap();
    assert_eq!(without.notes, ["w.safetensors: there are no biases: all are taken as zero"]);
    for (with, without) in with.weights.layers.iter().zip(&without.weights.layers) {
        assert_eq!((&with.weights, Array1::zeros(with.bias.len())), (&without.weights, without.bias.clone()));
    }
    let mut tensors = by_layer();
    tensors.retain(|name, _| name.ends_with(".weight") || name.starts_with("fc"));
    let missing = ["conv1", "conv2", "conv3"]
        .map(|layer| format!("w.safetensors has no tensor {layer}.bias, which layer {layer} of tiny needs"));
    assert_eq!(read(&tensors).unwrap_err(), missing);
}

/// A tensor of halves, whose bits these are.
fn halves(path: &Path, tensor: &str, shape: &[usize], bits: &[u16]) {
    let bytes: Vec<u8> = bits.iter().flat_map(|bits| bits.to_le_bytes()).collect();
    let shape = shape.iter().map(|length| format!("{length}, ")).collect::<String>();
    let header = format!("{{'descr': '<f2', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let npy = [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), &bytes].concat();
    let mut tensors = by_layer();
    tensors.remove(tensor);
    write_npz(path, &tensors);
    let mut archive = zip::ZipWriter::new_append(File::options().read(true).write(true).open(path).unwrap()).unwrap();
    archive.start_file(format!("{tensor}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut archive, &npy).unwrap();
    // An array that no layer uses may hold anything.
    archive.start_file("epoch.npy", zip::write::SimpleFileOptions::default()).unwrap();
    let epoch = "{'descr': '<i8', 'fortran_order': False, 'shape': (), }\n";
    let npy = [b"\x93NUMPY\x01\x00", &(epoch.len() as u16).to_le_bytes()[..], epoch.as_bytes(), &[7; 8]].concat();
    std::io::Write::write_all(&mut archive, &npy).unwrap();
    archive.finish().unwrap();
}

#[test]
fn npz_arrays_are_read_in_half_precision_and_only_where_a_layer_uses_them() {
    let (_guard, folder) = folder();
    let path = folder.join("w.npz");
    let bits: Vec<u16> = (0..10).map(|index| 0x3c00 + (index << 10)).collect();
    halves(&path, "fc5.bias", &[10], &bits);
    let loaded = load_weights(&path, &tiny()).unwrap();
    assert_eq!(loaded.weights.layers[4].bias, Array1::from_iter((0..10).map(|power| 2f32.powi(power))));
    assert_eq!(loaded.notes, [format!("{}: no layer of tiny uses epoch", path.display())]);
    halves(&path, "fc5.bias", &[10], &bits[..9]);
    let errors = load_weights(&path, &tiny()).unwrap_err();
    assert!(errors[0].to_string().contains("it does not have the 20 bytes of numbers"), "{errors:?}");
}

#[test]
fn pictures_of_all_kinds_become_the_same_input() {
    let (_guard, folder) = folder();
    let mut network = tiny();
    let value = |x: u32, y: u32| (16 * y + x) as u8;
    RgbImage::from_fn(16, 16, |x, y| image::Rgb([value(x, y); 3])).save(folder.join("a.png")).unwrap();
    GrayImage::from_fn(16, 16, |x, y| image::Luma([value(x, y)])).save(folder.join("b.png")).unwrap();
    let bytes = Array4::from_shape_fn((2, 16, 16, 3), |(_, y, x, _)| value(x as u32, y as u32));
    bytes.write_npy(File::create(folder.join("c.npy")).unwrap()).unwrap();
    let floats = Array4::from_shape_fn((1, 3, 16, 16), |(_, _, y, x)| f32::from(value(x as u32, y as u32)) / 255.0);
    floats.write_npy(File::create(folder.join("d.npy")).unwrap()).unwrap();
    fs::write(folder.join("notes.txt"), "not a picture").unwrap();
    let pictures = pictures(&folder, &network).unwrap();
    let names: Vec<&str> = pictures.iter().map(|picture| picture.name.as_str()).collect();
    assert_eq!(names, ["a.png", "b.png", "c.npy[0]", "c.npy[1]", "d.npy[0]"]);
    let inputs: Vec<_> = pictures.iter().map(|picture| picture.load(&network).unwrap()).collect();
    let far = |input: &Array3<f32>| input.iter().zip(&inputs[4]).any(|(a, b)| (a - b).abs() > 1e-6);
    assert!(!inputs.iter().any(far));
    network.preprocessing = Preprocessing { mean: vec![0.5, 0.5, 0.0], std: vec![0.5; 3], ..Preprocessing::default() };
    let normal = normalise(inputs[0].clone(), &network.preprocessing);
    assert_eq!([normal[(0, 15, 15)], normal[(0, 0, 0)], normal[(2, 15, 15)]], [1.0, -1.0, 2.0]);
}

#[test]
fn a_jpeg_is_the_same_picture_but_for_what_its_compression_loses() {
    let (_guard, folder) = folder();
    let network = tiny();
    let value = |x: u32, y: u32| (4 * y + 8 * x + 20) as u8;
    let colours = RgbImage::from_fn(16, 16, |x, y| image::Rgb([value(x, y), 255 - value(x, y), 128]));
    let greys = GrayImage::from_fn(16, 16, |x, y| image::Luma([value(x, y)]));
    for (name, lossless) in [("a.jpg", "a.png"), ("b.JPEG", "b.png")] {
        if name.starts_with('a') {
            colours.save(folder.join(name)).unwrap();
            colours.save(folder.join(lossless)).unwrap();
        } else {
            greys.save_with_format(folder.join(name), image::ImageFormat::Jpeg).unwrap();
            greys.save(folder.join(lossless)).unwrap();
        }
        let load = |name: &str| pictures(&folder.join(name), &network).unwrap()[0].load(&network).unwrap();
        let (jpeg, png) = (load(name), load(lossless));
        let furthest = jpeg.iter().zip(&png).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(furthest > 0.0 && furthest < 0.06, "{name} is off by {furthest}");
    }
    // Its content decides, not its name; half of it is not guessed at.
    fs::copy(folder.join("a.jpg"), folder.join("c.png")).unwrap();
    let load = |name: &str| pictures(&folder.join(name), &network).unwrap()[0].load(&network);
    assert_eq!(load("c.png"), load("a.jpg"));
    let bytes = fs::read(folder.join("a.jpg")).unwrap();
    fs::write(folder.join("half.jpg"), &bytes[..bytes.len() / 2]).unwrap();
    let error = load("half.jpg").unwrap_err();
    assert!(problem(&error, &folder).starts_with("half.jpg cannot be read: "), "{error}");
}

#[test]
fn larger_pictures_are_scaled_and_cut_only_where_the_network_says_so() {
    let (_guard, folder) = folder();
    let path = folder.join("wide.png");
    // Black, with a white square in the middle.
    let white = |x: u32, y: u32| (24..40).contains(&x) && (8..24).contains(&y);
    GrayImage::from_fn(64, 32, |x, y| image::Luma([if white(x, y) { 255 } else { 0 }])).save(&path).unwrap();
    let mut network = tiny();
    let picture = &pictures(&path, &network).unwrap()[0];
    assert_eq!(
        picture.load(&network).unwrap_err().to_string(),
        "picture wide.png is 32 x 64, and tiny looks at 16 x 16"
    );
    network.preprocessing.centre_crop = true;
    assert!(picture.load(&network).unwrap().iter().all(|value| *value == 1.0));
    network.preprocessing.resize = Some(16);
    let input = picture.load(&network).unwrap();
    assert!(input[(0, 8, 8)] > 0.99 && input[(0, 1, 1)] < 0.01);
    assert!((input.mean().unwrap() - 0.25).abs() < 0.01);
}

#[test]
fn unusable_pictures_and_labels_are_refused_by_name() {
    let (_guard, folder) = folder();
    let network = tiny();
    fs::write(folder.join("broken.png"), "no picture").unwrap();
    let error = pictures(&folder, &network).unwrap()[0].load(&network).unwrap_err();
    assert!(problem(&error, &folder).starts_with("broken.png cannot be read: "), "{error}");
    let mut values = Array4::<f32>::zeros((1, 3, 16, 16));
    values[(0, 2, 3, 4)] = f32::NAN;
    values.write_npy(File::create(folder.join("nan.npy")).unwrap()).unwrap();
    let error = pictures(&folder.join("nan.npy"), &network).unwrap()[0].load(&network).unwrap_err();
    assert_eq!(error.to_string(), "picture nan.npy[0] holds the value NaN");

    let path = folder.join("labels.csv");
    let says = |text: &str| {
        fs::write(&path, text).unwrap();
        Labels::load(&path, 10).and_then(|labels| labels.of("a.png")).map_err(|error| problem(&error, &folder))
    };
    assert_eq!(says("image,label\na.png,7\n"), Ok(7));
    assert_eq!(says("image,label\na.png,10\n").unwrap_err(), "labels.csv, line 2: \"10\" is no class of 0 to 9");
    assert_eq!(says("image,label\nb.png,1\nb.png,2\n").unwrap_err(), "labels.csv, line 3: b.png has a label already");
    assert_eq!(says("image,label\nb.png,1\n").unwrap_err(), "labels.csv has no label for picture a.png");
}
