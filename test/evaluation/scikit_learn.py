"""Measures rows with scikit-learn: JSON in, JSON out."""

import json
import sys

import numpy as np
from sklearn import metrics

rows = json.load(sys.stdin)


def classification(actual, predicted, weight, labels):
    result = {"accuracy": metrics.accuracy_score(actual, predicted, sample_weight=weight)}
    for average in ("macro", "micro", "weighted"):
        values = metrics.precision_recall_fscore_support(
            actual, predicted, labels=labels, average=average, sample_weight=weight, zero_division=0
        )
        result[average] = values[:3]
    values = metrics.precision_recall_fscore_support(
        actual, predicted, labels=labels, average=None, sample_weight=weight, zero_division=0
    )
    result["classes"] = np.transpose(values).tolist()
    result["matrix"] = metrics.confusion_matrix(
        actual, predicted, labels=labels, sample_weight=weight
    ).tolist()
    return result


def probabilities(actual, given, weight, labels):
    return {
        "log_loss": metrics.log_loss(actual, given, labels=labels, sample_weight=weight),
        "brier": metrics.brier_score_loss(actual, given, labels=labels, sample_weight=weight)
        if len(labels) > 2
        else metrics.brier_score_loss(
            actual, np.array(given)[:, 1], pos_label=labels[1], sample_weight=weight
        ),
    }


def regression(actual, predicted, weight):
    return {
        "rmse": metrics.root_mean_squared_error(actual, predicted, sample_weight=weight),
        "mae": metrics.mean_absolute_error(actual, predicted, sample_weight=weight),
        "r2": metrics.r2_score(actual, predicted, sample_weight=weight),
        "bias": float(np.average(np.array(predicted) - np.array(actual), weights=weight)),
    }


MEASURES = {
    "classification": classification,
    "probabilities": probabilities,
    "regression": regression,
}
json.dump({name: MEASURES[row.pop("kind")](**row) for name, row in rows.items()}, sys.stdout)
