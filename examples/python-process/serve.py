"""Serves what train.py wrote. Millrace starts it with the path of the model, and has put millrace_process on the path."""

import sys

import joblib
from millrace_process import serve

model = joblib.load(sys.argv[1])


def predict(inputs):
    return {"probabilities": model.predict_proba(inputs["rows"])}


serve(
    predict,
    inputs={"rows": ("FP32", [-1, 4])},
    outputs={"probabilities": ("FP32", [-1, 3])},
    platform="sklearn_joblib",
)
