//! How fast values are computed: conversions a second on ISAAC's crossbars, multiply-accumulates a second of the integer
//! product. All processors are used.

use std::hint::black_box;

use arch::{Adc, Crossbar, Dac};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ndarray::{Array2, Array3};
use network::{Layer, LayerKind, LayerPlan, Shape};
use numeric::{Datapath, Options, Windows};

/// ISAAC-CE.
fn datapath(options: Options) -> Datapath {
    let crossbar = Crossbar {
        rows: 128,
        columns: 128,
        cell_bits: 2,
    };
    let dac = Dac { bits: 1 };
    let adc = Adc {
        count: 8,
        bits: 8,
        rate_gsps: 1.28,
        flipped_encoding: true,
        unit_column: false,
    };
    Datapath::new(&crossbar, &dac, &adc, options).expect("ISAAC is modelled")
}

/// Every conversion modelled.
fn bit_serial() -> Options {
    Options {
        integer_product: false,
        ..Options::default()
    }
}

/// A 3 x 3 convolution with padding 1 of a square map.
fn convolution(side: u32, inputs: u32, outputs: u32) -> Layer {
    let shape = |channels| Shape {
        height: side,
        width: side,
        channels,
    };
    Layer {
        name: format!("{side} x {side}, {inputs} to {outputs}"),
        kind: LayerKind::Convolution,
        input: shape(inputs),
        kernel_height: 3,
        kernel_width: 3,
        stride: 1,
        padding: 1,
        output: shape(outputs),
        pool: None,
        pooled: shape(outputs),
        crop: None,
    }
}

/// Integers without a pattern.
fn value(index: usize) -> i16 {
    ((index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as i16
}

/// The first, a middle and the last convolution of VGG16.
fn layers(criterion: &mut Criterion) {
    let full = LayerPlan {
        weight_bits: 16,
        activation_bits: 16,
        regions: vec![],
    };
    for (side, inputs, outputs) in [(224, 3, 64), (56, 256, 256), (14, 512, 512)] {
        let layer = convolution(side, inputs, outputs);
        let (rows, side) = (layer.rows() as usize, side as usize);
        let shape = (inputs as usize, side, side);
        let map = Array3::from_shape_fn(shape, |(c, y, x)| value((c * side + y) * side + x));
        let windows = Windows::of_layer(map.view(), &layer, &full).expect("the map fits");
        let outputs = outputs as usize;
        let weights = Array2::from_shape_fn((outputs, rows), |(o, r)| value(o * rows + r));

        let mut group = criterion.benchmark_group(&layer.name);
        group.sample_size(10);
        for (name, options) in [
            ("bit serial", bit_serial()),
            ("integer", Options::default()),
        ] {
            let crossbars = datapath(options)
                .program(weights.view(), 16, 0)
                .expect("the weights fit");
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

criterion_group!(benches, layers);
criterion_main!(benches);
