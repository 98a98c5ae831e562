"""Writes the models of the serving benchmark, inputs for them, and what onnxruntime answers; the same on every run.

python make_models.py FOLDER
  iris.onnx    examples/models/iris_svc.onnx without its label and ZipMap, so that every server gets a plain tensor
  mlp512.onnx  512-512-512-512-512-10 with ReLU, random weights
  mlp1024.onnx 16-1024-…-1024-10 with ReLU, six layers of 1024, random weights: a millisecond a row, and little to read
  conv.onnx    a random CNN on [3, 224, 224], about 6 ms a run on one thread
  NAME.json    {"inputs": rows, "outputs": rows}: FP32 with 8 digits, exact enough to be read back as they were
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

SEED = 20
IRIS = Path(__file__).parents[3] / "examples/models/iris_svc.onnx"
OPSET = 18
IR_VERSION = 10
CASES = 4
# Output channels and stride of each 3 × 3 convolution; the image has 224 × 224 pixels and 3 channels.
CONVOLUTIONS = [(16, 2), (32, 2), (64, 1), (64, 2), (128, 1), (128, 1)]


def iris() -> onnx.ModelProto:
    model = onnx.load(IRIS)
    graph = model.graph
    (zipmap,) = (node for node in graph.node if node.op_type == "ZipMap")
    graph.node.remove(zipmap)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(zipmap.input[0], TensorProto.FLOAT, ["n", 3]))
    return model


def mlp(random: np.random.Generator, name_of_model: str, widths: list) -> onnx.ModelProto:
    nodes, weights, name = [], [], "x"
    for i, (rows, columns) in enumerate(zip(widths, widths[1:])):
        scale = np.sqrt(2 / rows)
        weights.append(tensor(f"w{i}", random.normal(0, scale, (rows, columns))))
        weights.append(tensor(f"b{i}", random.normal(0, 0.1, columns)))
        is_last = i == len(widths) - 2
        nodes.append(helper.make_node("Gemm", [name, f"w{i}", f"b{i}"], ["y" if is_last else f"g{i}"]))
        if not is_last:
            nodes.append(helper.make_node("Relu", [f"g{i}"], [f"r{i}"]))
        name = f"r{i}"
    return build(name_of_model, nodes, weights, ["n", widths[0]])


def conv(random: np.random.Generator) -> onnx.ModelProto:
    nodes, weights, name, channels = [], [], "x", 3
    for i, (out, stride) in enumerate(CONVOLUTIONS):
        scale = np.sqrt(2 / (channels * 9))
        weights.append(tensor(f"w{i}", random.normal(0, scale, (out, channels, 3, 3))))
        nodes.append(
            helper.make_node("Conv", [name, f"w{i}"], [f"c{i}"], pads=[1, 1, 1, 1], strides=[stride, stride])
        )
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"]))
        name, channels = f"r{i}", out
    weights.append(tensor("w", random.normal(0, 0.1, (channels, 10))))
    nodes.append(helper.make_node("GlobalAveragePool", [name], ["pooled"]))
    nodes.append(helper.make_node("Flatten", ["pooled"], ["flat"]))
    nodes.append(helper.make_node("MatMul", ["flat", "w"], ["y"]))
    return build("conv", nodes, weights, ["n", 3, 224, 224])


def tensor(name: str, values: np.ndarray) -> onnx.TensorProto:
    return numpy_helper.from_array(values.astype(np.float32), name)


def build(name: str, nodes: list, weights: list, shape: list) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return model


def write(folder: Path, name: str, model: onnx.ModelProto, inputs: np.ndarray) -> None:
    onnx.save(model, folder / f"{name}.onnx")
    session = onnxruntime.InferenceSession(model.SerializeToString())
    feed = session.get_inputs()[0].name
    # One row at a time: that is how the requests come.
    outputs = [session.run(None, {feed: row[None]})[0][0].tolist() for row in inputs]
    rows = [[float(f"{value:.8g}") for value in row.ravel().tolist()] for row in inputs]
    (folder / f"{name}.json").write_text(json.dumps({"inputs": rows, "outputs": outputs}))


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(SEED)
    flowers = np.array(
        [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3], [1.0, 2.0, 3.0, 4.0], [5.9, 3.0, 4.2, 1.5]], np.float32
    )
    write(folder, "iris", iris(), flowers)
    write(folder, "mlp512", mlp(random, "mlp512", [512] * 5 + [10]), random.random((CASES, 512), np.float32))
    wide = mlp(random, "mlp1024", [16] + [1024] * 7 + [10])
    write(folder, "mlp1024", wide, random.random((CASES, 16), np.float32))
    write(folder, "conv", conv(random), random.random((CASES, 3, 224, 224), np.float32))


if __name__ == "__main__":
    main()
