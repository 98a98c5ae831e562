"""Draws pages with a digit on each, trains what finds and reads it, and writes all of it next to this file.

python train_pages.py            writes three models, golden.json and pages/
python train_pages.py --check    trains in a temporary folder and compares with the files here; exit 1 if they differ
"""

import hashlib
import struct
import sys
import tempfile
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "models"))
import train as models  # noqa: E402  the script of the other example models

PAGE = 256  # pixels, each way
DIGIT = 64
SEEN = 64  # pixels of a page as the detector sees it
SCALE = PAGE // SEEN
WINDOW = DIGIT // SCALE
PLACES = SEEN - WINDOW + 1  # of a window, each way
KINDS = ("handwritten", "printed")
NOTHING = len(KINDS)
TRAIN_PAGES, TEST_PAGES = 1600, 400
ACCURACY_MIN = 0.9


@dataclass(frozen=True)
class Page:
    pixels: np.ndarray  # uint8 [PAGE, PAGE]
    kind: int  # NOTHING on an empty one
    digit: int
    left: int
    top: int

    @property
    def seen(self) -> np.ndarray:
        """As the image step gives it: float32 [SEEN, SEEN], 0 to 1; the mean of SCALE x SCALE pixels."""
        blocks = self.pixels.reshape(SEEN, SCALE, SEEN, SCALE).mean(axis=(1, 3))
        return (blocks / 255).astype(np.float32)


# --- pages ----------------------------------------------------------------------------------------------

# Which of the seven strokes a digit has: top, upper left, upper right, middle, lower left, lower right, bottom.
SEGMENTS = (
    *("1110111", "0010010", "1011101", "1011011", "0111010"),
    *("1101011", "1101111", "1010010", "1111111", "1111011"),
)
# Left, top, right, bottom of each stroke in a square of 64 pixels.
STROKES = (
    (16, 4, 48, 12),
    (12, 8, 20, 32),
    (44, 8, 52, 32),
    (16, 28, 48, 36),
    (12, 32, 20, 56),
    (44, 32, 52, 56),
    (16, 52, 48, 60),
)
MARGIN = DIGIT // 8


def draw_pages(count: int, images: np.ndarray, digits: np.ndarray, random: np.random.Generator) -> list[Page]:
    """One in eight is empty. @param images of handwritten digits: [count, 8, 8], 0 to 16."""
    kinds = random.choice(len(KINDS) + 1, count, p=[0.5, 0.375, 0.125])
    chosen = random.integers(0, len(images), count)
    return [draw_page(kind, images[index], int(digits[index]), random) for kind, index in zip(kinds, chosen)]


def draw_page(kind: int, image: np.ndarray, digit: int, random: np.random.Generator) -> Page:
    paper = draw_paper(random)
    left, top = (int(place) for place in random.integers(MARGIN, PAGE - DIGIT - MARGIN, 2))
    if kind != NOTHING:
        ink = grow(image / 16) if KINDS[kind] == "handwritten" else np.pad(segments(digit), MARGIN)
        rows = slice(top - MARGIN, top + DIGIT + MARGIN)
        columns = slice(left - MARGIN, left + DIGIT + MARGIN)
        black = random.uniform(0.05, 0.3)
        paper[rows, columns] = paper[rows, columns] * (1 - ink) + black * ink
    return Page(np.round(paper * 255).astype(np.uint8), int(kind), digit, left, top)


def draw_paper(random: np.random.Generator) -> np.ndarray:
    """Not quite white, darker towards one side, ruled, with some dust."""
    across, down = random.uniform(-0.06, 0.06, 2)
    y, x = np.mgrid[0:PAGE, 0:PAGE] / PAGE
    paper = random.uniform(0.82, 0.92) + across * x + down * y
    paper[int(random.integers(8, 32)) :: 32] *= random.uniform(0.8, 0.95)
    for row, column in random.integers(0, PAGE - 4, (int(random.integers(0, 12)), 2)):
        paper[row : row + 3, column : column + 3] *= 0.6
    return np.clip(paper, 0, 1)


def grow(image: np.ndarray) -> np.ndarray:
    """8 x 8 to 64 x 64 and a margin, linear between the centres of pixels."""
    padded = np.pad(image, 2)
    at = (np.arange(DIGIT + 2 * MARGIN) + 0.5) / 8 + 0.5
    low = np.floor(at).astype(int)
    share = at - low
    rows = padded[low] * (1 - share)[:, None] + padded[low + 1] * share[:, None]
    return rows[:, low] * (1 - share) + rows[:, low + 1] * share


def segments(digit: int) -> np.ndarray:
    square = np.zeros((DIGIT, DIGIT))
    for is_on, (left, top, right, bottom) in zip(SEGMENTS[digit], STROKES):
        if is_on == "1":
            square[top:bottom, left:right] = 1
    return square


# --- detector: what is in a window of 16 x 16, by its 64 means of 2 x 2 ------------------------------------

HIDDEN = 24
# A window this far from the digit, in pixels of what is seen, is a wrong one. The nearest is right; those between
# are not learned.
WRONG_FROM = 2
RIGHT_WEIGHT = 3
WRONG_PER_PAGE = 16
ROUNDS = 2
EPOCHS = 30

Windows = tuple[np.ndarray, np.ndarray]


def train_detector(pages: list[Page], random: np.random.Generator) -> onnx.ModelProto:
    """After each round it also learns the windows that it took for digits and that are none."""
    features, kinds = first_windows(pages, random)
    proto = fit_detector(features, kinds)
    for _ in range(ROUNDS):
        more, more_kinds = mistaken_windows(proto, pages)
        features, kinds = np.vstack([features, more]), np.concatenate([kinds, more_kinds])
        proto = fit_detector(features, kinds)
    return proto


def fit_detector(features: np.ndarray, kinds: np.ndarray) -> onnx.ModelProto:
    network = MLPClassifier((HIDDEN,), max_iter=EPOCHS, random_state=models.SEED)
    return export_detector(network.fit(features, kinds))


def first_windows(pages: list[Page], random: np.random.Generator) -> Windows:
    features, kinds = [], []
    for page in pages:
        places = windows_of(page)
        if page.kind != NOTHING:
            left, top = right_place(page)
            features += [places[top, left]] * RIGHT_WEIGHT
            kinds += [page.kind] * RIGHT_WEIGHT
        for top, left in random.integers(0, PLACES, (WRONG_PER_PAGE, 2)):
            if is_wrong(page, left, top):
                features.append(places[top, left])
                kinds.append(NOTHING)
    return np.array(features), np.array(kinds)


def mistaken_windows(proto: onnx.ModelProto, pages: list[Page]) -> Windows:
    """And, so that these are not all, the right window of each page once more."""
    features, kinds = [], []
    found = models.run(proto, {"image": seen_by_detector(pages)})
    for page, (left, top, _, _), score in zip(pages, found["box"], found["score"]):
        if score > 0.05 and is_wrong(page, left, top):
            features.append(windows_of(page)[top, left])
            kinds.append(NOTHING)
        if page.kind != NOTHING:
            left, top = right_place(page)
            features.append(windows_of(page)[top, left])
            kinds.append(page.kind)
    return np.array(features), np.array(kinds)


def right_place(page: Page) -> tuple[int, int]:
    return round(page.left / SCALE), round(page.top / SCALE)


def is_wrong(page: Page, left: int, top: int) -> bool:
    return page.kind == NOTHING or distance(page, left, top) >= WRONG_FROM


def distance(page: Page, left: int, top: int) -> float:
    return max(abs(left - page.left / SCALE), abs(top - page.top / SCALE))


def windows_of(page: Page) -> np.ndarray:
    """[PLACES, PLACES, 64]: the ink in each window, the mean of 2 x 2 pixels."""
    means = sliding_window_view(page.seen.astype(np.float64), (2, 2)).mean(axis=(2, 3))
    return 1 - sliding_window_view(means, (15, 15))[:, :, ::2, ::2].reshape(PLACES, PLACES, -1)


def seen_by_detector(pages: list[Page]) -> np.ndarray:
    return np.array([page.seen for page in pages])[:, np.newaxis]


def export_detector(network: MLPClassifier) -> onnx.ModelProto:
    """The network slides over the page as two convolutions; the place with the largest score wins."""
    hidden_w, score_w = (rounded(weights) for weights in network.coefs_)
    hidden_b, score_b = (rounded(biases) for biases in network.intercepts_)
    constants = {
        "one": np.array(1, np.float32),
        "hidden_w": hidden_w.T.reshape(HIDDEN, 1, 8, 8),
        "hidden_b": hidden_b,
        "score_w": score_w.T.reshape(NOTHING + 1, HIDDEN, 1, 1),
        "score_b": score_b,
        "start": np.array([0], np.int64),
        "end": np.array([NOTHING], np.int64),
        "channel": np.array([1], np.int64),
        "flat": np.array([0, NOTHING * PLACES * PLACES], np.int64),
        "all_places": np.array(PLACES * PLACES, np.int64),
        "line": np.array(PLACES, np.int64),
        "window": np.array(WINDOW, np.int64),
        "kinds": np.array(KINDS, object),
    }
    node = helper.make_node
    nodes = [
        node("Sub", ["one", "image"], ["ink"]),
        node("AveragePool", ["ink"], ["means"], kernel_shape=[2, 2]),
        node("Conv", ["means", "hidden_w", "hidden_b"], ["raw"], dilations=[2, 2]),
        node("Relu", ["raw"], ["hidden"]),
        node("Conv", ["hidden", "score_w", "score_b"], ["logits"]),
        node("Softmax", ["logits"], ["shares"], axis=1),
        node("Slice", ["shares", "start", "end", "channel"], ["digit_shares"]),
        node("Reshape", ["digit_shares", "flat"], ["candidates"]),
        node("ReduceMax", ["candidates"], ["score"], axes=[1], keepdims=0),
        node("ArgMax", ["candidates"], ["best"], axis=1, keepdims=1),
        node("Div", ["best", "all_places"], ["kind_index"]),
        node("Squeeze", ["kind_index", "channel"], ["kind_index_flat"]),
        node("Gather", ["kinds", "kind_index_flat"], ["kind"]),
        node("Mod", ["best", "all_places"], ["place"]),
        node("Div", ["place", "line"], ["top"]),
        node("Mod", ["place", "line"], ["left"]),
        node("Add", ["left", "window"], ["right"]),
        node("Add", ["top", "window"], ["bottom"]),
        node("Concat", ["left", "top", "right", "bottom"], ["box_64"], axis=1),
        node("Cast", ["box_64"], ["box"], to=TensorProto.INT32),
    ]
    value = helper.make_tensor_value_info
    outputs = [
        value("box", TensorProto.INT32, ["batch", 4]),
        value("kind", TensorProto.STRING, ["batch"]),
        value("score", TensorProto.FLOAT, ["batch"]),
    ]
    image = value("image", TensorProto.FLOAT, ["batch", 1, SEEN, SEEN])
    return to_model("detect", nodes, image, outputs, constants)


def to_model(name: str, nodes: list, input_info, outputs: list, constants: dict) -> onnx.ModelProto:
    weights = [numpy_helper.from_array(value, key) for key, value in constants.items()]
    graph = helper.make_graph(nodes, name, [input_info], outputs, weights)
    opset = helper.make_opsetid("", 17)
    proto = helper.make_model(graph, opset_imports=[opset], ir_version=models.IR_VERSION, producer_name="millrace")
    onnx.checker.check_model(proto, full_check=True)
    return proto


def rounded(weights: np.ndarray) -> np.ndarray:
    """Another CPU sums in another order; the step hides it."""
    return (np.round(weights / models.WEIGHT_STEP) * models.WEIGHT_STEP).astype(np.float32)


# --- reading --------------------------------------------------------------------------------------------


READER_HIDDEN = 48
READER_EPOCHS = 60


def train_reader(name: str, pages: list[Page]) -> onnx.ModelProto:
    """Reads digits of one kind, also where the window is a pixel off."""
    crops, digits = [], []
    for page in pages:
        if page.kind != KINDS.index(name):
            continue
        left, top = right_place(page)
        for across, down in np.ndindex(3, 3):
            crops.append(crop(page.seen, left + across - 1, top + down - 1))
            digits.append(page.digit)
    network = MLPClassifier((READER_HIDDEN,), max_iter=READER_EPOCHS, alpha=0.01, random_state=models.SEED)
    return export_reader(name, network.fit(np.array(crops).reshape(-1, 64).astype(np.float64), digits))


def export_reader(name: str, network: MLPClassifier) -> onnx.ModelProto:
    (hidden_w, score_w), (hidden_b, score_b) = network.coefs_, network.intercepts_
    weights = {"hidden_w": hidden_w, "hidden_b": hidden_b, "score_w": score_w, "score_b": score_b}
    node, value = helper.make_node, helper.make_tensor_value_info
    nodes = [
        node("Flatten", ["image"], ["pixels"]),
        node("Gemm", ["pixels", "hidden_w", "hidden_b"], ["raw"]),
        node("Relu", ["raw"], ["hidden"]),
        node("Gemm", ["hidden", "score_w", "score_b"], ["logits"]),
        node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    outputs = [value("probabilities", TensorProto.FLOAT, ["batch", 10])]
    image = value("image", TensorProto.FLOAT, ["batch", 1, 8, 8])
    return to_model(name, nodes, image, outputs, {key: rounded(array) for key, array in weights.items()})


def crop(seen: np.ndarray, left: int, top: int) -> np.ndarray:
    """As crop.ts does it: 8 x 8, paper is 0 and the darkest ink 1."""
    window = seen[top : top + WINDOW, left : left + WINDOW]
    means = window.reshape(8, 2, 8, 2).mean(axis=(1, 3))
    paper, black = np.median(means), means.min()
    return np.clip((paper - means) / max(paper - black, 1e-3), 0, 1).astype(np.float32)


def read_pages(protos: dict[str, onnx.ModelProto], pages: list[Page]) -> dict[str, float]:
    """What the whole chain gets right."""
    found = models.run(protos["detect"], {"image": seen_by_detector(pages)})
    result = {}
    for kind, name in enumerate(KINDS):
        own = [index for index, page in enumerate(pages) if page.kind == kind]
        crops = [crop(pages[index].seen, *found["box"][index][:2]) for index in own]
        image = np.array(crops)[:, np.newaxis]
        probabilities = models.run(protos[name], {"image": image})["probabilities"]
        is_found = [found["kind"][i] == name and found["score"][i] >= 0.5 for i in own]
        is_near = [distance(pages[i], *found["box"][i][:2]) <= 1.5 for i in own]
        is_read = probabilities.argmax(axis=1) == [pages[i].digit for i in own]
        result[f"{name} found"] = float(np.mean(np.logical_and(is_found, is_near)))
        result[f"{name} read"] = float(np.mean(np.logical_and(is_found, is_read)))
    empty = [index for index, page in enumerate(pages) if page.kind == NOTHING]
    result["empty seen as empty"] = float(np.mean(found["score"][empty] < 0.5))
    return result


# --- files ----------------------------------------------------------------------------------------------


def write_all(folder: Path) -> None:
    random = np.random.default_rng(models.SEED)
    digits = load_digits()
    train_x, test_x, train_y, test_y = train_test_split(
        digits.images,
        digits.target,
        test_size=models.TEST_SHARE,
        stratify=digits.target,
        random_state=models.SEED,
    )
    pages = draw_pages(TRAIN_PAGES, train_x, train_y, random)
    protos = {"detect": train_detector(pages, random)} | {name: train_reader(name, pages) for name in KINDS}
    test_pages = draw_pages(TEST_PAGES, test_x, test_y, random)
    accuracy = read_pages(protos, test_pages)
    for name, share in accuracy.items():
        print(f"{name}: {share:.3f}")
    if min(accuracy.values()) < ACCURACY_MIN:
        raise SystemExit(f"Cannot export: accuracy below {ACCURACY_MIN}")

    samples = sample_pages(test_pages)
    for name, page in samples.items():
        write_png(folder / "pages" / f"{name}.png", page.pixels)
    golden = {
        "accuracy": {name: round(share, 4) for name, share in accuracy.items()},
        "files": {f"{name}.onnx": write_model(folder / f"{name}.onnx", proto) for name, proto in protos.items()},
        "pages": {name: describe(page) for name, page in samples.items()},
    }
    models.write_json(folder / "golden.json", golden)


def sample_pages(pages: list[Page]) -> dict[str, Page]:
    """The first page of the test that shows it: no model has seen it."""
    wanted = {"handwritten-2": (0, 2), "handwritten-7": (0, 7), "printed-5": (1, 5)}
    samples = {
        name: next(page for page in pages if (page.kind, page.digit) == facts) for name, facts in wanted.items()
    }
    return samples | {"empty": next(page for page in pages if page.kind == NOTHING)}


def describe(page: Page) -> dict:
    facts = {"pixels_sha256": hashlib.sha256(page.pixels.tobytes()).hexdigest()}
    if page.kind == NOTHING:
        return facts
    return facts | {"kind": KINDS[page.kind], "digit": page.digit, "left": page.left, "top": page.top}


def write_model(path: Path, proto: onnx.ModelProto) -> dict:
    data = proto.SerializeToString(deterministic=True)
    path.write_bytes(data)
    return {"bytes": len(data), "sha256": models.digest(path)}


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Grey, 8 bits."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = pixels.shape
    lines = b"".join(b"\x02" + line.tobytes() for line in np.diff(pixels, axis=0, prepend=np.uint8(0)))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


def check() -> int:
    models.HERE = HERE  # find_differences compares with the files there
    with tempfile.TemporaryDirectory() as folder:
        write_all(Path(folder))
        differences = models.find_differences(Path(folder))
    print("\n".join(differences) or "All files are the same as here")
    return 1 if differences else 0


def main() -> int:
    # Its epochs are what they are, so that training ends.
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    # One thread: the order of a sum, and so its last bit, must not depend on the number of cores.
    with threadpool_limits(limits=1):
        if "--check" in sys.argv[1:]:
            return check()
        write_all(HERE)
        return 0


if __name__ == "__main__":
    raise SystemExit(main())
