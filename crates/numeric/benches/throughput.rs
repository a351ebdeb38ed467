//! How fast values are computed: conversions a second on ISAAC's crossbars, multiply-accumulates a second of the
//! integer product, and what the machine could do at most of the operations that both are made of. All processors are
//! used.

use std::hint::black_box;
use std::thread;

use arch::{Adc, Crossbar, Dac};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use multiversion::multiversion;
use ndarray::{Array1, Array2, Array3, ArrayD, IxDyn};
use network::{Kernel, Layer, LayerKind, LayerPlan, Network, Plan, Preprocessing, Shape};
use numeric::{Datapath, LayerWeights, Model, Options, Weights, Windows, reference};

/// ISAAC-CE.
fn datapath(options: Options) -> Datapath {
    let crossbar = Crossbar { rows: 128, columns: 128, cell_bits: 2 };
    let dac = Dac { bits: 1 };
    let adc = Adc { count: 8, bits: 8, rate_gsps: 1.28, flipped_encoding: true, unit_column: false };
    Datapath::new(&crossbar, &dac, &adc, options).expect("ISAAC is modelled")
}

/// Every conversion modelled.
fn bit_serial() -> Options {
    Options { integer_product: false, ..Options::default() }
}

fn shape(channels: u32, side: u32) -> Shape {
    Shape { height: side, width: side, channels }
}

/// A 3 x 3 convolution with padding 1 of a square map, with a 2 x 2 max-pool if `pooled`.
fn convolution(side: u32, inputs: u32, outputs: u32, pooled: bool) -> Layer {
    Layer {
        name: format!("{side} x {side}, {inputs} to {outputs}"),
        kind: LayerKind::Convolution,
        input: shape(inputs, side),
        kernel: Kernel::square(3, 1, 1),
        groups: 1,
        output: shape(outputs, side),
        pool: pooled.then_some(Kernel::square(2, 2, 0)),
        pooled: shape(outputs, if pooled { side / 2 } else { side }),
        crop: None,
    }
}

fn classifier(input: Shape, outputs: u32) -> Layer {
    Layer {
        name: format!("{} to {outputs}", input.channels * input.height * input.width),
        kind: LayerKind::FullyConnected,
        input,
        kernel: Kernel::covering(input),
        groups: 1,
        output: shape(outputs, 1),
        pool: None,
        pooled: shape(outputs, 1),
        crop: None,
    }
}

/// VGG16 (configuration D) on 224 x 224 images.
fn vgg16() -> Network {
    let mut layers: Vec<Layer> = Vec::new();
    let (mut side, mut inputs) = (224, 3);
    for (outputs, depth) in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)] {
        for i in 1..=depth {
            layers.push(convolution(side, inputs, outputs, i == depth));
            inputs = outputs;
        }
        side /= 2;
    }
    for outputs in [4096, 4096, 1000] {
        layers.push(classifier(layers[layers.len() - 1].pooled, outputs));
    }
    Network::chain("VGG16".into(), shape(3, 224), Preprocessing::default(), layers.into())
}

/// Integers without a pattern.
fn value(index: usize) -> i16 {
    ((index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as i16
}

/// The first, a middle and the last convolution of VGG16.
fn layers(criterion: &mut Criterion) {
    let full = LayerPlan { weight_bits: 16, activation_bits: 16, regions: vec![] };
    for (side, inputs, outputs) in [(224, 3, 64), (56, 256, 256), (14, 512, 512)] {
        let layer = convolution(side, inputs, outputs, false);
        let (rows, side) = (layer.rows() as usize, side as usize);
        let shape = (inputs as usize, side, side);
        let map = Array3::from_shape_fn(shape, |(c, y, x)| value((c * side + y) * side + x));
        let windows = Windows::of_layer(map.view(), &layer, &full).expect("the map fits");
        let outputs = outputs as usize;
        let weights = Array2::from_shape_fn((outputs, rows), |(o, r)| value(o * rows + r));

        let mut group = criterion.benchmark_group(&layer.name);
        group.sample_size(10);
        for (name, options) in [("bit serial", bit_serial()), ("integer", Options::default())] {
            let crossbars = datapath(options).program(weights.view(), 16, 0).expect("the weights fit");
            group.throughput(Throughput::Elements(match name {
                "integer" => layer.windows() * layer.macs_per_window(),
                _ => crossbars.counts(&windows).adc_conversions,
            }));
            group.bench_function(name, |bencher| {
                bencher.iter(|| black_box(crossbars.multiply(&windows)));
            });
        }
        group.finish();
    }
}

/// One image through all of VGG16, with synthetic weights.
fn image(criterion: &mut Criterion) {
    let network = vgg16();
    let real = |index: usize| f32::from(value(index)) / 32768.0;
    let weights: Vec<LayerWeights> = network
        .layers
        .iter()
        .map(|layer| {
            let (outputs, rows) = (layer.output.channels as usize, layer.rows() as usize);
            // Uniform weights of this range keep the spread of activations from layer to layer.
            let range = (6.0 / rows as f32).sqrt();
            let weights = (0..outputs * rows).map(|i| range * real(i)).collect();
            let shape = [outputs, layer.input.channels as usize];
            let kernel = [layer.kernel.size.y as usize, layer.kernel.size.x as usize];
            let shape = IxDyn(&[shape[0], shape[1], kernel[0], kernel[1]]);
            LayerWeights {
                weights: ArrayD::from_shape_vec(shape, weights).expect("as many as the shape has"),
                bias: Array1::zeros(outputs),
            }
        })
        .collect();
    let weights = Weights::from(weights);
    let layer = LayerPlan { weight_bits: 16, activation_bits: 16, regions: vec![] };
    let plan = Plan { layers: vec![layer; network.layers.len()].into() };
    let image = Array3::from_shape_fn((3, 224, 224), |(c, y, x)| real((c * 224 + y) * 224 + x));
    let options = Options::default();
    let reference =
        reference::run(&network, &weights, &plan, image.view(), options.threads).expect("the network is right");

    let mut group = criterion.benchmark_group("VGG16 image");
    group.sample_size(10);
    for (name, options) in [("integer", options), ("bit serial", bit_serial())] {
        let model = Model::program(
            &datapath(options),
            &network,
            &weights,
            &vec![16; network.layers.len()],
            &reference.input_ranges,
        )
        .expect("the network is right");
        group.bench_function(name, |bencher| {
            bencher.iter(|| model.run(&plan, image.view()).expect("the image is right"));
        });
    }
    group.finish();
}

/// Peak rates of plain loops over the first-level cache on this machine: multiply-accumulates of 16-bit integers into
/// 32 bits, and of doubles, as in the integer product; ANDs and population counts of 64 bits, four of which make a
/// conversion of 128 rows of 2-bit cells.
fn peak(criterion: &mut Criterion) {
    // 16 KB of each kind.
    const BYTES: usize = 16384;
    const ROUNDS: usize = 20_000;
    let threads = Options::default().threads.get();
    let mut group = criterion.benchmark_group("machine");
    group.sample_size(10);
    let mut measure = |name: &str, length: usize, work: &(dyn Fn() + Sync)| {
        group.throughput(Throughput::Elements((threads * length * ROUNDS) as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                thread::scope(|scope| {
                    for _ in 0..threads {
                        scope.spawn(work);
                    }
                });
            });
        });
    };
    let integers: Vec<i16> = (0..BYTES / 2).map(value).collect();
    measure("multiply-accumulates of 16-bit integers", integers.len(), &|| {
        for _ in 0..ROUNDS {
            black_box(dot(black_box(&integers), black_box(&integers)));
        }
    });
    let doubles: Vec<f64> = integers[..BYTES / 8].iter().map(|&value| value.into()).collect();
    measure("multiply-accumulates of doubles", doubles.len(), &|| {
        for _ in 0..ROUNDS {
            black_box(multiply_add(black_box(&doubles)));
        }
    });
    let words: Vec<u64> = (0..BYTES as u64 / 8).map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    measure("population counts of 64 bits", words.len(), &|| {
        for _ in 0..ROUNDS {
            black_box(count(black_box(&words), black_box(&words)));
        }
    });
    group.finish();
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn dot(a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).fold(0, |sum, (&a, &b)| sum.wrapping_add(i32::from(a) * i32::from(b)))
}

/// 64 sums side by side, few enough for registers.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2+fma"))]
fn multiply_add(values: &[f64]) -> [f64; 64] {
    let mut sums = [0.0; 64];
    for values in values.as_chunks::<64>().0 {
        for (sum, &value) in sums.iter_mut().zip(values) {
            *sum = value.mul_add(1.000_000_1, *sum);
        }
    }
    sums
}

#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx512vpopcntdq",
    "x86_64+avx2+popcnt",
    "x86_64+popcnt"
))]
fn count(a: &[u64], b: &[u64]) -> u64 {
    a.iter().zip(b).map(|(a, b)| u64::from((a & b).count_ones())).sum()
}

criterion_group!(benches, layers, image, peak);
criterion_main!(benches);
