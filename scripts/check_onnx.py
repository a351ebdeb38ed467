"""Holds `aquasim network compute` to onnxruntime.

Needs numpy, onnx and onnxruntime. AQUASIM names the program. With `--light`, the light models that lie in the wheel of
onnx are checked as well, with random weights: theirs are constant, and so are the outputs that onnx states for them.
Differences may be 1e-4 of the largest value. What `aquasim infer` answers to these on 16-bit crossbars is held to
onnxruntime too.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization

AQUASIM = os.environ.get("AQUASIM", "target/debug/aquasim")
MOST = 1e-4
RANDOM = np.random.default_rng(1)


class Graph:
    """A model in the making. Each method adds a node and returns the name of its result."""

    def __init__(self, channels=4, height=11, width=9):
        self.nodes, self.constants, self.shape = [], [], (1, channels, height, width)

    def constant(self, *shape, low=-1.0, high=1.0):
        name = f"c{len(self.constants)}"
        values = RANDOM.uniform(low, high, shape).astype(np.float32)
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def whole(self, *numbers):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(numbers, np.int64), name))
        return name

    def node(self, kind, *inputs, outputs=1, **attributes):
        names = [f"v{len(self.nodes)}_{n}" for n in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, f"n{len(self.nodes)}", **attributes))
        return names[0] if outputs == 1 else names

    def conv(self, value, inputs, outputs, kernel=(3, 3), group=1, **attributes):
        weights = self.constant(outputs, inputs // group, *kernel)
        return self.node("Conv", value, weights, self.constant(outputs), kernel_shape=kernel, group=group, **attributes)

    def model(self, results, opset):
        tensor = helper.make_tensor_value_info
        image = tensor("x", TensorProto.FLOAT, self.shape)
        outputs = [tensor(name, TensorProto.FLOAT, None) for name in results]
        graph = helper.make_graph(self.nodes, "g", [image], outputs, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def convolutions(graph):
    value = graph.conv("x", 4, 6, pads=[0, 1, 2, 1], strides=[2, 1])
    value = graph.conv(graph.node("Relu", value), 6, 8, (2, 3), 2, dilations=[2, 1], pads=[2, 0, 1, 2])
    value = graph.conv(graph.node("LeakyRelu", value, alpha=0.2), 8, 8, (3, 3), 8, auto_pad="SAME_LOWER", strides=[2, 2])
    value = graph.conv(value, 8, 8, (2, 2), auto_pad="SAME_UPPER")
    return [graph.conv(value, 8, 5, (1, 1))]


def max_pools(graph):
    value = graph.node("Relu", graph.conv("x", 4, 5, pads=[1, 1, 1, 1]))
    value = graph.node("MaxPool", value, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 0, 1], ceil_mode=1)
    return [graph.node("MaxPool", graph.conv(value, 5, 5, (1, 1)), kernel_shape=[2, 2], dilations=[2, 1])]


def average_pools(graph):
    first = graph.conv("x", 4, 5, pads=[1, 1, 1, 1])
    pools = []
    for ceil_mode in (0, 1):
        for include in (0, 1):
            pools.append(
                graph.node(
                    "AveragePool",
                    first,
                    kernel_shape=[3, 2],
                    strides=[2, 2],
                    pads=[1, 0, 1, 1],
                    ceil_mode=ceil_mode,
                    count_include_pad=include,
                )
            )
    return pools


def global_pool(graph):
    value = graph.node("Sigmoid", graph.conv("x", 4, 6))
    value = graph.node("Flatten", graph.node("GlobalAveragePool", value))
    return [graph.node("Gemm", value, graph.constant(7, 6), graph.constant(7), transB=1, alpha=0.5, beta=2.0)]


def matrix_product(graph):
    value = graph.node("Flatten", graph.node("Tanh", graph.conv("x", 4, 2)))
    return [graph.node("Add", graph.node("MatMul", value, graph.constant(2 * 9 * 7, 5)), graph.constant(5))]


def channels_last(graph):
    value = graph.node("Transpose", graph.conv("x", 4, 5, strides=[3, 3]), perm=[0, 2, 3, 1])
    value = graph.node("Flatten", value)
    return [graph.node("MatMul", value, graph.constant(3 * 3 * 5, 7))]


def joins(graph):
    first = graph.node("Relu", graph.conv("x", 4, 6, pads=[1, 1, 1, 1]))
    second = graph.conv(first, 6, 6, pads=[1, 1, 1, 1])
    total = graph.node("Relu", graph.node("Add", second, first))
    third = graph.conv(total, 6, 6, (1, 1))
    total = graph.node("Sum", third, total, first)
    both = graph.node("Concat", total, second, axis=1)
    norm = graph.node("BatchNormalization", both, *(graph.constant(12, low=0.5) for _ in range(4)))
    return [graph.conv(graph.node("Relu", norm), 12, 3, pads=[1, 1, 1, 1])]


def channels(graph):
    value = graph.conv("x", 4, 12, (1, 1))
    value = graph.node("Reshape", value, graph.whole(1, 3, 4, 11, 9))
    value = graph.node("Transpose", value, perm=[0, 2, 1, 3, 4])
    value = graph.node("Reshape", value, graph.whole(1, 12, 11, 9))
    left, right = graph.node("Split", value, graph.whole(5, 7), outputs=2, axis=1)
    part = graph.node("Slice", right, graph.whole(1), graph.whole(5), graph.whole(1))
    return [graph.conv(left, 5, 3), graph.conv(part, 4, 3, group=1)]


def activations(graph):
    value, results = graph.conv("x", 4, 6, (1, 1)), []
    for activation in ("Relu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish"):
        results.append(graph.node(activation, value))
    results.append(graph.node("LeakyRelu", value, alpha=0.3))
    results.append(graph.node("PRelu", value, graph.constant(6, 1, 1)))
    results.append(graph.node("Mul", value, graph.node("Sigmoid", value)))
    bounds = [numpy_helper.from_array(np.array(bound, np.float32), f"b{bound}") for bound in (0, 6)]
    graph.constants += bounds
    results.append(graph.node("Clip", value, *(bound.name for bound in bounds)))
    return [graph.conv(value, 6, 2, (1, 1)) for value in results]


def scores(path, inputs, folder):
    """The values that aquasim computes for an input from 0 to 1."""
    np.save(folder / "x.npy", inputs)
    command = [AQUASIM, "network", "compute", path, "--weights-file", path, "--images", folder / "x.npy"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{path}: {done.stderr}")
    return np.array(json.loads(done.stdout)["pictures"][0]["values"])


def check(name, found, expected, most=MOST):
    expected = np.concatenate([values.ravel() for values in expected])
    if found.shape != expected.shape:
        sys.exit(f"{name}: {found.size} values in place of {expected.size}")
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    print(f"{name}: {found.size} values, largest difference {difference:.1e} of the largest value")
    if np.ptp(expected) < 0.01 * np.abs(expected).max():
        sys.exit(f"{name} has the same value everywhere, which shows nothing")
    if not difference <= most:
        sys.exit(f"{name} differs from onnxruntime by more than {most}")


def with_random_weights(model):
    """The model with random initializers in place of the constants that ConstantOfShape makes, and without Softmax."""
    graph = model.graph
    shapes = {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
    for node in list(graph.node):
        if node.op_type == "ConstantOfShape":
            shape = shapes[node.input[0]]
            if len(shape) == 1:
                values = RANDOM.uniform(0.5, 1.5, shape)
            else:
                values = RANDOM.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
            graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), node.output[0]))
            graph.node.remove(node)
        elif node.op_type == "Softmax":
            [result] = graph.output
            assert result.name == node.output[0]
            result.CopyFrom(helper.make_tensor_value_info(node.input[0], TensorProto.FLOAT, None))
            graph.node.remove(node)
    return model


def check_light(folder):
    for light in sorted((Path(onnx.__file__).parent / "backend/test/data/light").glob("*.onnx")):
        model = onnx.load(light)
        if any(node.op_type == "LRN" for node in model.graph.node):
            print(f"{light.stem}: normalises local responses, which aquasim refuses")
            continue
        given = {constant.name for constant in model.graph.initializer}
        [image] = [value for value in model.graph.input if value.name not in given]
        shape = [dimension.dim_value for dimension in image.type.tensor_type.shape.dim]
        path = folder / light.name
        onnx.save(with_random_weights(model), path)
        inputs = (np.arange(np.prod(shape)) / np.prod(shape)).astype(np.float32).reshape(shape)
        expected = onnxruntime.InferenceSession(path).run(None, {image.name: inputs})
        check(light.stem, scores(path, inputs, folder), expected)
        check_crossbars(light.stem, answers(path, inputs, folder), expected[0].ravel())


def answers(model, inputs, folder):
    """The five largest scores of `aquasim infer`, 16 bits on ISAAC-CE with larger buffers, as (class, score)."""
    picture, result = folder / "picture.npy", folder / "answers.json"
    np.save(picture, inputs)
    command = [AQUASIM, "infer", "--network", model, "--weights-file", model, "--images", picture, "--json", result]
    subprocess.run([*command, "--set", "edram.bytes=262144"], check=True, stdout=subprocess.DEVNULL)
    [answer] = json.loads(result.read_text())["pictures"]
    return [(best["class"], best["score"]) for best in answer["top"]]


def check_crossbars(name, answers, expected):
    """Holds answers of crossbars to those in floating point: the same class first, scores within a relative rms of 1e-2."""
    classes, scores = zip(*answers)
    error = np.linalg.norm(np.array(scores) - expected[list(classes)]) / np.linalg.norm(expected[list(classes)])
    print(f"{name} on crossbars: {error:.1e}")
    if classes[0] != expected.argmax() or error > 1e-2:
        sys.exit(f"{name}: crossbars answer {answers}, and the largest of onnxruntime is {expected.argmax()}")


class Pictures(quantization.CalibrationDataReader):
    """Random pictures that decide the ranges of a quantised model."""

    def __init__(self, name, shape):
        self.left = [{name: RANDOM.random(shape, np.float32)} for _ in range(2)]

    def get_next(self):
        return self.left.pop() if self.left else None


def check_quantised(folder):
    """Holds a model with QuantizeLinear and DequantizeLinear, whose Relus are left out, to onnxruntime. Its steps of 8 bits
    are dropped here, so values differ by some of these."""
    graph = Graph(4, 12, 12)
    value = graph.node("Relu", graph.conv("x", 4, 16, pads=[1, 1, 1, 1]))
    value = graph.node("Relu", graph.node("Add", graph.conv(value, 16, 16, pads=[1, 1, 1, 1]), value))
    value = graph.node("GlobalAveragePool", graph.node("Relu", graph.conv(value, 16, 32)))
    model = graph.model([graph.node("Flatten", value)], 13)
    plain, quantised = folder / "plain.onnx", folder / "quantised.onnx"
    onnx.save(onnx.shape_inference.infer_shapes(model), plain)
    options = {"quant_format": quantization.QuantFormat.QDQ, "per_channel": True}
    quantization.quantize_static(plain, quantised, Pictures("x", graph.shape), **options)
    if any(node.op_type == "Relu" for node in onnx.load(quantised).graph.node):
        sys.exit("the quantised model has Relus, so it does not show that they are put back")
    inputs = RANDOM.random(graph.shape, np.float32)
    expected = onnxruntime.InferenceSession(quantised).run(None, {"x": inputs})
    check("quantised", scores(quantised, inputs, folder), expected, most=5e-2)


def main():
    onnxruntime.set_default_logger_severity(3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        makers = [
            convolutions, max_pools, average_pools, global_pool, matrix_product, channels_last, joins, channels, activations
        ]
        for opset in (13, 17):
            for make in makers:
                if make is activations and opset == 13:
                    continue  # HardSwish is an operator from 14 on.
                graph = Graph()
                path = folder / f"{make.__name__}.onnx"
                model = graph.model(make(graph), opset)
                onnx.save(onnx.shape_inference.infer_shapes(model), path)
                inputs = RANDOM.random(graph.shape, np.float32)
                expected = onnxruntime.InferenceSession(path).run(None, {"x": inputs})
                check(f"{make.__name__}, opset {opset}", scores(path, inputs, folder), expected)
        check_quantised(folder)
        if "--light" in sys.argv[1:]:
            check_light(folder)


main()
