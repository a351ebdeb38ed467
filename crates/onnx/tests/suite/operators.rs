//! Exact meaning of operators, and the rules of folding.

use network::{Activation, Kernel, Operator, Shape, Sides};
use onnx::Options;

use crate::build::{Build, float, int, ints, kinds, text, weights};

/// Batch normalisation with factor 2 and offset 1 on the first channel, 3 and -1 on the second.
fn normalised<'a>(build: Build<'a>, from: &'a str, to: &'a str) -> Build<'a> {
    build
        .constant("gamma", &[2], &[2.0, 3.0])
        .constant("beta", &[2], &[1.0, -1.0])
        .constant("mean", &[2], &[0.0, 0.0])
        .constant("var", &[2], &[1.0, 1.0])
        .node("BatchNormalization", &[from, "gamma", "beta", "mean", "var"], to, vec![float("epsilon", 0.0)])
}

#[test]
fn a_normalisation_behind_a_convolution_becomes_part_of_its_weights() {
    let model = Build::new(&[1, 1, 4, 4])
        .constant("w", &[2, 1, 1, 1], &[5.0, 7.0])
        .constant("b", &[2], &[0.5, 0.25])
        .node("Conv", &["x", "w", "b"], "c", vec![]);
    let import = normalised(model, "c", "n").node("Relu", &["n"], "r", vec![]).import();
    assert_eq!(kinds(&import), ["convolution"]);
    assert_eq!(import.list.nodes[0].activation, Some(Activation::Relu));
    assert_eq!((weights(&import, "c.weight"), weights(&import, "c.bias")), (vec![10.0, 21.0], vec![2.0, -0.25]));
}

#[test]
fn a_normalisation_before_a_convolution_is_folded_only_without_padding() {
    let model = |pad: i64| {
        let first = Build::new(&[1, 1, 4, 4])
            .constant("v", &[2, 1, 1, 1], &[1.0, 1.0])
            .node("Conv", &["x", "v"], "first", vec![])
            .node("Relu", &["first"], "r", vec![]);
        normalised(first, "r", "n")
            .constant("w", &[1, 2, 1, 1], &[5.0, 7.0])
            .node("Conv", &["n", "w"], "c", vec![ints("pads", &[pad; 4])])
            .import()
    };
    let folded = model(0);
    assert_eq!(kinds(&folded), ["convolution", "convolution"]);
    assert_eq!((weights(&folded, "c.weight"), weights(&folded, "c.bias")), (vec![10.0, 21.0], vec![5.0 - 7.0]));
    let kept = model(1);
    assert_eq!(kinds(&kept), ["convolution", "affine", "convolution"]);
    assert_eq!((weights(&kept, "n.weight"), weights(&kept, "n.bias")), (vec![2.0, 3.0], vec![1.0, -1.0]));
}

#[test]
fn a_normalisation_that_others_read_past_stays() {
    let model = Build::new(&[1, 2, 4, 4]).constant("w", &[2, 2, 1, 1], &[1.0, 0.0, 0.0, 1.0]).node(
        "Conv",
        &["x", "w"],
        "c",
        vec![],
    );
    let import = normalised(model, "c", "n").node("Add", &["n", "c"], "sum", vec![]).import();
    assert_eq!(kinds(&import), ["convolution", "affine", "add"]);
}

#[test]
fn matrix_products_are_fully_connected() {
    // 1 x 3 by 3 x 2, and a bias that is added.
    let import = Build::new(&[1, 3, 1, 1])
        .constant("w", &[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        .constant("b", &[2], &[7.0, 8.0])
        .node("Flatten", &["x"], "f", vec![])
        .node("MatMul", &["f", "w"], "m", vec![])
        .node("Add", &["m", "b"], "a", vec![])
        .import();
    assert_eq!(kinds(&import), ["fully_connected"]);
    assert_eq!(weights(&import, "m.weight"), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    assert_eq!(weights(&import, "m.bias"), [7.0, 8.0]);
    let gemm = Build::new(&[1, 3, 1, 1])
        .constant("w", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        .constant("b", &[1], &[7.0])
        .node("Flatten", &["x"], "f", vec![])
        .node("Gemm", &["f", "w", "b"], "g", vec![int("transB", 1), float("alpha", 2.0), float("beta", 3.0)])
        .import();
    assert_eq!(weights(&gemm, "g.weight"), [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
    assert_eq!(weights(&gemm, "g.bias"), [21.0, 21.0]);
}

fn kernel_of(attributes: Vec<onnx_rs::ast::Attribute<'static>>) -> (Kernel, Shape) {
    let import = Build::new(&[1, 1, 7, 8])
        .constant("w", &[1, 1, 3, 2], &[0.0; 6])
        .node("Conv", &["x", "w"], "c", attributes)
        .import();
    let Operator::Convolution { kernel, .. } = import.list.nodes[0].operator else { panic!("a convolution") };
    (kernel, import.lower().unwrap().layers[network::LayerId(0)].output)
}

#[test]
fn padding_that_keeps_sizes_puts_the_odd_position_at_the_end_or_the_start() {
    let strides = || ints("strides", &[2, 2]);
    let (upper, output) = kernel_of(vec![text("auto_pad", "SAME_UPPER"), strides()]);
    assert_eq!(upper.padding, Sides { top: 1, left: 0, bottom: 1, right: 0 });
    assert_eq!((output.height, output.width), (4, 4));
    let (lower, _) = kernel_of(vec![text("auto_pad", "SAME_LOWER"), ints("dilations", &[1, 3])]);
    assert_eq!(lower.padding, Sides { top: 1, left: 2, bottom: 1, right: 1 });
    let (valid, output) = kernel_of(vec![text("auto_pad", "VALID")]);
    assert_eq!((valid.padding, output.height, output.width), (Sides::default(), 5, 7));
}

#[test]
fn a_pad_node_becomes_padding_of_the_convolution() {
    let import = Build::new(&[1, 1, 4, 4])
        .whole("pads", &[0, 0, 1, 2, 0, 0, 0, 1])
        .constant("w", &[1, 1, 3, 3], &[0.0; 9])
        .node("Pad", &["x", "pads"], "p", vec![])
        .node("Conv", &["p", "w"], "c", vec![ints("pads", &[1, 0, 0, 0])])
        .import();
    let Operator::Convolution { kernel, .. } = import.list.nodes[0].operator else { panic!("a convolution") };
    assert_eq!(kernel.padding, Sides { top: 2, left: 2, bottom: 0, right: 1 });
}

#[test]
fn pools_count_what_the_model_counts() {
    let pool = |include: i64, ceil: i64| {
        let attributes = vec![
            ints("kernel_shape", &[3, 3]),
            ints("strides", &[2, 2]),
            ints("pads", &[1; 4]),
            int("count_include_pad", include),
            int("ceil_mode", ceil),
        ];
        let import = Build::new(&[1, 1, 6, 6])
            .constant("w", &[1, 1, 1, 1], &[1.0])
            .node("Conv", &["x", "w"], "c", vec![])
            .node("AveragePool", &["c"], "p", attributes)
            .import();
        let Operator::AveragePool { kernel, counted } = import.list.nodes[1].operator else { panic!("a pool") };
        (kernel.padding, counted)
    };
    assert_eq!(pool(0, 0), (Sides::all(1), Sides::default()));
    assert_eq!(pool(1, 0), (Sides::all(1), Sides::all(1)));
    // Rounding up adds a row and a column that never count.
    assert_eq!(pool(1, 1), (Sides { top: 1, left: 1, bottom: 2, right: 2 }, Sides::all(1)));
}

#[test]
fn activations_written_as_products_are_recognised() {
    let conv = || Build::new(&[1, 1, 4, 4]).constant("w", &[1, 1, 1, 1], &[1.0]).node("Conv", &["x", "w"], "c", vec![]);
    let swish = conv().node("Sigmoid", &["c"], "s", vec![]).node("Mul", &["c", "s"], "m", vec![]).import();
    assert_eq!(swish.list.nodes[0].activation, Some(Activation::Swish));
    let parts = |build: Build<'static>| {
        build
            .constant("three", &[], &[3.0])
            .constant("six", &[], &[6.0])
            .constant("zero", &[], &[0.0])
            .node("Add", &["c", "three"], "a", vec![])
            .node("Clip", &["a", "zero", "six"], "k", vec![])
    };
    let product_first = parts(conv()).node("Mul", &["c", "k"], "m", vec![]).node("Div", &["m", "six"], "d", vec![]);
    let quotient_first = parts(conv()).node("Div", &["k", "six"], "d", vec![]).node("Mul", &["d", "c"], "m", vec![]);
    let sigmoid = conv().node("HardSigmoid", &["c"], "h", vec![float("alpha", 1.0 / 6.0), float("beta", 0.5)]).node(
        "Mul",
        &["c", "h"],
        "m",
        vec![],
    );
    for model in [product_first, quotient_first, sigmoid] {
        let import = model.import();
        let first = &import.list.nodes[0];
        assert_eq!(
            (kinds(&import).len(), &first.activation),
            (1, &Some(Activation::HardSwish)),
            "{:?}",
            kinds(&import)
        );
    }
}

#[test]
fn quantisation_vanishes_and_tells_the_range() {
    let weights_of =
        onnx_rs::ast::TensorProto::from_raw("w8", vec![2, 1, 1, 1], onnx_rs::ast::DataType::Int8, &[3, 0xfe]);
    let zero = onnx_rs::ast::TensorProto::from_raw("zero", vec![], onnx_rs::ast::DataType::Int8, &[0]);
    let import = Build::new(&[1, 1, 4, 4])
        .tensor(weights_of)
        .tensor(zero)
        .constant("scales", &[2], &[0.5, 0.25])
        .constant("step", &[], &[0.1])
        .node("DequantizeLinear", &["w8", "scales"], "w", vec![int("axis", 0)])
        .node("Conv", &["x", "w"], "c", vec![])
        .node("QuantizeLinear", &["c", "step", "zero"], "q", vec![])
        .node("DequantizeLinear", &["q", "step", "zero"], "d", vec![])
        .import();
    assert_eq!(kinds(&import), ["convolution"]);
    assert_eq!(weights(&import, "c.weight"), [1.5, -0.5]);
    assert!((import.ranges["c"] - 12.8).abs() < 1e-6, "{:?}", import.ranges);
}

#[test]
fn numbers_that_begin_at_zero_stand_for_a_relu_unless_nothing_is_negative() {
    let zero = |zero: i8| {
        let bytes = zero.to_le_bytes();
        onnx_rs::ast::TensorProto::from_raw("zero", vec![], onnx_rs::ast::DataType::Int8, Box::leak(Box::new(bytes)))
    };
    let quantised = |zero_point: i8, has_relu: bool| {
        let build = Build::new(&[1, 1, 4, 4])
            .tensor(zero(zero_point))
            .constant("w", &[1, 1, 1, 1], &[1.0])
            .constant("step", &[], &[0.1])
            .node("Conv", &["x", "w"], "c", vec![]);
        let build = if has_relu { build.node("Relu", &["c"], "r", vec![]) } else { build };
        let from = if has_relu { "r" } else { "c" };
        let build = build
            .node("MaxPool", &[from], "p", vec![ints("kernel_shape", &[2, 2])])
            .node("QuantizeLinear", &["p", "step", "zero"], "q", vec![])
            .node("DequantizeLinear", &["q", "step", "zero"], "d", vec![])
            .node("Conv", &["d", "w"], "e", vec![]);
        let import = build.import();
        import.list.nodes.iter().filter(|node| node.activation == Some(Activation::Relu)).count()
    };
    assert_eq!(quantised(-128, false), 1);
    assert_eq!((quantised(-128, true), quantised(0, true), quantised(0, false)), (1, 1, 0));
}

#[test]
fn a_picture_with_channels_last_is_transposed_by_the_host() {
    let import = Build::new(&[1, 6, 5, 3])
        .constant("scale", &[3], &[2.0, 3.0, 4.0])
        .constant("w", &[1, 3, 3, 3], &[1.0; 27])
        .node("Mul", &["x", "scale"], "s", vec![])
        .node("Transpose", &["s"], "t", vec![ints("perm", &[0, 3, 1, 2])])
        .node("Conv", &["t", "w"], "c", vec![])
        .node("Softmax", &["c"], "p", vec![])
        .import();
    assert_eq!(import.list.input, Shape { height: 6, width: 5, channels: 3 });
    // Without padding, the factors become part of the weights.
    assert_eq!(kinds(&import), ["convolution"]);
    assert_eq!(weights(&import, "c.weight")[9], 3.0);
    assert_eq!(import.report.host, ["p"]);
}

#[test]
fn weights_behind_a_map_that_is_flattened_with_channels_last_are_put_in_our_order() {
    // 2 channels of 1 x 3 positions; the weight of an input is 10 times its channel plus its position.
    let of = |transposed: bool| {
        let by_position: Vec<f32> = vec![0.0, 10.0, 1.0, 11.0, 2.0, 12.0];
        let (dims, kind) = if transposed { ([6, 1], "MatMul") } else { ([1, 6], "Gemm") };
        let import = Build::new(&[1, 2, 1, 3])
            .constant("w", &[2, 2, 1, 1], &[1.0, 0.0, 0.0, 1.0])
            .constant("m", &dims, &by_position)
            .node("Conv", &["x", "w"], "c", vec![])
            .node("Transpose", &["c"], "t", vec![ints("perm", &[0, 2, 3, 1])])
            .node("Flatten", &["t"], "f", vec![])
            .node(kind, &["f", "m"], "y", if transposed { vec![] } else { vec![int("transB", 1)] })
            .import();
        weights(&import, "y.weight")
    };
    let expected = [0.0, 1.0, 2.0, 10.0, 11.0, 12.0];
    assert_eq!((of(true), of(false)), (expected.to_vec(), expected.to_vec()));
}

#[test]
fn refused_nodes_are_reported_all_at_once() {
    let message = Build::new(&[1, 1, 4, 4])
        .constant("w", &[2, 1, 1, 1], &[1.0, 1.0])
        .constant("deep", &[1, 1, 1, 1, 1], &[1.0])
        .node("Conv", &["x", "w"], "c", vec![])
        .node("Conv", &["x", "deep"], "d", vec![])
        .node("Resize", &["c"], "r", vec![])
        .node("LayerNormalization", &["c"], "l", vec![])
        .node("Relu", &["l"], "after", vec![])
        .node("LRN", &["c"], "n", vec![int("size", 5)])
        .refused();
    for part in
        ["Conv \"d\"", "along 3 axes", "Resize \"r\"", "enlarges a map", "LayerNormalization \"l\"", "--drop lrn"]
    {
        assert!(message.contains(part), "{part} in {message}");
    }
    assert!(!message.contains("after"), "what reads a refused node is not looked at: {message}");
}

#[test]
fn a_normalisation_across_channels_is_dropped_only_on_request() {
    let model =
        || {
            Build::new(&[1, 1, 4, 4])
                .constant("w", &[2, 1, 1, 1], &[1.0, 1.0])
                .node("Conv", &["x", "w"], "c", vec![])
                .node("LRN", &["c"], "n", vec![int("size", 5)])
        };
    let import =
        model().import_with(&Options { drop_lrn: true, ..Options::default() }).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((kinds(&import), import.report.dropped), (vec!["convolution"], vec!["n".to_owned()]));
    assert!(model().refused().contains("--drop lrn"));
}

#[test]
fn an_open_size_is_given_by_the_user() {
    let model =
        || Build::new(&[0, 1, 0, 0]).constant("w", &[1, 1, 1, 1], &[1.0]).node("Conv", &["x", "w"], "c", vec![]);
    assert!(model().refused().contains("--input-size"));
    let sized = Options { input_size: Some((5, 7)), ..Options::default() };
    let import = model().import_with(&sized).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(import.list.input, Shape { height: 5, width: 7, channels: 1 });
}
