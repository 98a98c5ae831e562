"""Trains the example models and writes them next to this file, the same bytes on every run.

python train.py            writes models, labels, digits_sample.json and golden.json
python train.py --check    trains in a temporary folder and compares with the files here; exit 1 if they differ
"""

import argparse
import hashlib
import importlib.metadata
import json
import tempfile
import textwrap
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.lib.stride_tricks import sliding_window_view
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, OneClassSVM
from threadpoolctl import threadpool_limits

HERE = Path(__file__).resolve().parent
SEED = 0
TEST_SHARE = 0.3
TOLERANCE = 1e-5
DIGITS_ACCURACY_MIN = 0.97
# The upper limit: skl2onnx writes the oldest opsets that are enough, here 9 or 16 and ai.onnx.ml 1.
TARGET_OPSET = {"": 18, "ai.onnx.ml": 3}
IR_VERSION = 8
# `prettier --check` reads the JSON files too.
PRINT_WIDTH = 100

Inputs = dict[str, np.ndarray]


@dataclass(frozen=True)
class TrainedModel:
    file: str
    proto: onnx.ModelProto
    # Measured on the exported file, on rows that the training did not see.
    accuracy: float
    golden_inputs: list[Inputs]


# --- iris -----------------------------------------------------------------------------------------------

IRIS_ROWS = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3], [1, 2, 3, 4]]
IRIS_SIGNATURE = [("float_input", FloatTensorType([None, 4]))]
# Each row alone, then all in one batch.
IRIS_GOLDEN_INPUTS = [
    {"float_input": np.array(rows, np.float32)} for rows in [*([row] for row in IRIS_ROWS), IRIS_ROWS]
]


def train_iris() -> list[TrainedModel]:
    iris = load_iris()
    forest = RandomForestClassifier(n_estimators=50, max_depth=4, random_state=SEED)
    models = [
        iris_classifier("iris_svc.onnx", svc(), iris.target),
        iris_classifier("v2/iris_svc.onnx", svc(C=0.3, gamma=2.0), iris.target),
        iris_classifier("iris_rf.onnx", forest, iris.target),
        iris_outlier("iris_ocs.onnx"),
    ]
    for index, species in enumerate(iris.target_names):
        # Class 0 is "this species", so the first probability is the positive one.
        target = np.where(iris.target == index, 0, 1)
        models.append(iris_classifier(f"iris_svc_0_{species}.onnx", svc(), target))
    return models


def svc(**options) -> SVC:
    return SVC(probability=True, random_state=SEED, **options)


def iris_classifier(file: str, classifier, target: np.ndarray) -> TrainedModel:
    iris = load_iris()
    # Stratified by species, so that all iris classifiers are trained and tested on the same rows.
    train, test = train_test_split(
        np.arange(len(target)), test_size=TEST_SHARE, stratify=iris.target, random_state=SEED
    )
    pipeline = make_pipeline(StandardScaler(), classifier).fit(iris.data[train], target[train])
    proto = export_pipeline(pipeline, file, IRIS_SIGNATURE)

    inputs = {"float_input": iris.data[test].astype(np.float32)}
    probabilities = run(proto, inputs)["output_probability"]
    assert_same(file, probabilities, pipeline.predict_proba(inputs["float_input"]))
    return TrainedModel(file, proto, accuracy_of(probabilities, target[test]), IRIS_GOLDEN_INPUTS)


def iris_outlier(file: str) -> TrainedModel:
    rows = load_iris().data
    pipeline = make_pipeline(StandardScaler(), OneClassSVM(nu=0.1, gamma="auto")).fit(rows)
    proto = export_pipeline(pipeline, file, IRIS_SIGNATURE)

    outputs = run(proto, {"float_input": rows.astype(np.float32)})
    assert_same(file, outputs["scores"][:, 0], pipeline.decision_function(rows.astype(np.float32)))
    # There is no target: this is the share of iris rows that it accepts, about 1 - nu.
    return TrainedModel(file, proto, float(np.mean(outputs["label"] == 1)), IRIS_GOLDEN_INPUTS)


# --- multi_input: is a parcel late? ---------------------------------------------------------------------

PARCEL_CLASSES = np.array(["late", "on_time"])
# One name is not ASCII: a client that mangles UTF-8 gets a different answer.
REGION_DELAY = {"coast": 0.0, "hills": 1.0, "plain": -1.0, "île": 3.0}
PARCEL_COUNT = 2000


def train_multi_input() -> TrainedModel:
    file = "multi_input.onnx"
    measurements, region, target = made_up_parcels()
    columns = np.hstack([measurements.astype(object), region])
    train, test = train_test_split(
        np.arange(PARCEL_COUNT), test_size=TEST_SHARE, stratify=target, random_state=SEED
    )
    encode = ColumnTransformer(
        [
            ("measurements", StandardScaler(), [0, 1, 2, 3]),
            # An unknown region is no error; its columns are all 0.
            ("region", OneHotEncoder(handle_unknown="ignore"), [4]),
        ]
    )
    pipeline = make_pipeline(encode, LogisticRegression()).fit(columns[train], target[train])
    signature = [("measurements", FloatTensorType([None, 4])), ("region", StringTensorType([None, 1]))]
    proto = export_pipeline(pipeline, file, signature)

    probabilities = run(proto, parcel_inputs(measurements[test], region[test]))["output_probability"]
    assert_same(file, probabilities, pipeline.predict_proba(columns[test]))
    accuracy = accuracy_of(probabilities, np.searchsorted(PARCEL_CLASSES, target[test]))
    rows, regions = [[12, 3.5, 8, 0], [40, 1, 15, 6.5], [25, 2, 10, 1]], [["plain"], ["île"], ["moon"]]
    golden_inputs = [parcel_inputs([row], [name]) for row, name in zip(rows, regions)]
    return TrainedModel(file, proto, accuracy, [*golden_inputs, parcel_inputs(rows, regions)])


def made_up_parcels() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measurements (distance in km, weight in kg, stops, rain in mm), region, class; part of it is chance."""
    random = np.random.default_rng(SEED)
    low, high = [1, 0.1, 1, 0], [60, 20, 30, 10]
    measurements = random.uniform(low, high, (PARCEL_COUNT, 4)).round(1).astype(np.float32)
    region = random.choice(list(REGION_DELAY), (PARCEL_COUNT, 1)).astype(object)
    delay = measurements @ [0.08, 0.02, 0.1, 0.3] - 5.7 + [REGION_DELAY[name] for name in region[:, 0]]
    is_late = delay + random.logistic(0, 0.7, PARCEL_COUNT) > 0
    return measurements, region, np.where(is_late, *PARCEL_CLASSES)


def parcel_inputs(measurements, region) -> Inputs:
    return {"measurements": np.array(measurements, np.float32), "region": np.array(region, object)}


# --- digits: a convolutional network in numpy -----------------------------------------------------------

EPOCHS = 40
BATCH_SIZE = 32
LEARNING_RATE = 0.05
MOMENTUM = 0.9
# Another CPU sums in another order. Training in float64 and rounding to this step hides it.
WEIGHT_STEP = 2.0**-12

Weights = dict[str, np.ndarray]


def train_digits() -> tuple[TrainedModel, np.ndarray, int]:
    """The model, and the first test image with its true digit."""
    file = "digits.onnx"
    digits = load_digits()
    images = digits.images[:, np.newaxis] / 16.0
    train_x, test_x, train_y, test_y = train_test_split(
        images, digits.target, test_size=TEST_SHARE, stratify=digits.target, random_state=SEED
    )
    weights = fit_network(train_x, train_y)
    proto = export_network(weights)

    probabilities = run(proto, {"image": test_x.astype(np.float32)})["probabilities"]
    assert_same(file, probabilities, forward(weights, test_x)[0])
    accuracy = accuracy_of(probabilities, test_y)
    if accuracy < DIGITS_ACCURACY_MIN:
        raise SystemExit(f"Cannot export {file}: accuracy {accuracy:.4f}, limit {DIGITS_ACCURACY_MIN}")
    golden_inputs = [{"image": test_x[:count].astype(np.float32)} for count in (1, 3)]
    return TrainedModel(file, proto, accuracy, golden_inputs), test_x[:1], int(test_y[0])


def fit_network(images: np.ndarray, digits: np.ndarray) -> Weights:
    """Stochastic gradient descent with momentum; the learning rate falls linearly to 0."""
    random = np.random.default_rng(SEED)
    weights = initial_weights(random)
    velocity = {name: np.zeros_like(value) for name, value in weights.items()}
    for epoch in range(EPOCHS):
        rate = LEARNING_RATE * (1 - epoch / EPOCHS)
        order = random.permutation(len(images))
        for start in range(0, len(images), BATCH_SIZE):
            batch = order[start : start + BATCH_SIZE]
            for name, gradient in gradients(weights, images[batch], digits[batch]).items():
                velocity[name] = MOMENTUM * velocity[name] - rate * gradient
                weights[name] = weights[name] + velocity[name]
    return {name: np.round(value / WEIGHT_STEP) * WEIGHT_STEP for name, value in weights.items()}


def initial_weights(random: np.random.Generator) -> Weights:
    def scaled(*shape: int) -> np.ndarray:
        return random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)

    return {
        "conv1_w": scaled(16, 1, 3, 3),
        "conv1_b": np.zeros(16),
        "conv2_w": scaled(32, 16, 3, 3),
        "conv2_b": np.zeros(32),
        "dense_w": scaled(10, 32 * 4 * 4),
        "dense_b": np.zeros(10),
    }


def forward(weights: Weights, image: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Probabilities `[batch, class]`, and the values on the way, which the gradients need."""
    hidden1 = np.maximum(convolve(image, weights["conv1_w"], weights["conv1_b"]), 0)
    hidden2 = np.maximum(convolve(hidden1, weights["conv2_w"], weights["conv2_b"]), 0)
    # The mean of 2 x 2 pixels: unlike the maximum it has no ties, which rounding could decide either way.
    pooled = hidden2.reshape(-1, 32, 4, 2, 4, 2).mean(axis=(3, 5)).reshape(len(image), -1)
    logits = pooled @ weights["dense_w"].T + weights["dense_b"]
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = exponents / exponents.sum(axis=1, keepdims=True)
    return probabilities, {"hidden1": hidden1, "hidden2": hidden2, "pooled": pooled}


def gradients(weights: Weights, image: np.ndarray, digit: np.ndarray) -> Weights:
    """Gradient of the mean cross-entropy for each weight, from the last layer back to the first."""
    probabilities, values = forward(weights, image)
    logits = (probabilities - np.eye(10)[digit]) / len(digit)
    pooled = (logits @ weights["dense_w"]).reshape(-1, 32, 4, 4) / 4
    hidden2 = pooled.repeat(2, axis=2).repeat(2, axis=3) * (values["hidden2"] > 0)
    hidden1 = convolve_back(hidden2, weights["conv2_w"]) * (values["hidden1"] > 0)
    return {
        "conv1_w": kernel_gradient(image, hidden1),
        "conv1_b": hidden1.sum(axis=(0, 2, 3)),
        "conv2_w": kernel_gradient(values["hidden1"], hidden2),
        "conv2_b": hidden2.sum(axis=(0, 2, 3)),
        "dense_w": logits.T @ values["pooled"],
        "dense_b": logits.sum(axis=0),
    }


def convolve(image: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """3 x 3, same size: `[batch, in, height, width]` to `[batch, out, height, width]`."""
    return np.moveaxis(np.tensordot(windows(image), kernel, ([1, 4, 5], [1, 2, 3])) + bias, 3, 1)


def convolve_back(gradient: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The gradient for the input: a convolution with the kernel turned by 180 degrees, in and out swapped."""
    return convolve(gradient, kernel[:, :, ::-1, ::-1].swapaxes(0, 1), np.zeros(kernel.shape[1]))


def kernel_gradient(image: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    return np.tensordot(gradient, windows(image), ([0, 2, 3], [0, 2, 3]))


def windows(image: np.ndarray) -> np.ndarray:
    """`[batch, channel, height, width, 3, 3]`: the surroundings of each pixel, 0 outside the image."""
    return sliding_window_view(np.pad(image, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), axis=(2, 3))


# --- export, run, compare -------------------------------------------------------------------------------


def export_pipeline(pipeline, file: str, signature: list) -> onnx.ModelProto:
    """With default options, so a classifier ends in a ZipMap. The name is set: the default is random."""
    proto = convert_sklearn(pipeline, Path(file).stem, signature, target_opset=TARGET_OPSET)
    # skl2onnx takes these from a set of strings, whose order changes from one Python process to the next.
    opsets = sorted(proto.opset_import, key=lambda opset: opset.domain)
    del proto.opset_import[:]
    proto.opset_import.extend(opsets)
    return proto


def export_network(weights: Weights) -> onnx.ModelProto:
    node = helper.make_node
    graph = helper.make_graph(
        [
            node("Conv", ["image", "conv1_w", "conv1_b"], ["conv1"], pads=[1, 1, 1, 1]),
            node("Relu", ["conv1"], ["hidden1"]),
            node("Conv", ["hidden1", "conv2_w", "conv2_b"], ["conv2"], pads=[1, 1, 1, 1]),
            node("Relu", ["conv2"], ["hidden2"]),
            node("AveragePool", ["hidden2"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
            node("Flatten", ["pooled"], ["features"]),
            node("Gemm", ["features", "dense_w", "dense_b"], ["logits"], transB=1),
            node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    opset = helper.make_opsetid("", TARGET_OPSET[""])
    proto = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="millrace")
    onnx.checker.check_model(proto, full_check=True)
    return proto


def run(proto: onnx.ModelProto, inputs: Inputs) -> dict[str, np.ndarray]:
    """Outputs by name; the list of dictionaries that a ZipMap gives is turned back into `[batch, class]`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    outputs = zip(session.get_outputs(), session.run(None, inputs))
    return {
        meta.name: np.array([list(row.values()) for row in value], np.float32)
        if meta.type.startswith("seq(map(")
        else value
        for meta, value in outputs
    }


def assert_same(file: str, exported: np.ndarray, trained: np.ndarray) -> None:
    difference = np.abs(exported - trained).max()
    if difference > TOLERANCE:
        raise SystemExit(f"Cannot export {file}: {difference} from the trained model, limit {TOLERANCE}")


def accuracy_of(probabilities: np.ndarray, target: np.ndarray) -> float:
    return float(np.mean(probabilities.argmax(axis=1) == target))


# --- files ----------------------------------------------------------------------------------------------


def write_all(folder: Path) -> None:
    digits, image, true_digit = train_digits()
    models = [*train_iris(), train_multi_input(), digits]
    golden = {model.file: write_model(folder, model) for model in models}

    write_text(folder / "iris_labels.txt", "\n".join(load_iris().target_names))
    write_json(folder / "digits_sample.json", image.tolist())
    write_json(folder / "golden.json", {"tolerance": TOLERANCE, "models": golden})
    print_table(golden)
    print(f"digits_sample.json shows a {true_digit}")


def write_model(folder: Path, model: TrainedModel) -> dict:
    data = model.proto.SerializeToString(deterministic=True)
    path = folder / model.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return {
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "accuracy": round(model.accuracy, 4),
        "cases": [
            {"inputs": to_tensors(inputs), "outputs": to_tensors(run(model.proto, inputs))}
            for inputs in model.golden_inputs
        ],
    }


def to_tensors(values: dict[str, np.ndarray]) -> dict[str, dict]:
    """As the Open Inference Protocol writes them; `data` is flat, row by row."""
    datatypes = {"float32": "FP32", "int64": "INT64", "object": "BYTES"}
    return {
        name: {
            "datatype": datatypes[np.asarray(value).dtype.name],
            "shape": list(np.shape(value)),
            "data": [to_json_number(item) for item in np.ravel(value)],
        }
        for name, value in values.items()
    }


def to_json_number(item: np.float32 | np.int64 | str) -> float | int | str:
    if isinstance(item, str):
        return item
    # The shortest text that gives the same float32, not the digits of the float64 next to it.
    return float(str(item)) if isinstance(item, np.float32) else int(item)


def write_json(path: Path, value) -> None:
    write_text(path, format_json(value, 0, 0))


def write_text(path: Path, text: str) -> None:
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def format_json(value, indent: int, column: int) -> str:
    """As prettier formats it: numbers fill the line, all else that is too long has one entry per line."""
    flat = json.dumps(value, ensure_ascii=False).replace("e-0", "e-")
    is_nested = isinstance(value, dict) or (isinstance(value, list) and isinstance(value[0], (dict, list)))
    if not is_nested and column + len(flat) < PRINT_WIDTH:
        return flat
    inner, outer = indent + 2, "\n" + " " * indent
    if isinstance(value, dict):
        keys = [f"{json.dumps(key, ensure_ascii=False)}: " for key in value]
        lines = [
            key + format_json(item, inner, inner + len(key)) for key, item in zip(keys, value.values())
        ]
    elif is_nested:
        lines = [format_json(item, inner, inner) for item in value]
    else:
        numbers = textwrap.wrap(flat[1:-1], PRINT_WIDTH - inner, break_on_hyphens=False)
        lines = [line.removesuffix(",") for line in numbers]
    body = ",".join(outer + "  " + line for line in lines)
    return "{" + body + outer + "}" if isinstance(value, dict) else "[" + body + outer + "]"


def print_table(golden: dict[str, dict]) -> None:
    print(f"{'model':<27}{'bytes':>7}{'accuracy':>10}  first golden row (at most 3 numbers)")
    for file, entry in golden.items():
        # The label comes first where there is one; the probabilities or scores last.
        *_, answer = entry["cases"][0]["outputs"].values()
        row = " ".join(f"{number:.6g}" for number in answer["data"][:3])
        print(f"{file:<27}{entry['bytes']:>7}{entry['accuracy']:>10.4f}  {row}")


# --- check ----------------------------------------------------------------------------------------------


def find_differences(folder: Path) -> list[str]:
    """Files in `folder` against those here: equal bytes; golden.json: equal within the tolerance."""
    differences = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        file = path.relative_to(folder).as_posix()
        committed = HERE / file
        if not committed.exists():
            differences.append(f"{file}: not here")
        elif file == "golden.json":
            if not is_close(read_json(path), read_json(committed)):
                differences.append(f"{file}: values differ")
        elif digest(path) != digest(committed):
            differences.append(f"{file}: sha256 {digest(committed)} here, {digest(path)} trained now")
    return differences


def read_json(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


def is_close(left, right) -> bool:
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(is_close(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(is_close, left, right))
    if isinstance(left, float) or isinstance(right, float):
        return abs(left - right) <= TOLERANCE
    return left == right


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def version_differences() -> list[str]:
    lines = (HERE / "requirements.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if "==" in line and not line.startswith("#")]
    installed = [(name, pin, importlib.metadata.version(name)) for name, pin in pins]
    return [f"{name} {found} is installed, {pin} is pinned" for name, pin, found in installed if found != pin]


def check() -> int:
    with tempfile.TemporaryDirectory() as folder:
        write_all(Path(folder))
        differences = find_differences(Path(folder))
    if not differences:
        print("All files are the same as here")
        return 0
    print("\n".join([*differences, *version_differences()]))
    return 1


def main() -> int:
    keep_lines = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=keep_lines)
    parser.add_argument("--check", action="store_true", help="compare with the files here instead of writing")
    arguments = parser.parse_args()
    # requirements.txt pins a scikit-learn that still has what this warning is about.
    warnings.filterwarnings("ignore", "(The `probability` parameter|Attribute `prob[AB]_`)", FutureWarning)
    # One thread: the order of a sum, and so its last bit, must not depend on the number of cores.
    with threadpool_limits(limits=1):
        if arguments.check:
            return check()
        write_all(HERE)
        return 0


if __name__ == "__main__":
    raise SystemExit(main())
