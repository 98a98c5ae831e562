"""BentoML as its documentation teaches it: a service with a batchable method over arrays."""

import base64
import os

import bentoml
import numpy as np
from bench_model import BATCH, IS_IMAGE, Model, image

IS_BATCHING = os.environ.get("BENCH_BATCHING") == "on" and not IS_IMAGE


@bentoml.service(workers=1, traffic={"timeout": 30}, metrics={"enabled": False}, tracing={"sample_rate": 0.0})
class Bench:
    def __init__(self) -> None:
        self.model = Model()

    if IS_IMAGE:

        @bentoml.api
        def predict(self, data: str) -> np.ndarray:
            return self.model.run(image(base64.b64decode(data)))

    else:

        @bentoml.api(batchable=IS_BATCHING, max_batch_size=BATCH)
        def predict(self, data: np.ndarray) -> np.ndarray:
            return self.model.run(data.astype(np.float32))
