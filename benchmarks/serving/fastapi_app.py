"""The comparison: the same model behind FastAPI, written as its documentation teaches it."""

from pathlib import Path

import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel

model = Path(__file__).parents[2] / "examples/models/iris_svc.onnx"
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(model, options)
input_name = session.get_inputs()[0].name

app = FastAPI()


class Rows(BaseModel):
    data: list[list[float]]


class Prediction(BaseModel):
    prediction: list[list[float]]


# async and inline: a run takes microseconds, a thread would cost more than it.
@app.post("/predict")
async def predict(rows: Rows) -> Prediction:
    feeds = {input_name: np.asarray(rows.data, dtype=np.float32)}
    (probabilities,) = session.run(["output_probability"], feeds)
    return Prediction(prediction=[list(row.values()) for row in probabilities])
