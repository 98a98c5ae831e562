"""Serves a Python function as a model of Millrace: `runtime: process`. Needs nothing but Python 3.8.

    from millrace_process import serve

    def predict(inputs):                       # {"rows": [[5.1, 3.5, 1.4, 0.2]]}
        return {"sum": [[sum(row)] for row in inputs["rows"]]}

    serve(predict, inputs={"rows": ("FP32", [-1, 4])}, outputs={"sum": ("FP32", [-1, 1])})

Tensors are numpy arrays when numpy is installed, else nested lists; BYTES are texts in both. -1 is an extent that may
vary. What `predict` raises fails the requests of that run, and nothing else. It is called for one run at a time.
"""

import json
import os
import socket
import struct
import threading
import traceback
from socketserver import StreamRequestHandler, TCPServer, ThreadingMixIn

try:
    import numpy
except ImportError:
    numpy = None

__all__ = ["serve"]

# Elements of each datatype, as `struct` and numpy both call them.
FORMATS = {
    "BOOL": "?", "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q", "INT8": "b",
    "INT16": "h", "INT32": "i", "INT64": "q", "FP16": "e", "FP32": "f", "FP64": "d",
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
        """Answers a request: (JSON, raw tensors behind it). JSON has no NaN and no infinity; raw tensors do."""
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
        return json.dumps(reply, allow_nan=False).encode(), [raw for _, raw in entries if raw is not None]

    def _write(self, wanted, results):
        name = wanted["name"]
        datatype, spec = self.outputs[name]
        is_binary = wanted.get("parameters", {}).get("binary_data") is True
        return _written(name, datatype, spec, results[name], is_binary)


def _specs(tensors):
    return [
        {"name": name, "datatype": datatype, "shape": list(shape)}
        for name, (datatype, shape) in tensors.items()
    ]


def _read(entry, raw):
    datatype, shape = entry["datatype"], entry["shape"]
    if datatype == "BYTES":
        flat = _flat(entry["data"]) if raw is None else _texts(raw)
        return _nested(flat, shape) if numpy is None else numpy.array(flat, object).reshape(shape)
    element = "<" + FORMATS[datatype]
    if raw is None:
        flat = _flat(entry["data"])
        return _nested(flat, shape) if numpy is None else numpy.array(flat, element).reshape(shape)
    if numpy is None:
        return _nested([value for (value,) in struct.iter_unpack(element, raw)], shape)
    # A copy: much native code refuses arrays that cannot be written.
    return numpy.frombuffer(raw, element).reshape(shape).copy()


def _written(name, datatype, spec, value, is_binary):
    """The entry of an output, and its elements in raw form where they are not in the entry."""
    if numpy is None:
        shape, flat = _shape_of(value, spec), _flat(value)
    else:
        element = object if datatype == "BYTES" else "<" + FORMATS[datatype]
        array = numpy.asarray(value, element)
        _check_kept(name, datatype, value, array)
        shape, flat = list(array.shape), array.ravel()
    entry = {"name": name, "datatype": datatype, "shape": shape}
    if not is_binary:
        entry["data"] = flat if numpy is None else flat.tolist()
        return entry, None
    if datatype == "BYTES":
        raw = _raw_texts(flat)
    elif numpy is None:
        raw = struct.pack("<%d%s" % (len(flat), FORMATS[datatype]), *flat)
    else:
        raw = flat.tobytes()
    entry["parameters"] = {"binary_data_size": len(raw)}
    return entry, raw


def _check_kept(name, datatype, value, array):
    """numpy makes 1 of 1.7 and 44 of 300 without a word, where the output is declared as whole numbers."""
    if array.dtype.kind not in "iub":
        return
    given = value if isinstance(value, numpy.ndarray) else numpy.asarray(value, object)
    if not numpy.array_equal(given, array):
        raise ValueError('output "%s" has values that %s cannot hold' % (name, datatype))


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


def _raw_texts(flat):
    texts = [str(text).encode() for text in flat]
    return b"".join(len(text).to_bytes(4, "little") + text for text in texts)


class _Server(ThreadingMixIn, TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 16

    def __init__(self, address, model):
        self.address_family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.model = model
        super().__init__(address, _Handler)


class _Handler(StreamRequestHandler):
    """Speaks as much HTTP as Millrace does, over a connection that stays open: http.server takes twice as long."""

    wbufsize = -1  # an answer leaves in one piece

    def setup(self):
        self.disable_nagle_algorithm = self.server.address_family == socket.AF_INET
        super().setup()

    def handle(self):
        while True:
            request = self._read_head()
            if request is None:
                return
            method, path, headers = request
            body = self.rfile.read(int(headers.get(b"content-length", 0)))
            if method == b"POST":
                self._infer(path, headers, body)
            else:
                self._get(path)

    def _read_head(self):
        """Method, path and headers with names in lower case; None when the connection ends."""
        words = self.rfile.readline().split(b" ")
        headers = {}
        while True:
            line = self.rfile.readline()
            if line in (b"", b"\r\n"):
                break
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        return None if line == b"" else (words[0], words[1].decode(), headers)

    def _get(self, path):
        model = self.server.model
        if path in ("/v2/health/live", "/v2/health/ready"):
            self._answer(200, {"live": True, "ready": True})
        elif path == "/v2":
            extensions = ["binary_tensor_data"]
            self._answer(200, {"name": "millrace_process", "version": "1", "extensions": extensions})
        elif path == "/v2/models/" + model.name:
            self._answer(200, model.metadata)
        else:
            self._answer(404, {"error": "unknown path " + path})

    def _infer(self, path, headers, body):
        model = self.server.model
        if path != "/v2/models/" + model.name + "/infer":
            return self._answer(404, {"error": "unknown path " + path})
        try:
            json_bytes = int(headers.get(b"inference-header-content-length", len(body)))
            reply, tensors = model.infer(body, json_bytes)
        except Exception as error:
            traceback.print_exc()
            return self._answer(500, {"error": "%s: %s" % (type(error).__name__, error)})
        self._send(200, reply, tensors)

    def _answer(self, status, value):
        self._send(status, json.dumps(value).encode(), [])

    def _send(self, status, reply, tensors):
        head = "HTTP/1.1 %d %s\r\n" % (status, "OK" if status == 200 else "Error")
        if tensors:
            head += "Inference-Header-Content-Length: %d\r\n" % len(reply)
        kind = "octet-stream" if tensors else "json"
        size = len(reply) + sum(map(len, tensors))
        head += "Content-Type: application/%s\r\nContent-Length: %d\r\n\r\n" % (kind, size)
        for part in (head.encode(), reply, *tensors):
            self.wfile.write(part)
        self.wfile.flush()
