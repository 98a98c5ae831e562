"""Trains a classifier on the iris data that comes with scikit-learn and writes model.joblib beside this file."""

import sys
from pathlib import Path

import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

trees = int(sys.argv[1]) if len(sys.argv) > 1 else 20
data = load_iris()
train_x, test_x, train_y, test_y = train_test_split(data.data, data.target, random_state=1)
model = RandomForestClassifier(n_estimators=trees, max_depth=3, random_state=1).fit(train_x, train_y)

path = Path(__file__).with_name("model.joblib")
draft = path.with_suffix(".draft")
joblib.dump(model, draft)
draft.replace(path)  # a rename: whoever reads the file gets the old one or the new one
print(f"{trees} trees, {model.score(test_x, test_y):.0%} of the test rows are right")
