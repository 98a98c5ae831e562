"""LitServe as its documentation teaches it. Batches are formed only where that pays."""

import base64
import sys

import litserve
import numpy as np
from bench_model import BATCH, IS_IMAGE, Model, image


class Bench(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.model = Model()

    def decode_request(self, request: dict) -> np.ndarray:
        data = request["data"]
        return image(base64.b64decode(data)) if IS_IMAGE else np.asarray(data, np.float32)

    def batch(self, inputs: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(inputs)

    def unbatch(self, output: np.ndarray) -> list[np.ndarray]:
        return [row[None] for row in output]

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.model.run(x)

    def encode_response(self, output: np.ndarray) -> dict:
        return {"prediction": output.tolist()}


if __name__ == "__main__":
    # No wait for company: with one, every request at a low rate would pay for it.
    api = Bench(max_batch_size=BATCH, batch_timeout=0.0)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, fast_queue=True)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False, generate_client_file=False)
