"""Runs one model in a loop on one thread, with nothing around it, and prints how long each run took.

python raw_runtime.py MODEL.onnx CASES.json BATCH SECONDS -> {"perSecond": rows, "ms": [each run]}
"""

import json
import sys
import time

import numpy as np
import onnxruntime

model, cases, batch, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(model, options)
(feed,) = session.get_inputs()
with open(cases, encoding="utf-8") as file:
    rows = json.load(file)["inputs"]
shape = [batch, *(int(size) for size in feed.shape[1:])]
x = np.resize(np.array(rows, np.float32), shape)

end = time.perf_counter() + seconds / 5
while time.perf_counter() < end:
    session.run(None, {feed.name: x})
taken = []
start = time.perf_counter()
end = start + seconds
while (before := time.perf_counter()) < end:
    session.run(None, {feed.name: x})
    taken.append((time.perf_counter() - before) * 1000)
elapsed = time.perf_counter() - start
print(json.dumps({"perSecond": len(taken) * batch / elapsed, "ms": taken}))
