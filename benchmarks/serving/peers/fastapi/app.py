"""FastAPI as its documentation teaches it: pydantic models, async, inference inline."""

import numpy as np
from bench_model import Model, image
from fastapi import FastAPI, Request
from pydantic import BaseModel

model = Model()
app = FastAPI()


class Rows(BaseModel):
    data: list[list[float]]


class Prediction(BaseModel):
    prediction: list[list[float]]


# async and inline: a run takes microseconds, a thread would cost more than it.
@app.post("/predict")
async def predict(rows: Rows) -> Prediction:
    return Prediction(prediction=model.run(np.asarray(rows.data, dtype=np.float32)).tolist())


@app.post("/predict/raw")
async def predict_raw(request: Request) -> Prediction:
    return Prediction(prediction=model.run(image(await request.body())).tolist())
