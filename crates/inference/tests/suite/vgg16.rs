//! VGG16 in full size, with 138 M weights made here.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use inference::{Accelerator, Classifier};
use ndarray::{Array1, Array3, ArrayD};
use ndarray_npy::NpzWriter;
use network::{LayerKind, Network, Plan};
use numeric::{Datapath, InputRanges, Method, Model, Options};

/// The stems of torchvision's names, which count ReLUs, pools and dropouts as well.
fn stems() -> Vec<String> {
    let features = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28].map(|n| format!("features.{n}"));
    features.into_iter().chain([0, 3, 6].map(|n| format!("classifier.{n}"))).collect()
}

/// Writes weights under torchvision's names, as safetensors of half precision: a header, then the numbers.
fn write_weights(path: &Path, network: &Network) {
    let (mut header, mut sizes) = (Vec::new(), Vec::new());
    let mut end = 0;
    for (layer, stem) in network.layers.iter().zip(stems()) {
        let (outputs, rows) = (layer.output.channels as usize, layer.rows() as usize);
        let shape = match layer.kind {
            LayerKind::Convolution => format!("[{outputs},{},3,3]", layer.input.channels),
            LayerKind::FullyConnected => format!("[{outputs},{rows}]"),
        };
        for (name, shape, count) in [("weight", shape, outputs * rows), ("bias", format!("[{outputs}]"), outputs)] {
            let start = end;
            end += 2 * count;
            header.push(format!(r#""{stem}.{name}":{{"dtype":"F16","shape":{shape},"data_offsets":[{start},{end}]}}"#));
            sizes.push(count);
        }
    }
    let header = format!("{{{}}}", header.join(","));
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    // Numbers of either sign, 2^-6 to 2^-5, in a pattern that is longer than any row block.
    let pattern: Vec<u8> = (0..4093u32)
        .flat_map(|i| {
            let mixed = i.wrapping_mul(2_654_435_761) >> 16;
            let (sign, fraction) = (mixed as u16 & 1, mixed as u16 >> 1 & 0x3ff);
            (sign << 15 | 9 << 10 | fraction).to_le_bytes()
        })
        .collect();
    for count in sizes {
        let mut left = 2 * count;
        while left > 0 {
            let part = left.min(pattern.len());
            file.write_all(&pattern[..part]).unwrap();
            left -= part;
        }
    }
}

#[test]
fn full_size_vgg16_loads_and_answers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vgg16.safetensors");
    let (arch, network) = (arch::load("isaac-ce").unwrap(), network::load("vgg16").unwrap());
    write_weights(&path, &network);
    let weights = dataset::load_weights(&path, &network).unwrap().weights;
    assert_eq!(weights.layers.iter().map(|layer| layer.weights.len() + layer.bias.len()).sum::<usize>(), 138_357_544);
    let plan = Plan::uniform(&network, 16, 16).crop(&network, "left,right".parse().unwrap()).unwrap();
    let datapath = Datapath::new(&arch.crossbar, &arch.dac, &arch.adc, Options::default()).unwrap();
    let bits = vec![16; network.layers.len()];
    let ranges = InputRanges { layers: vec![64.0; bits.len()], ..InputRanges::default() };
    let model = Model::program(&datapath, &network, &weights, &bits, &ranges).unwrap();
    drop(weights);
    let layout = mapper::balance(&arch, &network, &plan).unwrap();
    let accelerator = Accelerator::new(&arch, &network, layout.mapping);
    let image = Array3::from_shape_fn((3, 224, 224), |(c, y, x)| ((c + y * x) % 17) as f32 / 8.0 - 1.0);
    let cost = accelerator.cost(&plan).unwrap();
    // The answer's counts are held equal to those of the cost inside.
    let answer = Classifier::new(network, model).classify(&plan, image.view(), &cost).unwrap();
    assert_eq!(answer.scores.len(), 1000);
    assert!(answer.method == Method::Integer && answer.clipped == 0);
    assert!(answer.scores.iter().any(|score| *score != answer.scores[0]));
}

#[test]
fn full_size_vgg16_loads_from_npz() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vgg16.npz");
    let network = network::load("vgg16").unwrap();
    let mut archive = NpzWriter::new(BufWriter::new(File::create(&path).unwrap()));
    for (index, (layer, stem)) in network.layers.iter().zip(stems()).enumerate() {
        let (outputs, rows) = (layer.output.channels as usize, layer.rows() as usize);
        let shape = match layer.kind {
            LayerKind::Convolution => vec![outputs, layer.input.channels as usize, 3, 3],
            LayerKind::FullyConnected => vec![outputs, rows],
        };
        let mut weights = ArrayD::from_elem(shape, index as f32);
        *weights.last_mut().unwrap() = -1.5;
        archive.add_array(format!("{stem}.weight"), &weights).unwrap();
        archive.add_array(format!("{stem}.bias"), &Array1::from_elem(outputs, index as f32)).unwrap();
    }
    archive.finish().unwrap();
    let weights = dataset::load_weights(&path, &network).unwrap().weights;
    assert_eq!(weights.layers.iter().map(|layer| layer.weights.len() + layer.bias.len()).sum::<usize>(), 138_357_544);
    for (index, layer) in weights.layers.iter().enumerate() {
        assert_eq!((layer.bias[0], layer.weights.first().copied()), (index as f32, Some(index as f32)));
        assert_eq!(layer.weights.last().copied(), Some(-1.5));
    }
}
