"""What the client scripts share: values of every datatype, a form in which they reach the tests, and a runner.

A script gets its server as JSON on standard input and prints, as JSON, what each of its cases returned or raised.
"""

import asyncio
import inspect
import json
import sys
import traceback

import numpy as np

# Two rows each, with the ends of the range and what rounding or text would spoil.
VALUES = {
    "BOOL": np.array([[True, False], [False, True]]),
    "UINT8": np.array([[0, 255], [1, 254]], dtype=np.uint8),
    "UINT16": np.array([[0, 65535], [1, 256]], dtype=np.uint16),
    "UINT32": np.array([[0, 2**32 - 1], [1, 2**31]], dtype=np.uint32),
    "UINT64": np.array([[0, 2**64 - 1], [2**53 + 1, 2**63]], dtype=np.uint64),
    "INT8": np.array([[-128, 127], [-1, 0]], dtype=np.int8),
    "INT16": np.array([[-32768, 32767], [-1, 0]], dtype=np.int16),
    "INT32": np.array([[-(2**31), 2**31 - 1], [-1, 0]], dtype=np.int32),
    "INT64": np.array([[-(2**63), -1, 0], [2**53 + 1, 2**63 - 1, -(2**53) - 1]], dtype=np.int64),
    "FP16": np.array([[1.5, -65504.0], [6e-8, 0.1]], dtype=np.float16),
    "FP32": np.array([[0.1, -3.4028235e38], [1e-45, 16777217.0]], dtype=np.float32),
    "FP64": np.array([[0.1, 1.7976931348623157e308], [5e-324, -0.0]], dtype=np.float64),
    "BYTES": np.array([["", "h\u00e9llo \U0001f98a"], ['quote " \\', "line\nend"]], dtype=np.object_),
}

# Without a form in JSON: exact as bytes alone.
SPECIAL = {
    "FP16": np.array([[np.nan, np.inf, -np.inf, -0.0]], dtype=np.float16),
    "FP32": np.array([[np.nan, np.inf, -np.inf, -0.0]], dtype=np.float32),
    "FP64": np.array([[np.nan, np.inf, -np.inf, -0.0]], dtype=np.float64),
}

# Bytes that the ONNX runtime cannot carry as text.
NO_TEXT = np.array([[b"\xff\xfe", b"\xc3("]], dtype=np.object_)

# What the models `simple…` are asked.
RISING = np.arange(16, dtype=np.int32).reshape(1, 16)
ONES = np.ones((1, 16), dtype=np.int32)


def exact(array):
    """Type, shape and every bit of an array: [dtype, shape, hexadecimal]."""
    if array is None:
        return None
    if array.dtype == np.object_:
        elements = [e if isinstance(e, bytes) else str(e).encode() for e in array.flatten()]
        return ["bytes", list(array.shape), [element.hex() for element in elements]]
    return [str(array.dtype), list(array.shape), array.tobytes().hex()]


async def echo(sent, received):
    """[sent, received], exactly; what a call raised stands for what it did not return."""
    try:
        return [exact(sent), exact(await received)]
    except Exception as error:
        return [exact(sent), repr(error)]


async def settled(value):
    """The value of a synchronous client as it is, that of an asynchronous one when it is there."""
    return await value if inspect.isawaitable(value) else value


def run_cases(cases):
    """Runs each case with the server's description; one that raises does not keep the others from running."""
    server = json.load(sys.stdin)
    asyncio.run(print_outcomes(cases, server))


async def print_outcomes(cases, server):
    outcomes = {}
    for case in cases:
        try:
            outcomes[case.__name__] = {"returned": await settled(case(server))}
        except Exception:
            outcomes[case.__name__] = {"raised": traceback.format_exc()}
    json.dump(outcomes, sys.stdout)
