"""Serves a Python function as a model of Millrace: `runtime: process`. Needs nothing but Python 3.8.

    from millrace_process import serve

    def predict(inputs):                       # {"rows": [[5.1, 3.5, 1.4, 0.2]]}
        return {"sum": [[sum(row)] for row in inputs["rows"]]}

    serve(predict, inputs={"rows": ("FP32", [-1, 4])}, outputs={"sum": ("FP32", [-1, 1])})

Tensors are numpy arrays when numpy is installed, else nested lists; BYTES are texts in both. -1 is an extent that may
vary. What `predict` raises fails the requests of that run, and nothing else. It is called for one run at a time.
"""

import json
import math
import os
import socket
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn

try:
    import numpy
except ImportError:
    numpy = None

__all__ = ["serve"]

NUMPY_TYPES = {
    "BOOL": "?", "UINT8": "u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "INT8": "i1",
    "INT16": "<i2", "INT32": "<i4", "INT64": "<i8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip


def serve(predict, inputs, outputs, platform="python_function"):
    """Serves until Millrace closes the standard input. `inputs` and `outputs`: {name: (datatype, shape)}."""
    model = _Model(predict, inputs, outputs, platform)
    port = os.environ.get("MILLRACE_PORT")
    address = os.environ["MILLRACE_SOCKET"] if port is None else ("127.0.0.1", int(port))
    with _Server(address, model) as server:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
        server.serve_forever()


def _end_with_stdin():
    """Millrace holds the other end: it closes when Millrace ends, even when it is killed."""
    while os.read(0, 4096):
        pass
    os._exit(0)


class _Model:
    def __init__(self, predict, inputs, outputs, platform):
        self.predict = predict
        self.outputs = outputs
        self.name = os.environ.get("MILLRACE_MODEL", "model")
        self.lock = threading.Lock()
        self.metadata = {
            "name": self.name,
            "platform": platform,
            "inputs": _specs(inputs),
            "outputs": _specs(outputs),
        }

    def infer(self, body, json_bytes):
        """Answers a request: (JSON, raw tensors behind it)."""
        request = json.loads(body[:json_bytes])
        at = json_bytes
        inputs = {}
        for entry in request["inputs"]:
            size = entry.get("parameters", {}).get("binary_data_size")
            raw = None if size is None else body[at : at + size]
            at += size or 0
            inputs[entry["name"]] = _read(entry, raw)
        with self.lock:
            results = self.predict(inputs)
        wanted = request.get("outputs") or [{"name": name} for name in self.outputs]
        entries = [self._write(entry, results) for entry in wanted]
        reply = {"model_name": self.name, "outputs": [entry for entry, _ in entries]}
        return json.dumps(reply).encode(), [raw for _, raw in entries if raw is not None]

    def _write(self, wanted, results):
        name = wanted["name"]
        datatype, spec = self.outputs[name]
        is_binary = wanted.get("parameters", {}).get("binary_data") is True
        return _written(name, datatype, spec, results[name], is_binary and numpy is not None)


def _specs(tensors):
    return [
        {"name": name, "datatype": datatype, "shape": list(shape)}
        for name, (datatype, shape) in tensors.items()
    ]


def _read(entry, raw):
    datatype, shape = entry["datatype"], entry["shape"]
    if datatype == "BYTES":
        flat = _texts(raw) if raw is not None else _flat(entry["data"])
        return _nested(flat, shape) if numpy is None else numpy.array(flat, object).reshape(shape)
    if raw is not None:
        return numpy.frombuffer(raw, NUMPY_TYPES[datatype]).reshape(shape)
    flat = [math.nan if value is None else value for value in _flat(entry["data"])]
    return _nested(flat, shape) if numpy is None else numpy.array(flat, NUMPY_TYPES[datatype]).reshape(shape)


def _written(name, datatype, spec, value, is_binary):
    if numpy is not None:
        array = numpy.asarray(value, object if datatype == "BYTES" else NUMPY_TYPES[datatype])
        shape, flat = list(array.shape), None
    else:
        shape, flat = _shape_of(value, spec), _flat(value)
    entry = {"name": name, "datatype": datatype, "shape": shape}
    if is_binary:
        raw = _raw_texts(array) if datatype == "BYTES" else numpy.ascontiguousarray(array).tobytes()
        entry["parameters"] = {"binary_data_size": len(raw)}
        return entry, raw
    flat = array.ravel().tolist() if flat is None else flat
    if datatype in ("FP32", "FP64"):  # NaN and infinities have no JSON
        flat = [value if math.isfinite(value) else None for value in flat]
    entry["data"] = flat
    return entry, None


def _flat(value):
    """Elements of nested lists in order; a single value is one."""
    if not isinstance(value, (list, tuple)):
        return [value]
    return [element for part in value for element in _flat(part)]


def _nested(flat, shape):
    if not shape:
        return flat[0]
    size = len(flat) // shape[0] if shape[0] else 0
    return [_nested(flat[i * size : (i + 1) * size], shape[1:]) for i in range(shape[0])]


def _shape_of(value, spec):
    """Extents of nested lists; those inside an empty one are the declared ones."""
    if not isinstance(value, (list, tuple)):
        return []
    inner = _shape_of(value[0], spec[1:]) if value else [max(extent, 0) for extent in spec[1:]]
    return [len(value)] + inner


def _texts(raw):
    texts, at = [], 0
    while at < len(raw):
        end = at + 4 + int.from_bytes(raw[at : at + 4], "little")
        texts.append(raw[at + 4 : end].decode())
        at = end
    return texts


def _raw_texts(array):
    texts = [str(text).encode() for text in array.ravel()]
    return b"".join(len(text).to_bytes(4, "little") + text for text in texts)


class _Server(ThreadingMixIn, TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 16

    def __init__(self, address, model):
        self.address_family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.model = model
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer leaves in one piece
    disable_nagle_algorithm = False

    def do_GET(self):
        model = self.server.model
        if self.path in ("/v2/health/live", "/v2/health/ready"):
            self._answer(200, {"live": True, "ready": True})
        elif self.path == "/v2":
            extensions = [] if numpy is None else ["binary_tensor_data"]
            self._answer(200, {"name": "millrace_process", "version": "1", "extensions": extensions})
        elif self.path == "/v2/models/" + model.name:
            self._answer(200, model.metadata)
        else:
            self._answer(404, {"error": "unknown path " + self.path})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        model = self.server.model
        if self.path != "/v2/models/" + model.name + "/infer":
            return self._answer(404, {"error": "unknown path " + self.path})
        try:
            json_bytes = int(self.headers.get("Inference-Header-Content-Length", len(body)))
            reply, tensors = model.infer(body, json_bytes)
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            return self._answer(500, {"error": "%s: %s" % (type(error).__name__, error)})
        self._send(200, reply, tensors)

    def _answer(self, status, value):
        self._send(status, json.dumps(value).encode(), [])

    def _send(self, status, reply, tensors):
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream" if tensors else "application/json")
        if tensors:
            self.send_header("Inference-Header-Content-Length", str(len(reply)))
        self.send_header("Content-Length", str(len(reply) + sum(map(len, tensors))))
        self.end_headers()
        for part in (reply, *tensors):
            self.wfile.write(part)
        self.wfile.flush()

    def address_string(self):
        return "millrace"  # a socket file has no client address

    def log_message(self, *_):
        """Millrace logs what it asks."""
