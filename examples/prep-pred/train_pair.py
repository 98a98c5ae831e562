"""Trains the two pairs of this example and writes them next to this file, the same bytes on every run.

python train_pair.py            writes prep/1, prep/2, pred/1, pred/2 and golden.json
python train_pair.py --check    trains in a temporary folder and compares with the files here; exit 1 if they differ
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "models"))
import train as models  # noqa: E402  the script of the other example models

ROWS = np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3], [6.0, 2.9, 4.5, 1.5]], np.float32)


@dataclass(frozen=True)
class Pair:
    version: int
    prep: onnx.ModelProto
    pred: onnx.ModelProto


def train_pairs() -> list[Pair]:
    """Both preparations give four numbers a row: that a pair does not belong together, no shape says."""
    whitened = make_pipeline(StandardScaler(), PCA(whiten=True, random_state=models.SEED))
    return [train_pair(1, StandardScaler()), train_pair(2, whitened)]


def train_pair(version: int, prepare) -> Pair:
    rows, target, train, test = split()
    classifier = LogisticRegression().fit(prepare.fit_transform(rows[train]), target[train])
    pair = Pair(version, export_prep(prepare), export_pred(classifier))
    expected = classifier.decision_function(prepare.transform(rows[test]))
    models.assert_same(f"pair {version}", scores_of(pair, pair, rows[test]), expected)
    return pair


def split() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    iris = load_iris()
    train, test = train_test_split(
        np.arange(len(iris.target)),
        test_size=models.TEST_SHARE,
        stratify=iris.target,
        random_state=models.SEED,
    )
    return iris.data, iris.target, train, test


def export_prep(prepare) -> onnx.ModelProto:
    inputs, outputs = [("measurements", numbers(4))], [("features", numbers(4))]
    return with_sorted_opsets(
        convert_sklearn(prepare, "prep", inputs, final_types=outputs, target_opset=models.TARGET_OPSET)
    )


def export_pred(classifier) -> onnx.ModelProto:
    """The scores as they are, without softmax: the service makes probabilities of them."""
    proto = convert_sklearn(
        classifier,
        "pred",
        [("features", numbers(4))],
        final_types=[("label", Int64TensorType([None])), ("scores", numbers(3))],
        options={"zipmap": False, "raw_scores": True},
        target_opset=models.TARGET_OPSET,
    )
    return with_sorted_opsets(proto)


def numbers(width: int) -> FloatTensorType:
    return FloatTensorType([None, width])


def with_sorted_opsets(proto: onnx.ModelProto) -> onnx.ModelProto:
    """skl2onnx takes them from a set, whose order changes from one Python process to the next."""
    opsets = sorted(proto.opset_import, key=lambda opset: opset.domain)
    del proto.opset_import[:]
    proto.opset_import.extend(opsets)
    return proto


def scores_of(prep: Pair, pred: Pair, rows: np.ndarray) -> np.ndarray:
    features = models.run(prep.prep, {"measurements": rows.astype(np.float32)})["features"]
    return models.run(pred.pred, {"features": features})["scores"]


def softmax(scores: np.ndarray) -> np.ndarray:
    exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


# --- files ----------------------------------------------------------------------------------------------


def write_all(folder: Path) -> None:
    pairs = train_pairs()
    files = {f"prep/{pair.version}/model.onnx": pair.prep for pair in pairs}
    files |= {f"pred/{pair.version}/model.onnx": pair.pred for pair in pairs}
    golden = {
        "tolerance": models.TOLERANCE,
        "rows": [[models.to_json_number(value) for value in row] for row in ROWS],
        "files": {file: write_model(folder / file, proto) for file, proto in files.items()},
        "pairs": [compare(prep, pred) for prep in pairs for pred in pairs],
    }
    models.write_json(folder / "golden.json", golden)


def write_model(path: Path, proto: onnx.ModelProto) -> dict:
    data = proto.SerializeToString(deterministic=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return {"bytes": len(data), "sha256": models.digest(path)}


def compare(prep: Pair, pred: Pair) -> dict:
    """What a preparation and a prediction give together, whether they are a pair or not."""
    rows, target, _, test = split()
    accuracy = models.accuracy_of(scores_of(prep, pred, rows[test]), target[test])
    print(f"prep {prep.version} with pred {pred.version}: accuracy {accuracy:.4f}")
    probabilities = softmax(scores_of(prep, pred, ROWS))
    return {
        "prep": prep.version,
        "pred": pred.version,
        "accuracy": round(accuracy, 4),
        "probabilities": [[models.to_json_number(value) for value in row] for row in probabilities],
    }


def check() -> int:
    models.HERE = HERE  # find_differences compares with the files there
    with tempfile.TemporaryDirectory() as folder:
        write_all(Path(folder))
        differences = models.find_differences(Path(folder))
    print("\n".join(differences) or "All files are the same as here")
    return 1 if differences else 0


def main() -> int:
    # One thread: the order of a sum, and so its last bit, must not depend on the number of cores.
    with threadpool_limits(limits=1):
        if "--check" in sys.argv[1:]:
            return check()
        write_all(HERE)
        return 0


if __name__ == "__main__":
    raise SystemExit(main())
