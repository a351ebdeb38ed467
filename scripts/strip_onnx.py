"""Makes test fixtures of ONNX files: the graph without weights, which lie in a file that is not there.

Usage: strip_onnx.py IN.onnx OUT.onnx. Small integer tensors, of which shapes are computed, stay.
"""

import sys

import numpy
import onnx
from onnx import numpy_helper


def main() -> None:
    source, target = sys.argv[1:]
    model = onnx.load(source, load_external_data=False)
    model.producer_name = model.producer_version = model.doc_string = ""
    del model.metadata_props[:], model.functions[:], model.graph.value_info[:], model.graph.metadata_props[:]
    model.graph.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    offset = 0
    for tensor in model.graph.initializer:
        tensor.doc_string = ""
        del tensor.metadata_props[:]
        count = int(numpy.prod(tensor.dims))
        if tensor.data_type != onnx.TensorProto.FLOAT or count <= 1:
            continue
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            assert numpy_helper.to_array(tensor).size == count
        bare = onnx.TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
        bare.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", "weights.bin"), ("offset", str(offset)), ("length", str(4 * count))):
            bare.external_data.add(key=key, value=value)
        tensor.CopyFrom(bare)
        offset += 4 * count
    with open(target, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))


main()
