"""What every Python peer runs: the model of the benchmark, on one thread."""

import os

import numpy as np
import onnxruntime

WORKLOAD = os.environ["BENCH_WORKLOAD"]
IS_IMAGE = WORKLOAD == "conv"
IMAGE_SHAPE = (3, 224, 224)
# Rows in a batch for the peers that batch. A batch of images takes longer than its images one by one, so none waits.
BATCH = 1 if IS_IMAGE else 64


class Model:
    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options)
        self._input = self._session.get_inputs()[0].name
        self._outputs = [self._session.get_outputs()[0].name]

    def run(self, rows: np.ndarray) -> np.ndarray:
        return self._session.run(self._outputs, {self._input: rows})[0]


def image(data: bytes) -> np.ndarray:
    """One image from its bytes, as a batch of one."""
    return np.frombuffer(data, np.float32).reshape(1, *IMAGE_SHAPE)
