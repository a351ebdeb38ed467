//! Forward passes: the floating-point one against loops written out, the crossbars' against the floating-point one.

use std::num::NonZeroUsize;

use ndarray::{Array1, Array3, ArrayD, IxDyn};
use network::{Axes, Kernel, Layer, LayerId, LayerKind, LayerPlan, Network, Plan, Preprocessing, Region, Shape};
use numeric::reference::{self, Reference};
use numeric::{Error, Inference, InputRanges, LayerWeights, Method, Model, Options, Weights};

use crate::machine::{ISAAC, Machine, bit_serial, on_threads};

const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

fn shape(channels: u32, height: u32, width: u32) -> Shape {
    Shape { height, width, channels }
}

/// Two convolutions, one of them with stride and a padded pool, and two classifiers.
fn network() -> Network {
    let convolution = Layer {
        name: "conv1".into(),
        kind: LayerKind::Convolution,
        input: shape(3, 13, 15),
        kernel: Kernel::square(3, 1, 1),
        groups: 1,
        output: shape(12, 13, 15),
        pool: Some(Kernel::square(3, 2, 1)),
        pooled: shape(12, 7, 8),
        crop: None,
    };
    let strided = Layer {
        name: "conv2".into(),
        input: convolution.pooled,
        kernel: Kernel { size: Axes { y: 2, x: 3 }, ..Kernel::square(1, 2, 1) },
        output: shape(20, 4, 4),
        pool: Some(Kernel::square(2, 2, 0)),
        pooled: shape(20, 2, 2),
        ..convolution.clone()
    };
    let classifier = |name: &str, input: Shape, outputs| Layer {
        name: name.into(),
        kind: LayerKind::FullyConnected,
        input,
        kernel: Kernel::covering(input),
        groups: 1,
        output: shape(outputs, 1, 1),
        pool: None,
        pooled: shape(outputs, 1, 1),
        crop: None,
    };
    let hidden = classifier("fc1", strided.pooled, 30);
    let scores = classifier("fc2", hidden.pooled, 10);
    let layers = vec![convolution, strided, hidden, scores];
    Network::chain("small".into(), layers[0].input, Preprocessing::default(), layers.into())
}

/// Numbers between -1 and 1 without a pattern.
fn noise(salt: usize, index: usize) -> f32 {
    let mixed = ((salt * 1_000_003 + index) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}

fn weights() -> Weights {
    let layers = network().layers.into_iter().enumerate();
    let weights = layers.map(|(i, layer)| {
        let outputs = layer.output.channels as usize;
        let rows = layer.rows() as usize;
        let scale = (2.0 / rows as f32).sqrt();
        let values = (0..outputs * rows).map(|n| scale * noise(i, n)).collect();
        let shape = match layer.kind {
            LayerKind::Convolution => {
                let shape = [layer.input.channels, layer.kernel.size.y, layer.kernel.size.x];
                IxDyn(&[outputs, shape[0] as usize, shape[1] as usize, shape[2] as usize])
            }
            LayerKind::FullyConnected => IxDyn(&[outputs, rows]),
        };
        LayerWeights {
            weights: ArrayD::from_shape_vec(shape, values).unwrap(),
            bias: Array1::from_shape_fn(outputs, |o| 0.1 * noise(i + 100, o)),
        }
    });
    weights.collect::<Vec<_>>().into()
}

fn image() -> Array3<f32> {
    Array3::from_shape_fn((3, 13, 15), |(c, y, x)| noise(7, (c * 13 + y) * 15 + x))
}

fn plan(weight_bits: u32, activation_bits: u32) -> Plan {
    let layer = LayerPlan { weight_bits, activation_bits, regions: vec![] };
    Plan { layers: vec![layer; 4].into() }
}

/// The first two rows and last three columns of the first layer, the first row of the second.
fn cropped(mut plan: Plan) -> Plan {
    let region = |top, left, height, width| Region { top, left, height, width, bits: 0 };
    plan.layers[LayerId(0)].regions = vec![region(0, 0, 2, 15), region(0, 12, 13, 3)];
    plan.layers[LayerId(1)].regions = vec![region(0, 0, 1, 4)];
    plan
}

fn reference(plan: &Plan) -> Reference {
    reference::run(&network(), &weights(), plan, image().view(), TWO).unwrap()
}

/// Programmed with ranges that hold with and without the crop: taking inputs away from negative weights can make an
/// activation larger.
fn model(machine: &Machine, options: Options, weight_bits: u32) -> Model {
    let mut ranges = reference(&plan(16, 16)).input_ranges;
    ranges.widen(&reference(&cropped(plan(16, 16))).input_ranges);
    let datapath = machine.datapath(options);
    Model::program(&datapath, &network(), &weights(), &[weight_bits; 4], &ranges).unwrap()
}

fn infer(options: Options, plan: &Plan) -> Inference {
    let model = model(&ISAAC, options, plan.layers[LayerId(0)].weight_bits);
    model.run(plan, image().view()).unwrap()
}

/// The network in loops over all indices.
fn by_loops(plan: &Plan) -> Vec<f32> {
    let mut map = image();
    let network = network();
    for ((id, layer), weights) in network.layers.enumerate().zip(weights().layers) {
        let [kh, kw] = [layer.kernel.size.y as usize, layer.kernel.size.x as usize];
        let (channels, height, width) = map.dim();
        let kernel = weights.weights.to_shape((layer.output.channels as usize, channels, kh, kw)).unwrap();
        let dim = |s: Shape| (s.channels as usize, s.height as usize, s.width as usize);
        let output = Array3::from_shape_fn(dim(layer.output), |(o, y, x)| {
            if plan.layers[id].bits_at(y as u32, x as u32) == 0 {
                return 0.0;
            }
            let mut sum = f64::from(weights.bias[o]);
            for c in 0..channels {
                for ky in 0..kh {
                    for kx in 0..kw {
                        let iy = (y * layer.kernel.stride.y as usize + ky) as i64 - i64::from(layer.kernel.padding.top);
                        let ix = (x * layer.kernel.stride.y as usize + kx) as i64 - i64::from(layer.kernel.padding.top);
                        if (0..height as i64).contains(&iy) && (0..width as i64).contains(&ix) {
                            let activation = map[(c, iy as usize, ix as usize)];
                            sum += f64::from(activation) * f64::from(kernel[(o, c, ky, kx)]);
                        }
                    }
                }
            }
            if id == LayerId(3) { sum as f32 } else { sum.max(0.0) as f32 }
        });
        map = match layer.pool {
            None => output,
            Some(pool) => Array3::from_shape_fn(dim(layer.pooled), |(c, y, x)| {
                let mut most = f32::NEG_INFINITY;
                for ((oc, oy, ox), &value) in output.indexed_iter() {
                    let within = |o: usize, p: usize| {
                        let first = p as i64 * i64::from(pool.stride.y) - i64::from(pool.padding.top);
                        (first..first + i64::from(pool.size.y)).contains(&(o as i64))
                    };
                    if oc == c && within(oy, y) && within(ox, x) {
                        most = most.max(value);
                    }
                }
                most
            }),
        };
    }
    map.into_iter().collect()
}

/// Largest difference, relative to the largest value.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    let most = |values: &mut dyn Iterator<Item = f32>| values.fold(0f32, |m, v| m.max(v.abs()));
    most(&mut a.iter().zip(b).map(|(a, b)| a - b)) / most(&mut b.iter().copied())
}

#[test]
fn the_floating_point_pass_equals_loops_over_all_indices() {
    for plan in [plan(16, 16), cropped(plan(16, 16))] {
        assert!(distance(&reference(&plan).output, &by_loops(&plan)) < 1e-5);
    }
}

#[test]
fn a_crop_gives_on_crossbars_what_it_gives_in_floating_point() {
    for plan in [plan(16, 16), cropped(plan(16, 16))] {
        let distance = distance(&infer(Options::default(), &plan).output, &reference(&plan).output);
        assert!(distance < 1e-3, "{distance}");
    }
    assert!(distance(&reference(&plan(16, 16)).output, &reference(&cropped(plan(16, 16))).output) > 0.01);
}

#[test]
fn fewer_bits_are_less_exact() {
    let exact = reference(&plan(16, 16)).output;
    let error = |plan: &Plan| distance(&infer(Options::default(), plan).output, &exact);
    let by_weights: Vec<f32> = [4, 8, 12].map(|bits| error(&plan(bits, 16))).to_vec();
    let by_activations: Vec<f32> = [4, 8, 12].map(|bits| error(&plan(16, bits))).to_vec();
    for errors in [by_weights, by_activations] {
        assert!(errors.is_sorted_by(|a, b| a > b), "{errors:?}");
    }
}

/// 16, 8, 4 and 0 bits in one layer.
fn mixed() -> Plan {
    let mut plan = plan(11, 16);
    let region = |left, bits| Region { top: 0, left, height: 13, width: 4, bits };
    plan.layers[LayerId(0)].regions = vec![region(4, 8), region(8, 4), region(12, 0)];
    plan.layers[LayerId(1)].activation_bits = 7;
    plan
}

#[test]
fn both_methods_and_any_number_of_threads_give_the_same_bits() {
    for plan in [plan(16, 16), cropped(plan(13, 9)), mixed()] {
        let integer = infer(Options::default(), &plan);
        let serial = infer(bit_serial(), &plan);
        assert_eq!(integer.output, serial.output);
        for (integer, serial) in integer.layers.iter().zip(&serial.layers) {
            assert_eq!(integer.method, Method::Integer);
            assert_eq!(serial.method, Method::BitSerial);
            assert_eq!(integer.counts, serial.counts);
            assert_eq!((integer.clipped, serial.clipped), (0, 0));
        }
        assert_eq!(infer(on_threads(1, Options::default()), &plan), integer);
    }
}

#[test]
fn one_model_serves_all_crops_and_its_counts_are_those_of_the_computed_windows() {
    let model = model(&ISAAC, Options::default(), 11);
    for plan in [plan(11, 16), cropped(plan(11, 16)), mixed()] {
        let inference = model.run(&plan, image().view()).unwrap();
        for ((layer, plan), outcome) in network().layers.iter().zip(&plan.layers).zip(inference.layers) {
            let positions = (0..layer.output.height).flat_map(|y| (0..layer.output.width).map(move |x| (y, x)));
            let iterations: u32 = positions.map(|(y, x)| plan.bits_at(y, x)).sum();
            let iterations = u64::from(iterations);
            let row_blocks = u64::from(layer.rows().div_ceil(128));
            let columns = u64::from(layer.output.channels) * 6;
            let column_blocks = columns.div_ceil(128);
            assert_eq!(outcome.counts.crossbar_reads, iterations * row_blocks * column_blocks);
            assert_eq!(outcome.counts.adc_conversions, iterations * row_blocks * columns);
            assert_eq!(outcome.counts.dac_activations, iterations * u64::from(layer.rows()) * column_blocks);
        }
    }
}

#[test]
fn a_layer_that_is_cropped_altogether_costs_nothing_and_gives_zeros() {
    let mut plan = plan(16, 16);
    plan.layers[LayerId(1)].activation_bits = 0;
    let inference = infer(Options::default(), &plan);
    assert_eq!(inference.layers[1].counts, numeric::Counts::default());
    assert!(distance(&inference.output, &reference(&plan).output) < 1e-3);
}

#[test]
fn a_small_adc_clips_and_says_so() {
    let machine = Machine { adc_bits: 5, ..ISAAC };
    let inference = model(&machine, Options::default(), 16).run(&plan(16, 16), image().view()).unwrap();
    assert_eq!(inference.layers[1].method, Method::BitSerial);
    assert!(inference.layers.iter().map(|l| l.clipped).sum::<u64>() > 0);
}

#[test]
fn inputs_beyond_the_range_saturate_and_are_counted() {
    let datapath = ISAAC.datapath(Options::default());
    let ranges = reference(&plan(16, 16)).input_ranges;
    let run = |ranges: &InputRanges| {
        let model = Model::program(&datapath, &network(), &weights(), &[16; 4], ranges).unwrap();
        model.run(&plan(16, 16), image().view()).unwrap().layers
    };
    assert!(run(&ranges).iter().all(|layer| layer.saturated == 0));
    let small = ranges.layers.iter().map(|range| range / 8.0).collect();
    let small = InputRanges { layers: small, ..ranges };
    assert!(run(&small).iter().all(|layer| layer.saturated > 0));
}

#[test]
fn wrong_tensors_images_and_plans_are_refused_by_name() {
    let datapath = ISAAC.datapath(Options::default());
    let program = |weights: &Weights, bits: &[u32]| {
        let ranges = InputRanges { layers: vec![1.0; 4], ..InputRanges::default() };
        Model::program(&datapath, &network(), weights, bits, &ranges).map(|_| ())
    };
    let says = |result: Result<(), Error>, text: &str| assert_eq!(result.unwrap_err().to_string(), text);

    let mut wrong = weights();
    wrong.layers.pop();
    says(program(&wrong, &[16; 4]), "3 pairs of weights and biases for 4 layers");
    says(program(&weights(), &[16; 5]), "5 weight precisions for 4 layers");
    says(program(&weights(), &[16, 16, 1, 16]), "layer fc1: 1 bits for a fixed-point format: must be 2 to 16");
    let mut wrong = weights();
    wrong.layers[1].weights.swap_axes(2, 3);
    says(
        program(&wrong, &[16; 4]),
        "layer conv2: the weight tensor has the shape [20, 12, 3, 2] where [20, 12, 2, 3] is needed",
    );
    let mut wrong = weights();
    wrong.layers[3].bias[4] = f32::NAN;
    says(program(&wrong, &[16; 4]), "layer fc2: the bias tensor holds a value that is not finite: NaN");

    let model = model(&ISAAC, Options::default(), 16);
    let run = |plan: &Plan, image: Array3<f32>| model.run(plan, image.view()).map(|_| ());
    says(run(&plan(12, 16), image()), "layer conv1: the plan has 12-bit weights where 16-bit weights were programmed");
    says(run(&plan(16, 1), image()), "layer conv1: 1 bits for activations: must be 2 to 16");
    says(
        run(&plan(16, 16), Array3::zeros((3, 15, 13))),
        "the image has the shape [3, 15, 13] where [3, 13, 15] is needed",
    );
    says(
        run(&plan(16, 16), Array3::from_elem((3, 13, 15), f32::INFINITY)),
        "the image holds a value that is not finite: inf",
    );
}
