"""Calls a server with tritonclient: over HTTP or gRPC, synchronous or asyncio, as the server's description says.

Run by describe-triton-client.ts, which knows what each case must return.
"""

import importlib
import sys
import threading

import numpy as np
from cases import NO_TEXT, ONES, RISING, SPECIAL, VALUES, echo, exact, run_cases, settled
from tritonclient.utils import InferenceServerException

KIND = sys.argv[1]  # http, http.aio, grpc or grpc.aio
IS_HTTP = KIND.startswith("http")
IS_ASYNC = KIND.endswith(".aio")

triton = importlib.import_module(f"tritonclient.{KIND}")


class Connection:
    """A client that is closed at the end; its calls give the same values for all four kinds."""

    def __init__(self, server, **options):
        self.url = server["http" if IS_HTTP else "grpc"]
        self.options = options

    async def __aenter__(self):
        self.client = triton.InferenceServerClient(self.url, **self.options)
        return self

    async def __aexit__(self, *_exception):
        await settled(self.client.close())

    async def call(self, name, *args, **options):
        return await settled(getattr(self.client, name)(*args, **options))

    async def facts(self, name, *args, **options):
        """The same call with its reply as a dictionary, which is how HTTP gives it by default."""
        return await self.call(name, *args, **options, **({} if IS_HTTP else {"as_json": True}))


def tensor(name, datatype, array, **options):
    made = triton.InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array, **options)
    return made


def simple_inputs(datatype="INT32", convert=lambda array: array):
    return [
        tensor("INPUT0", datatype, convert(RISING)),
        tensor("INPUT1", datatype, convert(ONES)),
    ]


async def refusal(call):
    """Status and text with which a call is refused."""
    try:
        result = await call
    except InferenceServerException as error:
        return {"status": error.status(), "message": error.message()}
    return {"answered": str(result)}


# Every kind ---------------------------------------------------------------------------------------------


async def health(server):
    async with Connection(server) as connection:
        return {
            "live": await connection.call("is_server_live"),
            "ready": await connection.call("is_server_ready"),
            "model": await connection.call("is_model_ready", "simple"),
            "version": await connection.call("is_model_ready", "simple", "1"),
            "absent": await is_ready_or_refused(connection, "absent"),
            "unknown": await is_ready_or_refused(connection, "nobody"),
        }


async def is_ready_or_refused(connection, name):
    """HTTP clients say False for whatever is not 200; those of gRPC raise for a model that is not known."""
    try:
        return await connection.call("is_model_ready", name)
    except InferenceServerException as error:
        return error.status()


async def server_metadata(server):
    async with Connection(server) as connection:
        return await connection.facts("get_server_metadata")


async def model_metadata(server):
    async with Connection(server) as connection:
        return await connection.facts("get_model_metadata", "simple")


async def model_config(server):
    async with Connection(server) as connection:
        replies = [await connection.facts("get_model_config", name) for name in ("simple", "simple_string")]
        return replies if IS_HTTP else [reply["config"] for reply in replies]


async def repository_index(server):
    async with Connection(server) as connection:
        reply = await connection.facts("get_model_repository_index")
        return reply if IS_HTTP else reply["models"]


async def statistics(server):
    """Of a model that no other case calls: one row, then three, then one that is refused by the model."""

    async def counts(connection):
        reply = await connection.facts("get_inference_statistics", "counted")
        (entry,) = reply["model_stats"]
        return entry

    async with Connection(server) as connection:
        before = await counts(connection)
        for rows in (1, 3):
            index = np.zeros((rows,), dtype=np.int64)
            await connection.call("infer", "counted", [tensor("INDEX", "INT64", index)])
        wrong = np.full((1,), 7, dtype=np.int64)
        failed = await refusal(connection.call("infer", "counted", [tensor("INDEX", "INT64", wrong)]))
        after = await counts(connection)
        return {"before": before, "after": after, "failed": failed}


async def simple_models(server):
    """The calls of the client's own samples: all outputs, none of them named."""
    text = lambda array: array.astype(str).astype(np.object_)
    async with Connection(server) as connection:
        answers = {}
        for name, datatype, convert in (
            ("simple", "INT32", lambda array: array),
            ("simple_int8", "INT8", lambda array: array.astype(np.int8)),
            ("simple_string", "BYTES", text),
        ):
            result = await connection.call("infer", name, simple_inputs(datatype, convert))
            answers[name] = [result.as_numpy(output).astype(int).tolist() for output in ("OUTPUT0", "OUTPUT1")]
        words = np.array(["one", "", "three"], dtype=np.object_)
        result = await connection.call("infer", "simple_identity", [tensor("INPUT0", "BYTES", words)])
        answers["simple_identity"] = [word.decode() for word in result.as_numpy("OUTPUT0")]
        return answers


async def datatypes(server):
    """[sent, received] of each datatype, in the client's default form."""
    async with Connection(server) as connection:
        return {
            datatype: await echoed(connection, datatype, array) for datatype, array in VALUES.items()
        }


async def special_values(server):
    async with Connection(server) as connection:
        return {
            datatype: await echoed(connection, datatype, array) for datatype, array in SPECIAL.items()
        }


async def empty_tensors(server):
    async with Connection(server) as connection:
        return {
            datatype: await echoed(connection, datatype, np.empty((2, 0), dtype=VALUES[datatype].dtype))
            for datatype in ("INT32", "BYTES")
        }


async def echoed(connection, datatype, array, is_binary=True):
    async def received():
        model = f"identity-{datatype.lower()}"
        form = {"binary_data": is_binary} if IS_HTTP else {}
        inputs = [tensor("INPUT", datatype, array, **form)]
        outputs = None if is_binary else [triton.InferRequestedOutput("OUTPUT", binary_data=False)]
        return (await connection.call("infer", model, inputs, outputs=outputs)).as_numpy("OUTPUT")

    return await echo(array, received())


async def one_output(server):
    async with Connection(server) as connection:
        outputs = [triton.InferRequestedOutput("OUTPUT1")]
        result = await connection.call("infer", "simple", simple_inputs(), outputs=outputs)
        return [exact(result.as_numpy("OUTPUT0")), result.as_numpy("OUTPUT1").tolist()]


async def classification(server):
    iris = np.array([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]], dtype=np.float32)
    async with Connection(server) as connection:
        outputs = [triton.InferRequestedOutput("output_probability", class_count=2)]
        result = await connection.call("infer", "iris", [tensor("float_input", "FP32", iris)], outputs=outputs)
        return [[entry.decode() for entry in row] for row in result.as_numpy("output_probability")]


async def identification(server):
    async with Connection(server) as connection:
        named = await connection.call("infer", "simple", simple_inputs(), request_id="my-id", model_version="1")
        nameless = await connection.call("infer", "simple", simple_inputs())
        replies = []
        for result in (named, nameless):
            reply = result.get_response() if IS_HTTP else result.get_response(as_json=True)
            replies.append([reply["model_name"], reply["model_version"], reply.get("id", "")])
        return replies


async def parameters(server):
    """Custom ones are accepted, and the scheduling ones are no mistake."""
    async with Connection(server) as connection:
        result = await connection.call(
            "infer",
            "simple",
            simple_inputs(),
            priority=1,
            timeout=5_000_000,
            parameters={"customer": "acme", "attempt": 2, "is_test": True},
        )
        return result.as_numpy("OUTPUT0").tolist()


async def refusals(server):
    short = np.zeros((1, 15), dtype=np.int32)
    async with Connection(server) as connection:

        def infer(model, inputs, **options):
            return refusal(connection.call("infer", model, inputs, **options))

        unknown = [triton.InferRequestedOutput("OUTPUT7")]
        slow = [tensor("INPUT", "FP32", np.ones((1, 4), dtype=np.float32))]
        return {
            "unknown model": await infer("nobody", simple_inputs()),
            "unknown version": await infer("simple", simple_inputs(), model_version="9"),
            "metadata of an unknown model": await refusal(connection.call("get_model_metadata", "nobody")),
            "model that is not ready": await infer("absent", simple_inputs()),
            "wrong shape": await infer("simple", [tensor("INPUT0", "INT32", short), simple_inputs()[1]]),
            "wrong datatype": await infer("simple", simple_inputs("INT8", lambda array: array.astype(np.int8))),
            "missing input": await infer("simple", simple_inputs()[:1]),
            "input twice": await infer("simple", [*simple_inputs(), simple_inputs()[0]]),
            "unknown output": await infer("simple", simple_inputs(), outputs=unknown),
            "sequence": await infer("simple", simple_inputs(), sequence_id=7, sequence_start=True),
            "no number": await infer("simple_string", simple_inputs("BYTES", words)),
            "no text": await infer("identity-bytes", [tensor("INPUT", "BYTES", NO_TEXT)]),
            "out of time": await infer("slow", slow, timeout=20_000),
            "no admin": await refusal(connection.call("load_model", "simple")),
        }


def words(array):
    return np.full(array.shape, "word", dtype=np.object_)


async def model_control(server):
    """Unloads and loads with the admin's key; without it nothing moves."""
    headers = {"authorization": f"Bearer {server['adminSecret']}"}
    locked = server["locked"]
    async with Connection(locked) as connection:
        seen = {
            "stranger": (await refusal(connection.call("unload_model", "simple")))["status"],
            "before": await connection.call("is_model_ready", "simple"),
        }
        await connection.call("unload_model", "simple", headers=headers)
        seen["unloaded"] = await connection.call("is_model_ready", "simple")
        seen["infer"] = await refusal(connection.call("infer", "simple", simple_inputs(), headers=headers))
        await connection.call("load_model", "simple", headers=headers)
        seen["loaded"] = await connection.call("is_model_ready", "simple")
        result = await connection.call("infer", "simple", simple_inputs(), headers=headers)
        seen["answer"] = result.as_numpy("OUTPUT0").tolist()
        seen["unknown"] = await refusal(connection.call("load_model", "nobody", headers=headers))
        return seen


async def still_serves(server):
    """After everything above, and after a client that gave up waiting."""
    slow = [tensor("INPUT", "FP32", np.ones((1, 4), dtype=np.float32))]
    if IS_HTTP:
        limit = {"conn_timeout": 0.05} if IS_ASYNC else {"network_timeout": 0.05}
        async with Connection(server, **limit) as hasty:
            gave_up = await gave_up_on(hasty.call("infer", "slow", slow))
    else:
        async with Connection(server) as hasty:
            gave_up = await refusal(hasty.call("infer", "slow", slow, client_timeout=0.05))
    async with Connection(server) as connection:
        result = await connection.call("infer", "simple", simple_inputs())
        return {"gaveUp": gave_up, "answer": result.as_numpy("OUTPUT1").tolist()}


async def gave_up_on(call):
    try:
        await call
    except Exception as error:
        return type(error).__name__
    return "answered"


COMMON = [
    health,
    server_metadata,
    model_metadata,
    model_config,
    repository_index,
    statistics,
    simple_models,
    datatypes,
    special_values,
    empty_tensors,
    one_output,
    classification,
    identification,
    parameters,
    refusals,
    model_control,
    still_serves,
]


# HTTP ---------------------------------------------------------------------------------------------------


async def json_tensors(server):
    """Every datatype that JSON has, sent and received as JSON, and one of each kind in one request."""
    async with Connection(server) as connection:
        return {
            datatype: await echoed(connection, datatype, array, is_binary=False)
            for datatype, array in VALUES.items()
            if datatype != "FP16"
        }


async def mixed_tensors(server):
    async with Connection(server) as connection:
        answers = []
        for forms in ((True, False), (False, True)):
            inputs = [
                tensor(name, "INT32", array, binary_data=form)
                for name, array, form in zip(("INPUT0", "INPUT1"), (RISING, ONES), forms)
            ]
            outputs = [
                triton.InferRequestedOutput(name, binary_data=form)
                for name, form in zip(("OUTPUT0", "OUTPUT1"), forms)
            ]
            result = await connection.call("infer", "simple", inputs, outputs=outputs)
            described = result.get_response()["outputs"]
            answers.append(
                {
                    "sum": result.as_numpy("OUTPUT0").tolist(),
                    "difference": result.as_numpy("OUTPUT1").tolist(),
                    "isBinary": ["data" not in output for output in described],
                }
            )
        return answers


async def compression(server):
    """Request and reply in each of the client's encodings, with tensors as bytes and as JSON."""
    encodings = (None, "gzip", "deflate")
    async with Connection(server) as connection:
        wrong = []
        for sent in encodings:
            for received in encodings:
                for is_binary in (True, False):
                    inputs = [
                        tensor("INPUT0", "INT32", RISING, binary_data=is_binary),
                        tensor("INPUT1", "INT32", ONES, binary_data=is_binary),
                    ]
                    outputs = [triton.InferRequestedOutput("OUTPUT0", binary_data=is_binary)]
                    result = await connection.call(
                        "infer",
                        "simple",
                        inputs,
                        outputs=outputs,
                        request_compression_algorithm=sent,
                        response_compression_algorithm=received,
                    )
                    if not np.array_equal(result.as_numpy("OUTPUT0"), RISING + ONES):
                        wrong.append([sent, received, is_binary])
        return wrong


async def query_parameters(server):
    async with Connection(server) as connection:
        query = {"test_1": 1, "test_2": 2}
        result = await connection.call("infer", "simple", simple_inputs(), query_params=query)
        return result.as_numpy("OUTPUT0").tolist()


async def parallel_requests(server):
    """Each of many requests at once gets its own answer. The synchronous client has a pool for that."""
    if IS_ASYNC:
        import asyncio

        async with Connection(server) as connection:
            results = await asyncio.gather(
                *(connection.call("infer", "simple", numbered(number)) for number in range(64))
            )
    else:
        async with Connection(server, concurrency=8) as connection:
            pending = [connection.client.async_infer("simple", numbered(number)) for number in range(64)]
            results = [request.get_result() for request in pending]
    return [int(result.as_numpy("OUTPUT0")[0][0]) for result in results]


def numbered(number):
    return [
        tensor("INPUT0", "INT32", np.full((1, 16), number, dtype=np.int32)),
        tensor("INPUT1", "INT32", np.zeros((1, 16), dtype=np.int32)),
    ]


# gRPC ---------------------------------------------------------------------------------------------------


async def grpc_compression(server):
    async with Connection(server) as connection:
        answers = []
        for algorithm in ("gzip", "deflate"):
            result = await connection.call("infer", "simple", simple_inputs(), compression_algorithm=algorithm)
            answers.append(result.as_numpy("OUTPUT0").tolist())
        return answers


async def stream(server):
    """Many requests over one stream, a wrong one among them: its error arrives and the stream goes on."""
    requests = [
        {"model_name": "nobody" if number == 5 else "simple", "inputs": numbered(number), "request_id": str(number)}
        for number in range(10)
    ]
    arrived = await (stream_async if IS_ASYNC else stream_sync)(server, requests)
    return {
        "numbers": sorted(
            [result.get_response().id, int(result.as_numpy("OUTPUT0")[0][0])]
            for result, error in arrived
            if error is None
        ),
        "errors": [error.message() for _result, error in arrived if error is not None],
    }


async def stream_sync(server, requests):
    arrived = []
    all_there = threading.Event()

    def take(result, error):
        arrived.append((result, error))
        if len(arrived) == len(requests):
            all_there.set()

    async with Connection(server) as connection:
        connection.client.start_stream(callback=take)
        for request in requests:
            connection.client.async_stream_infer(**request)
        all_there.wait(timeout=10)
        connection.client.stop_stream()
    return arrived


async def stream_async(server, requests):
    async def sent():
        for request in requests:
            yield request

    arrived = []
    async with Connection(server) as connection:
        async for pair in connection.client.stream_infer(sent()):
            arrived.append(pair)
            if len(arrived) == len(requests):
                break
    return arrived


async def callbacks(server):
    """Requests at once with a callback each, and one that is cancelled while the model runs."""
    results = {}
    errors = []
    all_there = threading.Event()

    def taker(number):
        def take(result, error):
            results[number] = error if error is not None else int(result.as_numpy("OUTPUT0")[0][0])
            if len(results) == 32:
                all_there.set()

        return take

    slow = [tensor("INPUT", "FP32", np.ones((1, 4), dtype=np.float32))]
    cancelled = threading.Event()

    def take_cancelled(result, error):  # noqa: ARG001 - the client names both
        errors.append(error.message())
        cancelled.set()

    async with Connection(server) as connection:
        for number in range(32):
            connection.client.async_infer("simple", numbered(number), taker(number))
        all_there.wait(timeout=10)
        call = connection.client.async_infer("slow", slow, take_cancelled)
        call.cancel()
        cancelled.wait(timeout=10)
    return {"numbers": [results[number] for number in range(32)], "cancelled": errors}


HTTP = [json_tensors, mixed_tensors, compression, query_parameters, parallel_requests]
GRPC = [grpc_compression, stream] if IS_ASYNC else [grpc_compression, stream, callbacks]

if __name__ == "__main__":
    run_cases([*(HTTP if IS_HTTP else GRPC), *COMMON])
