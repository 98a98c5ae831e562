"""Mosec as its documentation teaches it: a Rust front, one worker, batches of at most 64 within 2 ms."""

from typing import Any

import numpy as np
from bench_model import BATCH, IS_IMAGE, Model, image
from mosec import Server, Worker

WAIT_MS = 2


class Bench(Worker):
    def __init__(self) -> None:
        self.model = Model()

    def deserialize(self, data: bytes) -> Any:
        return image(data) if IS_IMAGE else super().deserialize(data)

    def forward(self, data: Any) -> Any:
        if BATCH == 1:
            return {"prediction": self.model.run(data).tolist()}
        rows = np.array([one["data"][0] for one in data], np.float32)
        return [{"prediction": [row]} for row in self.model.run(rows).tolist()]


if __name__ == "__main__":
    server = Server()
    server.append_worker(Bench, num=1, max_batch_size=BATCH, max_wait_time=WAIT_MS)
    server.run()
