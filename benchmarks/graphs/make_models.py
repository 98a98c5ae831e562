"""Writes the models of the graphs benchmark; the same on every run.

python make_models.py FOLDER
  encoder.onnx      16-512-512-64 with ReLU, random weights: tens of microseconds a row
  classifier.onnx   64-512-512-10 with ReLU, random weights; takes what the encoder gives
  colour-conv.onnx  FOLDER/conv.onnx on a picture of one colour, [n, 3]: all its work, and next to nothing to read
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SEED = 21
OPSET = 18
IR_VERSION = 10


def mlp(random: np.random.Generator, source: str, target: str, widths: list) -> onnx.ModelProto:
    nodes, weights, name = [], [], source
    for i, (rows, columns) in enumerate(zip(widths, widths[1:])):
        weights.append(tensor(f"w{i}", random.normal(0, np.sqrt(2 / rows), (rows, columns))))
        weights.append(tensor(f"b{i}", random.normal(0, 0.1, columns)))
        is_last = i == len(widths) - 2
        nodes.append(helper.make_node("Gemm", [name, f"w{i}", f"b{i}"], [target if is_last else f"g{i}"]))
        if not is_last:
            nodes.append(helper.make_node("Relu", [f"g{i}"], [f"r{i}"]))
        name = f"r{i}"
    inputs = [helper.make_tensor_value_info(source, TensorProto.FLOAT, ["n", widths[0]])]
    outputs = [helper.make_tensor_value_info(target, TensorProto.FLOAT, ["n", widths[-1]])]
    graph = helper.make_graph(nodes, "mlp", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def colour_conv(conv: onnx.ModelProto) -> onnx.ModelProto:
    """The first axis stays the batch: [n, 3] becomes [n, 3, 1, 1], and each colour a picture."""
    graph = conv.graph
    (pixels,) = graph.input
    picture = [dim.dim_value for dim in pixels.type.tensor_type.shape.dim][1:]
    graph.initializer.append(numpy_helper.from_array(np.array([2, 3], np.int64), "pixel_axes"))
    graph.initializer.append(numpy_helper.from_array(np.array([1, *picture], np.int64), "picture"))
    graph.node.insert(0, helper.make_node("Unsqueeze", ["colour", "pixel_axes"], ["pixel"]))
    graph.node.insert(1, helper.make_node("Expand", ["pixel", "picture"], [pixels.name]))
    colour = helper.make_tensor_value_info("colour", TensorProto.FLOAT, ["n", picture[0]])
    del graph.input[:]
    graph.input.append(colour)
    return conv


def tensor(name: str, values: np.ndarray) -> onnx.TensorProto:
    return numpy_helper.from_array(values.astype(np.float32), name)


def main() -> None:
    folder = Path(sys.argv[1])
    random = np.random.default_rng(SEED)
    models = {
        "encoder": mlp(random, "x", "code", [16, 512, 512, 64]),
        "classifier": mlp(random, "code", "y", [64, 512, 512, 10]),
        "colour-conv": colour_conv(onnx.load(folder / "conv.onnx")),
    }
    for name, model in models.items():
        onnx.checker.check_model(model)
        onnx.save(model, folder / f"{name}.onnx")


if __name__ == "__main__":
    main()
